//! Accelerators, profiles and service classes.

use rustc_hash::{FxHashMap, FxHashSet};

use super::fields::Fields;
use super::odd::{self, Twice};
use super::problem::{Report, known_names};
use super::service::{Parameters, calibration, engine, parameters, provenance};
use super::weights::{self, Place};
use super::{Section, entities};
use crate::queue::{ItlOver, Objective, Objectives, TokenRate};
use crate::scenario::{
    Accelerator, CardType, Optimizer, PowerCurve, Profile, Scenario, ServiceClass,
};
use crate::spend::Currency;

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
        nodes: Vec::new(),
        budgets: Vec::new(),
        optimizer: Optimizer::default(),
        currency: Currency::default(),
    };
    let Some(section) = section else { return scenario };
    let mut seen = Names::default();
    let mut types = Names::default();
    for mut fields in entities(section, ("accelerators", "accelerator"), report) {
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
        let multiplicity = fields.count("multiplicity", report).unwrap_or(1).max(1);
        let memory_gb = fields.quantity("memsize", report).unwrap_or(0.0);
        let bandwidth_gb_per_s = fields.quantity("membw", report).unwrap_or(0.0);
        let cost = fields.quantity("cost", report);
        fields.ignore(&["nodes"]);
        let availability = fields.quantity("availability", report).unwrap_or(1.0);
        let zone = fields.text("zone", report).map(str::to_owned);
        let grams_per_kwh = fields.quantity("carbonintensity", report);
        let kv_link_gb_per_s = fields.quantity("kvlinkgbs", report).filter(|gb| *gb > 0.0);
        let power = fields.inner("power", report).map(|f| power(f, report)).unwrap_or_default();
        scenario.accelerators.push(Accelerator {
            name,
            card_type,
            multiplicity,
            memory_gb,
            bandwidth_gb_per_s,
            power,
            cost_cents_per_h: cost.unwrap_or(0.0),
            availability,
            zone,
            grams_per_kwh,
            carbon_cents_per_kwh: 0.0,
            kv_link_gb_per_s,
        });
        odd::card_price(&scenario, &fields, report);
        odd::memory(&scenario, &fields, report);
        fields.finish(report);
    }
    scenario
}

fn power(mut fields: Fields<'_>, report: &mut Report) -> PowerCurve {
    let mut watts = |key| fields.quantity(key, report).unwrap_or(0.0);
    let (idle_w, full_w, mid_w) = (watts("idle"), watts("full"), watts("midpower"));
    let mid_utilisation = fields.quantity("midutil", report).unwrap_or(0.0);
    fields.finish(report);
    PowerCurve { idle_w, mid_w, full_w, mid_utilisation }
}

/// Pairs of a model and an accelerator, by their indices.
pub(super) type Pairs = FxHashSet<(usize, usize)>;

/// Adds the profiles, and with them the models' names; the pairs that are stated, those among them of which no
/// service time is known yet and that have no profile for now.
pub(super) fn profiles(
    section: Option<&Section>,
    scenario: &mut Scenario,
    report: &mut Report,
) -> Pairs {
    let mut stated = Pairs::default();
    let Some(section) = section else { return stated };
    let accelerators = names(scenario.accelerators.iter().map(|a| a.name.as_str()));
    let mut models = Names::default();
    let mut twice = Twice::default();
    for mut fields in entities(section, ("models", "model on an accelerator"), report) {
        let name = fields.name("name", report).to_owned();
        let on = fields.name("acc", report);
        fields.entity = format!("model `{name}` on `{on}`");
        let accelerator = resolve(&fields, "acc", "accelerator", on, &accelerators, report);
        let next = scenario.models.len();
        let model = *models.entry(name.clone()).or_insert(next);
        if model == next {
            scenario.models.push(name.clone());
        }
        let units = fields.count("acccount", report).unwrap_or(1).max(1);
        let multi_node = fields.flag("multinode", report);
        let kv_bytes_per_token = fields.quantity("kvbytespertoken", report).filter(|b| *b > 0.0);
        let (max_batch, at_tokens) = batch(&mut fields, report);
        let parameters = parameters(&mut fields, report);
        let engine = engine(&mut fields, report);
        let provenance = provenance(&mut fields, report);
        let calibration = calibration(&mut fields, report);
        let memory_gb = accelerator.map_or(0.0, |a| scenario.accelerators[a].memory_gb);
        let place = Place { model: &name, accelerator: on, units, memory_gb };
        let precision = weights::fit(&mut fields, &place, report);
        if let (Some(accelerator), Some(parameters)) = (accelerator, parameters) {
            twice.take((model, accelerator), units, &fields, report);
            stated.insert((model, accelerator));
            let Parameters::Known(service) = parameters else {
                let what = "the service parameters are all zero: the pair is left out".to_owned();
                fields.warning("", what, "give them once they are known", report);
                fields.finish(report);
                continue;
            };
            odd::step(&service, &fields, report);
            scenario.profiles.push(Profile {
                model,
                accelerator,
                units_per_replica: units,
                multi_node,
                max_batch,
                at_tokens,
                kv_bytes_per_token,
                precision,
                service,
                engine,
                provenance,
                calibration,
            });
        }
        fields.finish(report);
    }
    twice.tell(report);
    stated
}

/// Largest batch of a pair, and the tokens at which it holds; at any length where there are none.
fn batch(fields: &mut Fields<'_>, report: &mut Report) -> (u32, Option<u32>) {
    let most = fields.count("maxbatchsize", report).filter(|most| *most > 0);
    let at_tokens = fields.count("attokens", report).filter(|tokens| *tokens > 0);
    (most.unwrap_or(Profile::CEILING), at_tokens)
}

/// Adds the service classes.
pub(super) fn classes(section: Option<&Section>, scenario: &mut Scenario, report: &mut Report) {
    let Some(section) = section else { return };
    let models = names(scenario.models.iter().map(String::as_str));
    let mut seen = Names::default();
    for mut fields in entities(section, ("serviceclasses", "service class"), report) {
        let name = fields.name("name", report).to_owned();
        fields.entity = format!("service class `{name}`");
        let known = seen.insert(name.clone(), 0).is_some();
        unique(&fields, "name", "service class", &name, known, report);
        let priority = fields.count("priority", report).unwrap_or(100);
        let weight = fields.quantity("weight", report).unwrap_or(1.0);
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
        scenario.classes.push(ServiceClass { name, priority, weight, targets });
        fields.finish(report);
    }
}

/// Objectives that a target may state; `slo-tpot` is another name of `slo-itl`.
const OBJECTIVES: &str = "slo-itl (or slo-tpot), slo-ttft, slo-ttw, slo-e2e and slo-tps, and the percentiles \
                          percentile, itl-percentile (or tpot-percentile), ttft-percentile, ttw-percentile \
                          and e2e-percentile";

fn objectives(fields: &mut Fields<'_>, report: &mut Report) -> Objectives {
    let itl = either(fields, ["slo-itl", "slo-tpot"], report);
    let ttft = positive(fields, "slo-ttft", report);
    let wait = positive(fields, "slo-ttw", report);
    let e2e = positive(fields, "slo-e2e", report);
    let per_s = positive(fields, "slo-tps", report);
    let both = positive(fields, "percentile", report);
    let itl_percentile = either(fields, ["itl-percentile", "tpot-percentile"], report).or(both);
    let ttft_percentile = positive(fields, "ttft-percentile", report).or(both);
    let wait_percentile = positive(fields, "ttw-percentile", report).or(both);
    let e2e_percentile = positive(fields, "e2e-percentile", report).or(both);
    if [itl, ttft, wait, e2e, per_s].iter().all(Option::is_none) {
        let what = "the target names no objective".to_owned();
        fields.warning("", what, "give slo-itl, slo-ttft, slo-ttw, slo-e2e or slo-tps", report);
    }
    if let Some(per_s) = per_s {
        let what = format!(
            "it is a floor for each request: {per_s} tokens/s while it decodes, an ITL of at most {:.4} \
             ms; the arrival rate has to be served beside it",
            1000.0 / per_s
        );
        let remedy = "--reading reference takes it as the reference optimizer does, in place of the \
                      arrival rate";
        fields.warning("slo-tps", what, remedy, report);
    }
    odd::objectives(fields, report);
    // An objective that is dropped would be a broken promise.
    fields.refuse(|key| key.starts_with("slo-") || key.ends_with("percentile"), OBJECTIVES, report);
    let over = fields.word("itl-over", report);
    let itl_over = if over == Some("gaps") { ItlOver::Gaps } else { ItlOver::Requests };
    let objective =
        |limit: Option<f64>, percentile| limit.map(|limit_ms| Objective { limit_ms, percentile });
    Objectives {
        itl: objective(itl, itl_percentile),
        itl_over,
        ttft: objective(ttft, ttft_percentile),
        wait: objective(wait, wait_percentile),
        e2e: objective(e2e, e2e_percentile),
        tokens_per_s: per_s.map(|per_s| TokenRate { per_s, percentile: itl_percentile }),
        max_loss: 1.0,
    }
}

/// A number of a target; 0 asks for nothing.
fn positive(fields: &mut Fields<'_>, key: &'static str, report: &mut Report) -> Option<f64> {
    fields.quantity(key, report).filter(|number| *number > 0.0)
}

/// The same under one of two names.
fn either(fields: &mut Fields<'_>, keys: [&'static str; 2], report: &mut Report) -> Option<f64> {
    let [one, other] = keys.map(|key| positive(fields, key, report));
    if one.is_some() && other.is_some() {
        let what = format!("it is another name of `{}`, which is given too", keys[0]);
        fields.problem(keys[1], what, "leave out one of the two", report);
    }
    one.or(other)
}
