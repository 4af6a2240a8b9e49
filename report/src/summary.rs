//! The first lines: what was found, what is proven, what a reader has to know before using it.

use isocost_model::plan::{Plan, Status};
use isocost_model::scenario::{Profile, Provenance, Scenario};
use isocost_model::spend::HOURS_A_MONTH;
use isocost_model::trust::Trust;
use serde::Serialize;

use crate::Input;
use crate::format::{cents, count, gap, plural};

/// The first lines.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Summary {
    /// The status in a word.
    pub status: &'static str,
    /// How it is set off: `met`, `close`, `missed`.
    pub tone: &'static str,
    /// What was found and what is proven, in sentences.
    pub sentence: String,
    /// What limits the trust in it.
    pub warnings: Vec<String>,
    /// Key figures: name, value, unit.
    pub figures: Vec<(&'static str, String, String)>,
}

pub(crate) fn summary(input: &Input<'_>) -> Summary {
    let plan = input.plan;
    let tone = match plan.status {
        Status::Optimal => "met",
        Status::Feasible => "close",
        Status::Infeasible | Status::Unknown => "missed",
    };
    Summary {
        status: plan.status.word(),
        tone,
        sentence: sentence(input),
        warnings: warnings(input),
        figures: figures(input),
    }
}

fn sentence(input: &Input<'_>) -> String {
    let plan = input.plan;
    let servers = plural(input.scenario.servers.len() as u64, "server");
    let by = format!("{}, {}", plan.approach.of(plan.status), plan.backend);
    let cost = format!("{} {}", cents(plan.total_cost), input.per_hour());
    let (value, lower) = if plan.values_change() {
        let value = cents(plan.objective);
        (format!("; the change's value is {value} cents/h"), "plan of a lower value")
    } else {
        (String::new(), "cheaper plan")
    };
    match plan.status {
        Status::Optimal => {
            format!("{servers} for {cost}{value}. No {lower} exists: {} ({by}).", proven(plan))
        }
        Status::Feasible => format!(
            "{servers} for {cost}, within every limit{value}. A {lower} may exist: {} ({by}).",
            proven(plan),
        ),
        Status::Infeasible => format!(
            "No plan serves all {servers} within their objectives and the cards that exist ({by})."
        ),
        Status::Unknown => {
            format!("Stopped before a plan was found or excluded: {} ({by}).", proven(plan))
        }
    }
}

fn proven(plan: &Plan) -> String {
    if plan.bound.is_finite() {
        format!("the proven bound is {} cents/h, the gap {}", cents(plan.bound), gap(plan.gap()))
    } else {
        "nothing is proven".into()
    }
}

fn warnings(input: &Input<'_>) -> Vec<String> {
    let trust = trust(input.scenario, input.plan);
    let range = input.plan.cost_range.map(|range| format!("The cost is {}.", range.words(cents)));
    let unserved = unserved(input.plan);
    let partial = (unserved > 0 && input.plan.has_plan()).then(|| {
        format!(
            "{} not served in full: the load does not fit within the objectives and the cards.",
            match unserved {
                1 => "1 server is".into(),
                n => format!("{} servers are", count(n as u64)),
            }
        )
    });
    trust.into_iter().chain(range).chain(partial).collect()
}

/// Servers that are not served in full.
pub(crate) fn unserved(plan: &Plan) -> usize {
    plan.placements.iter().filter(|p| !p.is_in_full()).count()
}

/// Where the service times come from, and which of those that nobody measured the plan rests on.
fn trust(scenario: &Scenario, plan: &Plan) -> Option<String> {
    let trust = Trust::of(scenario);
    if !trust.is_stated() {
        return None;
    }
    let mut sentence = format!("{trust}.");
    sentence[..1].make_ascii_uppercase();
    if trust.estimated == 0 {
        return Some(sentence);
    }
    let names = estimated_in_use(scenario, plan);
    let first = names.iter().take(6).cloned().collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(6);
    let rest = if more > 0 { format!(" and {} more", count(more as u64)) } else { String::new() };
    let rests = match names.len() {
        0 => String::new(),
        n => format!(" The plan rests on {} estimated ones: {first}{rest}.", count(n as u64)),
    };
    Some(format!("{sentence}{rests} Calibrate before you rely on it."))
}

/// Estimated profiles that the plan uses: `MODEL on ACCELERATOR`.
fn estimated_in_use(scenario: &Scenario, plan: &Plan) -> Vec<String> {
    let mut used = vec![vec![false; scenario.accelerators.len()]; scenario.models.len()];
    for (server, placement) in scenario.servers.iter().zip(&plan.placements) {
        placement.parts.iter().for_each(|part| used[server.model][part.accelerator] = true);
    }
    let estimated = scenario.profiles.iter().filter(|p| p.provenance == Provenance::Estimated);
    let in_use = estimated.filter(|p| used[p.model][p.accelerator]);
    let name = |p: &Profile| {
        format!("{} on {}", scenario.models[p.model], scenario.accelerators[p.accelerator].name)
    };
    in_use.map(name).collect()
}

fn figures(input: &Input<'_>) -> Vec<(&'static str, String, String)> {
    let (plan, none) = (input.plan, String::new);
    if !plan.has_plan() {
        let used = input.scenario.card_types.iter().filter_map(|c| c.available()).sum();
        return vec![
            ("Servers", count(input.scenario.servers.len() as u64), none()),
            ("Cards that exist", count(used), none()),
        ];
    }
    let parts = || plan.placements.iter().flat_map(|p| &p.parts);
    let bound = if plan.bound.is_finite() { cents(plan.bound) } else { "none".into() };
    let watts: f64 = parts().map(|p| p.watts).sum();
    let (currency, per_hour) = (&input.scenario.currency, input.per_hour());
    let mut figures = vec![("Cost", cents(plan.total_cost), per_hour.clone())];
    // A sum by the month is of a currency; cents of nobody knows what are said by the hour alone.
    if currency.name.is_some() {
        let month = (currency.units(plan.total_cost) * HOURS_A_MONTH).round().max(0.0);
        figures.push(("Cost of a month", count(month as u64), currency.unit().to_owned()));
    }
    figures.extend([
        ("Proven bound", bound, per_hour),
        ("Gap", if plan.bound.is_finite() { gap(plan.gap()) } else { "unknown".into() }, none()),
        ("Servers", count(input.scenario.servers.len() as u64), none()),
        ("Replicas", count(parts().map(|p| p.replicas).sum()), none()),
        ("Cards", count(plan.usage.iter().map(|u| u.cards).sum()), none()),
    ]);
    if watts > 0.0 {
        figures.push(("Power", isocost_charts::number(watts / 1000.0), "kW".to_owned()));
    }
    figures
}
