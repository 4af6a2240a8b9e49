//! Under shortage every policy, by every backend, reaches in each stage what trying everything reaches.

use isocost_formulations::shortage::{Effort, Policy, shortage};
use isocost_model::plan::{Choice, Status};
use isocost_solver::{SolveOptions, backend, backends};

use super::case::Case;
use super::problems::{in_cents, plan, rounding};
use super::rules;
use super::run::{self, Outcome};

#[test]
fn every_policy_reaches_its_best() {
    run::all("shortage", run::cases(3000), tried);
}

/// Tries one case, where not all can be served.
pub fn tried(case: &Case) -> Result<Outcome, String> {
    // Nodes are stated of a scenario.
    let case = &Case { nodes: Vec::new(), ..case.clone() };
    let Ok(optimum) = rules::cheapest(case) else { return Ok(Outcome::Skipped) };
    if optimum.is_some() {
        return Ok(Outcome::Served);
    }
    let Ok(best) = rules::best_under_shortage(case) else { return Ok(Outcome::Skipped) };
    let problem = case.problem();
    for name in backends() {
        let backend = backend(name).expect("it was built");
        let options = SolveOptions::default();
        let choice = shortage(&problem, &case.options(), policy(case), &*backend, &options);
        is_best(case, &choice.expect("it solves"), &best)
            .map_err(|how| format!("{:?}, {name}: {how}", policy(case)))?;
    }
    Ok(Outcome::Short)
}

fn policy(case: &Case) -> Policy {
    let effort = match case.policy.0 {
        0 => Effort::Whole,
        1 => Effort::Exhaustive,
        2 => Effort::PriorityRoundRobin,
        _ => Effort::RoundRobin,
    };
    Policy { effort, delayed: case.policy.1, mixed: case.mixed }
}

fn is_best(case: &Case, choice: &Choice, best: &[f64]) -> Result<(), String> {
    let reached =
        rules::reached_by(case, &plan(case, choice)).map_err(|how| format!("{how}: {choice:?}"))?;
    is_as_good(case, &reached, best).map_err(|how| format!("{how}: {choice:?}"))?;
    let cents = in_cents(case, -best[best.len() - 1] as i64);
    let right = choice.status == Status::Optimal
        && (choice.objective - cents).abs() <= rounding(case)
        && choice.bound <= cents + rounding(case);
    if right { Ok(()) } else { Err(format!("{cents} is the optimum, not {choice:?}")) }
}

/// Whether what is reached in each stage is what can be.
pub fn is_as_good(case: &Case, reached: &[f64], best: &[f64]) -> Result<(), String> {
    if rules::is_better(reached, best) || rules::is_better(best, reached) {
        let stages = rules::stage_names(case).join(", ");
        return Err(format!("{best:?} is the best of {stages}, not {reached:?}"));
    }
    Ok(())
}
