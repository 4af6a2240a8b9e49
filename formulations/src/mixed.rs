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

use isocost_solver::{Column, Milp, Row};

use crate::problem::{Item, MOVE_PENALTY, Needs, Problem, ProblemOptions};
use crate::program::{Meaning, Program};
use crate::single::limit_row;

/// States `problem` as the program above.
pub fn mixed(problem: &Problem, options: &ProblemOptions) -> Program {
    let mut statement = Statement {
        milp: Milp { name: "mixed".to_owned(), ..Milp::default() },
        meanings: Vec::new(),
        limits: problem.limits.iter().map(limit_row).collect(),
        moves: Vec::new(),
    };
    for s in 0..problem.servers.len() {
        statement.server(problem, options, s);
    }
    let Statement { mut milp, meanings, limits, moves } = statement;
    limits.into_iter().for_each(|row| {
        milp.add_row(row);
    });
    if let Some(most) = options.max_moves {
        milp.add_row(at_most("moves".to_owned(), most as f64, moves));
    }
    Program { name: "mixed", milp, meanings }
}

/// The program as it grows, server by server.
struct Statement {
    milp: Milp,
    meanings: Vec<Vec<Meaning>>,
    limits: Vec<Row>,
    moves: Vec<(usize, f64)>,
}

impl Statement {
    fn server(&mut self, problem: &Problem, options: &ProblemOptions, s: usize) {
        let needs = &problem.servers[s];
        let items = problem.items(s);
        if options.transition {
            self.milp.offset -= needs.current.map_or(0.0, |(_, old)| old);
        }
        if needs.is_idle() {
            return;
        }
        let n: Vec<usize> = items
            .iter()
            .enumerate()
            .map(|(j, item)| {
                let column = self.replicas(needs, options, s, j, item);
                item.uses
                    .iter()
                    .for_each(|&(k, amount)| self.limits[k].terms.push((column, amount)));
                column
            })
            .collect();
        if needs.demand > 0.0 {
            let terms = n.iter().zip(items).map(|(&n, item)| (n, item.rate)).collect();
            self.milp.add_row(at_least(format!("cover_{s}"), needs.demand, terms));
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
        if let Some((now, old)) = needs.current {
            self.keep(options, items, &n, s, now, old);
        }
    }

    /// The column `n_sj`.
    fn replicas(
        &mut self,
        needs: &Needs,
        options: &ProblemOptions,
        s: usize,
        j: usize,
        item: &Item,
    ) -> usize {
        let moved =
            options.transition && needs.current.is_some_and(|(now, _)| now != item.accelerator);
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
            self.milp.add_row(at_least(format!("on_{s}_{t}"), 0.0, terms));
            used.push((a, 1.0));
        }
        self.milp.add_row(at_least(format!("spread_{s}"), f64::from(needs.min_types), used));
    }

    /// Columns `k_s` and `q_s`: what a move away from the current accelerator costs.
    fn keep(
        &mut self,
        options: &ProblemOptions,
        items: &[Item],
        n: &[usize],
        s: usize,
        now: usize,
        old: f64,
    ) {
        if options.transition {
            self.milp.offset += MOVE_PENALTY * old;
            let k = self.binary(format!("k_{s}"), -MOVE_PENALTY * old);
            let kept = items.iter().zip(n).filter(|(item, _)| item.accelerator == now);
            let mut terms: Vec<(usize, f64)> = kept.map(|(_, &n)| (n, 1.0)).collect();
            terms.push((k, -1.0));
            self.milp.add_row(at_least(format!("keep_{s}"), 0.0, terms));
        }
        if options.max_moves.is_some() {
            let q = self.binary(format!("q_{s}"), 0.0);
            self.moves.push((q, 1.0));
            for (j, (item, &n)) in items.iter().zip(n).enumerate() {
                if item.accelerator != now {
                    let terms = vec![(n, 1.0), (q, -self.milp.columns[n].upper)];
                    self.milp.add_row(at_most(format!("move_{s}_{j}"), 0.0, terms));
                }
            }
        }
    }
}

/// No cheapest plan has more replicas of one item than cover the load, or the least number, alone;
/// spreading over types may ask for one more.
pub(crate) fn most_replicas(needs: &Needs, item: &Item) -> f64 {
    let alone = (needs.demand / item.rate).ceil().max(needs.min_replicas as f64).max(1.0);
    needs.max_replicas.map_or(alone, |most| alone.min(most as f64))
}

fn at_least(name: String, lower: f64, terms: Vec<(usize, f64)>) -> Row {
    Row { name, lower, upper: f64::INFINITY, terms }
}

fn at_most(name: String, upper: f64, terms: Vec<(usize, f64)>) -> Row {
    Row { name, lower: f64::NEG_INFINITY, upper, terms }
}
