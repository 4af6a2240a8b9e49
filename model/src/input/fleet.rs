//! Accelerators, profiles and service classes.

use rustc_hash::FxHashMap;

use super::fields::{ABSURD, Fields};
use super::problem::{Report, known_names};
use super::service::{calibration, provenance, service};
use super::{Section, entities};
use crate::queue::{MAX_BATCH, Objective, Objectives};
use crate::scenario::{
    Accelerator, CardType, Optimizer, PowerCurve, Profile, Scenario, ServiceClass,
};

/// Indices by name.
pub(super) type Names = FxHashMap<String, usize>;

pub(super) fn names<'a>(list: impl Iterator<Item = &'a str>) -> Names {
    list.enumerate().map(|(i, name)| (name.to_owned(), i)).collect()
}

/// Says that a name was given before.
pub(super) fn unique(
    fields: &Fields<'_>,
    key: &str,
    what: &str,
    name: &str,
    seen: bool,
    report: &mut Report,
) {
    if seen && !name.is_empty() {
        let what = format!("{what} `{name}` is defined twice");
        fields.problem(key, what, "rename or remove one of them", report);
    }
}

/// The index of a name, or a problem with the nearest known one.
pub(super) fn resolve(
    fields: &Fields<'_>,
    key: &'static str,
    kind: &str,
    name: &str,
    known: &Names,
    report: &mut Report,
) -> Option<usize> {
    if name.is_empty() {
        return None;
    }
    let index = known.get(name).copied();
    if index.is_none() {
        let mut sorted: Vec<&str> = known.keys().map(String::as_str).collect();
        sorted.sort_unstable();
        let remedy = known_names(name, sorted.into_iter());
        fields.problem(key, format!("unknown {kind} `{name}`"), &remedy, report);
    }
    index
}

/// A scenario with its accelerators and card types, and nothing else yet.
pub(super) fn accelerators(section: Option<&Section>, report: &mut Report) -> Scenario {
    let mut scenario = Scenario {
        card_types: Vec::new(),
        accelerators: Vec::new(),
        models: Vec::new(),
        profiles: Vec::new(),
        classes: Vec::new(),
        servers: Vec::new(),
        budgets: Vec::new(),
        optimizer: Optimizer::default(),
    };
    let Some(section) = section else { return scenario };
    let mut seen = Names::default();
    let mut types = Names::default();
    for mut fields in entities(section, "accelerators", report) {
        let name = fields.name("name", report).to_owned();
        fields.entity = format!("accelerator `{name}`");
        let known = seen.insert(name.clone(), scenario.accelerators.len()).is_some();
        unique(&fields, "name", "accelerator", &name, known, report);
        let card = fields.text("type", report).unwrap_or(&name).to_owned();
        let next = scenario.card_types.len();
        let card_type = *types.entry(card.clone()).or_insert(next);
        if card_type == next {
            scenario.card_types.push(CardType { name: card, count: None, spare: 0 });
        }
        let multiplicity = fields.whole("multiplicity", 0..=4096, report).unwrap_or(1).max(1);
        let memory_gb = fields.number("memsize", 0.0..=ABSURD, report).unwrap_or(0.0);
        let bandwidth_gb_per_s = fields.number("membw", 0.0..=ABSURD, report).unwrap_or(0.0);
        let cost = fields.number("cost", 0.0..=ABSURD, report);
        if !fields.has("cost") {
            let what = "the cost is missing".to_owned();
            fields.problem("cost", what, "give the price in cents per hour", report);
        }
        let power = fields.inner("power", report).map(|f| power(f, report)).unwrap_or_default();
        scenario.accelerators.push(Accelerator {
            name,
            card_type,
            multiplicity,
            memory_gb,
            bandwidth_gb_per_s,
            power,
            cost_cents_per_h: cost.unwrap_or(0.0),
        });
        fields.finish(report);
    }
    scenario
}

fn power(mut fields: Fields<'_>, report: &mut Report) -> PowerCurve {
    let mut watts = |key| fields.number(key, 0.0..=ABSURD, report).unwrap_or(0.0);
    let (idle_w, full_w, mid_w) = (watts("idle"), watts("full"), watts("midpower"));
    let mid_utilisation = fields.number("midutil", 0.0..=1.0, report).unwrap_or(0.0);
    fields.finish(report);
    PowerCurve { idle_w, mid_w, full_w, mid_utilisation }
}

/// Adds the profiles, and with them the models' names.
pub(super) fn profiles(section: Option<&Section>, scenario: &mut Scenario, report: &mut Report) {
    let Some(section) = section else { return };
    let accelerators = names(scenario.accelerators.iter().map(|a| a.name.as_str()));
    let mut models = Names::default();
    let mut seen = FxHashMap::default();
    for mut fields in entities(section, "models", report) {
        let name = fields.name("name", report).to_owned();
        let on = fields.name("acc", report);
        fields.entity = format!("model `{name}` on `{on}`");
        let accelerator = resolve(&fields, "acc", "accelerator", on, &accelerators, report);
        let next = scenario.models.len();
        let model = *models.entry(name.clone()).or_insert(next);
        if model == next {
            scenario.models.push(name.clone());
        }
        let units = fields.whole("acccount", 0..=4096, report).unwrap_or(1).max(1);
        let max_batch = fields.whole("maxbatchsize", 1..=MAX_BATCH, report);
        let at_tokens = fields.whole("attokens", 1..=100_000_000, report);
        for key in ["maxbatchsize", "attokens"] {
            if !fields.has(key) {
                let what = format!("`{key}` is missing");
                fields.problem(key, what, "give the largest batch and its tokens", report);
            }
        }
        let service = service(&mut fields, report);
        let provenance = provenance(&mut fields, report);
        let calibration = calibration(&mut fields, report);
        if let (Some(accelerator), Some(service)) = (accelerator, service) {
            let known = seen.insert((model, accelerator), ()).is_some();
            unique(&fields, "acc", "the pair", &format!("{name} on {on}"), known, report);
            scenario.profiles.push(Profile {
                model,
                accelerator,
                units_per_replica: units,
                max_batch: max_batch.unwrap_or(1),
                at_tokens: at_tokens.unwrap_or(1),
                service,
                provenance,
                calibration,
            });
        }
        fields.finish(report);
    }
}

/// Adds the service classes.
pub(super) fn classes(section: Option<&Section>, scenario: &mut Scenario, report: &mut Report) {
    let Some(section) = section else { return };
    let models = names(scenario.models.iter().map(String::as_str));
    let mut seen = Names::default();
    for mut fields in entities(section, "serviceclasses", report) {
        let name = fields.name("name", report).to_owned();
        fields.entity = format!("service class `{name}`");
        let known = seen.insert(name.clone(), 0).is_some();
        unique(&fields, "name", "service class", &name, known, report);
        let priority = fields.whole("priority", 1..=100, report).unwrap_or(100);
        let mut targets = vec![None; scenario.models.len()];
        for mut target in fields.list("modeltargets", report) {
            let model_name = target.name("model", report);
            target.entity = format!("service class `{name}`, target `{model_name}`");
            let model = resolve(&target, "model", "model", model_name, &models, report);
            let objectives = objectives(&mut target, report);
            if let Some(model) = model {
                let again = targets[model].replace(objectives).is_some();
                unique(&target, "model", "the target for", model_name, again, report);
            }
            target.finish(report);
        }
        scenario.classes.push(ServiceClass { name, priority, targets });
        fields.finish(report);
    }
}

fn objectives(fields: &mut Fields<'_>, report: &mut Report) -> Objectives {
    let mut value = |key| fields.number(key, 0.0..=ABSURD, report).filter(|v| *v > 0.0);
    let (itl, ttft, tokens_per_s) = (value("slo-itl"), value("slo-ttft"), value("slo-tps"));
    let mut percentile = |key| fields.number(key, 1.0..=99.999, report);
    let both = percentile("percentile");
    let (itl_p, ttft_p) = (percentile("itl-percentile"), percentile("ttft-percentile"));
    if itl.is_none() && ttft.is_none() && tokens_per_s.is_none() {
        let what = "the target names no objective".to_owned();
        fields.warning("", what, "give slo-itl, slo-ttft or slo-tps", report);
    }
    let objective = |limit: Option<f64>, own: Option<f64>| {
        limit.map(|limit_ms| Objective { limit_ms, percentile: own.or(both) })
    };
    Objectives {
        itl: objective(itl, itl_p),
        ttft: objective(ttft, ttft_p),
        tokens_per_s,
        max_loss: 1.0,
    }
}
