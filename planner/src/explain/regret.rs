//! **regret**: what a server's other options would cost the fleet.
//!
//! ```text
//! U             cost of the plan
//! regret(s, j)  = cost of the cheapest plan in which s runs on accelerator j alone, less U
//! excl(s, j)    = cost of the cheapest plan in which s does not use j, less U: the exclusion cost
//! bound         = V + rc(s, j) - U, at least 0: with the Lagrangian bound V at prices lambda,
//!                 rc(s, j) = price of s on j alone - least price of any pattern of s
//! ```
//!
//! The regret counts what the others have to do to make room, which the server's own cost does not
//! show. The bounds are at hand after one bound of the fleet. Where a server runs on one accelerator
//! only, the cheapest plan without its own shows the option of the least regret, the cheapest without
//! both the next; with mixes, options are solved in the order of their bounds.

use isocost_solver::SolverError;
use serde::Serialize;

use super::known::Known;
use super::probe::Base;
use super::variant::with_accelerators;
use isocost_formulations::pattern::column::Pattern;
use isocost_formulations::pattern::pricing;
use isocost_formulations::pattern::{Shape, Space};

/// Why a server is where it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerChoice {
    /// The server.
    pub server: String,
    /// What it runs on.
    pub chosen: Vec<Chosen>,
    /// Accelerators that it could run on alone, by regret, the least first. Those that cannot are in
    /// the candidate table with their reason.
    pub options: Vec<Alternative>,
}

/// An accelerator that a server uses.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Chosen {
    /// The accelerator.
    pub accelerator: String,
    /// Replicas on it.
    pub replicas: u64,
    /// Batch size.
    pub batch: u32,
    /// Their cost, cents/h.
    pub cost: f64,
    /// `excl(s, j)`, cents/h: what the cheapest plan without this server on it costs more.
    pub exclusion_cost: Known,
}

/// An accelerator that a server could run on alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Alternative {
    /// The accelerator.
    pub accelerator: String,
    /// Replicas that it needs.
    pub replicas: u64,
    /// Batch size.
    pub batch: u32,
    /// Their cost, cents/h.
    pub cost: f64,
    /// `regret(s, j)`, cents/h; exact, or a lower bound by the reduced cost.
    pub regret: Known,
}

/// A server on one accelerator alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// Index into the server's items.
    pub item: usize,
    /// Replicas.
    pub replicas: u64,
    /// Cost of the replicas, cents/h.
    pub cost: f64,
    /// `regret(s, j)`.
    pub regret: Known,
}

/// The options of server `s`, by regret: the `exact` least of those it does not run on alone are
/// solved, the others carry their bounds. `alone` is the accelerator that it runs on alone.
///
/// # Errors
/// A failure of the backend.
pub fn options(
    base: &Base<'_>,
    s: usize,
    alone: Option<usize>,
    exact: usize,
) -> Result<Vec<Ranked>, SolverError> {
    let Base { problem, .. } = base;
    let needs = &problem.servers[s];
    let mut options = Vec::new();
    for (item, bound) in bounds(base, s).into_iter().enumerate() {
        let of = &problem.items(s)[item];
        let replicas = needs.replicas(of).filter(|_| needs.min_types <= 1);
        let Some(replicas) = replicas else { continue };
        let fits = of.uses.iter().all(|&(k, amount)| {
            amount * replicas as f64 <= problem.limits[k].capacity * (1.0 + 1e-12)
        });
        let regret = if !fits {
            Known::Infeasible
        } else if alone == Some(of.accelerator) {
            Known::exact(0.0)
        } else {
            Known::between(bound, f64::INFINITY)
        };
        options.push(Ranked { item, replicas, cost: of.cost * replicas as f64, regret });
    }
    match base.probe.shape {
        Shape::Single => by_exclusion(base, s, alone, exact, &mut options)?,
        Shape::Mixed => by_bound(base, s, alone, exact, &mut options)?,
    }
    options.sort_by(by_regret);
    Ok(options)
}

fn by_regret(a: &Ranked, b: &Ranked) -> std::cmp::Ordering {
    let open = |o: &Ranked| !o.regret.is_settled();
    a.regret.at_least().total_cmp(&b.regret.at_least()).then(open(a).cmp(&open(b)))
}

/// On one accelerator only, the cheapest plan without those of less regret shows the next one. What
/// is left has at least the last regret.
fn by_exclusion(
    base: &Base<'_>,
    s: usize,
    alone: Option<usize>,
    exact: usize,
    options: &mut [Ranked],
) -> Result<(), SolverError> {
    let Base { probe, problem, cost, .. } = base;
    let items = problem.items(s);
    let mut excluded: Vec<usize> = alone.into_iter().collect();
    for _ in 0..exact {
        if probe.is_over() || options.iter().all(|o| o.regret.is_settled()) {
            break;
        }
        let choice = probe.solve(&with_accelerators(problem, s, |a| !excluded.contains(&a)))?;
        let regret = Known::objective(&choice).above(cost);
        let found = choice.shares.get(s).and_then(|share| share.first());
        let found = found.and_then(|&(c, _)| items.iter().find(|item| item.candidate == c));
        for option in options.iter_mut() {
            let a = items[option.item].accelerator;
            if excluded.contains(&a) || option.regret.is_settled() {
                continue;
            }
            option.regret = if found.is_some_and(|item| item.accelerator == a) {
                regret
            } else {
                let bound = option.regret.at_least().max(regret.at_least());
                Known::between(bound, f64::INFINITY)
            };
        }
        match found.filter(|_| regret.is_settled()) {
            Some(item) => excluded.push(item.accelerator),
            None => break,
        }
    }
    Ok(())
}

/// The options of the least bounds, each solved, until the ones wanted are proven to be the least.
fn by_bound(
    base: &Base<'_>,
    s: usize,
    alone: Option<usize>,
    exact: usize,
    options: &mut [Ranked],
) -> Result<(), SolverError> {
    let Base { probe, problem, cost, .. } = base;
    let accelerator = |o: &Ranked| problem.items(s)[o.item].accelerator;
    for _ in 0..2 * exact {
        options.sort_by(by_regret);
        let others = options.iter_mut().filter(|o| alone != Some(accelerator(o)));
        let open = others.take(exact).find(|o| !o.regret.is_settled());
        let Some(option) = open.filter(|_| !probe.is_over()) else { break };
        let on = accelerator(option);
        let forced = with_accelerators(problem, s, |a| a == on);
        let regret = Known::objective(&probe.solve(&forced)?).above(cost);
        let bound = option.regret.at_least();
        let settled = regret.is_settled();
        option.regret = match regret {
            Known::Between { at_least, at_most } => {
                Known::between(at_least.max(bound), at_most.max(bound))
            }
            regret => regret,
        };
        if !settled {
            // Cut short: it stays at its bounds, and is not tried again.
            break;
        }
    }
    Ok(())
}

/// `excl(s, j)` of an accelerator that server `s` uses: where it may run on one alone only, the least
/// regret of its other options.
///
/// # Errors
/// A failure of the backend.
pub fn exclusion_cost(
    base: &Base<'_>,
    s: usize,
    accelerator: usize,
    options: &[Ranked],
) -> Result<Known, SolverError> {
    let Base { probe, problem, cost, .. } = base;
    let others = || options.iter().filter(|o| problem.items(s)[o.item].accelerator != accelerator);
    if probe.shape == Shape::Single {
        let least = others().map(|o| o.regret.at_least()).fold(f64::INFINITY, f64::min);
        let most = others().map(|o| o.regret.at_most()).fold(f64::INFINITY, f64::min);
        return Ok(Known::between(least, most));
    }
    if probe.effort.options == 0 || probe.is_over() {
        return Ok(Known::between(0.0, f64::INFINITY));
    }
    let forced = with_accelerators(problem, s, |a| a != accelerator);
    Ok(Known::objective(&probe.solve(&forced)?).above(cost))
}

/// For each item of server `s` a lower bound on the regret of running on it alone, at least 0.
fn bounds(base: &Base<'_>, s: usize) -> Vec<f64> {
    let (space, cost) = (base.probe.space(base.problem), base.cost.at_most());
    let mut bounds = vec![0.0; space.items(s).len()];
    let Some(dual) = &base.dual else { return bounds };
    let Some(least) = pricing::cheapest(&space, s, &dual.lambda) else { return bounds };
    for (j, bound) in bounds.iter_mut().enumerate() {
        let price = alone(&space, s, j).map_or(f64::INFINITY, |p| p.price(&dual.lambda));
        let regret = dual.bound + (price - least.bound) - cost;
        // Rounding of the bound is not a regret.
        *bound = if regret > 1e-6 * cost.abs() { regret } else { 0.0 };
    }
    bounds
}

/// Server `s` on its item `j` alone; `None` where that is more replicas than it may have.
pub fn alone(space: &Space<'_>, s: usize, j: usize) -> Option<Pattern> {
    let n = u32::try_from(space.needs(s).replicas(&space.items(s)[j])?).ok()?;
    Some(Pattern::new(space, s, vec![(j as u32, n)]))
}
