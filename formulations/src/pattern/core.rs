//! The core: a mixed-integer program over what is left to decide.

use isocost_solver::{Backend, Row, SolveOptions, SolverError, Status};

use super::column::Pattern;
use super::dual::Part;
use super::space::{Charges, Space};
use crate::server_rows::{Asks, Rows};

/// What a core knows of a server's patterns.
#[derive(Debug, Clone)]
pub enum Offer {
    /// All of them.
    Listed(Vec<Pattern>),
    /// Too many to list: replicas `n_j` instead, with what pricing has proven of every pattern,
    /// that its price is at least `z`, at several prices, so that nothing of the bound is lost.
    Open {
        /// Prices of the limits, and the price `z` of the cheapest pattern at them.
        cuts: Vec<(Vec<f64>, f64)>,
        /// No replica mix that matters has a price, as in the first cut, above this.
        budget: f64,
    },
}

impl Offer {
    /// Whether it is every pattern of the server.
    pub fn is_listed(&self) -> bool {
        matches!(self, Self::Listed(_))
    }
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
/// minimise    sum_s sum_p c_p x_sp + sum_s c_s(n_s)
/// subject to  sum_p x_sp = 1,  x in {0, 1}                             for each listed s
///             n_s a mix of s, as in [`crate::server_rows`]             for each open s
///             z <= c_s(n_s) + lambda u_s(n_s) (<= budget)              for each cut of s
///             sum_s (sum_p u_pk x_sp + u_sk(n_s)) <= C_k               for each k in limits
/// ```
///
/// # Errors
/// A failure of the backend.
pub fn solve(
    space: &Space<'_>,
    part: &Part,
    offers: &[Offer],
    limits: &[usize],
    backend: &dyn Backend,
    options: &SolveOptions,
) -> Result<CoreSolution, SolverError> {
    let (rows, first) = state(space, part, offers, limits);
    let solution = backend.solve(&rows.milp, options)?;
    let bound = if solution.status == Status::Infeasible { f64::INFINITY } else { solution.bound };
    let chosen = (!solution.values.is_empty()).then(|| {
        let servers = part.servers.iter().zip(offers).zip(&first);
        let pick = |((&s, offer), &at): ((&usize, &Offer), &usize)| match offer {
            Offer::Listed(patterns) => pick(patterns, &solution.values[at..]),
            Offer::Open { .. } => Some(mix(space, s, &solution.values[at..])),
        };
        servers.map(pick).collect()
    });
    Ok(CoreSolution { chosen: chosen.flatten(), bound })
}

/// The program, and the first column of each server.
fn state<'a>(
    space: &Space<'a>,
    part: &Part,
    offers: &[Offer],
    limits: &[usize],
) -> (Rows<'a>, Vec<usize>) {
    let mut rows = Rows::new("core", space.problem, space.options());
    let mut first = Vec::with_capacity(part.servers.len());
    for (&s, offer) in part.servers.iter().zip(offers) {
        first.push(rows.milp.columns.len());
        match offer {
            Offer::Listed(patterns) => rows.listed(s, patterns),
            Offer::Open { cuts, budget } => open(&mut rows, space, s, cuts, *budget),
        }
    }
    for &k in limits {
        let terms = std::mem::take(&mut rows.limits[k].terms);
        let name = rows.limits[k].name.clone();
        rows.row(Row::at_most(name, part.capacity[k], terms));
    }
    (rows, first)
}

/// The pattern that the values of a listed server's columns choose.
pub(crate) fn pick(patterns: &[Pattern], values: &[f64]) -> Option<Pattern> {
    patterns.iter().zip(values).find(|(_, x)| **x > 0.5).map(|(p, _)| p.clone())
}

/// The pattern that the values of an open server's columns stand for.
pub(crate) fn mix(space: &Space<'_>, s: usize, values: &[f64]) -> Pattern {
    let counts = (0..space.items(s).len() as u32).zip(values).filter(|(_, n)| **n > 0.5);
    let shares = counts.map(|(j, n)| (j, n.round() as u32)).collect();
    Pattern::new(space, s, shares)
}

fn open(rows: &mut Rows<'_>, space: &Space<'_>, s: usize, cuts: &[(Vec<f64>, f64)], budget: f64) {
    let Some(columns) = rows.mix(s, Asks::default()) else { return };
    let charges = space.charges(s);
    for (i, (lambda, z)) in cuts.iter().enumerate() {
        let prices = space.prices(s, &charges, lambda);
        let fixed = fixed(&charges);
        let mut terms: Vec<(usize, f64)> =
            columns.n.iter().copied().zip(prices.iter().copied()).collect();
        terms.extend(columns.keep.map(|k| (k, -charges.give_up)));
        terms.extend(columns.moved.zip(charges.moves).map(|(q, k)| (q, lambda[k])));
        let upper = if i == 0 { budget - fixed } else { f64::INFINITY };
        if i == 0 {
            // A replica that alone is dearer than the budget has no place in the mix.
            for (&n, price) in columns.n.iter().zip(&prices).filter(|(_, price)| **price > 0.0) {
                let affordable = ((budget - charges.base) / price + 1e-9).floor().max(0.0);
                let column = &mut rows.milp.columns[n];
                column.upper = column.upper.min(affordable);
            }
        }
        rows.price(s, Row { name: i.to_string(), lower: z - fixed, upper, terms });
    }
}

/// What a server is charged whatever its mix, if it gives its accelerator up.
fn fixed(charges: &Charges) -> f64 {
    charges.base + charges.give_up
}

/// Leaves only patterns that no other one beats in cost and in every one of `limits`.
pub(crate) fn prune(mut patterns: Vec<Pattern>, limits: &[usize]) -> Vec<Pattern> {
    let taken = |p: &Pattern| limits.iter().map(|&k| p.uses[k]).sum::<f64>();
    patterns.sort_by(|a, b| {
        let cost = a.cost.total_cmp(&b.cost).then(taken(a).total_cmp(&taken(b)));
        cost.then_with(|| a.shares.cmp(&b.shares))
    });
    let mut kept: Vec<Pattern> = Vec::new();
    for pattern in patterns {
        let beaten = kept.iter().any(|k| limits.iter().all(|&l| k.uses[l] <= pattern.uses[l]));
        if !beaten {
            kept.push(pattern);
        }
    }
    kept
}
