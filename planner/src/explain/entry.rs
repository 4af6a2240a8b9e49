//! **break-even price**: what an accelerator would have to fall to for the plan to use it.
//!
//! ```text
//! U        cost of the plan, which does not use accelerator j, rented now at c
//! x        a plan that uses j: a_x cents/h for everything else, b_x > 0 units of j
//! p*       max over x of (U - a_x) / b_x
//! ```
//!
//! At a price above `p*` every plan with `j` is dearer than the plan; below it one is cheaper. It is
//! found by parametric solves (Dinkelbach 1967): at a price `p` the cheapest plan either costs `U`,
//! and then `p*` is not above `p`, or is a cheaper `x`, and then `p*` is at least `(U - a_x) / b_x`,
//! which is above `p`. Each `x` is a new one, and the last is proven by a solve that finds none.

use isocost_model::Scenario;
use isocost_solver::SolverError;
use serde::Serialize;

use super::known::Known;
use super::probe::Base;
use isocost_formulations::problem::Problem;

/// An unused accelerator and its break-even price.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakEven {
    /// The accelerator.
    pub accelerator: String,
    /// Its price now, cents/h a unit.
    pub price: f64,
    /// It enters the plan at any price below this, cents/h a unit; infeasible where it would not
    /// enter even for nothing.
    pub break_even_price: Known,
    /// Servers that would use it just below that price.
    pub servers: Vec<String>,
}

/// Most prices that are tried.
const ROUNDS: usize = 40;

/// The highest price of accelerator `a` at which a plan with it is as cheap as the plan, and the
/// servers that use it in that plan; `start` is a price to begin at.
///
/// # Errors
/// A failure of the backend.
pub fn price(
    base: &Base<'_>,
    scenario: &Scenario,
    a: usize,
    start: f64,
) -> Result<(Known, Vec<usize>), SolverError> {
    let Base { probe, problem, .. } = base;
    let now = scenario.accelerators[a].cost_cents_per_h;
    let open = (Known::between(0.0, now), Vec::new());
    let Some(cost) = base.cost.value() else { return Ok(open) };
    let mut best: Option<(f64, Vec<usize>)> = None;
    let mut at_most = now;
    let mut at = start.clamp(0.0, now);
    for _ in 0..ROUNDS {
        let variant = at_price(scenario, problem, a, at);
        let choice = probe.solve(&variant)?;
        let (units, users) = used(scenario, problem, &choice.shares, a);
        let cheaper = units > 0.0 && choice.objective < cost * (1.0 - 1e-9);
        if cheaper {
            // `(U - a_x) / b_x`, with `a_x = objective - b_x p`.
            let ratio = (cost - choice.objective) / units + at;
            best = Some((ratio.min(now), users));
            at = ratio;
            continue;
        }
        let proven = Known::objective(&choice).is_settled();
        if proven {
            at_most = at_most.min(at);
        }
        match best {
            Some((price, users)) if proven => return Ok((Known::exact(price), users)),
            None if proven && at > 0.0 => at = 0.0,
            None if proven => return Ok((Known::Infeasible, Vec::new())),
            best => {
                let (price, users) = best.unwrap_or_default();
                return Ok((Known::between(price, at_most), users));
            }
        }
    }
    let (price, users) = best.unwrap_or_default();
    Ok((Known::between(price, at_most), users))
}

/// The problem with accelerator `a` at another price, cents/h a unit.
pub fn at_price(scenario: &Scenario, problem: &Problem, a: usize, price: f64) -> Problem {
    let accelerator = &scenario.accelerators[a];
    let mut variant = problem.clone();
    for item in variant.groups.iter_mut().flatten().filter(|item| item.accelerator == a) {
        let units = item.cards as f64 / f64::from(accelerator.multiplicity);
        item.cost = (item.cost + units * (price - accelerator.cost_cents_per_h)).max(0.0);
    }
    variant
}

/// Units of accelerator `a` that a choice rents, and the servers that use them.
fn used(
    scenario: &Scenario,
    problem: &Problem,
    shares: &[Vec<(usize, u64)>],
    a: usize,
) -> (f64, Vec<usize>) {
    let (mut units, mut users) = (0.0, Vec::new());
    for (s, share) in shares.iter().enumerate() {
        for &(candidate, n) in share.iter().filter(|share| share.1 > 0) {
            let of = problem.items(s).iter().find(|i| i.candidate == candidate);
            if let Some(item) = of.filter(|item| item.accelerator == a) {
                let multiplicity = f64::from(scenario.accelerators[a].multiplicity);
                units += item.cards as f64 / multiplicity * n as f64;
                users.push(s);
            }
        }
    }
    (units, users)
}
