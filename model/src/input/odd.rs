//! What can be planned for and is hardly meant: mistakes that cost money, told before they do.

use rustc_hash::FxHashMap;

use super::fields::Fields;
use super::figure::figure;
use super::problem::{At, Report};
use crate::queue::ServiceModel;
use crate::scenario::Scenario;

/// Limits of time, the least that engines can be held to in ms, and their names. What is less is in seconds.
const LEAST_MS: [(&str, f64); 4] =
    [("slo-itl", 1.0), ("slo-tpot", 1.0), ("slo-ttft", 10.0), ("slo-e2e", 100.0)];

/// Objectives of a target that the reference optimizer writes each time, 0 for those that it does not have.
const WRITTEN: [&str; 3] = ["slo-itl", "slo-ttft", "slo-tps"];

/// Objectives that 0 drops, and limits that are in seconds by all appearance.
pub(super) fn objectives(fields: &Fields<'_>, report: &mut Report) {
    let is_by_hand = !WRITTEN.iter().all(|key| fields.has(key));
    for key in ["slo-itl", "slo-tpot", "slo-ttft", "slo-ttw", "slo-e2e", "slo-tps"] {
        if is_by_hand && fields.stated(key) == Some(0.0) {
            let what = format!("0 states no objective: there is no {key} to hold");
            fields.warning(key, what, "give a limit above 0, or leave it out", report);
        }
    }
    for (key, least) in LEAST_MS {
        let Some(limit) = fields.stated(key).filter(|limit| *limit > 0.0 && *limit < least) else {
            continue;
        };
        let what = format!("{} ms is less than any engine takes", figure(limit));
        let remedy =
            format!("the unit is ms: write {} if seconds are meant", figure(limit * 1000.0));
        fields.warning(key, what, &remedy, report);
    }
}

/// Prices of a card that differ by more than this within a type are of an accelerator and of a card of it.
const CARD_PRICES: f64 = 1.9;

/// Compares the card's price in the accelerator that was read last with that of the first of its type.
pub(super) fn card_price(scenario: &Scenario, fields: &Fields<'_>, report: &mut Report) {
    let Some((last, before)) = scenario.accelerators.split_last() else { return };
    let price = |a: &crate::scenario::Accelerator| a.cost_cents_per_h / f64::from(a.multiplicity);
    let is_other = |a: &&crate::scenario::Accelerator| {
        a.card_type == last.card_type && a.multiplicity != last.multiplicity
    };
    let Some(first) = before.iter().find(is_other) else { return };
    let (one, other) = (price(first), price(last));
    if one.min(other) <= 0.0 || one.max(other) <= CARD_PRICES * one.min(other) {
        return;
    }
    let what = format!(
        "a card costs {} cents/h here, and {} in `{}`",
        figure(other),
        figure(one),
        first.name
    );
    let remedy = format!("cost is of the whole accelerator, here of {} cards", last.multiplicity);
    fields.warning("cost", what, &remedy, report);
}

/// Memory of a card, GB, from which on it is MB by all appearance.
const MEMORY_GB: f64 = 2_000.0;

/// Memory of the accelerator that was read last.
pub(super) fn memory(scenario: &Scenario, fields: &Fields<'_>, report: &mut Report) {
    let Some(last) = scenario.accelerators.last() else { return };
    if last.memory_gb > MEMORY_GB * f64::from(last.multiplicity) {
        let what = format!("{} GB is more than any card has", figure(last.memory_gb));
        let remedy = format!(
            "the unit is GB: write {} if MB are meant",
            figure((last.memory_gb / 1000.0).round())
        );
        fields.warning("memsize", what, &remedy, report);
    }
}

/// The least that a step of an engine takes, ms. What takes less is in seconds by all appearance.
const LEAST_STEP_MS: f64 = 0.2;

/// How long a token takes where there is one request alone.
pub(super) fn step(service: &ServiceModel, fields: &Fields<'_>, report: &mut Report) {
    let (form, step_ms) = match service {
        ServiceModel::Iteration(i) => ("perfparms", i.alpha_ms + i.beta_ms + i.gamma_ms),
        ServiceModel::Linear(l) => ("decodeparms", l.alpha_ms + l.beta_ms),
        ServiceModel::Roofline(r) => (
            "rooflineparms",
            r.alpha_ms + r.beta_ms + r.gamma_ms + r.overhead_ms + r.experts.read_ms,
        ),
    };
    if step_ms > 0.0 && step_ms < LEAST_STEP_MS {
        let what = format!("a token takes {} ms: no engine is so fast", figure(step_ms));
        let remedy = "the unit is ms: multiply the parameters by 1000 if they are in seconds";
        fields.warning(form, what, remedy, report);
    }
}

/// Pairs that are stated more than once.
#[derive(Default)]
pub(super) struct Twice {
    /// The accelerators of a replica where a pair was stated first.
    first: FxHashMap<(usize, usize), u32>,
    /// Of those stated again with another number of accelerators, the place of the first, and how many there are.
    parallel: Option<(String, At, String)>,
    count: usize,
}

impl Twice {
    /// Takes up a pair.
    pub fn take(
        &mut self,
        pair: (usize, usize),
        units: u32,
        fields: &Fields<'_>,
        report: &mut Report,
    ) {
        match self.first.get(&pair) {
            None => {
                self.first.insert(pair, units);
            }
            Some(first) if *first == units => {
                let what = "the pair is defined twice".to_owned();
                fields.problem("acc", what, "rename or remove one of them", report);
            }
            Some(_) => {
                self.count += 1;
                let place = || (fields.file.to_owned(), fields.at, fields.entity.clone());
                self.parallel.get_or_insert_with(place);
            }
        }
    }

    /// Tells once of all pairs that are stated at several numbers of accelerators: tensor parallelism has names.
    pub fn tell(self, report: &mut Report) {
        let Some((file, at, entity)) = self.parallel else { return };
        let more = match self.count {
            1 => String::new(),
            n => format!(", and so are {} others", n - 1),
        };
        let what = format!("the pair is stated again with another accCount{more}");
        let remedy = "for a choice of tensor parallelism list an accelerator for each width, such as `2xH100` \
                      (type H100, multiplicity 2, cost of both), and name it in acc with accCount 1";
        report.problem_at(&file, at, &entity, what, remedy);
    }
}
