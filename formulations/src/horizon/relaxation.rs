//! The linear relaxation of one period, and the cuts that it gives.
//!
//! With `R` units reserved, period `h` costs at least
//!
//! ```text
//! minimise    sum_s sum_p e_p x_sp + sum_r (o_r D_r + sigma_r S_r) + P sum_s z_s
//! subject to  sum_p x_sp + z_s = 1                               for each s     (serve)
//!             sum_s sum_p u_pr x_sp - D_r - S_r <= R_r           for each r     (pi_r)
//!             sum_s sum_p u_pk x_sp <= C_k                       for each budget k  (kappa_k)
//!             sum_{r in t} m_r (D_r + S_r) <= C_t - sum_{r in t} m_r R_r        (eta_t)
//!             S_r <= M_r                                         for each r     (mu_r)
//!             x, D, S, z >= 0
//! ```
//!
//! by column generation over the patterns `p` of each server. At any `pi, kappa, eta, mu >= 0` with
//! `pi_r <= o_r + m_r eta_t` and `pi_r <= sigma_r + m_r eta_t + mu_r` the sum of the cheapest
//! patterns at prices `pi, kappa`, less what the right sides are worth, is a lower bound; as it is
//! affine in `R`, it holds for every `R`: a cut. `z` stands for a server left out at a price `P` that
//! no server is worth.

use isocost_solver::{Backend, Column, Master, Milp, Row, SolverError};
use rustc_hash::FxHashSet;

use super::statement::{Horizon, PoolTerms, Span};
use crate::pattern::column::{Pattern, Shape};
use crate::pattern::pricing::cheapest;
use crate::problem::Item;

/// `f_h(R) >= fixed - sum_r slope_r R_r`, cents/h.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut {
    /// Its value at `R = 0`.
    pub fixed: f64,
    /// What a reserved unit saves at most.
    pub slope: Vec<f64>,
}

impl Cut {
    /// Its value at `reserved`, cents/h.
    pub fn at(&self, reserved: &[f64]) -> f64 {
        self.fixed - self.slope.iter().zip(reserved).map(|(b, r)| b * r).sum::<f64>()
    }
}

/// Multipliers that keep the conditions above.
#[derive(Debug, Clone)]
pub struct Multipliers {
    /// `pi_r`, then `kappa_k`.
    pub lambda: Vec<f64>,
    /// `eta_t`.
    eta: Vec<f64>,
    /// `mu_r`.
    mu: Vec<f64>,
}

impl Multipliers {
    /// A mean: the conditions are linear, so that it keeps them too.
    pub fn mean<'a>(parts: impl Iterator<Item = (f64, &'a Self)>) -> Option<Self> {
        let mut sum: Option<(f64, Self)> = None;
        for (weight, part) in parts {
            let (total, sum) = sum.get_or_insert_with(|| (0.0, part.times(0.0)));
            *total += weight;
            let add = |to: &mut Vec<f64>, from: &[f64]| {
                to.iter_mut().zip(from).for_each(|(t, f)| *t += weight * f);
            };
            add(&mut sum.lambda, &part.lambda);
            add(&mut sum.eta, &part.eta);
            add(&mut sum.mu, &part.mu);
        }
        sum.filter(|s| s.0 > 0.0).map(|(total, sum)| sum.times(1.0 / total))
    }

    fn times(&self, factor: f64) -> Self {
        let of = |v: &[f64]| v.iter().map(|x| x * factor).collect();
        Self { lambda: of(&self.lambda), eta: of(&self.eta), mu: of(&self.mu) }
    }
}

/// What the relaxation of a period says at some `R`.
#[derive(Debug, Clone)]
pub struct Relaxed {
    /// The cut, tight at that `R` as far as pricing went.
    pub cut: Cut,
    /// Its multipliers.
    pub duals: Multipliers,
    /// Lower bound on the price of each server's patterns at them.
    pub least: Vec<f64>,
}

/// Patterns of one period, found so far.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    patterns: Vec<(usize, Pattern)>,
    known: FxHashSet<Mix>,
}

/// A server, and (index of item, replicas).
type Mix = (usize, Box<[(u32, u32)]>);

/// Rounds of pricing, at most; the bound holds after any.
const ROUNDS: u32 = 60;

/// The relaxation of one period.
pub struct Relaxation<'a> {
    horizon: &'a Horizon,
    span: &'a Span,
    shape: Shape,
    /// `P`.
    penalty: f64,
}

impl<'a> Relaxation<'a> {
    /// That of `span`.
    pub fn new(horizon: &'a Horizon, span: &'a Span, shape: Shape) -> Self {
        let price = |item: &Item| {
            let rent = item
                .uses
                .iter()
                .filter(|u| u.0 < horizon.pools.len())
                .map(|&(r, units)| units * rent(horizon, span, r).unwrap_or(0.0));
            item.cost + rent.sum::<f64>()
        };
        let dearest = |s: usize| {
            let needs = &span.problem.servers[s];
            let each = span.problem.items(s).iter();
            each.map(|i| price(i) * needs.most(i) as f64).fold(0.0, f64::max)
        };
        let all: f64 = (0..span.problem.servers.len()).map(dearest).sum();
        Self { horizon, span, shape, penalty: 10.0 * all.max(1.0) }
    }

    /// The relaxation at `reserved`; `None` where a server has no pattern at all. The bound is the
    /// best of those on the way.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn solve(
        &self,
        reserved: &[f64],
        columns: &mut Columns,
        backend: &dyn Backend,
    ) -> Result<Option<Relaxed>, SolverError> {
        let mut master = self.master(reserved, columns, backend)?;
        let space = self.span.space(self.shape);
        let mut best: Option<Relaxed> = None;
        for _ in 0..ROUNDS {
            let Some(relaxation) = master.lp.solve()? else { break };
            let duals = self.duals(&relaxation.row_duals);
            let servers = 0..self.span.problem.servers.len();
            let mut least = Vec::with_capacity(servers.len());
            let mut new = Vec::new();
            for s in servers {
                let Some(priced) = cheapest(&space, s, &duals.lambda) else {
                    return Ok(None);
                };
                least.push(priced.bound.min(self.penalty));
                let key = (s, priced.pattern.shares.clone());
                let sigma = relaxation.row_duals[master.serve + s];
                if priced.price < sigma - 1e-9 * sigma.abs().max(1.0) && columns.known.insert(key) {
                    new.push((s, priced.pattern));
                }
            }
            let cut = self.cut(&duals, &least);
            let value = cut.at(reserved);
            if best.as_ref().is_none_or(|b| value > b.cut.at(reserved)) {
                best = Some(Relaxed { cut, duals, least });
            }
            if new.is_empty() || relaxation.objective - value <= 1e-9 * value.abs().max(1.0) {
                break;
            }
            for (s, pattern) in new {
                master.add(s, &pattern)?;
                columns.patterns.push((s, pattern));
            }
        }
        Ok(best)
    }

    /// The cut at given multipliers; `None` where a server has no pattern at all.
    pub fn priced(&self, duals: Multipliers) -> Option<Relaxed> {
        let space = self.span.space(self.shape);
        let of_server = |s| {
            let priced = cheapest(&space, s, &duals.lambda)?;
            Some(priced.bound.min(self.penalty))
        };
        let servers = 0..self.span.problem.servers.len();
        let least = servers.map(of_server).collect::<Option<Vec<f64>>>()?;
        Some(Relaxed { cut: self.cut(&duals, &least), duals, least })
    }

    /// The restricted master over the patterns known so far.
    fn master(
        &self,
        reserved: &[f64],
        columns: &Columns,
        backend: &dyn Backend,
    ) -> Result<RestrictedMaster, SolverError> {
        let (pools, problem) = (&self.horizon.pools, &self.span.problem);
        let mut milp = Milp::default();
        for &r in reserved {
            milp.add_row(Row::at_most("", r, Vec::new()));
        }
        for limit in &problem.limits[pools.len()..] {
            milp.add_row(Row::at_most("", limit.capacity, Vec::new()));
        }
        let held = milp.rows.len();
        for (t, &cards) in self.span.cards.iter().enumerate() {
            let taken = |(p, r): (&PoolTerms, &f64)| {
                if p.card_type == t { p.cards as f64 * r } else { 0.0 }
            };
            let left = cards - pools.iter().zip(reserved).map(taken).sum::<f64>();
            let left = if cards.is_finite() { left.max(0.0) } else { 0.0 };
            milp.add_row(Row::at_most("", left, Vec::new()));
        }
        let spot = milp.rows.len();
        for pool in pools {
            let most = pool.spot.map_or(0.0, |s| s.most as f64);
            milp.add_row(Row::at_most("", most, Vec::new()));
        }
        let serve = milp.rows.len();
        for _ in &problem.servers {
            milp.add_row(Row::equal("", 1.0, Vec::new()));
        }
        let mut add = |cost: f64, terms: &[(usize, f64)]| {
            let column = milp.add_column(Column::continuous("", cost, 0.0, f64::INFINITY));
            for &(i, a) in terms.iter().filter(|t| t.1 != 0.0) {
                milp.rows[i].terms.push((column, a));
            }
        };
        for (r, pool) in pools.iter().enumerate() {
            let limited = self.span.cards[pool.card_type].is_finite();
            let in_type = (held + pool.card_type, if limited { pool.cards as f64 } else { 0.0 });
            if let Some(rent) = rent(self.horizon, self.span, r) {
                add(rent, &[(r, -1.0), in_type]);
            }
            if let Some(s) = pool.spot {
                add(s.price, &[(r, -1.0), in_type, (spot + r, 1.0)]);
            }
        }
        (0..problem.servers.len()).for_each(|s| add(self.penalty, &[(serve + s, 1.0)]));
        for (s, pattern) in &columns.patterns {
            add(pattern.cost, &terms(pattern, serve + s));
        }
        Ok(RestrictedMaster { lp: backend.master(&milp)?, serve })
    }

    /// Multipliers made to keep the conditions above.
    fn duals(&self, rows: &[f64]) -> Multipliers {
        let pools = &self.horizon.pools;
        let limits = self.span.problem.limits.len();
        let at = |i: usize| (-rows[i]).max(0.0);
        let mut lambda: Vec<f64> = (0..limits).map(at).collect();
        let limited = |t: usize| self.span.cards[t].is_finite();
        let of_type = |t: usize| if limited(t) { at(limits + t) } else { 0.0 };
        let eta: Vec<f64> = (0..self.span.cards.len()).map(of_type).collect();
        let mut mu = vec![0.0; pools.len()];
        for (r, pool) in pools.iter().enumerate() {
            let held = pool.cards as f64 * eta[pool.card_type];
            if let Some(rent) = rent(self.horizon, self.span, r) {
                lambda[r] = lambda[r].min(rent + held);
            }
            if let Some(s) = pool.spot {
                mu[r] = (lambda[r] - s.price - held).max(0.0);
            }
        }
        Multipliers { lambda, eta, mu }
    }

    fn cut(&self, duals: &Multipliers, least: &[f64]) -> Cut {
        let pools = &self.horizon.pools;
        let budgets = &self.span.problem.limits[pools.len()..];
        let mut fixed: f64 = least.iter().sum();
        fixed -= budgets
            .iter()
            .zip(&duals.lambda[pools.len()..])
            .map(|(k, l)| k.capacity * l)
            .sum::<f64>();
        let cards = self.span.cards.iter().zip(&duals.eta).filter(|(_, eta)| **eta > 0.0);
        fixed -= cards.map(|(c, eta)| c * eta).sum::<f64>();
        let spot = pools.iter().zip(&duals.mu);
        fixed -= spot.map(|(p, mu)| p.spot.map_or(0.0, |s| s.most as f64) * mu).sum::<f64>();
        let slope =
            |(r, p): (usize, &PoolTerms)| duals.lambda[r] - p.cards as f64 * duals.eta[p.card_type];
        Cut { fixed, slope: pools.iter().enumerate().map(slope).collect() }
    }
}

/// What renting a unit of pool `r` for the period costs, cents/h. Where none can be rented but some
/// can be reserved, renting stands for reserving too little, at a price for the period that is above
/// that of reserving for all hours: no optimum pays it.
pub fn rent(horizon: &Horizon, span: &Span, r: usize) -> Option<f64> {
    let pool = &horizon.pools[r];
    pool.on_demand.or_else(|| pool.reserve.map(|all| (1.01 * all + 1.0) / span.hours))
}

struct RestrictedMaster {
    lp: Box<dyn Master>,
    /// First row of the servers.
    serve: usize,
}

impl RestrictedMaster {
    fn add(&mut self, s: usize, pattern: &Pattern) -> Result<(), SolverError> {
        self.lp.add_column(pattern.cost, &terms(pattern, self.serve + s))
    }
}

fn terms(pattern: &Pattern, serve: usize) -> Vec<(usize, f64)> {
    let uses = pattern.uses.iter().enumerate().filter(|u| *u.1 != 0.0);
    uses.map(|(k, u)| (k, *u)).chain([(serve, 1.0)]).collect()
}

impl Relaxed {
    /// What is known of a period at no prices at all: nothing.
    pub fn free(limits: usize, types: usize, pools: usize, servers: usize) -> Self {
        let duals =
            Multipliers { lambda: vec![0.0; limits], eta: vec![0.0; types], mu: vec![0.0; pools] };
        Self { cut: Cut { fixed: 0.0, slope: vec![0.0; pools] }, duals, least: vec![0.0; servers] }
    }
}
