//! **mixed**: several accelerators may share the load of a server; the compact statement.
//!
//! ```text
//! variables   n_sj in Z, >= 0                        replicas of s on j
//!             a_st in {0, 1}                         s has a replica on type t (where spread is asked)
//!             k_s, q_s in {0, 1}                     s keeps its accelerator / uses another
//!
//! minimise    sum_s sum_j c_sj n_sj
//! subject to  sum_j r_sj n_sj >= L_s                 for each s       (cover)
//!             m_s <= sum_j n_sj <= M_s               for each s       (replicas)
//!             sum_s sum_j u_sjk n_sj <= C_k          for each k       (limit)
//!             sum_t a_st >= T_s, a_st <= sum_{j in t} n_sj            (spread, where asked)
//!             n_sj <= n_max q_s (j not now(s)), sum_s q_s <= moves    (moves, where limited)
//! ```
//!
//! With `transition`, replicas off the current accelerator cost 1 + 0.1 of their price, giving the
//! current one up (`k_s = 0`, `k_s <= n_s,now(s)`) costs 0.1 of the old cost, and the old cost is
//! taken off: for a plan on one accelerator that is the change's value of `single`.
//!
//! Its linear relaxation is weak, as one fractional replica of the best ratio covers any load; off
//! the shelf, branch and bound does not close it. [`crate::pattern`] states the same problem tighter.

use isocost_model::plan::{Approach, Method, Shape};
use isocost_solver::{Column, Milp, Row};

use crate::problem::{COVER_TOLERANCE, Item, MOVE_PENALTY, Needs, Problem, ProblemOptions};
use crate::program::{Meaning, Program};
use crate::single::limit_row;

/// States `problem` as the program above.
pub fn mixed(problem: &Problem, options: &ProblemOptions) -> Program {
    let mut statement = Statement::new(problem, options);
    for s in 0..problem.servers.len() {
        statement.server(s);
    }
    let Statement { mut milp, meanings, limits, .. } = statement;
    limits.into_iter().for_each(|row| {
        milp.add_row(row);
    });
    Program { approach: Approach::new(Shape::Mixed, Method::Compact), milp, meanings }
}

/// The program as it grows, server by server.
pub(crate) struct Statement<'a> {
    problem: &'a Problem,
    options: &'a ProblemOptions,
    /// The program, its limits apart.
    pub milp: Milp,
    /// What each column places.
    pub meanings: Vec<Vec<Meaning>>,
    /// A row for each limit, the one for moves last.
    pub limits: Vec<Row>,
}

/// The columns of a server.
pub(crate) struct Replicas {
    /// `n_sj` for each item.
    pub n: Vec<usize>,
    /// `k_s`, where giving the current accelerator up is charged.
    pub keep: Option<usize>,
    /// `q_s`, where moves are limited.
    pub moved: Option<usize>,
}

impl<'a> Statement<'a> {
    /// A program without servers.
    pub fn new(problem: &'a Problem, options: &'a ProblemOptions) -> Self {
        let mut limits: Vec<Row> = problem.limits.iter().map(limit_row).collect();
        limits.extend(options.max_moves.map(|most| Row::at_most("moves", most as f64, Vec::new())));
        let milp = Milp { name: "mixed".to_owned(), ..Milp::default() };
        Self { problem, options, milp, meanings: Vec::new(), limits }
    }

    /// Adds server `s`; `None` if it needs nothing.
    pub fn server(&mut self, s: usize) -> Option<Replicas> {
        let needs = &self.problem.servers[s];
        let items = self.problem.items(s);
        if self.options.transition {
            self.milp.offset -= needs.current.map_or(0.0, |(_, old)| old);
        }
        if needs.is_idle() {
            return None;
        }
        let n: Vec<usize> =
            items.iter().enumerate().map(|(j, item)| self.replicas(needs, s, j, item)).collect();
        for (item, &n) in items.iter().zip(&n) {
            item.uses.iter().for_each(|&(k, amount)| self.limits[k].terms.push((n, amount)));
        }
        if needs.demand > 0.0 {
            let terms = n.iter().zip(items).map(|(&n, item)| (n, item.rate)).collect();
            let covered = needs.demand * (1.0 - COVER_TOLERANCE);
            self.milp.add_row(Row::at_least(format!("cover_{s}"), covered, terms));
        }
        let upper = needs.max_replicas.map_or(f64::INFINITY, |most| most as f64);
        if needs.min_replicas > 0 || upper.is_finite() {
            let terms = n.iter().map(|&n| (n, 1.0)).collect();
            let lower = needs.min_replicas as f64;
            self.milp.add_row(Row { name: format!("replicas_{s}"), lower, upper, terms });
        }
        if needs.min_types > 1 {
            self.spread(needs, items, &n, s);
        }
        let (mut keep, mut moved) = (None, None);
        if let Some((now, old)) = needs.current {
            keep = self.options.transition.then(|| self.keep(items, &n, s, now, old));
            moved = self.options.max_moves.map(|_| self.moved(items, &n, s, now));
        }
        Some(Replicas { n, keep, moved })
    }

    /// The column `n_sj`.
    fn replicas(&mut self, needs: &Needs, s: usize, j: usize, item: &Item) -> usize {
        let moved = self.options.transition
            && needs.current.is_some_and(|(now, _)| now != item.accelerator);
        let charge = if moved { 1.0 + MOVE_PENALTY } else { 1.0 };
        self.meanings.push(vec![Meaning { server: s, item: j, replicas: 1 }]);
        self.milp.add_column(Column {
            name: format!("n_{s}_{j}"),
            cost: item.cost * charge,
            lower: 0.0,
            upper: most_replicas(needs, item),
            integer: true,
        })
    }

    fn binary(&mut self, name: String, cost: f64) -> usize {
        self.meanings.push(Vec::new());
        self.milp.add_column(Column { name, cost, lower: 0.0, upper: 1.0, integer: true })
    }

    /// Rows `sum_t a_st >= T_s` and `a_st <= sum_{j in t} n_sj`.
    fn spread(&mut self, needs: &Needs, items: &[Item], n: &[usize], s: usize) {
        let mut types: Vec<usize> = items.iter().map(|item| item.card_type).collect();
        types.sort_unstable();
        types.dedup();
        let mut used = Vec::new();
        for t in types {
            let a = self.binary(format!("a_{s}_{t}"), 0.0);
            let of_type = items.iter().zip(n).filter(|(item, _)| item.card_type == t);
            let mut terms: Vec<(usize, f64)> = of_type.map(|(_, &n)| (n, 1.0)).collect();
            terms.push((a, -1.0));
            self.milp.add_row(Row::at_least(format!("on_{s}_{t}"), 0.0, terms));
            used.push((a, 1.0));
        }
        self.milp.add_row(Row::at_least(format!("spread_{s}"), f64::from(needs.min_types), used));
    }

    /// The column `k_s`: giving the current accelerator up costs a tenth of the old cost.
    fn keep(&mut self, items: &[Item], n: &[usize], s: usize, now: usize, old: f64) -> usize {
        self.milp.offset += MOVE_PENALTY * old;
        let k = self.binary(format!("k_{s}"), -MOVE_PENALTY * old);
        let kept = items.iter().zip(n).filter(|(item, _)| item.accelerator == now);
        let mut terms: Vec<(usize, f64)> = kept.map(|(_, &n)| (n, 1.0)).collect();
        terms.push((k, -1.0));
        self.milp.add_row(Row::at_least(format!("keep_{s}"), 0.0, terms));
        k
    }

    /// The column `q_s`: a replica off the current accelerator is a move.
    fn moved(&mut self, items: &[Item], n: &[usize], s: usize, now: usize) -> usize {
        let q = self.binary(format!("q_{s}"), 0.0);
        let moves = self.problem.limits.len();
        self.limits[moves].terms.push((q, 1.0));
        for (j, (item, &n)) in items.iter().zip(n).enumerate() {
            if item.accelerator != now {
                let terms = vec![(n, 1.0), (q, -self.milp.columns[n].upper)];
                self.milp.add_row(Row::at_most(format!("move_{s}_{j}"), 0.0, terms));
            }
        }
        q
    }
}

/// No cheapest plan has more replicas of one item than cover the load, or the least number, alone;
/// spreading over types may ask for one more.
pub fn most_replicas(needs: &Needs, item: &Item) -> f64 {
    let alone = (needs.demand / item.rate).ceil().max(needs.min_replicas as f64).max(1.0);
    needs.max_replicas.map_or(alone, |most| alone.min(most as f64))
}
