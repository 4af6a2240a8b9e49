//! Capacity, budgets, and what is asked of the optimizer.

use super::fields::Fields;
use super::fleet::{Names, names, resolve, unique};
use super::problem::Report;
use super::{Section, entities, nodes};
use crate::scenario::{Accelerator, Budget, Saturation, Scenario};

/// Sets how many cards of each type exist; the card types that have no entry, which count as 0 cards.
pub(super) fn capacity(
    section: Option<&Section>,
    scenario: &mut Scenario,
    report: &mut Report,
) -> Vec<usize> {
    scenario.card_types.iter_mut().for_each(|card| (card.count, card.spare) = (None, 0));
    let Some(section) = section else {
        nodes::count(scenario);
        return Vec::new();
    };
    nodes::of_capacity(section, scenario, report);
    let types = names(scenario.card_types.iter().map(|t| t.name.as_str()));
    let mut seen = Names::default();
    let counts = if nodes::alone(section) {
        Vec::new()
    } else {
        entities(section, ("count", "capacity"), report)
    };
    for mut fields in counts {
        let name = fields.name("type", report);
        fields.entity = format!("capacity of `{name}`");
        let known = seen.insert(name.to_owned(), 0).is_some();
        unique(&fields, "type", "the capacity of", name, known, report);
        let count = fields.count("count", report);
        let spare = fields.count("spare", report).unwrap_or(0);
        match types.get(name) {
            Some(&t) => {
                scenario.card_types[t].count = Some(u64::from(count.unwrap_or(0)));
                scenario.card_types[t].spare = u64::from(spare);
            }
            None if !name.is_empty() => {
                let what = "no accelerator is of this type: it is not used".to_owned();
                fields.warning("type", what, "correct the name, or remove the entry", report);
            }
            None => {}
        }
        fields.finish(report);
    }
    let mut uncounted = Vec::new();
    for t in 0..scenario.card_types.len() {
        if scenario.card_types[t].count.is_some() || scenario.nodes_of(t).next().is_some() {
            continue;
        }
        let card = &mut scenario.card_types[t];
        card.count = Some(0);
        uncounted.push(t);
        let entity = format!("capacity of `{}`", card.name);
        let what = "there is no entry for this type: it counts as 0 cards".to_owned();
        report.warning_at(&section.file, section.node.at, &entity, what, "add an entry");
    }
    nodes::count(scenario);
    uncounted
}

/// Sets the optimizer's options and the budgets.
pub(super) fn optimizer(section: Option<&Section>, scenario: &mut Scenario, report: &mut Report) {
    let Some(section) = section else { return };
    let outer = Fields::new(&section.file, &section.node, "optimizer data", report);
    let Some(mut outer) = outer.map(|fields| fields.listed("optimizer")) else { return };
    let inner = outer.inner("optimizer", report).map(|fields| fields.listed("optimizer"));
    let wrapped = inner.is_some();
    if let Some(fields) = inner {
        options(fields, scenario, report);
    }
    if wrapped {
        outer.finish(report);
    } else {
        options(outer, scenario, report);
    }
}

fn options(mut fields: Fields<'_>, scenario: &mut Scenario, report: &mut Report) {
    let optimizer = &mut scenario.optimizer;
    optimizer.unlimited = fields.flag("unlimited", report);
    optimizer.heterogeneous = fields.flag("heterogeneous", report);
    optimizer.delayed_best_effort = fields.flag("delayedbesteffort", report);
    optimizer.saturation = saturation(&mut fields, report);
    scenario.currency.name = fields.text("currency", report).map(str::to_owned);
    if let Some(grams) = fields.quantity("carbonintensity", report) {
        let units = scenario.accelerators.iter_mut();
        units.for_each(|unit| unit.grams_per_kwh = unit.grams_per_kwh.or(Some(grams)));
    }
    if let Some(cents_per_kg) = fields.quantity("carbonprice", report).filter(|cents| *cents > 0.0)
    {
        uncharted(&fields, "carbonprice", |_| true, &scenario.accelerators, report);
        for unit in &mut scenario.accelerators {
            unit.carbon_cents_per_kwh = unit.grams_per_h(1000.0) / 1000.0 * cents_per_kg;
        }
    }
    for key in ["milpsolver", "usecplex"] {
        if fields.flag(key, report) {
            let what = "is read and ignored".to_owned();
            fields.warning(key, what, "choose the solver by --backend", report);
        }
    }
    let types = names(scenario.card_types.iter().map(|t| t.name.as_str()));
    for mut entry in fields.list("budgets", report) {
        let name = entry.name("name", report).to_owned();
        entry.entity = format!("budget `{name}`");
        let wanted = entry.names("types", report);
        let resolved =
            wanted.iter().filter_map(|t| resolve(&entry, "types", "type", t, &types, report));
        let card_types = resolved.collect();
        let cards = entry.count("cards", report).map(u64::from);
        let watts = entry.quantity("watts", report);
        let cents_per_h = entry.quantity("centsperhour", report);
        let grams_per_h = entry.quantity("gramsperhour", report);
        let budget = Budget { name, card_types, cards, watts, cents_per_h, grams_per_h };
        if budget.limits(false).next().is_none() {
            let what = "the budget limits nothing".to_owned();
            let remedy = "give cards, watts, centsPerHour or gramsPerHour";
            entry.warning("", what, remedy, report);
        }
        if grams_per_h.is_some() {
            let counts = |unit: &Accelerator| budget.counts(unit.card_type);
            uncharted(&entry, "gramsperhour", counts, &scenario.accelerators, report);
        }
        scenario.budgets.push(budget);
        entry.finish(report);
    }
    fields.finish(report);
}

/// A problem with `key` where accelerators count, and nobody says what their current brings.
fn uncharted(
    entry: &Fields<'_>,
    key: &str,
    counts: impl Fn(&Accelerator) -> bool,
    accelerators: &[Accelerator],
    report: &mut Report,
) {
    let unknown = |unit: &&Accelerator| counts(unit) && unit.grams_per_kwh.is_none();
    let names: Vec<&str> =
        accelerators.iter().filter(unknown).map(|unit| unit.name.as_str()).collect();
    if !names.is_empty() {
        let what = format!("nobody says what the current of `{}` brings", names.join("`, `"));
        let remedy = "give `carbonIntensity`, g/kWh, at the accelerators or at the optimizer";
        entry.problem(key, what, remedy, report);
    }
}

fn saturation(fields: &mut Fields<'_>, report: &mut Report) -> Saturation {
    match fields.word("saturationpolicy", report) {
        Some("PriorityExhaustive") => Saturation::PriorityExhaustive,
        Some("PriorityRoundRobin") => Saturation::PriorityRoundRobin,
        Some("RoundRobin") => Saturation::RoundRobin,
        _ => Saturation::None,
    }
}
