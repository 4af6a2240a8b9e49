//! **shortage**: the most that can be served, in a stated order, when not all can.
//!
//! ```text
//! data        as in [`crate::server_rows`];  S_q servers of priority q
//!             s is capped if M_s replicas of none of its items cover L_s
//! variables   n_s a mix of s                    of which it asks for no more than
//!             x_s in [0, 1]                     share of its load that is served within its objectives
//!             h_s in [0, m_s]                   replicas held of the fewest
//!             b_s in [0, T_s]                   card types held of the fewest
//!             w_s in {0, 1}                     s is served in full
//!             y_sj in {0, 1}                    s runs on j        (one accelerator a server)
//!
//! subject to  cover, floor and spread of s are asked for up to x_s, h_s and b_s
//!             x_s >= w_s                                         for each s
//!             n_sj <= N_sj y_sj, sum_j y_sj <= 1                 (one accelerator a server)
//!             sum_j n_sj <= m_s where w_s = 0                    (None, unless s is capped)
//!             ceiling, limits and moves as ever
//!
//! lexicographic stages, each keeping what those before it reached:
//!   floor(q)       maximise sum_{s in S_q} h_s
//!   types(q)       maximise sum_{s in S_q, T_s > 1} b_s
//!   whole(q)       maximise sum_{s in S_q} L_s w_s
//!   most(q)        maximise sum_{s in S_q} L_s x_s;  capped(q) over those that are capped
//!   fair(S, k)     maximise the sum of the k smallest levels x_s / v_s over S, v_s the weight of s,
//!                  = max k t - sum_s d_s,  d_s >= t - x_s / v_s,  d >= 0
//!   cost           minimise sum_s sum_j c_sj n_sj, always last
//! ```
//!
//! | policy | stages, after floor(q) and types(q) |
//! |---|---|
//! | None (`whole`) | whole(q), capped(q); then the next q |
//! | PriorityExhaustive (`partial`) | most(q); then the next q |
//! | PriorityRoundRobin | fair(S_q, 1), fair(S_q, 2), fair(S_q, 4), ... fair(S_q, all); then the next q |
//! | RoundRobin | those of every q, and then fair(S, 1), fair(S, 2), fair(S, 4), ... fair(S, all) |
//! | delayedBestEffort | whole(q); then the next q; after the last the policy's own stages |
//!
//! What a server was promised, its fewest replicas and card types, comes before any load of its
//! priority, with load or without. Its most replicas bound it like any other, and no more than that:
//! one that needs more gets them all. Serving in full or not at all does not hold for such a one, and
//! leaves the others their fewest replicas, which serve what they can.
//!
//! Handing out replicas in turn is what a heuristic does to be fair; its exact counterpart is that
//! the worst-off get as much as they can get, first; a class of twice the weight is as badly off at twice the
//! share. Those that no accelerator serves do not count as
//! badly off.
//!
//! Where cards suffice for all that the servers' own rules allow, that is an ordinary problem
//! (`reach`), and is solved as one, by patterns. Else stages are solved in turn, each from the best
//! point of the one before; the first point is the heuristic's, or one by patterns that serves in full
//! the priorities, from the highest on, that can all be. A stage that its start reaches to the most
//! that the servers' own rules allow needs no solving. In full or not at all goes by patterns where they can state it
//! (`whole`). A stage that its share of the time does not close keeps what it found, with what at
//! most was possible beside it. It proves that no plan does better in a stage without doing worse in
//! one before it. Sources: lexicographic goals, Isermann (1982); sums of smallest outcomes, Ogryczak
//! and Sliwinski (2003).

mod goal;
mod missing;
mod reach;
mod statement;
mod whole;

use std::time::Duration;

use isocost_model::plan::{Approach, Choice, Method, OPTIMAL_GAP, Status, relative_gap};
use isocost_solver::{Backend, Deadline, Solution, SolveOptions, SolverError};

use self::goal::{Goal, Held, Kind, goals, held};
pub use self::missing::missing;
use self::reach::reachable;
use self::statement::Statement;
use self::whole::{Stages, Whole};
use crate::greedy::{beside, greedy};
use crate::pattern::{self, Ablation, Shape, Space};
use crate::problem::{Needs, Problem, ProblemOptions};

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
    /// Their fewest replicas.
    Whole,
    /// The most of the load, priority by priority.
    Exhaustive,
    /// The fairest shares within each priority.
    PriorityRoundRobin,
    /// The fairest shares over all.
    RoundRobin,
}

impl Policy {
    /// A policy on one accelerator a server, best effort not delayed.
    pub fn new(effort: Effort) -> Self {
        Self { effort, delayed: false, mixed: false }
    }

    /// Which mixes a server may have.
    pub fn shape(self) -> Shape {
        if self.mixed { Shape::Mixed } else { Shape::Single }
    }
}

/// Share of what a stage reached that later ones may give up: the solver's rounding.
const KEPT: f64 = 1e-9;

/// (Index of candidate, replicas) by server.
type Shares = Vec<Vec<(usize, u64)>>;

/// The lexicographic optimum of `problem`; its objective and bound are those of the last stage.
/// Optimal only if every stage was proven. Moves stay limited; the change's value is looked at where
/// all get what their own rules allow, else the cost alone.
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
    let run = Run {
        problem,
        reach: reachable(problem, policy.shape()),
        // Under shortage the cost is what counts, not the value of the change.
        options: ProblemOptions { transition: false, ..*problem_options },
        policy,
        goals: goals(problem, policy),
        backend,
        clock: Deadline::new(options),
    };
    if let Some(choice) = run.all_within_reach()? {
        return Ok(choice);
    }
    let first = run.first_in_full()?;
    let whole = run.by_patterns(&first)?;
    let mut choice = match whole.as_ref().and_then(|whole| run.in_full(whole)) {
        Some(choice) => choice,
        None => run.stages(first, whole)?,
    };
    run.fill(&mut choice);
    if problem_options.transition {
        choice
            .notes
            .push("under shortage the cost is minimised, not the change's value".to_owned());
    }
    Ok(choice)
}

/// A shortage on its way.
struct Run<'a> {
    problem: &'a Problem,
    /// The most that the servers' own rules allow.
    reach: Problem,
    options: ProblemOptions,
    policy: Policy,
    goals: Vec<Goal>,
    backend: &'a dyn Backend,
    clock: Deadline,
}

/// Priorities that are all served as far as their own rules allow, and a choice that does.
#[derive(Default)]
struct Prefix {
    priorities: Vec<u32>,
    shares: Option<Shares>,
}

impl Run<'_> {
    fn reached(&self, shares: &Shares) -> Vec<f64> {
        let held = held(self.problem, shares);
        self.goals.iter().map(|goal| goal.value(self.problem, &held)).collect()
    }

    fn most(&self, goal: &Goal) -> f64 {
        goal.most(self.problem, &self.reach)
    }

    /// The plan that gives every server all that its own rules allow, where there is one: then every
    /// stage is at its most, and only the last is left.
    fn all_within_reach(&self) -> Result<Option<Choice>, SolverError> {
        if self.reach == *self.problem {
            // That there is none is why this is a shortage.
            return Ok(None);
        }
        let time_limit = self.clock.left().map(|left| left.div_f64(2.0));
        let options = SolveOptions { time_limit, ..self.clock.options.clone() };
        let space = Space::new(&self.reach, self.policy.shape(), &self.options);
        let mut choice = pattern::solve(&space, self.backend, &options, &Ablation::default())?;
        if choice.shares.is_empty() {
            return Ok(None);
        }
        let reached = self.reached(&choice.shares);
        let notes = self.goals.iter().zip(reached);
        let notes = notes.filter_map(|(goal, reached)| goal.note(self.problem, reached, None));
        choice.notes.splice(0..0, notes);
        choice.approach = Approach::shortage(self.policy.shape(), Method::Patterns);
        Ok(Some(choice))
    }

    /// The priorities, from the highest on, that can all have what their own rules allow together:
    /// then every policy that goes by priorities gives it to them.
    fn first_in_full(&self) -> Result<Prefix, SolverError> {
        let mut prefix = Prefix::default();
        if self.policy.effort == Effort::RoundRobin && !self.policy.delayed {
            return Ok(prefix);
        }
        let mut priorities: Vec<u32> = self.goals.iter().filter_map(|goal| goal.priority).collect();
        priorities.sort_unstable();
        priorities.dedup();
        // All of them together were looked at before.
        priorities.pop();
        for q in priorities {
            // Those of lower priority stand back; any plan for the others will do.
            let some = up_to(&self.reach, q);
            let options = SolveOptions {
                time_limit: self.clock.left().map(|left| left.mul_f64(0.25)),
                relative_gap: 1.0,
                progress: None,
                ..self.clock.options.clone()
            };
            let plain = self.options;
            let space = Space::new(&some, self.policy.shape(), &plain);
            let ablation = Ablation { ties: false, ..Ablation::default() };
            let choice = pattern::solve(&space, self.backend, &options, &ablation)?;
            if choice.shares.is_empty() {
                break;
            }
            prefix.priorities.push(q);
            prefix.shares = Some(choice.shares);
        }
        Ok(prefix)
    }

    /// Whom to serve in full, by patterns; they do not know a limit on moves here.
    fn by_patterns(&self, first: &Prefix) -> Result<Option<Whole>, SolverError> {
        if self.options.max_moves.is_some() {
            return Ok(None);
        }
        let (problem, reach, shape) = (self.problem, &self.reach, self.policy.shape());
        let stages = Stages::new(problem, reach, shape, &first.priorities, self.backend);
        let Some(stages) = stages else { return Ok(None) };
        if self.policy.effort == Effort::Whole {
            // Half of the time; what that does not prove goes on by the stages' own program.
            let time_limit = self.clock.left().map(|left| left.div_f64(2.0));
            let options = SolveOptions { time_limit, ..self.clock.options.clone() };
            return stages.solve(true, &Deadline::new(&options));
        }
        let most = self.clock.left().map_or(LOOKING, |left| left.mul_f64(0.2).min(LOOKING));
        stages.solve(false, &Deadline::new(&self.clock.within(most)))
    }

    /// The choice that the stages in full stand for, where that is the policy and they are proven.
    fn in_full(&self, whole: &Whole) -> Option<Choice> {
        let last = whole.last.as_ref().filter(|_| self.policy.effort == Effort::Whole)?;
        let mut notes = Vec::new();
        for (goal, reached) in self.goals.iter().zip(self.reached(&whole.shares)) {
            let of_goal = whole.most.iter().find(|(q, _)| goal.priority == Some(*q));
            let most = match (goal.kind, of_goal) {
                (Kind::Whole, Some(&(_, most))) => most,
                _ => self.most(goal),
            };
            if !is_closed(reached, most, self.most(goal)) {
                return None;
            }
            notes.extend(goal.note(self.problem, reached, None));
        }
        let objective = self.cost(&whole.shares);
        let bound = last.bound.min(objective);
        let is_optimal = relative_gap(objective, bound) <= OPTIMAL_GAP;
        is_optimal.then(|| Choice {
            status: Status::Optimal,
            shares: whole.shares.clone(),
            objective,
            bound,
            approach: Approach::shortage(self.policy.shape(), Method::Patterns),
            backend: self.backend.name().to_owned(),
            notes,
            nodes: Vec::new(),
        })
    }

    /// The stages in turn.
    fn stages(&self, first: Prefix, whole: Option<Whole>) -> Result<Choice, SolverError> {
        let mut statement = Statement::new(self.problem, &self.reach, &self.options, self.policy);
        let mut point = self.start(&statement, first.shares, whole.map(|whole| whole.shares));
        let (mut proven, mut notes) = (true, Vec::new());
        for (i, goal) in self.goals.iter().enumerate() {
            let held = self.held(&statement, &point);
            if goal.is_met(self.problem, &self.reach, &held) {
                let reached = goal.value(self.problem, &held);
                statement.settle(goal, reached);
                statement.extend(&mut point);
                notes.extend(goal.note(self.problem, reached, None));
                continue;
            }
            let terms = statement.terms(goal);
            statement.extend(&mut point);
            statement.price(false);
            let milp = &mut statement.program.milp;
            terms.iter().for_each(|&(column, gain)| milp.columns[column].cost = -gain);
            let solution = self.backend.solve(milp, &self.slice(self.goals.len() - i, &point))?;
            let bound = bound(&solution);
            if !solution.values.is_empty() && solution.objective <= milp.objective(&point) {
                point = solution.values;
            }
            // Measured anew from whole replicas: the solver's own sum carries its rounding.
            let reached = goal.value(self.problem, &self.held(&statement, &point));
            let most =
                self.most(goal).min(goal.rounded(-bound * goal.unit(self.problem))).max(reached);
            let closed = is_closed(reached, most, self.most(goal));
            proven &= closed;
            notes.extend(goal.note(self.problem, reached, (!closed).then_some(most)));
            statement.keep(goal, terms, reached);
        }
        let mut choice = self.last(&mut statement, point)?;
        choice.notes = notes;
        if !proven {
            choice.status = Status::Feasible;
            choice.bound = f64::NEG_INFINITY;
        }
        Ok(choice)
    }

    /// The last stage: the least cost.
    fn last(&self, statement: &mut Statement<'_>, point: Vec<f64>) -> Result<Choice, SolverError> {
        statement.price(true);
        let milp = &statement.program.milp;
        let mut solution = self.backend.solve(milp, &self.slice(0, &point))?;
        let (objective, bound) = (milp.objective(&point), bound(&solution));
        if solution.values.is_empty() || solution.objective > objective {
            let status = isocost_solver::Status::Feasible;
            solution = Solution { status, values: point, objective, bound: bound.min(objective) };
        }
        Ok(statement.program.choice(self.problem, &solution, self.backend.name()))
    }

    fn held(&self, statement: &Statement<'_>, point: &[f64]) -> Vec<Held> {
        held(self.problem, &statement.program.decode(self.problem, point))
    }

    /// Options of a stage with `after` stages after it: an even share of the time that is left.
    fn slice(&self, after: usize, point: &[f64]) -> SolveOptions {
        let time_limit = self.clock.left().map(|left| left.div_f64(after as f64 + 1.0));
        SolveOptions {
            time_limit,
            progress: None,
            start: Some(point.to_vec()),
            ..self.clock.options.clone()
        }
    }

    /// The point to begin with, the best of: those served in full, the heuristic's, what serves the
    /// first priorities, and nothing at all, which keeps every row.
    fn start(
        &self,
        statement: &Statement<'_>,
        first: Option<Shares>,
        whole: Option<Shares>,
    ) -> Vec<f64> {
        let heuristic = greedy(self.problem, Some(self.policy), &self.options).choice.shares;
        let nothing = vec![Vec::new(); self.problem.servers.len()];
        let mut best: Option<(Vec<f64>, Vec<f64>)> = None;
        for shares in [whole, Some(heuristic), first, Some(nothing)].into_iter().flatten() {
            let point = statement.point(&shares);
            let value = self.reached(&shares);
            let is_better = best.as_ref().is_none_or(|(other, _)| is_more(&value, other));
            if is_better && statement.program.milp.max_violation(&point) <= 1e-9 {
                best = Some((value, point));
            }
        }
        best.map(|(_, point)| point).unwrap_or_default()
    }

    /// What the rounding of stages, or a lack of time, left to those who have nothing.
    fn fill(&self, choice: &mut Choice) {
        if let Some(shares) = beside(self.problem, self.policy, &self.options, &choice.shares) {
            choice.objective = self.cost(&shares);
            choice.shares = shares;
            choice.status = Status::Feasible;
            choice.bound = f64::NEG_INFINITY;
        }
    }

    fn cost(&self, shares: &Shares) -> f64 {
        let mut cost = 0.0;
        for (s, share) in shares.iter().enumerate() {
            for item in self.problem.items(s) {
                let of_item = share.iter().filter(|n| n.0 == item.candidate);
                cost += of_item.map(|&(_, n)| item.cost * n as f64).sum::<f64>();
            }
        }
        cost
    }
}

/// The problem without the servers of a lower priority than `q`: they ask for nothing.
fn up_to(problem: &Problem, q: u32) -> Problem {
    let mut some = problem.clone();
    for needs in some.servers.iter_mut().filter(|needs| needs.priority > q) {
        *needs = Needs { demand: 0.0, min_replicas: 0, min_types: 0, ..needs.clone() };
    }
    some
}

/// Whether a stage that reached this, of what is `wanted`, is proven: at the gap that is called optimal.
fn is_closed(reached: f64, most: f64, wanted: f64) -> bool {
    most - reached <= OPTIMAL_GAP * wanted
}

/// The bound of a stage. Each has a point, that of the one before: a solver that excludes it has lost
/// its way in rounding, and has proven nothing.
fn bound(solution: &Solution) -> f64 {
    match solution.status {
        isocost_solver::Status::Infeasible => f64::NEG_INFINITY,
        _ => solution.bound,
    }
}

/// Whether the first stage in which plans differ is better in `value`.
fn is_more(value: &[f64], other: &[f64]) -> bool {
    let differs = |(a, b): &(&f64, &f64)| (*a - *b).abs() > KEPT * a.abs().max(1.0);
    value.iter().zip(other).find(differs).is_some_and(|(a, b)| a > b)
}

/// The longest that other policies look for whom to serve in full, for a point to begin with.
const LOOKING: Duration = Duration::from_secs(5);
