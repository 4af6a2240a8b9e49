//! **single**: one accelerator, and one batch size, for each server.
//!
//! ```text
//! data        n_sj = max(ceil(L_s / r_sj), m_s)      replicas if s runs on j; j out if n_sj > M_s
//!             v_sj = c_sj n_sj, or the change's value where a move is charged
//! variables   y_sj in {0, 1}                         s runs on j
//!
//! minimise    sum_s sum_j v_sj y_sj
//! subject to  sum_j y_sj = 1                         for each s       (serve)
//!             sum_s sum_j u_sjk n_sj y_sj <= C_k     for each k       (limit)
//!             sum_s sum_{j not now(s)} y_sj <= moves                  (moves, where limited)
//! ```
//!
//! It proves the cheapest plan among those that run each server on one accelerator type. Source:
//! the multiple-choice multidimensional knapsack problem.

use isocost_model::plan::{Approach, Method, Shape};
use isocost_solver::{Column, Milp, Row};

use crate::problem::{Needs, Problem, ProblemOptions};
use crate::program::{Meaning, Program};

/// States `problem` as the program above.
pub fn single(problem: &Problem, options: &ProblemOptions) -> Program {
    let mut milp = Milp { name: "single".to_owned(), ..Milp::default() };
    let mut meanings = Vec::new();
    let mut limits: Vec<Row> = problem.limits.iter().map(limit_row).collect();
    let mut moves = Vec::new();
    for (s, needs) in problem.servers.iter().enumerate() {
        if needs.is_idle() {
            let old = needs.current.filter(|_| options.transition);
            milp.offset -= old.map_or(0.0, |(_, old)| old);
            continue;
        }
        let mut serve = Row { name: format!("serve_{s}"), lower: 1.0, upper: 1.0, terms: vec![] };
        for (j, item) in problem.items(s).iter().enumerate() {
            let Some(replicas) = needs.replicas(item).filter(|_| needs.min_types <= 1) else {
                continue;
            };
            let n = replicas as f64;
            let y = milp.add_column(Column {
                name: format!("y_{s}_{j}"),
                cost: charged(needs, options, item.accelerator, item.cost * n),
                lower: 0.0,
                upper: 1.0,
                integer: true,
            });
            meanings.push(vec![Meaning { server: s, item: j, replicas }]);
            serve.terms.push((y, 1.0));
            for &(k, amount) in &item.uses {
                limits[k].terms.push((y, amount * n));
            }
            if needs.current.is_some_and(|(now, _)| now != item.accelerator) {
                moves.push((y, 1.0));
            }
        }
        milp.add_row(serve);
    }
    limits.into_iter().for_each(|row| {
        milp.add_row(row);
    });
    if let Some(most) = options.max_moves {
        let name = "moves".to_owned();
        milp.add_row(Row { name, lower: f64::NEG_INFINITY, upper: most as f64, terms: moves });
    }
    Program { approach: Approach::new(Shape::Single, Method::Compact), milp, meanings }
}

/// The row `sum <= C_k`, still without terms.
pub(crate) fn limit_row(limit: &crate::problem::Limit) -> Row {
    Row {
        name: format!("limit_{}", limit.name),
        lower: f64::NEG_INFINITY,
        upper: limit.capacity,
        terms: Vec::new(),
    }
}

/// What running at `cost` on `accelerator` is charged.
fn charged(needs: &Needs, options: &ProblemOptions, accelerator: usize, cost: f64) -> f64 {
    if options.transition { needs.change_value(accelerator, cost) } else { cost }
}
