//! From a problem to a choice: picks the statement and the method, and solves.
//!
//! Which method serves which formulation is decided here and nowhere else: `single` and `mixed` go
//! by patterns whatever their size and rules, `compact` goes to the backend as it stands.

use isocost_formulations::by_name::ByName;
use isocost_formulations::greedy::{Greedy, greedy};
use isocost_formulations::nodes::{first_placed, placed, refill};
use isocost_formulations::pattern::{self, Space};
use isocost_formulations::problem::{Problem, ProblemOptions};
use isocost_formulations::program::Program;
use isocost_formulations::shortage::{missing, shortage};
use isocost_formulations::{mixed, single};
use isocost_model::Scenario;
use isocost_model::candidates::Reason;
use isocost_model::plan::{Choice, Method, Shape, Status};
use isocost_solver::{Backend, Deadline, SolveOptions, SolverError};

use crate::explain::rule;
use crate::fleet::Fleet;
use crate::request::{Formulation, Request};

/// The cheapest choice, with notes that say how it was found and what stands in its way.
///
/// # Errors
/// A failure of the backend.
pub fn choose(
    fleet: &Fleet,
    problem: &Problem,
    request: &Request,
    backend: &dyn Backend,
) -> Result<Choice, SolverError> {
    let scenario = fleet.planned_for();
    let mut choice = if request.formulation.method == Method::Greedy {
        let mut choice = by_greedy(scenario, problem, request);
        in_its_nodes(&mut choice, problem, request, backend)?;
        choice
    } else {
        exact_or_short(scenario, problem, request, backend)?
    };
    if request.formulation == Formulation::AUTO {
        let why = if scenario.optimizer.heterogeneous {
            "as the scenario lets several accelerators share a server"
        } else {
            "as the scenario keeps each server on one accelerator type"
        };
        choice.notes.push(format!("formulation: {}, {why}", choice.approach.stated()));
    }
    choice.notes.extend(unserved(fleet, problem, request));
    Ok(choice)
}

/// The exact way: all served, or, where that is excluded, what the policy makes of it.
fn exact_or_short(
    scenario: &Scenario,
    problem: &Problem,
    request: &Request,
    backend: &dyn Backend,
) -> Result<Choice, SolverError> {
    let clock = Deadline::new(&request.solve);
    let request = &Request { problem: request.options(scenario), ..request.clone() };
    let sorted = ByName::new(scenario, problem);
    let shape = request.formulation.shape(scenario);
    let policy = request.policy(scenario);
    let mut whole = request.clone();
    if policy.is_some() {
        // What is left is for those that cannot be served in full.
        whole.solve.time_limit = clock.left().map(|left| left.div_f64(2.0));
    }
    let fitting = placed(&sorted.problem, backend, &clock, |problem| {
        Ok((exact(problem, shape, &whole, backend)?, ()))
    })?;
    let mut choice = sorted.back(fitting.choice);
    if choice.status == Status::Unknown && problem.pools.is_empty() {
        choice = or_heuristic(choice, problem, &request.problem);
    }
    match (choice.status, policy) {
        (Status::Infeasible | Status::Unknown, Some(policy)) => {
            let is_excluded = choice.status == Status::Infeasible;
            let options = SolveOptions { time_limit: clock.left(), ..request.solve.clone() };
            let asked = &request.problem;
            let choice =
                first_placed(&sorted.problem, backend, &Deadline::new(&options), |problem| {
                    shortage(problem, asked, policy, backend, &options)
                })?;
            let mut choice = sorted.back(choice);
            if !is_excluded {
                // That not all can be served was not proven, and so neither is this.
                choice.bound = f64::NEG_INFINITY;
                if choice.status == Status::Optimal {
                    choice.status = Status::Feasible;
                }
            }
            choice.notes.extend(missing(scenario, problem, &choice.shares));
            Ok(choice)
        }
        _ => Ok(choice),
    }
}

/// The cheapest choice by patterns that serves all, with what proves its bound as text; no text where
/// nothing was proven, `None` where another method is asked for.
///
/// # Errors
/// A failure of the backend.
pub fn proven(
    scenario: &Scenario,
    problem: &Problem,
    request: &Request,
    backend: &dyn Backend,
) -> Result<Option<(Choice, Option<String>)>, SolverError> {
    if request.formulation.method != Method::Patterns {
        return Ok(None);
    }
    let sorted = ByName::new(scenario, problem);
    let (shape, options) = (request.formulation.shape(scenario), request.options(scenario));
    let clock = Deadline::new(&request.solve);
    let found = placed(&sorted.problem, backend, &clock, |problem| {
        let with = problem.with_purchases(shape);
        let space = Space::new(&with, shape, &options);
        let solve = SolveOptions { time_limit: clock.left(), ..request.solve.clone() };
        let (mut choice, certificate) =
            pattern::proven(&space, backend, &solve, &request.ablation)?;
        problem.without_purchases(shape, &mut choice);
        Ok((choice, certificate))
    })?;
    let text = found.said.flatten();
    let text = text.map(|proof| proof.text(|s, j| sorted.names(scenario, shape, s, j)));
    Ok(Some((sorted.back(found.choice), text)))
}

/// The program that states `problem`, as an outside solver gets it.
pub fn program(problem: &Problem, shape: Shape, options: &ProblemOptions) -> Program {
    match shape {
        Shape::Single => single(problem, options),
        Shape::Mixed => mixed(problem, options),
    }
}

/// The cheapest choice by an exact method, without remarks; `request.problem` is taken as it is.
///
/// # Errors
/// A failure of the backend.
pub fn exact(
    problem: &Problem,
    shape: Shape,
    request: &Request,
    backend: &dyn Backend,
) -> Result<Choice, SolverError> {
    let with = problem.with_purchases(shape);
    let space = Space::new(&with, shape, &request.problem);
    let mut choice = if request.formulation.method == Method::Compact {
        by_program(&space, &request.solve, backend)?
    } else {
        pattern::solve(&space, backend, &request.solve, &request.ablation)?
    };
    problem.without_purchases(shape, &mut choice);
    Ok(choice)
}

/// By the program over replicas, as the backend takes it.
fn by_program(
    space: &Space<'_>,
    solve: &SolveOptions,
    backend: &dyn Backend,
) -> Result<Choice, SolverError> {
    let clock = Deadline::new(solve);
    let program = program(space.problem, space.shape, space.options());
    let options = SolveOptions { time_limit: clock.left(), ..solve.clone() };
    let mut choice = program.solve(space.problem, backend, &options)?;
    if !choice.shares.is_empty() {
        // A point that is not optimal may charge for what it does not use.
        choice.objective = choice.objective.min(value(space, &choice.shares));
    }
    Ok(choice)
}

/// What (index of candidate, replicas) by server are charged, cents/h.
pub(crate) fn value(space: &Space<'_>, shares: &[Vec<(usize, u64)>]) -> f64 {
    let of_server = |(s, shares): (usize, &Vec<(usize, u64)>)| {
        let at = |&(candidate, n): &(usize, u64)| {
            let j = space.items(s).iter().position(|item| item.candidate == candidate)?;
            Some((j as u32, u32::try_from(n).ok()?))
        };
        let shares: Option<Vec<(u32, u32)>> = shares.iter().map(at).collect();
        shares.map_or(f64::INFINITY, |shares| space.weigh(s, &shares).0)
    };
    shares.iter().enumerate().map(of_server).sum()
}

/// The baseline's choice; without a shortage policy it is a plan only if it leaves nobody out.
fn by_greedy(scenario: &Scenario, problem: &Problem, request: &Request) -> Choice {
    let policy = request.policy(scenario);
    let Greedy { mut choice, left_out } = greedy(problem, policy, &request.options(scenario));
    if !left_out.is_empty() {
        let names: Vec<&str> =
            left_out.iter().map(|&s| scenario.servers[s].name.as_str()).collect();
        let (left, all) = (names.len(), scenario.servers.len());
        if policy.is_none() {
            choice.shares.clear();
        }
        choice
            .notes
            .push(format!("greedy leaves {left} of {all} servers out: {}", names.join(", ")));
    }
    if policy.is_some() {
        choice.notes.extend(missing(scenario, problem, &choice.shares));
    }
    choice
}

/// Fills nodes with what the baseline places; what it places where they do not hold it is no plan.
fn in_its_nodes(
    choice: &mut Choice,
    problem: &Problem,
    request: &Request,
    backend: &dyn Backend,
) -> Result<(), SolverError> {
    let clock = Deadline::new(&request.solve);
    if !refill(problem, choice, backend, &clock)? {
        choice.shares.clear();
        choice.status = Status::Unknown;
        choice.notes.push("greedy places replicas that its nodes do not hold".to_owned());
    }
    Ok(())
}

/// Where time was up before a plan was found: the baseline's, if it leaves nobody out and no server has
/// to be spread, which it does not look at.
fn or_heuristic(mut choice: Choice, problem: &Problem, options: &ProblemOptions) -> Choice {
    let spread = problem.servers.iter().any(|needs| needs.min_types > 1);
    let found = greedy(problem, None, options);
    if !spread && found.left_out.is_empty() {
        choice.status = Status::Feasible;
        choice.shares = found.choice.shares;
        choice.objective = found.choice.objective;
        choice.bound = choice.bound.min(choice.objective);
        choice
            .notes
            .push("time was up before a plan was found: this is the heuristic's".to_owned());
    }
    choice
}

/// Servers that no plan serves, however many cards there are: each with the rule of its own that
/// stands against it, or with the closest miss where no accelerator serves it.
pub fn unserved(fleet: &Fleet, problem: &Problem, request: &Request) -> Vec<String> {
    let (scenario, candidates) = (fleet.planned_for(), &fleet.candidates);
    let shape = request.formulation.shape(scenario);
    let mut unserved = Vec::new();
    for (s, server) in scenario.servers.iter().enumerate() {
        if let Some(rule) = rule::of(scenario, problem, shape, s) {
            unserved.push(format!("`{}` {rule}", server.name));
        } else if candidates.options(s).is_empty() {
            let reasons = candidates.rejected(s).iter();
            let misses = reasons.filter_map(|r| match r.reason {
                Reason::Objective(shortfall) => Some((r.accelerator, shortfall)),
                _ => None,
            });
            let closest = misses.min_by(|a, b| a.1.excess().total_cmp(&b.1.excess()));
            unserved.push(match closest {
                Some((a, shortfall)) => format!(
                    "no accelerator serves `{}`; closest is {}: {shortfall}",
                    server.name, scenario.accelerators[a].name
                ),
                None => format!("no accelerator may serve `{}`", server.name),
            });
        }
    }
    unserved
}
