//! Every formulation, by every backend, finds what trying everything finds.

use isocost_formulations::pattern::{self, Ablation, Space};
use isocost_formulations::{Problem, greedy, mixed, single};
use isocost_model::plan::{Choice, Shape, Status};
use isocost_solver::{Backend, SolveOptions, backend, backends};

use super::case::Case;
use super::rules::{self, Plan};
use super::run::{self, Outcome};

#[test]
fn every_method_finds_the_optimum() {
    run::all("problems", run::cases(3000), tried);
}

/// Tries one case.
pub fn tried(case: &Case) -> Result<Outcome, String> {
    // Nodes are stated of a scenario.
    let case = &Case { nodes: Vec::new(), ..case.clone() };
    let Ok(best) = rules::cheapest(case) else { return Ok(Outcome::Skipped) };
    let problem = case.problem();
    for name in backends() {
        let backend = backend(name).expect("it was built");
        let choices = [
            ("by patterns", by_patterns(case, &problem, &*backend, &SolveOptions::default())),
            ("compact", compact(case, &problem, &*backend)),
        ];
        for (method, choice) in choices {
            is_optimum(case, &choice, best).map_err(|how| format!("{method}, {name}: {how}"))?;
        }
    }
    by_greedy(case, &problem, best).map_err(|how| format!("greedy: {how}"))?;
    Ok(if best.is_some() { Outcome::Served } else { Outcome::Short })
}

fn shape(case: &Case) -> Shape {
    if case.mixed { Shape::Mixed } else { Shape::Single }
}

/// The choice by patterns, with the means that the case leaves.
pub fn by_patterns(
    case: &Case,
    problem: &Problem,
    backend: &dyn Backend,
    options: &SolveOptions,
) -> Choice {
    let asked = case.options();
    let space = Space::new(problem, shape(case), &asked);
    let with = |bit: u8| case.without & (1 << bit) == 0;
    let ablation = Ablation {
        prune: with(0),
        fixing: with(1),
        listing: with(2),
        cuts: with(3),
        totals: with(4),
        step: with(5),
        ties: with(6),
    };
    pattern::solve(&space, backend, options, &ablation).expect("it solves")
}

fn compact(case: &Case, problem: &Problem, backend: &dyn Backend) -> Choice {
    let state = if case.mixed { mixed } else { single };
    let program = state(problem, &case.options());
    program.solve(problem, backend, &SolveOptions::default()).expect("it solves")
}

/// Replicas on each profile that a choice places.
pub fn plan(case: &Case, choice: &Choice) -> Plan {
    let profiles = |s: usize| case.models[case.servers[s].model].len();
    let mut plan: Plan = (0..case.servers.len()).map(|s| vec![0; profiles(s)]).collect();
    for (s, shares) in choice.shares.iter().enumerate() {
        shares.iter().for_each(|&(j, n)| plan[s][j] += n);
    }
    plan
}

/// Whether a choice is the optimum, and says so; without one, that it says that.
pub fn is_optimum(case: &Case, choice: &Choice, best: Option<i64>) -> Result<(), String> {
    let Some(best) = best else {
        let right = choice.status == Status::Infeasible;
        return if right { Ok(()) } else { Err(format!("there is no plan, not {choice:?}")) };
    };
    if choice.status != Status::Optimal {
        return Err(format!("{} is the optimum, not {choice:?}", in_cents(case, best)));
    }
    let value = rules::value_of(case, &plan(case, choice))?;
    is_proven(case, (choice.objective, choice.bound), best, value)
        .map_err(|how| format!("{how}: {choice:?}"))
}

/// Whether a plan of `value` is the optimum, and is said to cost that.
pub fn is_proven(
    case: &Case,
    (objective, bound): (f64, f64),
    best: i64,
    value: i64,
) -> Result<(), String> {
    let cents = in_cents(case, best);
    let off = |x: f64| x - cents > rounding(case) || cents - x > rounding(case);
    if value != best {
        return Err(format!("{cents} is the optimum, not {}", in_cents(case, value)));
    }
    if off(objective) {
        return Err(format!("the plan's value is {cents}, not {objective}"));
    }
    if bound > cents + rounding(case) {
        return Err(format!("the bound {bound} is above the optimum {cents}"));
    }
    Ok(())
}

/// The baseline keeps every rule in what it calls a plan, and none beats the optimum.
fn by_greedy(case: &Case, problem: &Problem, best: Option<i64>) -> Result<(), String> {
    let found = greedy(problem, None, &case.options());
    if !found.left_out.is_empty() {
        return Ok(());
    }
    let case = &Case { mixed: false, ..case.clone() };
    let value = rules::value_of(case, &plan(case, &found.choice))?;
    let cents = in_cents(case, value);
    if (cents - found.choice.objective).abs() > rounding(case) {
        return Err(format!("the plan's value is {cents}, not {}", found.choice.objective));
    }
    match best {
        Some(best) if value >= best => Ok(()),
        _ => Err(format!("{cents} beats the optimum {best:?}")),
    }
}

/// Tenths of what prices are counted in, in cents/h.
pub fn in_cents(case: &Case, value: i64) -> f64 {
    value as f64 / 10.0 * case.cents
}

/// What sums may be off: a billionth of what is summed.
pub fn rounding(case: &Case) -> f64 {
    let now: u64 = case.servers.iter().filter_map(|s| s.now).map(|now| now.1).sum();
    let dearest = case.accelerators.iter().map(|a| a.price).max().unwrap_or(0);
    let node = case.nodes.iter().filter_map(|kind| kind.price).max().unwrap_or(0);
    1e-9 * (1.0 + case.cents * (now + 100 * dearest.max(node)) as f64)
}
