//! From a scenario, a profile and prices to a checked plan for the horizon.

use isocost_model::Scenario;
use isocost_model::candidates::SizingOptions;
use isocost_model::check::Violation;
use isocost_model::check::horizon::check_horizon;
use isocost_model::horizon::{HorizonPlan, PeriodPlan, Prices, Profile, Rented};
use isocost_model::plan::{self, Approach, Choice, Plan, Status};
use isocost_solver::{Backend, Deadline, SolveOptions, SolverError};

use super::core::Chosen;
use super::{Horizon, Method, Outcome, Sized, solve};
use crate::nodes::refill;
use crate::pattern::column::Shape;
use crate::problem::{Problem, ProblemOptions};

/// How far above a whole number of units is that number still.
const WHOLE: f64 = 1e-6;

/// What is planned for.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// How its replicas are sized.
    pub sizing: &'a SizingOptions,
    /// Loads over the horizon.
    pub profile: &'a Profile,
    /// What cards cost.
    pub prices: &'a Prices,
    /// Ignore how many cards exist.
    pub unlimited: bool,
    /// Which patterns a server may have.
    pub shape: Shape,
}

/// A plan for a horizon that cannot be handed out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum HorizonError {
    /// The backend failed.
    #[error(transparent)]
    Solver(#[from] SolverError),
    /// The plan breaks rules: a defect of this program, never of the input.
    #[error("the plan breaks its own rules and is withheld:\n{}", lines(.0))]
    Rules(Vec<Violation>),
}

fn lines(breaches: &[Violation]) -> String {
    breaches.iter().take(20).map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Plans the horizon and has the plan checked.
///
/// # Errors
/// [`HorizonError`].
pub fn solve_checked(
    asked: &Asked<'_>,
    sized: &Sized,
    backend: &dyn Backend,
    options: &SolveOptions,
) -> Result<HorizonPlan, HorizonError> {
    let Asked { scenario, sizing, profile, prices, unlimited, shape } = *asked;
    let horizon = Horizon::new(scenario, profile, prices, sized, unlimited);
    let outcome = solve(&horizon, shape, backend, options, Method::Auto)?;
    let plan = plan(asked, sized, &horizon, &outcome, backend)?;
    let breaches = check_horizon(scenario, sizing, profile, prices, unlimited, &plan);
    if breaches.is_empty() { Ok(plan) } else { Err(HorizonError::Rules(breaches)) }
}

fn plan(
    asked: &Asked<'_>,
    sized: &Sized,
    horizon: &Horizon,
    outcome: &Outcome,
    backend: &dyn Backend,
) -> Result<HorizonPlan, SolverError> {
    let of_period = |(h, &at): (usize, &usize)| {
        let chosen = &outcome.periods[at];
        period(asked, sized, horizon, h, at, chosen, backend)
    };
    let has_plan = matches!(outcome.status, Status::Optimal | Status::Feasible);
    let periods = if has_plan {
        horizon.of_period.iter().enumerate().map(of_period).collect::<Result<_, _>>()?
    } else {
        vec![]
    };
    Ok(HorizonPlan {
        status: outcome.status,
        reserved: outcome.reserved.clone(),
        periods,
        cost: outcome.cost,
        bound: outcome.bound,
        formulation: match asked.shape {
            Shape::Single => "horizon, single".to_owned(),
            Shape::Mixed => "horizon, mixed".to_owned(),
        },
        backend: backend.name().to_owned(),
        notes: notes(asked, horizon, outcome),
    })
}

fn notes(asked: &Asked<'_>, horizon: &Horizon, outcome: &Outcome) -> Vec<String> {
    let profile = asked.profile;
    let mut notes = Vec::new();
    for &(at, server) in &outcome.hopeless {
        let members = (0..profile.periods.len()).filter(|&h| horizon.of_period[h] == at);
        for name in members.map(|h| &profile.periods[h].name) {
            notes.push(match server {
                Some(s) => format!(
                    "period `{name}` is infeasible: no accelerator serves `{}` within its objectives",
                    asked.scenario.servers[s].name
                ),
                None => format!(
                    "period `{name}` is infeasible: its loads do not fit the cards that exist, whatever \
                     is reserved"
                ),
            });
        }
    }
    let (all, distinct) = (profile.periods.len(), horizon.periods.len());
    if distinct < all {
        notes.push(format!("{all} periods, {distinct} of them distinct: equals are planned once"));
    }
    notes
}

fn period(
    asked: &Asked<'_>,
    sized: &Sized,
    horizon: &Horizon,
    h: usize,
    at: usize,
    chosen: &Chosen,
    backend: &dyn Backend,
) -> Result<PeriodPlan, SolverError> {
    let (span, scenario) = (&horizon.periods[at], asked.profile.scenario(asked.scenario, h));
    let candidates = &sized.periods[h];
    let shares: Vec<Vec<(usize, u64)>> = chosen
        .patterns
        .iter()
        .enumerate()
        .map(|(s, pattern)| {
            let items = span.problem.items(s);
            pattern
                .shares
                .iter()
                .map(|&(j, n)| (items[j as usize].candidate, u64::from(n)))
                .collect()
        })
        .collect();
    let list_price = |(s, shares): (usize, &Vec<(usize, u64)>)| -> f64 {
        let options = candidates.options(s);
        shares.iter().map(|&(o, n)| options[o].cost_cents_per_h * n as f64).sum()
    };
    let objective = shares.iter().enumerate().map(list_price).sum();
    // The period alone proves nothing: its bound is that of the horizon.
    let mut choice = Choice {
        status: Status::Feasible,
        shares,
        objective,
        bound: f64::NEG_INFINITY,
        approach: Approach::new(asked.shape, plan::Method::Patterns),
        backend: backend.name().to_owned(),
        notes: Vec::new(),
        nodes: Vec::new(),
    };
    if !scenario.nodes.is_empty() {
        let options = ProblemOptions { unlimited: asked.unlimited, ..ProblemOptions::default() };
        let problem = Problem::new(&scenario, candidates, &options);
        refill(&problem, &mut choice, backend, &Deadline::new(&SolveOptions::default()))?;
    }
    let plan = Plan::new(&scenario, candidates, asked.sizing, asked.unlimited, choice);
    // Of a node that is used in part, nothing is left to others.
    let used = |r: usize| chosen.patterns.iter().map(|p| p.uses[r]).sum::<f64>();
    let used = |r: usize| (used(r) - WHOLE).ceil().max(0.0) as u64;
    let rented = chosen.rented.iter().enumerate().map(|(r, &(on_demand, spot))| Rented {
        used: used(r),
        on_demand,
        spot,
    });
    Ok(PeriodPlan {
        plan,
        rented: rented.collect(),
        running_cents_per_h: chosen.patterns.iter().map(|p| p.cost).sum(),
    })
}
