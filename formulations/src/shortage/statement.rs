//! The program of all stages, and the points that stand for plans in it.

use isocost_model::plan::{Approach, Method};
use isocost_solver::{Column, Row};

use super::goal::{Goal, Held, Kind, held};
use super::{Effort, KEPT, Policy};
use crate::pattern::Shape;
use crate::problem::{Problem, ProblemOptions};
use crate::program::Program;
use crate::server_rows::{Ask, Asks, Mix, Rows};

/// The program, and what its columns stand for.
pub struct Statement<'a> {
    /// The program.
    pub program: Program,
    /// What each column costs in the last stage, cents/h; those of stages cost nothing.
    pub costs: Vec<f64>,
    problem: &'a Problem,
    servers: Vec<Option<Served>>,
    fair: Vec<Fair>,
}

/// The columns of a server.
struct Served {
    mix: Mix,
    /// `y_sj`, where one accelerator serves it.
    opens: Vec<usize>,
    /// `x_s`, with load.
    share: Option<usize>,
    /// `w_s`, where it matters.
    full: Option<usize>,
    /// `h_s`, with a floor.
    floor: Option<usize>,
    /// `b_s`, where spread is asked.
    spread: Option<usize>,
}

/// The columns of a fair stage.
struct Fair {
    k: usize,
    /// `t`.
    worst: usize,
    /// Servers with their `d_s`, and what makes a level of a share.
    below: Vec<(usize, usize, f64)>,
}

impl<'a> Statement<'a> {
    /// The program before any stage; `reach` asks for the most that the servers' own rules allow.
    pub fn new(
        problem: &'a Problem,
        reach: &Problem,
        options: &ProblemOptions,
        policy: Policy,
    ) -> Self {
        let options = ProblemOptions { transition: false, ..*options };
        let mut rows = Rows::new("shortage", problem, &options);
        let mut servers = Vec::with_capacity(problem.servers.len());
        for s in 0..problem.servers.len() {
            let is_served = !problem.servers[s].is_idle() && !problem.items(s).is_empty();
            let mut server = Server { rows: &mut rows, problem, reach, policy, s };
            servers.push(if is_served { server.add() } else { None });
        }
        let program = rows.program(Approach::shortage(policy.shape(), Method::Compact));
        let costs = program.milp.columns.iter().map(|column| column.cost).collect();
        Self { program, costs, problem, servers, fair: Vec::new() }
    }

    /// Minimises the cost, if it is the turn of it, else nothing.
    pub fn price(&mut self, is_last: bool) {
        let costs = self.costs.iter().copied().chain(std::iter::repeat(0.0));
        for (column, cost) in self.program.milp.columns.iter_mut().zip(costs) {
            column.cost = if is_last { cost } else { 0.0 };
        }
    }

    /// The point that stands for `shares`, (index of candidate, replicas) by server.
    pub fn point(&self, shares: &[Vec<(usize, u64)>]) -> Vec<f64> {
        let mut point = vec![0.0; self.program.milp.columns.len()];
        for (s, held) in held(self.problem, shares).into_iter().enumerate() {
            self.set(&mut point, s, held, &shares[s]);
        }
        self.set_fair(&mut point, 0);
        point
    }

    fn set(&self, point: &mut [f64], s: usize, held: Held, share: &[(usize, u64)]) {
        let Some(served) = &self.servers[s] else { return };
        let (needs, items) = (&self.problem.servers[s], self.problem.items(s));
        let mut is_moved = false;
        for (j, item) in items.iter().enumerate() {
            let n: u64 = share.iter().filter(|n| n.0 == item.candidate).map(|n| n.1).sum();
            point[served.mix.n[j]] = n as f64;
            if n == 0 {
                continue;
            }
            is_moved |= needs.is_off(item);
            let of_type = served.mix.types.iter().find(|(t, _)| *t == item.card_type);
            for column in served.opens.get(j).into_iter().chain(of_type.map(|(_, a)| a)) {
                point[*column] = 1.0;
            }
        }
        let is_full = held.share >= 1.0 - KEPT;
        let share = if is_full { 1.0 } else { held.share };
        let values = [
            (served.mix.moved, f64::from(is_moved)),
            (served.full, f64::from(is_full)),
            (served.share, share),
            (served.floor, held.replicas as f64),
            (served.spread, held.types as f64),
        ];
        for (column, value) in values {
            if let Some(column) = column {
                point[column] = value.min(self.program.milp.columns[column].upper);
            }
        }
    }

    /// Gives the columns that stages have added since `point` was found their values.
    pub fn extend(&self, point: &mut Vec<f64>) {
        let known = point.len();
        point.resize(self.program.milp.columns.len(), 0.0);
        self.set_fair(point, known);
    }

    /// Sets `t` and `d` from column `from` on to their best for the shares of `point`.
    fn set_fair(&self, point: &mut [f64], from: usize) {
        for fair in self.fair.iter().filter(|fair| fair.worst >= from) {
            let share = |s: usize| {
                let share = self.servers[s].as_ref().and_then(|served| served.share);
                share.map_or(0.0, |x| point[x])
            };
            let of_servers: Vec<f64> =
                fair.below.iter().map(|&(s, _, level)| level * share(s)).collect();
            let mut sorted = of_servers.clone();
            sorted.sort_by(f64::total_cmp);
            let worst = sorted.get(fair.k - 1).copied().unwrap_or(0.0);
            point[fair.worst] = worst;
            for (&(_, d, _), share) in fair.below.iter().zip(of_servers) {
                point[d] = (worst - share).max(0.0);
            }
        }
    }

    /// Keeps a goal of which every server has its most.
    pub fn settle(&mut self, goal: &Goal, reached: f64) {
        if matches!(goal.kind, Kind::Fair(_)) {
            let terms = self.terms(goal);
            return self.keep(goal, terms, reached);
        }
        for &s in &goal.servers {
            if let Some(column) = self.column(goal.kind, s) {
                let column = &mut self.program.milp.columns[column];
                column.lower = column.upper;
            }
        }
    }

    /// From now on the `terms` of a goal are at least what was `reached`.
    pub fn keep(&mut self, goal: &Goal, terms: Vec<(usize, f64)>, reached: f64) {
        let name = format!("kept_{}", self.program.milp.rows.len());
        let least = reached / goal.unit(self.problem);
        self.program.milp.add_row(Row::at_least(name, least, terms));
    }

    /// The column that a goal raises.
    fn column(&self, kind: Kind, s: usize) -> Option<usize> {
        let served = self.servers[s].as_ref()?;
        match kind {
            Kind::Floor => served.floor,
            Kind::Types => served.spread,
            Kind::Whole => served.full,
            Kind::Most | Kind::Capped | Kind::Fair(_) => served.share,
        }
    }

    /// What a goal maximises, in its unit, as terms over columns; a fair one brings columns of its
    /// own.
    pub fn terms(&mut self, goal: &Goal) -> Vec<(usize, f64)> {
        let unit = goal.unit(self.problem);
        if let Kind::Fair(k) = goal.kind {
            return self.fair_terms(k, goal);
        }
        let mut terms = Vec::new();
        for &s in &goal.servers {
            let gain = match goal.kind {
                Kind::Floor | Kind::Types => 1.0,
                _ => self.problem.servers[s].demand / unit,
            };
            terms.extend(self.column(goal.kind, s).map(|column| (column, gain)));
        }
        terms
    }

    fn fair_terms(&mut self, k: usize, goal: &Goal) -> Vec<(usize, f64)> {
        let at = self.program.milp.columns.len();
        let t = self.auxiliary(format!("t_{at}"));
        let mut terms = vec![(t, 1.0)];
        let mut below = Vec::new();
        for &s in &goal.servers {
            let Some(x) = self.column(Kind::Most, s) else { continue };
            let d = self.auxiliary(format!("d_{at}_{s}"));
            let name = format!("below_{at}_{s}");
            let level = goal.level(self.problem, s, 1.0);
            let row = Row::at_least(name, 0.0, vec![(d, 1.0), (t, -1.0), (x, level)]);
            self.program.milp.add_row(row);
            terms.push((d, -1.0 / k as f64));
            below.push((s, d, level));
        }
        self.fair.push(Fair { k, worst: t, below });
        terms
    }

    fn auxiliary(&mut self, name: String) -> usize {
        self.program.meanings.push(Vec::new());
        self.program.milp.add_column(Column::continuous(name, 0.0, 0.0, 1.0))
    }
}

/// A server as it is added.
struct Server<'a, 'b> {
    rows: &'b mut Rows<'a>,
    problem: &'a Problem,
    reach: &'b Problem,
    policy: Policy,
    s: usize,
}

impl Server<'_, '_> {
    fn add(&mut self) -> Option<Served> {
        let (s, needs, most) = (self.s, &self.problem.servers[self.s], &self.reach.servers[self.s]);
        let share = most.demand / needs.demand;
        let share = (needs.demand > 0.0).then(|| self.up_to("x", share));
        let floor = (needs.min_replicas > 0).then(|| self.up_to("h", most.min_replicas as f64));
        let spread = (needs.min_types > 1).then(|| self.up_to("b", f64::from(most.min_types)));
        let ask = |column: Option<usize>| column.map_or(Ask::All, Ask::UpTo);
        let asks = Asks { load: ask(share), floor: ask(floor), types: ask(spread) };
        let mix = self.rows.mix(s, asks)?;
        let opens = match self.policy.shape() {
            Shape::Single => self.one_accelerator(&mix),
            Shape::Mixed => Vec::new(),
        };
        let is_whole = self.policy.delayed || self.policy.effort == Effort::Whole;
        let share_in_full = share.filter(|_| is_whole && most.demand >= needs.demand);
        let full = share_in_full.map(|x| self.full(x));
        if let Some(w) = full.filter(|_| self.policy.effort == Effort::Whole) {
            self.in_full_or_floor(&mix, &opens, w);
        }
        Some(Served { mix, opens, share, full, floor, spread })
    }

    fn up_to(&mut self, name: &str, most: f64) -> usize {
        self.rows.column(Column::continuous(format!("{name}_{}", self.s), 0.0, 0.0, most))
    }

    /// Columns `y_sj` with `n_sj <= N_sj y_sj` and `sum_j y_sj <= 1`.
    fn one_accelerator(&mut self, mix: &Mix) -> Vec<usize> {
        let s = self.s;
        let mut opens = Vec::with_capacity(mix.n.len());
        for (j, &n) in mix.n.iter().enumerate() {
            let y = self.rows.binary(format_args!("y_{s}_{j}"), 0.0);
            let terms = vec![(n, 1.0), (y, -self.rows.milp.columns[n].upper)];
            self.rows.row(Row::at_most(format!("opens_{s}_{j}"), 0.0, terms));
            opens.push(y);
        }
        let terms = opens.iter().map(|&y| (y, 1.0)).collect();
        self.rows.row(Row::at_most(format!("one_{s}"), 1.0, terms));
        opens
    }

    /// The column `w_s` with `x_s >= w_s`.
    fn full(&mut self, x: usize) -> usize {
        let s = self.s;
        let w = self.rows.binary(format_args!("w_{s}"), 0.0);
        self.rows.row(Row::at_least(format!("full_{s}"), 0.0, vec![(x, 1.0), (w, -1.0)]));
        w
    }

    /// Where it is not served in full, a server has no more replicas than its fewest.
    fn in_full_or_floor(&mut self, mix: &Mix, opens: &[usize], w: usize) {
        let (s, needs) = (self.s, &self.problem.servers[self.s]);
        let items = self.problem.items(s);
        let mut all = Vec::with_capacity(mix.n.len());
        let mut sum = 0.0;
        for (j, (item, &n)) in items.iter().zip(&mix.n).enumerate() {
            let column = &mut self.rows.milp.columns[n];
            let floor = column.upper.min(needs.min_replicas as f64);
            let is_enough = opens.is_empty() || needs.replicas(item).is_some();
            if !is_enough {
                // Alone it never serves the load.
                column.upper = floor;
            }
            let most = column.upper;
            let terms = vec![(n, 1.0), (w, floor - most)];
            self.rows.row(Row::at_most(format!("whole_{s}_{j}"), floor, terms));
            if let Some(&y) = opens.get(j).filter(|_| floor == 0.0) {
                let terms = vec![(n, 1.0), (y, -most)];
                self.rows.row(Row::at_least(format!("least_{s}_{j}"), 0.0, terms));
            }
            all.push((n, 1.0));
            sum += most;
        }
        let floor = needs.min_replicas as f64;
        if opens.is_empty() && floor > 0.0 && floor < sum {
            all.push((w, floor - sum));
            self.rows.row(Row::at_most(format!("whole_{s}"), floor, all));
        }
    }
}
