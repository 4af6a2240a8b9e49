//! Plans that fit their nodes: faces that are broken become limits, and what only fractions of nodes hold is
//! branched on.

use isocost_model::nodes::Filled;
use isocost_model::plan::{Approach, Choice, Method, OPTIMAL_GAP, Shape, Status, relative_gap};
use isocost_solver::{Backend, Deadline, SolverError};

use super::place::{Misfit, place};
use super::{Sold, bin::Pool};
use crate::problem::{Item, Limit, Problem};

/// Solves, at most.
const SOLVES: usize = 200;

/// How the plan was found, besides the choice.
#[derive(Debug, Clone)]
pub struct Search<T> {
    /// The choice, its nodes filled.
    pub choice: Choice,
    /// What the last solve said beside it, where it was not branched on.
    pub said: Option<T>,
}

/// The cheapest choice that fits its nodes, by `solve`, which returns the cheapest one within the limits.
///
/// # Errors
/// A failure of the backend.
pub fn placed<T>(
    problem: &Problem,
    backend: &dyn Backend,
    clock: &Deadline,
    mut solve: impl FnMut(&Problem) -> Result<(Choice, T), SolverError>,
) -> Result<Search<T>, SolverError> {
    let mut open = vec![(f64::NEG_INFINITY, problem.clone())];
    let mut best: Option<Search<T>> = None;
    let (mut is_branched, mut solves, mut is_whole) = (false, 0, true);
    // What is left of the bound where a node was given up.
    let mut given_up = f64::INFINITY;
    let mut last = None;
    while let Some(at) = least(&open) {
        let (bound, mut problem) = open.swap_remove(at);
        if best
            .as_ref()
            .is_some_and(|best| relative_gap(best.choice.objective, bound) <= OPTIMAL_GAP)
        {
            given_up = given_up.min(bound);
            break;
        }
        if solves == SOLVES || (solves > 0 && clock.is_over()) {
            (given_up, is_whole) = (given_up.min(bound), false);
            continue;
        }
        solves += 1;
        let (mut choice, said) = solve(&problem)?;
        let bound = bound.max(choice.bound);
        if choice.shares.is_empty() || !matches!(choice.status, Status::Optimal | Status::Feasible)
        {
            if choice.status != Status::Infeasible {
                (given_up, is_whole) = (given_up.min(bound), false);
            }
            last = Some(Search { choice, said: Some(said) });
            continue;
        }
        let misfit = match place(&problem, &choice, backend, clock)? {
            Err(misfit) => misfit,
            Ok(nodes) => {
                given_up = given_up.min(bound);
                fill(&problem, &mut choice, nodes);
                if best.as_ref().is_none_or(|best| choice.objective < best.choice.objective) {
                    best = Some(Search { choice, said: Some(said) });
                }
                continue;
            }
        };
        match misfit {
            Misfit::Face(pool, weights) if problem.add_face(pool, &weights) => {
                open.push((bound, problem));
            }
            Misfit::Whole => {
                // That whole nodes do not hold it is the solver's word: no bound rests on it.
                (is_branched, is_whole) = (true, false);
                given_up = given_up.min(bound);
                open.extend(branches(&problem, &choice).into_iter().map(|p| (bound, p)));
            }
            Misfit::Face(..) | Misfit::Open => (given_up, is_whole) = (given_up.min(bound), false),
        }
        last = Some(Search { choice, said: None });
    }
    let none = last.unwrap_or_else(|| Search { choice: nothing(backend), said: None });
    Ok(conclude(best.ok_or(none), given_up, is_whole, is_branched))
}

/// The first choice of `solve`, which returns the best within the limits, that fits its nodes: for goals that
/// no bound compares. What was branched on, or bought beside the goals, leaves it unproven.
///
/// # Errors
/// A failure of the backend.
pub fn first_placed(
    problem: &Problem,
    backend: &dyn Backend,
    clock: &Deadline,
    mut solve: impl FnMut(&Problem) -> Result<Choice, SolverError>,
) -> Result<Choice, SolverError> {
    let mut problem = problem.clone();
    let mut is_proven = problem.sold.iter().all(|sold| sold.price == 0.0);
    let mut choice = solve(&problem)?;
    for _ in 0..SOLVES {
        if choice.shares.is_empty() {
            return Ok(choice);
        }
        match place(&problem, &choice, backend, clock)? {
            Ok(nodes) => {
                fill(&problem, &mut choice, nodes);
                if !is_proven {
                    choice.bound = f64::NEG_INFINITY;
                    choice.status = Status::Feasible;
                }
                return Ok(choice);
            }
            Err(Misfit::Face(pool, weights)) if problem.add_face(pool, &weights) => {}
            Err(_) => {
                is_proven = false;
                match branches(&problem, &choice).into_iter().next_back() {
                    Some(branch) => problem = branch,
                    None => break,
                }
            }
        }
        choice = solve(&problem)?;
    }
    Ok(conclude::<()>(Err(Search { choice, said: None }), f64::NEG_INFINITY, false, true).choice)
}

fn least<T>(open: &[(f64, T)]) -> Option<usize> {
    (0..open.len()).min_by(|&a, &b| open[a].0.total_cmp(&open[b].0))
}

/// What the search ends with.
fn conclude<T>(
    best: Result<Search<T>, Search<T>>,
    bound: f64,
    is_whole: bool,
    is_branched: bool,
) -> Search<T> {
    let mut none = match best {
        Ok(mut found) => {
            let choice = &mut found.choice;
            choice.bound = bound.min(choice.objective);
            let proven = relative_gap(choice.objective, choice.bound) <= OPTIMAL_GAP;
            choice.status = if proven { Status::Optimal } else { Status::Feasible };
            found.said = found.said.filter(|_| !is_branched);
            return found;
        }
        Err(last) => last,
    };
    let choice = &mut none.choice;
    choice.shares.clear();
    choice.nodes.clear();
    choice.status = if is_whole { Status::Infeasible } else { Status::Unknown };
    choice.objective = f64::INFINITY;
    choice.bound = if is_whole { f64::INFINITY } else { bound };
    if !is_whole {
        choice.notes.push("no plan was found that fits its nodes".to_owned());
    }
    none.said = none.said.filter(|_| is_whole && !is_branched);
    none
}

/// The choice of a search that never solved.
fn nothing(backend: &dyn Backend) -> Choice {
    Choice {
        status: Status::Unknown,
        shares: Vec::new(),
        nodes: Vec::new(),
        objective: f64::INFINITY,
        bound: f64::NEG_INFINITY,
        approach: Approach::new(Shape::Mixed, Method::Patterns),
        backend: backend.name().to_owned(),
        notes: Vec::new(),
    }
}

/// Fills nodes anew with the replicas of a choice that keeps its limits, if they hold them, whatever was bought;
/// whether they do.
///
/// # Errors
/// A failure of the backend.
pub fn refill(
    problem: &Problem,
    choice: &mut Choice,
    backend: &dyn Backend,
    clock: &Deadline,
) -> Result<bool, SolverError> {
    let found = place(problem, choice, backend, clock)?;
    let is_held = found.is_ok();
    if let Ok(nodes) = found {
        fill(problem, choice, nodes);
    }
    Ok(is_held)
}

/// Puts the filled nodes in the place of those that were bought.
fn fill(problem: &Problem, choice: &mut Choice, nodes: Vec<Filled>) {
    let price = |filled: &Filled| {
        let sold = problem.sold.iter().find(|sold| sold.node == filled.node);
        sold.map_or(0.0, |sold| sold.price * filled.nodes() as f64)
    };
    let bought: f64 = choice.nodes.iter().map(price).sum();
    let filled: f64 = nodes.iter().map(price).sum();
    if (bought - filled).abs() > 1e-9 * bought.abs() {
        choice.objective += filled - bought;
    }
    choice.nodes = nodes;
}

/// The problem less every plan that has at least as many replicas of each size and no more nodes.
fn branches(problem: &Problem, choice: &Choice) -> Vec<Problem> {
    let mut branches = more_nodes(problem, choice);
    for pool in &problem.pools {
        let card_type = pool.card_type;
        for &size in pool.sizes.iter().chain(&pool.spanning) {
            let count = count(problem, choice, pool, size);
            if count == 0 {
                continue;
            }
            let mut fewer = problem.clone();
            let name = format!("{} of {size} below {count}, {}", pool.name, problem.limits.len());
            let is_one = |item: &Item| {
                f64::from(u8::from(item.card_type == card_type && item.cards == size))
            };
            fewer.add_limit(Limit { name, capacity: (count - 1) as f64 }, is_one, |_| 0.0);
            branches.push(fewer);
        }
    }
    branches
}

/// The problem with a node more of each kind that is sold.
fn more_nodes(problem: &Problem, choice: &Choice) -> Vec<Problem> {
    let mut branches = Vec::new();
    for sold in &problem.sold {
        let bought = choice.nodes.iter().find(|filled| filled.node == sold.node);
        let bought = bought.map_or(0, Filled::nodes);
        if bought < sold.most {
            let mut more = problem.clone();
            let name = format!("nodes {} above {bought}, {}", sold.node, problem.limits.len());
            let capacity = (sold.most - bought - 1) as f64;
            let is_it = |other: &Sold| f64::from(u8::from(other.node == sold.node));
            more.add_limit(Limit { name, capacity }, |_| 0.0, is_it);
            branches.push(more);
        }
    }
    branches
}

/// Replicas of a size in a pool.
fn count(problem: &Problem, choice: &Choice, pool: &Pool, size: u64) -> u64 {
    let of_server = |(s, shares): (usize, &Vec<(usize, u64)>)| {
        let is_it = |candidate: usize| {
            let item = problem.items(s).iter().find(|item| item.candidate == candidate);
            item.is_some_and(|item| item.card_type == pool.card_type && item.cards == size)
        };
        shares.iter().filter(|share| is_it(share.0)).map(|share| share.1).sum::<u64>()
    };
    choice.shares.iter().enumerate().map(of_server).sum()
}
