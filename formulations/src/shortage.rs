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
//! those that no accelerator serves count as badly off. It proves that no plan does better in a
//! stage without doing worse in one before it. Sources: lexicographic goals, Isermann (1982); sums
//! of smallest outcomes, Ogryczak and Sliwinski (2003).

use isocost_model::plan::{Choice, OPTIMAL_GAP, Status};
use isocost_solver::{Backend, Column, Milp, Row, Solution, SolveOptions, SolverError};

use crate::problem::{COVER_TOLERANCE, Problem};
use crate::program::{Meaning, Program};
use crate::single::limit_row;

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
    /// A policy on one accelerator a server, best effort not delayed.
    pub fn new(effort: Effort) -> Self {
        Self { effort, delayed: false, mixed: false }
    }
}

/// Share of what a stage reached that later ones may give up: the solver's rounding.
const KEPT: f64 = 1e-9;

/// The lexicographic optimum of `problem`; its objective and bound are those of the cost, the last
/// stage. Optimal only if every stage was proven.
///
/// # Errors
/// A failure of the backend.
pub fn shortage(
    problem: &Problem,
    policy: Policy,
    backend: &dyn Backend,
    options: &SolveOptions,
) -> Result<Choice, SolverError> {
    let mut statement = Statement::new(problem, policy);
    let costs: Vec<f64> = statement.program.milp.columns.iter().map(|c| c.cost).collect();
    let (mut proven, mut notes) = (true, Vec::new());
    for goal in goals(problem, policy) {
        let terms = statement.terms(problem, &goal);
        let milp = &mut statement.program.milp;
        milp.columns.iter_mut().for_each(|c| c.cost = 0.0);
        terms.iter().for_each(|&(column, gain)| milp.columns[column].cost = -gain);
        let solution = backend.solve(milp, options)?;
        if solution.values.is_empty() {
            return Ok(statement.program.choice(problem, &solution, backend.name()));
        }
        proven &= is_proven(&solution);
        // Measured anew from whole replicas: the solver's own sum carries its rounding.
        let shares = statement.program.decode(problem, &solution.values);
        let reached = goal.value(&served_shares(problem, &shares), problem);
        notes.extend(goal.note(problem, reached));
        let name = format!("kept_{}", milp_rows(&statement));
        statement.program.milp.add_row(Row::at_least(
            name,
            reached - KEPT * reached.abs().max(1.0),
            terms,
        ));
    }
    let milp = &mut statement.program.milp;
    milp.columns.iter_mut().for_each(|c| c.cost = 0.0);
    milp.columns.iter_mut().zip(costs).for_each(|(column, cost)| column.cost = cost);
    let mut choice = statement.program.solve(problem, backend, options)?;
    if choice.status == Status::Optimal && !proven {
        choice.status = Status::Feasible;
        choice.bound = f64::NEG_INFINITY;
    }
    choice.notes = notes;
    Ok(choice)
}

fn milp_rows(statement: &Statement) -> usize {
    statement.program.milp.rows.len()
}

fn is_proven(solution: &Solution) -> bool {
    solution.objective - solution.bound <= OPTIMAL_GAP * solution.objective.abs()
}

/// Share of each server's load that its replicas serve, in [0, 1]; 1 without load.
pub fn served_shares(problem: &Problem, shares: &[Vec<(usize, u64)>]) -> Vec<f64> {
    let of_server = |s: usize| {
        let demand = problem.servers[s].demand;
        let rate = |&(candidate, n): &(usize, u64)| {
            let item = problem.items(s).iter().find(|item| item.candidate == candidate);
            item.map_or(0.0, |item| item.rate * n as f64)
        };
        let served: f64 = shares[s].iter().map(rate).sum();
        if demand > 0.0 { (served / demand).min(1.0) } else { 1.0 }
    };
    (0..problem.servers.len()).map(of_server).collect()
}

/// A stage, over some servers.
struct Goal {
    servers: Vec<usize>,
    /// Priority that the servers share, if they are of one.
    priority: Option<u32>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Whole,
    Most,
    /// The sum of this many smallest shares.
    Fair(usize),
}

impl Goal {
    /// What `shares` reach.
    fn value(&self, shares: &[f64], problem: &Problem) -> f64 {
        let demand = |&&s: &&usize| problem.servers[s].demand;
        match self.kind {
            Kind::Whole => {
                self.servers.iter().filter(|&&s| shares[s] >= 1.0 - KEPT).map(|s| demand(&s)).sum()
            }
            Kind::Most => self.servers.iter().map(|s| demand(&s) * shares[*s]).sum(),
            Kind::Fair(k) => {
                let mut each: Vec<f64> = self.servers.iter().map(|&s| shares[s]).collect();
                each.sort_by(f64::total_cmp);
                each.iter().take(k).sum()
            }
        }
    }

    fn note(&self, problem: &Problem, reached: f64) -> Option<String> {
        let who = self.priority.map_or("all servers".to_owned(), |q| format!("priority {q}"));
        let wanted: f64 = self.servers.iter().map(|&s| problem.servers[s].demand).sum();
        let percent = 100.0 * reached / wanted;
        match self.kind {
            Kind::Whole => Some(format!("{who}: {percent:.2}% of the load is served in full")),
            Kind::Most => Some(format!("{who}: {percent:.2}% of the load is served")),
            Kind::Fair(1) => Some(format!(
                "{who}: every server gets at least {:.2}% of its load",
                100.0 * reached
            )),
            Kind::Fair(k) if k == self.servers.len() => {
                let mean = 100.0 * reached / k as f64;
                Some(format!("{who}: {mean:.2}% of a server's load is served on the mean"))
            }
            Kind::Fair(_) => None,
        }
    }
}

/// The stages of a policy, in order.
fn goals(problem: &Problem, policy: Policy) -> Vec<Goal> {
    let loaded: Vec<usize> =
        (0..problem.servers.len()).filter(|&s| problem.servers[s].demand > 0.0).collect();
    let mut priorities: Vec<u32> = loaded.iter().map(|&s| problem.servers[s].priority).collect();
    priorities.sort_unstable();
    priorities.dedup();
    let of = |q: u32| -> Vec<usize> {
        loaded.iter().copied().filter(|&s| problem.servers[s].priority == q).collect()
    };
    let each = |kind: Kind| {
        priorities.iter().map(move |&q| Goal { servers: of(q), priority: Some(q), kind })
    };
    let fair = |servers: Vec<usize>, priority: Option<u32>| {
        let servers: Vec<usize> =
            servers.into_iter().filter(|&s| !problem.items(s).is_empty()).collect();
        let mut counts: Vec<usize> = std::iter::successors(Some(1), |k| Some(2 * k))
            .take_while(|k| *k < servers.len())
            .collect();
        counts.extend((!servers.is_empty()).then_some(servers.len()));
        let goal = move |k: usize| Goal { servers: servers.clone(), priority, kind: Kind::Fair(k) };
        counts.into_iter().map(goal).collect::<Vec<_>>()
    };
    let mut goals: Vec<Goal> = Vec::new();
    if policy.delayed || policy.effort == Effort::Whole {
        goals.extend(each(Kind::Whole));
    }
    match policy.effort {
        Effort::Whole => {}
        Effort::Exhaustive => goals.extend(each(Kind::Most)),
        Effort::PriorityRoundRobin => {
            goals.extend(priorities.iter().flat_map(|&q| fair(of(q), Some(q))));
        }
        Effort::RoundRobin => goals.extend(fair(loaded.clone(), None)),
    }
    goals
}

/// The program, and the columns that goals speak of.
struct Statement {
    program: Program,
    /// `x_s` and `w_s` of each server; none without load.
    served: Vec<Option<(usize, usize)>>,
}

impl Statement {
    fn new(problem: &Problem, policy: Policy) -> Self {
        let program = Program {
            name: "shortage",
            milp: Milp { name: "shortage".to_owned(), ..Milp::default() },
            meanings: Vec::new(),
        };
        let mut statement = Self { program, served: vec![None; problem.servers.len()] };
        let mut limits: Vec<Row> = problem.limits.iter().map(limit_row).collect();
        for s in 0..problem.servers.len() {
            if problem.servers[s].demand > 0.0 {
                statement.server(problem, policy, s, &mut limits);
            }
        }
        limits.into_iter().for_each(|row| {
            statement.program.milp.add_row(row);
        });
        statement
    }

    fn column(&mut self, column: Column, meaning: Option<Meaning>) -> usize {
        self.program.meanings.push(meaning.into_iter().collect());
        self.program.milp.add_column(column)
    }

    fn server(&mut self, problem: &Problem, policy: Policy, s: usize, limits: &mut [Row]) {
        let needs = &problem.servers[s];
        let demand = needs.demand;
        let x = self.column(Column::continuous(format!("x_{s}"), 0.0, 0.0, demand), None);
        let w = self.column(Column::integer(format!("w_{s}"), 0.0, 0.0, 1.0), None);
        self.served[s] = Some((x, w));
        let whole = policy.effort == Effort::Whole;
        let full = vec![(x, 1.0), (w, -demand)];
        self.program.milp.add_row(match whole {
            true => Row::equal(format!("full_{s}"), 0.0, full),
            false => Row::at_least(format!("full_{s}"), 0.0, full),
        });
        let mut one = Row::at_most(format!("one_{s}"), 1.0, Vec::new());
        let mut cover = Row::at_least(format!("served_{s}"), 0.0, vec![(x, -1.0)]);
        let mut replicas = Row::at_least(format!("replicas_{s}"), 0.0, Vec::new());
        for (j, item) in problem.items(s).iter().enumerate() {
            let Some(most) = needs.replicas(item) else { continue };
            let most = most as f64;
            let meaning = Meaning { server: s, item: j, replicas: 1 };
            let column = Column::integer(format!("n_{s}_{j}"), item.cost, 0.0, most);
            let n = self.column(column, Some(meaning));
            let y = match policy.mixed {
                // In full or not at all, `w` opens the items; else nothing has to.
                true => w,
                false => {
                    let y = self.column(Column::integer(format!("y_{s}_{j}"), 0.0, 0.0, 1.0), None);
                    one.terms.push((y, 1.0));
                    y
                }
            };
            if !policy.mixed || whole {
                let row = Row::at_most(format!("most_{s}_{j}"), 0.0, vec![(n, 1.0), (y, -most)]);
                self.program.milp.add_row(row);
            }
            if !policy.mixed {
                let least = if whole { most } else { needs.min_replicas.max(1) as f64 };
                let row = Row::at_least(format!("least_{s}_{j}"), 0.0, vec![(n, 1.0), (y, -least)]);
                self.program.milp.add_row(row);
            }
            cover.terms.push((n, item.rate * (1.0 + COVER_TOLERANCE)));
            replicas.terms.push((n, 1.0));
            item.uses.iter().for_each(|&(k, amount)| limits[k].terms.push((n, amount)));
        }
        // A mix in full has its fewest replicas, and no server more than its most.
        if policy.mixed && needs.min_replicas > 0 {
            replicas.terms.push((w, -(needs.min_replicas as f64)));
            self.program.milp.add_row(replicas.clone());
            replicas.terms.pop();
        }
        if let Some(most) = needs.max_replicas.filter(|_| policy.mixed) {
            let name = format!("at_most_{s}");
            self.program.milp.add_row(Row::at_most(name, most as f64, replicas.terms));
        }
        if !policy.mixed {
            self.program.milp.add_row(one);
        }
        self.program.milp.add_row(cover);
    }

    /// What a goal maximises, as terms over columns; a fair one brings columns of its own.
    fn terms(&mut self, problem: &Problem, goal: &Goal) -> Vec<(usize, f64)> {
        let served: Vec<(usize, (usize, usize))> =
            goal.servers.iter().filter_map(|&s| Some((s, self.served[s]?))).collect();
        match goal.kind {
            Kind::Whole => {
                served.iter().map(|&(s, (_, w))| (w, problem.servers[s].demand)).collect()
            }
            Kind::Most => served.iter().map(|&(_, (x, _))| (x, 1.0)).collect(),
            Kind::Fair(k) => {
                let at = self.program.milp.columns.len();
                let t = self.column(Column::continuous(format!("t_{at}"), 0.0, 0.0, 1.0), None);
                let mut terms = vec![(t, k as f64)];
                for (s, (x, _)) in served {
                    let name = format!("d_{at}_{s}");
                    let d = self.column(Column::continuous(name.clone(), 0.0, 0.0, 1.0), None);
                    let share = 1.0 / problem.servers[s].demand;
                    let row = Row::at_least(name, 0.0, vec![(d, 1.0), (t, -1.0), (x, share)]);
                    self.program.milp.add_row(row);
                    terms.push((d, -1.0));
                }
                terms
            }
        }
    }
}
