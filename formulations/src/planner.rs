//! From candidates to a checked plan: picks the statement and the method, solves, and has the
//! result checked.
//!
//! ```text
//! Scenario, Candidates, Request -> Problem -> formulation -> Choice -> Plan -> check
//! ```
//!
//! Which method serves which formulation is decided here and nowhere else: `single` and `mixed` go
//! by patterns whatever their size and rules, `compact` goes to the backend as it stands.

use isocost_model::Scenario;
use isocost_model::candidates::{Candidates, Reason, SizingOptions};
use isocost_model::check::{CheckOptions, Violation, check};
use isocost_model::plan::{Choice, Plan, Status};
use isocost_model::scenario::Saturation;
use isocost_solver::{Backend, SolveOptions, SolverError};

use crate::by_name::ByName;
use crate::greedy::{Greedy, greedy};
use crate::pattern::clock::Clock;
use crate::pattern::{self, Shape, Space};
use crate::problem::{Problem, ProblemOptions};
use crate::program::Program;
use crate::shortage::{Effort, Policy, shortage};
use crate::{mixed, single};

/// What is asked of the planner.
#[derive(Clone, Default)]
pub struct Request {
    /// How the problem is stated.
    pub formulation: Formulation,
    /// Limits and objective.
    pub problem: ProblemOptions,
    /// What to do when not every server can be served.
    pub shortage: Option<Policy>,
    /// When to stop.
    pub solve: SolveOptions,
    /// Means of the pattern method that are switched off, to see what they are worth.
    pub devices: pattern::Devices,
}

/// How the problem is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Formulation {
    /// [`Formulation::Mixed`] where the scenario is heterogeneous, else [`Formulation::Single`].
    #[default]
    Auto,
    /// One accelerator type a server.
    Single,
    /// Several accelerator types may share a server's load.
    Mixed,
    /// The same, stated compactly whatever its size.
    Compact,
    /// The heuristic.
    Greedy,
}

/// A plan that cannot be handed out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// The backend failed.
    #[error(transparent)]
    Solver(#[from] SolverError),
    /// The plan breaks rules: a defect of this program, never of the input.
    #[error("the plan breaks its own rules and is withheld:\n{}", lines(.0))]
    Rules(Vec<Violation>),
}

fn lines(violations: &[Violation]) -> String {
    violations.iter().take(20).map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Plans `scenario` and has the plan checked.
///
/// # Errors
/// [`PlanError`].
pub fn plan(
    scenario: &Scenario,
    candidates: &Candidates,
    sizing: &SizingOptions,
    request: &Request,
    backend: &dyn Backend,
) -> Result<Plan, PlanError> {
    let problem = Problem::new(scenario, candidates, &request.problem);
    let choice = choose(scenario, candidates, &problem, request, backend)?;
    checked(scenario, candidates, sizing, request, choice)
}

/// The plan of a choice, once the checker finds nothing against it.
///
/// # Errors
/// [`PlanError::Rules`].
pub fn checked(
    scenario: &Scenario,
    candidates: &Candidates,
    sizing: &SizingOptions,
    request: &Request,
    choice: Choice,
) -> Result<Plan, PlanError> {
    let unlimited = request.problem.unlimited;
    let plan = Plan::new(scenario, candidates, sizing, unlimited, choice);
    let options = CheckOptions {
        unlimited,
        partial: request.shortage.is_some(),
        transition: request.problem.transition,
        max_moves: request.problem.max_moves,
    };
    let violations = check(scenario, sizing, &options, &plan);
    if violations.is_empty() { Ok(plan) } else { Err(PlanError::Rules(violations)) }
}

/// The cheapest choice, with notes that say how it was found and what stands in its way.
///
/// # Errors
/// A failure of the backend.
pub fn choose(
    scenario: &Scenario,
    candidates: &Candidates,
    problem: &Problem,
    request: &Request,
    backend: &dyn Backend,
) -> Result<Choice, SolverError> {
    let clock = Clock::new(&request.solve);
    let formulation = request.formulation.resolve(scenario);
    let sorted = ByName::new(scenario, problem);
    let mut choice = match formulation {
        Formulation::Greedy => by_greedy(scenario, problem, request),
        _ => sorted.back(exact(&sorted.problem, formulation, request, backend)?),
    };
    if choice.status == Status::Unknown && formulation != Formulation::Greedy {
        choice = or_heuristic(choice, problem, request);
    }
    let policy = request.shortage.filter(|_| formulation != Formulation::Greedy);
    if let Some(policy) = policy.filter(|_| choice.status == Status::Infeasible) {
        let options = SolveOptions { time_limit: clock.left(), ..request.solve.clone() };
        choice =
            sorted.back(shortage(&sorted.problem, &request.problem, policy, backend, &options)?);
    }
    if request.formulation == Formulation::Auto {
        let why = match scenario.optimizer.heterogeneous {
            true => "as the scenario lets several accelerators share a server",
            false => "as the scenario keeps each server on one accelerator type",
        };
        choice.notes.push(format!("formulation: {}, {why}", choice.formulation));
    }
    choice.notes.extend(unserved(scenario, candidates));
    Ok(choice)
}

/// The program that states `problem`, as an outside solver gets it.
pub fn program(scenario: &Scenario, problem: &Problem, request: &Request) -> Program {
    match request.formulation.resolve(scenario) {
        Formulation::Single | Formulation::Auto => single(problem, &request.problem),
        Formulation::Mixed | Formulation::Compact | Formulation::Greedy => {
            mixed(problem, &request.problem)
        }
    }
}

/// The cheapest choice by an exact formulation, [`Formulation::Auto`] resolved, without remarks.
///
/// # Errors
/// A failure of the backend.
pub fn exact(
    problem: &Problem,
    formulation: Formulation,
    request: &Request,
    backend: &dyn Backend,
) -> Result<Choice, SolverError> {
    if let Some(shape) = formulation.shape() {
        let space = Space::new(problem, shape, &request.problem);
        return pattern::solve(&space, backend, &request.solve, &request.devices);
    }
    let clock = Clock::new(&request.solve);
    let program = match formulation {
        Formulation::Single => single(problem, &request.problem),
        _ => mixed(problem, &request.problem),
    };
    let options = SolveOptions { time_limit: clock.left(), ..request.solve.clone() };
    let mut choice = program.solve(problem, backend, &options)?;
    if !choice.shares.is_empty() {
        // A point that is not optimal may charge for what it does not use.
        let space = Space::new(problem, Shape::Mixed, &request.problem);
        choice.objective = choice.objective.min(value(&space, &choice.shares));
    }
    Ok(choice)
}

/// What (index of candidate, replicas) by server are charged, cents/h.
fn value(space: &Space<'_>, shares: &[Vec<(usize, u64)>]) -> f64 {
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

impl Formulation {
    /// What [`Formulation::Auto`] means for `scenario`.
    pub fn resolve(self, scenario: &Scenario) -> Self {
        match self {
            Self::Auto if scenario.optimizer.heterogeneous => Self::Mixed,
            Self::Auto => Self::Single,
            chosen => chosen,
        }
    }

    /// The shape of the patterns that state it, or `None` where the plain program does.
    fn shape(self) -> Option<Shape> {
        match self {
            Self::Single => Some(Shape::Single),
            Self::Mixed => Some(Shape::Mixed),
            _ => None,
        }
    }
}

/// The shortage policy that the scenario asks for.
pub fn policy_of(scenario: &Scenario) -> Policy {
    let effort = match scenario.optimizer.saturation {
        Saturation::None => Effort::Whole,
        Saturation::PriorityExhaustive => Effort::Exhaustive,
        Saturation::PriorityRoundRobin => Effort::PriorityRoundRobin,
        Saturation::RoundRobin => Effort::RoundRobin,
    };
    let optimizer = &scenario.optimizer;
    Policy { effort, delayed: optimizer.delayed_best_effort, mixed: optimizer.heterogeneous }
}

/// The baseline's choice; without a shortage policy it is a plan only if it leaves nobody out.
fn by_greedy(scenario: &Scenario, problem: &Problem, request: &Request) -> Choice {
    let Greedy { mut choice, left_out } = greedy(problem, request.shortage);
    if !left_out.is_empty() {
        let names: Vec<&str> =
            left_out.iter().map(|&s| scenario.servers[s].name.as_str()).collect();
        let (left, all) = (names.len(), scenario.servers.len());
        if request.shortage.is_none() {
            choice.shares.clear();
        }
        choice
            .notes
            .push(format!("greedy leaves {left} of {all} servers out: {}", names.join(", ")));
    }
    choice
}

/// Where time was up before a plan was found: the baseline's, if it leaves nobody out and keeps the
/// rules that it does not look at.
fn or_heuristic(mut choice: Choice, problem: &Problem, request: &Request) -> Choice {
    let ruled = request.problem.max_moves.is_some()
        || problem.servers.iter().any(|needs| needs.min_types > 1);
    let found = greedy(problem, None);
    if !ruled && found.left_out.is_empty() {
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

/// Servers that no accelerator serves within their objectives, each with the closest miss.
pub fn unserved(scenario: &Scenario, candidates: &Candidates) -> Vec<String> {
    let without = (0..scenario.servers.len()).filter(|&s| candidates.options(s).is_empty());
    let describe = |s: usize| {
        let reasons = candidates.rejected(s).iter();
        let closest = reasons.filter_map(|r| match r.reason {
            Reason::Objective(shortfall) => Some((r.accelerator, shortfall)),
            _ => None,
        });
        let closest = closest.min_by(|a, b| a.1.excess().total_cmp(&b.1.excess()));
        let name = &scenario.servers[s].name;
        match closest {
            Some((a, shortfall)) => format!(
                "no accelerator serves `{name}`; closest is {}: {shortfall}",
                scenario.accelerators[a].name
            ),
            None => format!("no accelerator may serve `{name}`"),
        }
    };
    without.map(describe).collect()
}
