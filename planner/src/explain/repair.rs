//! **repair**: the least change of the fleet at which every server fits.
//!
//! Each is an optimum of the [`isocost_formulations::feasibility`] relaxation: cards to add, at the least price of a card of
//! their type or in the least number; cards of one type alone; the fewest servers to leave out, those
//! of the lowest priority first among equals. Where budgets bind, they are raised as little as can be,
//! as a share of each, before any card is added.

use isocost_model::Scenario;
use isocost_solver::SolverError;
use rayon::prelude::*;

use super::known::Known;
use super::probe::Probe;
use super::source::Source;
use super::variant::with_servers;
use isocost_formulations::feasibility::{Give, Given};
use isocost_formulations::problem::Problem;

/// Units of limits to add.
#[derive(Debug, Clone, PartialEq)]
pub struct Cards {
    /// Price of the added cards, cents/h, or their number, as it was asked.
    pub total: Known,
    /// Units to add to each limit: cards, or watts of a budget of power.
    pub more: Vec<u64>,
}

/// What the least repair is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Cents per hour of the added cards, each at the least price of a card of its type.
    Price,
    /// Added cards.
    Count,
}

/// The least price of a card of each type, cents/h; `None` where no accelerator has the type.
pub fn card_prices(scenario: &Scenario) -> Vec<Option<f64>> {
    let of_type = |t: usize| {
        let units = scenario.accelerators.iter().filter(move |a| a.card_type == t);
        units.map(|a| a.cost_cents_per_h / f64::from(a.multiplicity)).min_by(f64::total_cmp)
    };
    (0..scenario.card_types.len()).map(of_type).collect()
}

/// The least repair by adding cards; `None` where none was found in time, or none helps.
///
/// # Errors
/// A failure of the backend.
pub fn cards(
    probe: &Probe<'_>,
    problem: &Problem,
    sources: &[Source],
    prices: &[Option<f64>],
    measure: Measure,
) -> Result<Option<Cards>, SolverError> {
    let price = |source: &Source| match (source, measure) {
        (Source::Cards(t), Measure::Price) => prices[*t],
        (Source::Cards(_), Measure::Count) => Some(1.0),
        _ => None,
    };
    let raised = budgets(probe, problem, sources)?;
    let Some(raised) = raised else { return Ok(None) };
    let mut variant = problem.clone();
    variant.limits.iter_mut().zip(&raised).for_each(|(limit, more)| limit.capacity += *more as f64);
    let mut give = Give::nothing(&variant);
    give.more = sources.iter().map(price).collect();
    let given = probe.feasibility(&variant, probe.asked().max_moves, &give)?;
    if given.more.is_empty() {
        return Ok(None);
    }
    let more = given.more.iter().zip(&raised).map(|(a, b)| a + b).collect();
    Ok(Some(Cards { total: Known::price(&given), more }))
}

/// Units by which budgets have to be raised however many cards there are.
fn budgets(
    probe: &Probe<'_>,
    problem: &Problem,
    sources: &[Source],
) -> Result<Option<Vec<u64>>, SolverError> {
    if sources.iter().all(|source| matches!(source, Source::Cards(_))) {
        return Ok(Some(vec![0; sources.len()]));
    }
    let mut give = Give::nothing(problem);
    let price = |(source, limit): (&Source, &isocost_formulations::problem::Limit)| match source {
        Source::Cards(_) => Some(0.0),
        _ => Some(1.0 / limit.capacity.max(1.0)),
    };
    give.more = sources.iter().zip(&problem.limits).map(price).collect();
    let Given { more, .. } = probe.feasibility(problem, probe.asked().max_moves, &give)?;
    let of_budget = |(source, units): (&Source, u64)| match source {
        Source::Cards(_) => 0,
        _ => units,
    };
    Ok((!more.is_empty()).then(|| sources.iter().zip(more).map(of_budget).collect()))
}

/// For each limit, how many more units of it alone make all servers fit.
///
/// # Errors
/// A failure of the backend.
pub fn alone(probe: &Probe<'_>, problem: &Problem) -> Result<Vec<Known>, SolverError> {
    let of_limit = |k: usize| {
        let mut give = Give::nothing(problem);
        give.more[k] = Some(1.0);
        Ok(Known::price(&probe.feasibility(problem, probe.asked().max_moves, &give)?))
    };
    (0..problem.limits.len()).into_par_iter().map(of_limit).collect()
}

/// Servers to leave out.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaveOut {
    /// Indices of servers.
    pub servers: Vec<usize>,
    /// How many have to be left out.
    pub count: Known,
}

/// The fewest servers to leave out, of the lowest priority first; `None` if none was found in time.
///
/// # Errors
/// A failure of the backend.
pub fn leave_out(probe: &Probe<'_>, problem: &Problem) -> Result<Option<LeaveOut>, SolverError> {
    // A server less always outweighs any sum of priorities, 1 to 100 each.
    let each = 100.0 * problem.servers.len() as f64 + 1.0;
    let mut give = Give::nothing(problem);
    for (price, needs) in give.out.iter_mut().zip(&problem.servers) {
        *price = Some(each + 100.0 - f64::from(needs.priority.min(100)));
    }
    let given = probe.feasibility(problem, probe.asked().max_moves, &give)?;
    if given.price.is_infinite() {
        return Ok(None);
    }
    let found = given.out.len() as f64;
    let least = (given.at_least / (each + 99.0)).ceil().clamp(0.0, found);
    let is_settled = Known::price(&given).is_settled();
    let count = if is_settled { Known::exact(found) } else { Known::between(least, found) };
    Ok(Some(LeaveOut { servers: given.out, count }))
}

/// The problem without the servers that are left out.
pub fn rest(problem: &Problem, out: &[usize]) -> Problem {
    let kept: Vec<bool> = (0..problem.servers.len()).map(|s| !out.contains(&s)).collect();
    with_servers(problem, &kept)
}
