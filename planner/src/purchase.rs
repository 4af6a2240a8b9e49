//! **purchase**: what a scenario comes to, as a line to hold beside others.
//!
//! ```text
//! scenario -> plan of the most that can be served -> cost by the month, shares served, cards in use
//!          -> headroom of that plan               -> the first objective to break as loads grow
//!          -> plans for loads times f             -> the growth that its limits last for
//! ```
//!
//! Two answers to what breaks first: replicas as they are planned keep their objectives up to a growth of
//! *the first objective*; who plans anew as loads grow is served up to that of *the room*, where cards or
//! other limits end. The latter is between two factors, one with a plan and one without, closer than
//! [`CLOSE`] where time allows.

use isocost_model::Scenario;
use isocost_model::energy::Energy;
use isocost_model::plan::{Plan, Status, served_shares};
use isocost_model::scenario::Saturation;
use isocost_model::spend::HOURS_A_MONTH;
use isocost_model::stress::{MOST_FACTOR, add_headroom};
use serde::Serialize;

use crate::{Fleet, PlanError, Planner, Shortage};

/// Ratio of two factors between which the room's end is known well enough.
pub const CLOSE: f64 = 1.01;

/// What a scenario comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Purchase {
    /// What it is called.
    pub name: String,
    /// Status of its plan: optimal, feasible, infeasible or unknown.
    pub status: &'static str,
    /// Whether the plan serves every server in full; `None` where that was not found out.
    pub fits: Option<bool>,
    /// Why it does not, where a reason was found.
    pub why: Option<String>,
    /// Cost of the plan, cents/h.
    pub cost_cents_per_h: f64,
    /// Cost of a month, in units of `currency`.
    pub cost_per_month: f64,
    /// What a hundred cents are shown as.
    pub currency: String,
    /// Shares of the load that are served, the highest priority first.
    pub served: Vec<Served>,
    /// Cards in use.
    pub cards: Vec<Cards>,
    /// The objective that breaks first where loads grow and the plan stays; `None` where none does.
    pub breaks: Option<Breaks>,
    /// The growth that its limits last for where it is planned anew; `None` where not all fits now.
    pub room: Option<Room>,
    /// Carbon dioxide of a day, kg, where the scenario says what its current brings.
    pub carbon_kg_per_day: Option<f64>,
}

/// How much of a priority's load is served.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Served {
    /// 1 (highest) to 100.
    pub priority: u32,
    /// Share of the requests, in [0, 1].
    pub share: f64,
}

/// Cards of a type.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cards {
    /// The type.
    pub r#type: String,
    /// In use.
    pub used: u64,
    /// That there are; `None` without a limit.
    pub available: Option<u64>,
}

/// An objective that breaks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Breaks {
    /// Whose it is.
    pub server: String,
    /// What it limits.
    pub objective: &'static str,
    /// The factor on all loads up to which it is kept.
    pub growth: f64,
}

/// The growth that limits last for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Room {
    /// A factor on all loads at which every server is still served in full.
    pub lasts: f64,
    /// A factor at which no plan does; `None` up to 64, or where that was not found out.
    pub ends: Option<f64>,
    /// What ends it, where a reason was found.
    pub why: Option<String>,
}

impl Planner {
    /// What `scenario` comes to. Where not all can be served, and nothing else is asked, the most is, the
    /// highest priority first.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn purchase(&self, name: &str, scenario: Scenario) -> Result<Purchase, PlanError> {
        let mut planner = self.clone();
        if planner.request.shortage == Shortage::Say {
            let saturation = Saturation::PriorityExhaustive;
            planner.request.shortage = Shortage::By { saturation, delayed: false };
        }
        let fleet = planner.fleet(scenario.clone());
        let plan = planner.plan(&fleet)?;
        let fits = fits(&plan);
        let room = match fits {
            Some(true) => Some(self.room(&scenario)?),
            _ => None,
        };
        Ok(Purchase {
            name: name.to_owned(),
            status: plan.status.word(),
            fits,
            why: if fits == Some(false) { self.why(scenario)? } else { None },
            cost_cents_per_h: plan.total_cost,
            cost_per_month: fleet.scenario.currency.units(plan.total_cost) * HOURS_A_MONTH,
            currency: fleet.scenario.currency.unit().to_owned(),
            served: served(&fleet, &plan),
            cards: cards(&fleet, &plan),
            breaks: if plan.has_plan() { self.breaks(&fleet, &plan) } else { None },
            room,
            carbon_kg_per_day: Energy::carbon_kg_per_day(&fleet.scenario, &plan)
                .filter(|_| plan.has_plan()),
        })
    }

    /// The plan for loads times `growth`, and the fleet; all have to be served.
    fn grown(&self, scenario: &Scenario, growth: f64) -> Result<(Fleet, Plan), PlanError> {
        let mut planner = self.clone();
        planner.request.shortage = Shortage::Say;
        let mut grown = scenario.clone();
        let loads = grown.servers.iter_mut().map(|server| &mut server.load);
        loads.for_each(|load| load.arrival_rate_per_min *= growth);
        let fleet = planner.fleet(grown);
        let plan = planner.plan(&fleet)?;
        Ok((fleet, plan))
    }

    /// Why not all of a scenario is served.
    fn why(&self, scenario: Scenario) -> Result<Option<String>, PlanError> {
        let (fleet, plan) = self.grown(&scenario, 1.0)?;
        self.ended(&fleet, &plan)
    }

    /// What stands against a plan: a server that no accelerator serves, or servers and limits that
    /// cannot go together.
    fn ended(&self, fleet: &Fleet, plan: &Plan) -> Result<Option<String>, PlanError> {
        if plan.status != Status::Infeasible {
            return Ok(None);
        }
        if let Some(unserved) = self.unserved(fleet).into_iter().next() {
            return Ok(Some(unserved));
        }
        Ok(self.reason(fleet, plan)?)
    }

    /// The growth that the limits of `scenario`, which serves all as it is, last for.
    fn room(&self, scenario: &Scenario) -> Result<Room, PlanError> {
        let mut room = Room { lasts: 1.0, ends: None, why: None };
        let mut end = None;
        let next = |room: &Room| match room.ends {
            None => (2.0 * room.lasts).min(MOST_FACTOR),
            Some(ends) => (room.lasts * ends).sqrt(),
        };
        while room.lasts < MOST_FACTOR && room.ends.is_none_or(|ends| ends > CLOSE * room.lasts) {
            let growth = next(&room);
            let (fleet, plan) = self.grown(scenario, growth)?;
            match plan.status {
                Status::Optimal | Status::Feasible => room.lasts = growth,
                Status::Infeasible => (room.ends, end) = (Some(growth), Some((fleet, plan))),
                // Time was up: what is known so far is what is told.
                Status::Unknown => break,
            }
        }
        if let Some((fleet, plan)) = end {
            room.why = self.ended(&fleet, &plan)?;
        }
        Ok(room)
    }

    /// The first objective that breaks as loads grow and the plan stays.
    fn breaks(&self, fleet: &Fleet, plan: &Plan) -> Option<Breaks> {
        let mut plan = plan.clone();
        add_headroom(&fleet.scenario, &self.sizing, &mut plan);
        let servers = fleet.scenario.servers.iter().zip(&plan.placements);
        let first = servers.filter_map(|(server, placement)| Some((server, placement.headroom()?)));
        let (server, first) = first.min_by(|a, b| a.1.factor.total_cmp(&b.1.factor))?;
        let (server, objective) = (server.name.clone(), first.kept.word());
        Some(Breaks { server, objective, growth: first.factor })
    }
}

fn fits(plan: &Plan) -> Option<bool> {
    match plan.status {
        Status::Infeasible => Some(false),
        Status::Unknown => None,
        Status::Optimal if !plan.serves_all() => Some(false),
        // A plan for a shortage that was not proven.
        Status::Feasible if !plan.serves_all() => None,
        _ => Some(true),
    }
}

fn served(fleet: &Fleet, plan: &Plan) -> Vec<Served> {
    let mut served: Vec<(u32, f64, f64)> = Vec::new();
    let share = |s: usize| if plan.has_plan() { plan.placements[s].served_share } else { 0.0 };
    for (server, share) in served_shares(&fleet.scenario, share) {
        let priority = fleet.scenario.classes[server.class].priority;
        let rate = server.load.rate_per_s();
        let at = served.iter().position(|s| s.0 == priority).unwrap_or(served.len());
        if at == served.len() {
            served.push((priority, 0.0, 0.0));
        }
        served[at].1 += rate * share;
        served[at].2 += rate;
    }
    served.sort_by_key(|s| s.0);
    let share = |(priority, served, of): (u32, f64, f64)| Served {
        priority,
        share: if of > 0.0 { (served / of).min(1.0) } else { 1.0 },
    };
    served.into_iter().map(share).collect()
}

fn cards(fleet: &Fleet, plan: &Plan) -> Vec<Cards> {
    let types = fleet.scenario.card_types.iter().zip(&plan.usage);
    let cards = types.map(|(card, usage)| Cards {
        r#type: card.name.clone(),
        used: usage.cards,
        available: usage.available,
    });
    cards.filter(|cards| cards.used > 0).collect()
}
