//! **limits**: how much of each limit the plan uses, and what a little more or less of it is worth.
//!
//! ```text
//! U(C)        cost of the cheapest plan at capacities C
//! one more    U(C) - U(C + e_k)        saved by a step more of k (a card, or a kilowatt)
//! one fewer   U(C - e_k) - U(C)        paid for a step less of it
//! lambda_k    the price of k at the best Lagrangian bound (the pattern relaxation's dual)
//! enough      the least C_k above which more of k saves nothing, found by bisection:
//!             U does not rise with C_k
//! ```
//!
//! Both steps are solved anew. Unlike `lambda_k` they count whole cards, and differ from it and from
//! each other: U is neither convex nor smooth. A limit that the plan leaves a step of unused is worth
//! nothing less one step: the plan itself proves it.

use isocost_solver::SolverError;
use serde::Serialize;

use super::known::Known;
use super::probe::Base;
use super::source::{Source, Unit};
use super::variant::{with_capacity, with_limits};
use isocost_formulations::problem::Problem;

/// A limit and what it is worth.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitValue {
    /// Name, e.g. `A100`.
    pub limit: String,
    /// What it counts.
    pub unit: Unit,
    /// What the plan uses, cards or watts.
    pub used: f64,
    /// What there is, cards or watts.
    pub capacity: f64,
    /// Whether less than a step is left: a card, or a kilowatt.
    pub full: bool,
    /// Units that a step stands for: 1 card, or 1000 W.
    pub step: f64,
    /// What a step more saves, cents/h.
    pub one_more: Known,
    /// What a step less costs, cents/h.
    pub one_fewer: Known,
    /// `lambda_k`, cents/h for a step; `None` where patterns do not know the problem.
    pub dual_price: Option<f64>,
    /// Where more stops being worth anything.
    pub enough: Option<Enough>,
}

impl LimitValue {
    /// Whether more of it is proven to save anything.
    pub fn binds(&self) -> bool {
        self.one_more.at_least() > 0.0
            || self.enough.is_some_and(|enough| enough.saving.at_least() > 0.0)
    }
}

/// Where more of a limit stops being worth anything.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Enough {
    /// Units that are enough; not more than there is now where more saves nothing already.
    pub capacity: f64,
    /// What that many save in all, cents/h.
    pub saving: Known,
    /// Whether it is proven that a step less is not enough.
    pub fewest: bool,
}

/// Units of each limit that a choice uses.
pub fn uses(problem: &Problem, shares: &[Vec<(usize, u64)>]) -> Vec<f64> {
    let mut used = vec![0.0; problem.limits.len()];
    for (s, share) in shares.iter().enumerate() {
        for &(candidate, n) in share {
            let Some(item) = problem.items(s).iter().find(|i| i.candidate == candidate) else {
                continue;
            };
            item.uses.iter().for_each(|&(k, amount)| used[k] += amount * n as f64);
        }
    }
    used
}

/// Limit `k`, of which the plan uses `used` units, and what it is worth. What there is no time for is left
/// open.
///
/// # Errors
/// A failure of the backend.
pub fn value(
    base: &Base<'_>,
    source: Source,
    k: usize,
    used: f64,
) -> Result<LimitValue, SolverError> {
    let (limit, step) = (&base.problem.limits[k], source.step());
    let open = Known::between(0.0, f64::INFINITY);
    let (mut one_more, mut one_fewer, mut enough) = (open, open, None);
    if !base.probe.is_over() {
        (one_more, one_fewer) = worth(base, k, used, step)?;
    }
    if !base.probe.is_over() {
        enough = self::enough(base, k, used, step)?;
    }
    Ok(LimitValue {
        limit: limit.name.clone(),
        unit: source.unit(),
        used,
        capacity: limit.capacity,
        full: limit.capacity - used < step,
        step,
        one_more,
        one_fewer,
        dual_price: base.dual.as_ref().map(|dual| dual.lambda[k] * step),
        enough,
    })
}

/// What a step more and a step less of limit `k` are worth, cents/h: saved, and paid.
///
/// # Errors
/// A failure of the backend.
pub fn worth(
    base: &Base<'_>,
    k: usize,
    used: f64,
    step: f64,
) -> Result<(Known, Known), SolverError> {
    let capacity = base.problem.limits[k].capacity;
    // What another capacity allows cannot be worth more than everything.
    let more = base.cost.above(&cost_at(base, k, capacity + step)?);
    let fewer = if used <= capacity - step {
        // The plan stays feasible, and no cheaper one appears.
        Known::exact(0.0)
    } else if capacity < step {
        Known::Infeasible
    } else {
        cost_at(base, k, capacity - step)?.above(&base.cost)
    };
    Ok((more, fewer))
}

/// Cost of the cheapest plan at another capacity of limit `k`.
fn cost_at(base: &Base<'_>, k: usize, capacity: f64) -> Result<Known, SolverError> {
    let choice = base.probe.solve(&with_capacity(base.problem, k, capacity))?;
    Ok(Known::objective(&choice))
}

/// Where more of limit `k` stops being worth anything; `None` where a solve did not prove it.
///
/// # Errors
/// A failure of the backend.
pub fn enough(
    base: &Base<'_>,
    k: usize,
    used: f64,
    step: f64,
) -> Result<Option<Enough>, SolverError> {
    let Base { probe, problem, .. } = base;
    let kept: Vec<bool> = (0..problem.limits.len()).map(|l| l != k).collect();
    let free = probe.solve(&with_limits(problem, &kept))?;
    let (cost, now) = (Known::objective(&free), problem.limits[k].capacity);
    let (Some(least), Some(_)) = (cost.value(), base.cost.value()) else { return Ok(None) };
    let saving = base.cost.above(&cost);
    if saving.value() == Some(0.0) {
        return Ok(Some(Enough { capacity: used, saving, fewest: false }));
    }
    let most = uses(problem, &free.shares)[k];
    // `low` steps more are not enough, `high` are.
    let (mut low, mut high) = (0, ((most - now) / step).ceil().max(1.0) as u64);
    while high - low > 1 {
        if probe.is_over() {
            break;
        }
        let middle = low + (high - low) / 2;
        match cost_at(base, k, now + middle as f64 * step)? {
            Known::Exact { value } if value <= least * (1.0 + 1e-9) => high = middle,
            Known::Exact { .. } => low = middle,
            _ => break,
        }
    }
    let capacity = now + high as f64 * step;
    Ok(Some(Enough { capacity, saving, fewest: high - low == 1 }))
}
