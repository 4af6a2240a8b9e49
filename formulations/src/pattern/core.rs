//! The core: a mixed-integer program over what is left to decide.

use isocost_solver::{Backend, Column, Milp, Row, SolveOptions, SolverError, Status};

use super::column::Pattern;
use super::dual::Part;
use crate::mixed::most_replicas;
use crate::problem::{COVER_TOLERANCE, Problem};

/// What a core knows of a server's patterns.
#[derive(Debug, Clone)]
pub enum Offer {
    /// All of them.
    Listed(Vec<Pattern>),
    /// Too many to list: replicas `n_j` instead, with what pricing has proven of every pattern,
    /// `sum_j p_j n_j >= z` at several prices, so that nothing of the bound is lost.
    Open {
        /// (price of a replica of each item, price of the cheapest pattern).
        cuts: Vec<(Vec<f64>, f64)>,
        /// No replica mix that matters has a price, as in the first cut, above this.
        budget: f64,
    },
}

/// What solving a core gave.
#[derive(Debug, Clone)]
pub struct CoreSolution {
    /// Pattern of each server of the part, if a choice was found.
    pub chosen: Option<Vec<Pattern>>,
    /// No choice among the offers is cheaper, cents/h; `inf` if there is none.
    pub bound: f64,
}

/// The cheapest choice for each server of `part` among its offers, within `limits`, the indices of
/// the limits that are stated.
///
/// ```text
/// minimise    sum_s sum_p c_p x_sp + sum_s sum_j c_j n_sj
/// subject to  sum_p x_sp = 1,  x in {0, 1}                             for each listed s
///             sum_j r_j n_sj >= L_s,  m_s <= sum_j n_sj <= M_s         for each open s
///             z <= sum_j p_j n_sj (<= budget)                          for each cut of s
///             sum_s (sum_p u_pk x_sp + sum_j u_jk n_sj) <= C_k         for each k in limits
/// ```
///
/// # Errors
/// A failure of the backend.
pub fn solve(
    problem: &Problem,
    part: &Part,
    offers: &[Offer],
    limits: &[usize],
    backend: &dyn Backend,
    options: &SolveOptions,
) -> Result<CoreSolution, SolverError> {
    let mut core = Core {
        milp: Milp { name: "pattern".to_owned(), ..Milp::default() },
        rows: limits
            .iter()
            .map(|&k| Row::at_most(problem.limits[k].name.clone(), part.capacity[k], Vec::new()))
            .collect(),
        limits,
        first: Vec::new(),
    };
    for (&s, offer) in part.servers.iter().zip(offers) {
        core.first.push(core.milp.columns.len());
        match offer {
            Offer::Listed(patterns) => core.listed(s, patterns),
            Offer::Open { cuts, budget } => core.open(problem, s, cuts, *budget),
        }
    }
    let Core { mut milp, rows, first, .. } = core;
    rows.into_iter().for_each(|row| {
        milp.add_row(row);
    });
    let solution = backend.solve(&milp, options)?;
    let bound = if solution.status == Status::Infeasible { f64::INFINITY } else { solution.bound };
    let chosen = (!solution.values.is_empty()).then(|| {
        let servers = part.servers.iter().zip(offers).zip(&first);
        servers.map(|((&s, offer), &at)| pick(problem, s, offer, &solution.values[at..])).collect()
    });
    Ok(CoreSolution { chosen: chosen.flatten(), bound })
}

/// The pattern that the values of a server's columns stand for.
fn pick(problem: &Problem, s: usize, offer: &Offer, values: &[f64]) -> Option<Pattern> {
    match offer {
        Offer::Listed(patterns) => {
            patterns.iter().zip(values).find(|(_, x)| **x > 0.5).map(|(p, _)| p.clone())
        }
        Offer::Open { .. } => {
            let items = problem.items(s);
            let counts = (0..items.len() as u32).zip(values).filter(|(_, n)| **n > 0.5);
            let shares: Vec<(u32, u32)> = counts.map(|(j, n)| (j, n.round() as u32)).collect();
            let cost = shares.iter().map(|&(j, n)| items[j as usize].cost * f64::from(n)).sum();
            Some(Pattern::new(problem, s, shares, cost))
        }
    }
}

/// The program as it grows, server by server.
struct Core<'a> {
    milp: Milp,
    rows: Vec<Row>,
    limits: &'a [usize],
    /// First column of each server.
    first: Vec<usize>,
}

impl Core<'_> {
    fn listed(&mut self, s: usize, patterns: &[Pattern]) {
        let mut one = Row::equal(format!("one_{s}"), 1.0, Vec::new());
        for (p, pattern) in patterns.iter().enumerate() {
            let column = Column::integer(format!("x_{s}_{p}"), pattern.cost, 0.0, 1.0);
            let x = self.milp.add_column(column);
            one.terms.push((x, 1.0));
            for (row, &k) in self.rows.iter_mut().zip(self.limits) {
                if pattern.uses[k] > 0.0 {
                    row.terms.push((x, pattern.uses[k]));
                }
            }
        }
        self.milp.add_row(one);
    }

    fn open(&mut self, problem: &Problem, s: usize, cuts: &[(Vec<f64>, f64)], budget: f64) {
        let (needs, items) = (&problem.servers[s], problem.items(s));
        let mut columns = Vec::new();
        for (j, item) in items.iter().enumerate() {
            let most = most_replicas(needs, item);
            // A replica that alone is dearer than the budget has no place in the mix.
            let afford = cuts.first().map_or(most, |(prices, _)| {
                if prices[j] > 0.0 { (budget / prices[j] + 1e-9).floor().min(most) } else { most }
            });
            let column = Column::integer(format!("n_{s}_{j}"), item.cost, 0.0, afford);
            let n = self.milp.add_column(column);
            columns.push(n);
            for &(k, amount) in &item.uses {
                if let Some(i) = self.limits.iter().position(|&l| l == k) {
                    self.rows[i].terms.push((n, amount));
                }
            }
        }
        let sum = |of: &dyn Fn(usize) -> f64| -> Vec<(usize, f64)> {
            columns.iter().enumerate().map(|(j, &n)| (n, of(j))).collect()
        };
        if needs.demand > 0.0 {
            let cover = needs.demand * (1.0 - COVER_TOLERANCE);
            self.milp.add_row(Row::at_least(format!("cover_{s}"), cover, sum(&|j| items[j].rate)));
        }
        let upper = needs.max_replicas.map_or(f64::INFINITY, |most| most as f64);
        if needs.min_replicas > 0 || upper.is_finite() {
            let (name, lower) = (format!("replicas_{s}"), needs.min_replicas as f64);
            self.milp.add_row(Row { name, lower, upper, terms: sum(&|_| 1.0) });
        }
        for (i, (prices, z)) in cuts.iter().enumerate() {
            let rounding = 1e-9 * z.abs().max(1.0);
            let upper = if i == 0 { budget + rounding } else { f64::INFINITY };
            let (name, lower) = (format!("price_{s}_{i}"), z - rounding);
            self.milp.add_row(Row { name, lower, upper, terms: sum(&|j| prices[j]) });
        }
    }
}

/// Leaves only patterns that no other one beats in cost and in every one of `limits`.
pub fn prune(mut patterns: Vec<Pattern>, limits: &[usize]) -> Vec<Pattern> {
    patterns.sort_by(|a, b| a.cost.total_cmp(&b.cost).then_with(|| a.shares.cmp(&b.shares)));
    let mut kept: Vec<Pattern> = Vec::new();
    for pattern in patterns {
        let beaten = kept.iter().any(|k| limits.iter().all(|&l| k.uses[l] <= pattern.uses[l]));
        if !beaten {
            kept.push(pattern);
        }
    }
    kept
}
