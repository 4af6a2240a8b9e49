//! The program of all stages, and the points that stand for plans in it.

use isocost_model::plan::{Approach, Method};
use isocost_solver::{Column, Milp, Row};

use super::goal::{Goal, Kind};
use super::{Effort, KEPT, Policy, served_shares};
use crate::problem::{COVER_TOLERANCE, Problem, ProblemOptions};
use crate::program::{Meaning, Program};
use crate::single::limit_row;

/// The program, and what its columns stand for.
pub struct Statement<'a> {
    /// The program.
    pub program: Program,
    /// What each column costs in the last stage, cents/h.
    pub costs: Vec<f64>,
    options: &'a ProblemOptions,
    roles: Vec<Role>,
    /// `x_s` and `w_s` of each server; none without load.
    served: Vec<Option<(usize, usize)>>,
    moves: Row,
}

/// What a column stands for.
#[derive(Debug, Clone, Copy)]
enum Role {
    /// `x_s`.
    Rate(usize),
    /// `w_s`.
    Full(usize),
    /// `n_sj`.
    Replicas(usize, usize),
    /// `y_sj`.
    Opens(usize, usize),
    /// `q_s`.
    Moves(usize),
    /// `t` of a fair stage over this many smallest shares, whose `d_s` follow.
    Worst(usize),
    /// `d_s`, with the index of its `t`.
    Below(usize, usize),
}

impl<'a> Statement<'a> {
    /// The program before any stage.
    pub fn new(problem: &Problem, options: &'a ProblemOptions, policy: Policy) -> Self {
        let program = Program {
            approach: Approach::shortage(policy.shape(), Method::Compact),
            milp: Milp { name: "shortage".to_owned(), ..Milp::default() },
            meanings: Vec::new(),
        };
        let most = options.max_moves.map_or(f64::INFINITY, |most| most as f64);
        let mut statement = Self {
            program,
            costs: Vec::new(),
            options,
            roles: Vec::new(),
            served: vec![None; problem.servers.len()],
            moves: Row::at_most("moves", most, Vec::new()),
        };
        let mut limits: Vec<Row> = problem.limits.iter().map(limit_row).collect();
        for s in 0..problem.servers.len() {
            if problem.servers[s].demand > 0.0 {
                statement.server(problem, policy, s, &mut limits);
            }
        }
        limits.push(statement.moves.clone());
        for row in limits.into_iter().filter(|row| row.upper.is_finite()) {
            statement.program.milp.add_row(row);
        }
        statement
    }

    /// Serves the servers of these priorities in full.
    pub fn serve_in_full(&mut self, problem: &Problem, priorities: &[u32]) {
        for (needs, served) in problem.servers.iter().zip(&self.served) {
            if let Some((_, w)) = served.filter(|_| priorities.contains(&needs.priority)) {
                self.program.milp.columns[w].lower = 1.0;
            }
        }
    }

    /// The point that stands for `shares`, (index of candidate, replicas) by server.
    pub fn point(&self, problem: &Problem, shares: &[Vec<(usize, u64)>]) -> Vec<f64> {
        let served = served_shares(problem, shares);
        let replicas = |s: usize, j: usize| {
            let candidate = problem.items(s)[j].candidate;
            shares[s].iter().find(|share| share.0 == candidate).map_or(0, |share| share.1)
        };
        let is_full = |s: usize| served[s] >= 1.0 - KEPT;
        let value = |role: &Role| match *role {
            Role::Rate(s) if is_full(s) => problem.servers[s].demand,
            Role::Rate(s) => problem.servers[s].demand * served[s],
            Role::Full(s) => f64::from(is_full(s)),
            Role::Replicas(s, j) => replicas(s, j) as f64,
            Role::Opens(s, j) => f64::from(replicas(s, j) > 0),
            Role::Moves(s) => f64::from(
                (0..problem.items(s).len()).any(|j| replicas(s, j) > 0 && is_move(problem, s, j)),
            ),
            Role::Worst(_) | Role::Below(..) => 0.0,
        };
        let mut point: Vec<f64> = self.roles.iter().map(value).collect();
        self.set_fair(problem, 0, &mut point);
        point
    }

    /// Gives the columns that stages have added since `point` was found their values.
    pub fn extend(&self, problem: &Problem, point: &mut Vec<f64>) {
        let known = point.len();
        point.resize(self.roles.len(), 0.0);
        self.set_fair(problem, known, point);
    }

    /// Sets `t` and `d` from column `from` on to their best for the rates of `point`.
    fn set_fair(&self, problem: &Problem, from: usize, point: &mut [f64]) {
        for (at, role) in self.roles.iter().enumerate().skip(from) {
            match *role {
                Role::Worst(k) => {
                    let below = self.roles[at + 1..].iter().map_while(|role| match *role {
                        Role::Below(s, t) if t == at => Some(self.share(problem, s, point)),
                        _ => None,
                    });
                    let mut shares: Vec<f64> = below.collect();
                    shares.sort_by(f64::total_cmp);
                    point[at] = shares.get(k - 1).copied().unwrap_or(0.0);
                }
                Role::Below(s, t) => {
                    point[at] = (point[t] - self.share(problem, s, point)).max(0.0);
                }
                _ => {}
            }
        }
    }

    fn share(&self, problem: &Problem, s: usize, point: &[f64]) -> f64 {
        self.served[s].map_or(0.0, |(x, _)| (point[x] / problem.servers[s].demand).min(1.0))
    }

    fn column(&mut self, column: Column, role: Role) -> usize {
        let meaning = match role {
            Role::Replicas(server, item) => vec![Meaning { server, item, replicas: 1 }],
            _ => Vec::new(),
        };
        self.program.meanings.push(meaning);
        self.roles.push(role);
        self.costs.push(column.cost);
        self.program.milp.add_column(column)
    }

    fn server(&mut self, problem: &Problem, policy: Policy, s: usize, limits: &mut [Row]) {
        let needs = &problem.servers[s];
        let demand = needs.demand;
        let x = self.column(Column::continuous(format!("x_{s}"), 0.0, 0.0, demand), Role::Rate(s));
        let w = self.column(Column::integer(format!("w_{s}"), 0.0, 0.0, 1.0), Role::Full(s));
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
        let mut moved = None;
        for (j, item) in problem.items(s).iter().enumerate() {
            let Some(most) = needs.replicas(item) else { continue };
            let most = most as f64;
            let column = Column::integer(format!("n_{s}_{j}"), item.cost, 0.0, most);
            let n = self.column(column, Role::Replicas(s, j));
            let y = match policy.mixed {
                // In full or not at all, `w` opens the items; else nothing has to.
                true => w,
                false => {
                    let y = Column::integer(format!("y_{s}_{j}"), 0.0, 0.0, 1.0);
                    let y = self.column(y, Role::Opens(s, j));
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
            if is_move(problem, s, j) && self.options.max_moves.is_some() {
                let q = *moved.get_or_insert_with(|| {
                    let q = Column::integer(format!("q_{s}"), 0.0, 0.0, 1.0);
                    self.column(q, Role::Moves(s))
                });
                let row = Row::at_most(format!("move_{s}_{j}"), 0.0, vec![(n, 1.0), (q, -most)]);
                self.program.milp.add_row(row);
            }
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
        self.moves.terms.extend(moved.map(|q| (q, 1.0)));
        if !policy.mixed {
            self.program.milp.add_row(one);
        }
        self.program.milp.add_row(cover);
    }

    /// What a goal maximises, as terms over columns; a fair one brings columns of its own.
    pub fn terms(&mut self, problem: &Problem, goal: &Goal) -> Vec<(usize, f64)> {
        let served: Vec<(usize, (usize, usize))> =
            goal.servers.iter().filter_map(|&s| Some((s, self.served[s]?))).collect();
        match goal.kind {
            Kind::Whole => {
                served.iter().map(|&(s, (_, w))| (w, problem.servers[s].demand)).collect()
            }
            Kind::Most => served.iter().map(|&(_, (x, _))| (x, 1.0)).collect(),
            Kind::Fair(k) => {
                let at = self.program.milp.columns.len();
                let t = Column::continuous(format!("t_{at}"), 0.0, 0.0, 1.0);
                let t = self.column(t, Role::Worst(k));
                let mut terms = vec![(t, k as f64)];
                for (s, (x, _)) in served {
                    let name = format!("d_{at}_{s}");
                    let d = Column::continuous(name.clone(), 0.0, 0.0, 1.0);
                    let d = self.column(d, Role::Below(s, t));
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

/// Whether a replica of item `j` takes server `s` off its current accelerator.
fn is_move(problem: &Problem, s: usize, j: usize) -> bool {
    let current = problem.servers[s].current;
    current.is_some_and(|(now, _)| problem.items(s)[j].accelerator != now)
}
