//! **shortage**: the most that can be served, in a stated order, when not all can.
//!
//! ```text
//! data        n_sj, r_sj, u_sjk, C_k as in `single`;  S_q servers of priority q
//! variables   n_sj in Z, 0 .. n_sj max         replicas of s on j
//!             x_s in [0, L_s]                  rate of s that is served within its objectives
//!             w_s in {0, 1}                    s is served in full
//!             y_sj in {0, 1}                   s runs on j        (one accelerator a server)
//!
//! subject to  x_s <= sum_j r_sj n_sj,  x_s >= L_s w_s            for each s
//!             sum_s sum_j u_sjk n_sj <= C_k                      for each k
//!             m_s y_sj <= n_sj <= n_sj max y_sj, sum_j y_sj <= 1 for each s, j
//!
//! lexicographic stages, each keeping what those before it reached:
//!   whole(q)       maximise sum_{s in S_q} L_s w_s
//!   most(q)        maximise sum_{s in S_q} x_s
//!   fair(S, k)     maximise the sum of the k smallest shares x_s / L_s over S,
//!                  = max k t - sum_s d_s,  d_s >= t - x_s / L_s,  d >= 0
//!   cost           minimise sum_s sum_j c_sj n_sj, always last
//! ```
//!
//! | policy | stages |
//! |---|---|
//! | None (`whole`) | whole(1), whole(2), ... with x_s = L_s w_s |
//! | PriorityExhaustive (`partial`) | most(1), most(2), ... |
//! | PriorityRoundRobin | fair(S_1, 1), fair(S_1, 2), fair(S_1, 4), ... fair(S_1, all), fair(S_2, 1), ... |
//! | RoundRobin | fair(S, 1), fair(S, 2), fair(S, 4), ... fair(S, all) |
//! | delayedBestEffort | whole(1), whole(2), ... before the policy's own stages |
//!
//! Handing out replicas in turn is what a heuristic does to be fair; its exact counterpart is that
//! the worst-off get as much as they can get, first. Servers without load get nothing here, nor do
//! those that no accelerator serves count as badly off.
//!
//! Stages are solved in turn, each from the best point of the one before; the first point is the
//! heuristic's. Before that the priorities that can all be served in full, from the highest on, are
//! settled by patterns, which is far quicker than by stages. A stage that its share of the time does
//! not close keeps what it found, with what at most was possible beside it. It proves that no plan does better in a
//! stage without doing worse in one before it. Sources: lexicographic goals, Isermann (1982); sums
//! of smallest outcomes, Ogryczak and Sliwinski (2003).

mod goal;
mod statement;
mod whole;

use std::time::Duration;

use isocost_model::plan::{Approach, Choice, Method, OPTIMAL_GAP, Status, relative_gap};
use isocost_solver::{Backend, Deadline, Row, SolveOptions, SolverError};

use self::goal::{Goal, goals};
use self::statement::Statement;
use self::whole::{Stages, Whole};
use crate::greedy::greedy;
use crate::pattern::{self, Ablation, Shape, Space};
use crate::problem::{Problem, ProblemOptions};

/// Who is served when not all can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// What best effort means.
    pub effort: Effort,
    /// Serve in full as many as can be, over all priorities, before any best effort.
    pub delayed: bool,
    /// Several accelerators may serve a server.
    pub mixed: bool,
}

/// What servers get that cannot be served in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Nothing.
    Whole,
    /// The most of the load, priority by priority.
    Exhaustive,
    /// The fairest shares within each priority.
    PriorityRoundRobin,
    /// The fairest shares over all.
    RoundRobin,
}

impl Policy {
    /// Which mixes servers may have.
    pub fn shape(&self) -> Shape {
        if self.mixed { Shape::Mixed } else { Shape::Single }
    }

    /// A policy on one accelerator a server, best effort not delayed.
    pub fn new(effort: Effort) -> Self {
        Self { effort, delayed: false, mixed: false }
    }
}

/// Share of what a stage reached that later ones may give up: the solver's rounding.
const KEPT: f64 = 1e-9;

/// The lexicographic optimum of `problem`; its objective and bound are those of the cost, the last
/// stage. Optimal only if every stage was proven. Moves stay limited; the change's value is not
/// looked at, nor spread over types.
///
/// # Errors
/// A failure of the backend.
pub fn shortage(
    problem: &Problem,
    problem_options: &ProblemOptions,
    policy: Policy,
    backend: &dyn Backend,
    options: &SolveOptions,
) -> Result<Choice, SolverError> {
    let clock = Deadline::new(options);
    let goals = goals(problem, policy);
    let prefix = served_first(problem, problem_options, policy, &goals, backend, &clock)?;
    let whole = by_patterns(problem, problem_options, policy, &goals, &prefix, backend, &clock)?;
    if let Some(whole) = whole.as_ref().filter(|_| policy.effort == Effort::Whole) {
        let choice = in_full(problem, &goals, &prefix, whole, backend);
        if choice.status == Status::Optimal {
            return Ok(choice);
        }
    }
    let mut statement = Statement::new(problem, problem_options, policy);
    let found = whole.map(|whole| whole.shares);
    let mut point = start(problem, policy, &goals, &mut statement, &prefix, found);
    let (mut proven, mut notes) = (true, Vec::new());
    for (i, goal) in goals.iter().enumerate() {
        let terms = statement.terms(problem, goal);
        if goal.priority.is_some_and(|q| prefix.priorities.contains(&q)) {
            notes.extend(goal.note(problem, goal.most(problem), None));
            continue;
        }
        statement.extend(problem, &mut point);
        let milp = &mut statement.program.milp;
        milp.columns.iter_mut().for_each(|c| c.cost = 0.0);
        terms.iter().for_each(|&(column, gain)| milp.columns[column].cost = -gain);
        let solution = backend.solve(milp, &slice(&clock, goals.len() - i, &point))?;
        if !solution.values.is_empty() && solution.objective <= milp.objective(&point) {
            point = solution.values;
        }
        // Measured anew from whole replicas: the solver's own sum carries its rounding.
        let shares = statement.program.decode(problem, &point);
        let reached = goal.value(&served_shares(problem, &shares), problem);
        let most = (-solution.bound).min(goal.most(problem));
        let closed = solution.status == isocost_solver::Status::Optimal
            || most - reached <= OPTIMAL_GAP * reached.abs();
        proven &= closed;
        notes.extend(goal.note(problem, reached, (!closed).then_some(most)));
        let name = format!("kept_{i}");
        let least = reached - KEPT * reached.abs().max(1.0);
        statement.program.milp.add_row(Row::at_least(name, least, terms));
    }
    statement.extend(problem, &mut point);
    let milp = &mut statement.program.milp;
    milp.columns.iter_mut().zip(&statement.costs).for_each(|(column, cost)| column.cost = *cost);
    let mut solution = backend.solve(milp, &slice(&clock, 0, &point))?;
    if solution.values.is_empty() || solution.objective > milp.objective(&point) {
        solution.objective = milp.objective(&point);
        solution.values = point;
        solution.status = isocost_solver::Status::Feasible;
        solution.bound = solution.bound.min(solution.objective);
    }
    let mut choice = statement.program.choice(problem, &solution, backend.name());
    if !proven {
        choice.status = Status::Feasible;
        choice.bound = f64::NEG_INFINITY;
    }
    choice.notes = notes;
    if problem_options.transition {
        choice
            .notes
            .push("under shortage the cost is minimised, not the change's value".to_owned());
    }
    Ok(choice)
}

/// Options of a stage with `after` stages after it: an even share of the time that is left.
fn slice(clock: &Deadline, after: usize, point: &[f64]) -> SolveOptions {
    let time_limit = clock.left().map(|left| left.div_f64(after as f64 + 1.0));
    SolveOptions {
        time_limit,
        progress: None,
        start: Some(point.to_vec()),
        ..clock.options.clone()
    }
}

/// Priorities that are all served in full, and a choice that does.
#[derive(Default)]
struct Prefix {
    priorities: Vec<u32>,
    shares: Option<Vec<Vec<(usize, u64)>>>,
}

/// The priorities, from the highest on, that can all be served in full together: then every policy
/// that looks at priorities serves them so.
fn served_first(
    problem: &Problem,
    problem_options: &ProblemOptions,
    policy: Policy,
    goals: &[Goal],
    backend: &dyn Backend,
    clock: &Deadline,
) -> Result<Prefix, SolverError> {
    let mut prefix = Prefix::default();
    let mut priorities: Vec<u32> = goals.iter().filter_map(|goal| goal.priority).collect();
    priorities.sort_unstable();
    priorities.dedup();
    let shape = if policy.mixed { Shape::Mixed } else { Shape::Single };
    let ablation = Ablation { ties: false, ..Ablation::default() };
    let plain = ProblemOptions { transition: false, ..*problem_options };
    for &q in &priorities {
        // Those of lower priority stand back; any plan for the others will do.
        let mut some = problem.clone();
        for needs in &mut some.servers {
            needs.min_types = 0;
            if needs.priority > q || needs.demand <= 0.0 {
                (needs.demand, needs.min_replicas) = (0.0, 0);
            }
        }
        let time_limit = clock.left().map(|left| left.mul_f64(0.25));
        let options =
            SolveOptions { time_limit, progress: None, relative_gap: 1.0, ..clock.options.clone() };
        let space = Space::new(&some, shape, &plain);
        let choice = pattern::solve(&space, backend, &options, &ablation)?;
        if !matches!(choice.status, Status::Optimal | Status::Feasible) {
            break;
        }
        prefix.priorities.push(q);
        prefix.shares = Some(choice.shares);
    }
    Ok(prefix)
}

/// The longest that other policies look for whom to serve in full, for a point to begin with.
const LOOKING: Duration = Duration::from_secs(5);

/// Whom to serve in full, by patterns; they do not know a limit on moves here.
fn by_patterns(
    problem: &Problem,
    problem_options: &ProblemOptions,
    policy: Policy,
    goals: &[Goal],
    prefix: &Prefix,
    backend: &dyn Backend,
    clock: &Deadline,
) -> Result<Option<Whole>, SolverError> {
    if problem_options.max_moves.is_some() {
        return Ok(None);
    }
    let mut priorities: Vec<u32> = goals.iter().flat_map(|goal| goal.priorities(problem)).collect();
    priorities.sort_unstable();
    priorities.dedup();
    priorities.retain(|q| !prefix.priorities.contains(q));
    let shape = if policy.mixed { Shape::Mixed } else { Shape::Single };
    let stages = Stages::new(problem, shape, &prefix.priorities, backend);
    if policy.effort == Effort::Whole {
        // Half of the time; what that does not prove goes on by the stages' own program.
        let time_limit = clock.left().map(|left| left.div_f64(2.0));
        let options = SolveOptions { time_limit, ..clock.options.clone() };
        return stages.solve(&priorities, true, &Deadline::new(&options));
    }
    let most = clock.left().map_or(LOOKING, |left| left.mul_f64(0.2).min(LOOKING));
    stages.solve(&priorities, false, &Deadline::new(&clock.within(most)))
}

/// The choice that the stages in full stand for.
fn in_full(
    problem: &Problem,
    goals: &[Goal],
    prefix: &Prefix,
    whole: &Whole,
    backend: &dyn Backend,
) -> Choice {
    let mut proven = true;
    let mut notes = Vec::new();
    for goal in goals {
        let Some(q) = goal.priority else { continue };
        let of_q = whole.reached.iter().find(|stage| stage.0 == q);
        let all = prefix.priorities.contains(&q).then(|| goal.most(problem));
        let (reached, most) = match (all, of_q) {
            (Some(all), _) => (all, all),
            (None, Some(&(_, reached, most))) => (reached, most),
            (None, None) => (0.0, goal.most(problem)),
        };
        let closed = most - reached <= OPTIMAL_GAP * reached.abs().max(KEPT);
        proven &= closed;
        notes.extend(goal.note(problem, reached, (!closed).then_some(most)));
    }
    let item = |s: usize, candidate: usize| {
        problem.items(s).iter().find(move |item| item.candidate == candidate)
    };
    let cost = |(s, share): (usize, &Vec<(usize, u64)>)| -> f64 {
        share.iter().filter_map(|&(c, n)| Some(item(s, c)?.cost * n as f64)).sum()
    };
    let objective: f64 = whole.shares.iter().enumerate().map(cost).sum();
    // The cost's stage is the last only if there was time for it.
    let reached_cost = (whole.last.objective - objective).abs() <= 1e-6 * objective.abs();
    let bound = match proven && reached_cost {
        true => whole.last.bound.min(objective),
        false => f64::NEG_INFINITY,
    };
    let closed = whole.last.status == Status::Optimal && bound.is_finite();
    let optimal = closed || relative_gap(objective, bound) <= OPTIMAL_GAP;
    Choice {
        status: if optimal { Status::Optimal } else { Status::Feasible },
        shares: whole.shares.clone(),
        objective,
        bound,
        approach: Approach::shortage(whole.last.approach.shape, Method::Patterns),
        backend: backend.name().to_owned(),
        notes,
    }
}

/// The point to begin with, the best of: those served in full, the heuristic's, what serves the
/// first priorities.
fn start(
    problem: &Problem,
    policy: Policy,
    goals: &[Goal],
    statement: &mut Statement<'_>,
    prefix: &Prefix,
    found: Option<Vec<Vec<(usize, u64)>>>,
) -> Vec<f64> {
    statement.serve_in_full(problem, &prefix.priorities);
    let heuristic = greedy(problem, Some(policy)).choice.shares;
    let nothing = vec![Vec::new(); problem.servers.len()];
    let all = [found.as_ref(), Some(&heuristic), prefix.shares.as_ref(), Some(&nothing)];
    let point = |shares: &Vec<Vec<(usize, u64)>>| {
        let point = statement.point(problem, shares);
        let served = served_shares(problem, shares);
        let value: Vec<f64> = goals.iter().map(|goal| goal.value(&served, problem)).collect();
        (statement.program.milp.max_violation(&point) <= 1e-9).then_some((value, point))
    };
    // Nothing at all keeps every row, unless some are to be served in full, for which there is the
    // point before it. Of equal points the first is as good as any.
    let points = all.into_iter().flatten().filter_map(point);
    let better = |a: (Vec<f64>, Vec<f64>), b: (Vec<f64>, Vec<f64>)| {
        let first = b.0.iter().zip(&a.0).find(|(x, y)| (*x - *y).abs() > KEPT * x.abs().max(1.0));
        if first.is_some_and(|(x, y)| x > y) { b } else { a }
    };
    points.reduce(better).map(|(_, point)| point).unwrap_or_default()
}

/// Share of each server's load that its replicas serve, in [0, 1]; 1 without load.
pub fn served_shares(problem: &Problem, shares: &[Vec<(usize, u64)>]) -> Vec<f64> {
    let of_server = |s: usize| {
        let demand = problem.servers[s].demand;
        let rate = |&(candidate, n): &(usize, u64)| {
            let item = problem.items(s).iter().find(|item| item.candidate == candidate);
            item.map_or(0.0, |item| item.rate * n as f64)
        };
        // A sum of nothing would be -0.
        let served = shares[s].iter().map(rate).fold(0.0, |sum, rate| sum + rate);
        if demand > 0.0 { (served / demand).min(1.0) } else { 1.0 }
    };
    (0..problem.servers.len()).map(of_server).collect()
}
