//! What each replica sees at its share of the load keeps every objective.

use super::site::Site;
use super::{Found, ROUNDING, Rule};
use crate::disaggregation::Transfer;
use crate::scenario::Profile;
use crate::sharing::held_to;

pub(super) fn check(site: &Site<'_>, found: &mut Found) {
    for part in site.placement.parts.iter().filter(|p| p.rate_per_s > 0.0) {
        let Some(profile) = site.profile(part) else { continue };
        let accelerator = &site.scenario.accelerators[part.accelerator];
        // While others of it are taken away, those that are left get more.
        let most_per_s = part.rate_per_s / accelerator.availability;
        for what in broken(site, profile, part.batch, most_per_s) {
            found.unless(false, Rule::Objective, site.name(), || {
                format!("on {} at {most_per_s} requests/s: {what}", accelerator.name)
            });
        }
    }
}

/// What a replica of the server breaks at a rate; nothing where it keeps every objective.
pub(super) fn broken(
    site: &Site<'_>,
    profile: &Profile,
    batch: u32,
    rate_per_s: f64,
) -> Vec<String> {
    let station = &site.station(profile);
    let Some(transfer) = Transfer::of(site.scenario, site.server, profile) else {
        return vec!["nothing says what sending KV cache takes".to_owned()];
    };
    let analysis = match station.analyze(batch, rate_per_s) {
        Ok(analysis) => analysis,
        Err(error) => return vec![error.to_string()],
    };
    // Those who share a replica keep their limits each for their own requests.
    let targets = held_to(site.server, station, transfer, site.targets());
    let mut broken = Vec::new();
    if rate_per_s > transfer.most_per_s * (1.0 + ROUNDING) {
        broken.push(format!("its link carries {} prompts/s", transfer.most_per_s));
    }
    for (metric, objective) in targets.latencies() {
        let (value, limit) =
            (analysis.limited(&targets, metric, objective.percentile), objective.limit_ms);
        if value.is_nan() || value > limit * (1.0 + ROUNDING) {
            broken.push(format!("{} {value} ms, limit {limit} ms", metric.word()));
        }
    }
    let reserve = if targets.tokens_per_s.is_some() { 0.9 } else { 1.0 };
    let most = reserve * 0.999 * analysis.capacity_per_s;
    let least = 0.001 * station.service_rate_per_s(1);
    if rate_per_s > most.max(least) * (1.0 + ROUNDING) {
        broken.push(format!("above its sustainable rate {most}"));
    }
    let (loss, most) = (analysis.loss_probability, site.sizing.max_loss);
    if station.queue_limit.is_some() && most < 1.0 && loss > most * (1.0 + ROUNDING) {
        broken.push(format!("loses {loss}"));
    }
    broken
}
