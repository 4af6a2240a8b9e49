//! What a server asks for, and what a replica of it is held to.

use crate::disaggregation::Transfer;
use crate::queue::{Objectives, Reading, Station};
use crate::scenario::{Profile, Scenario, Server};
use crate::sharing::held_to;

/// Requests per second that a server's replicas have to cover: its arrival rate, or by the
/// reference's reading `slo-tps / out` where its class asks for tokens per second; those who share replicas each
/// theirs, and nobody less than a floor of tokens comes to.
pub fn demand_per_s(scenario: &Scenario, server: &Server, reading: Reading) -> f64 {
    let whole = server.whole();
    if !whole.members.is_empty() {
        return whole.members.iter().map(|member| demand_per_s(scenario, member, reading)).sum();
    }
    let arrives = whole.load.rate_per_s();
    let asked = match targets(scenario, whole, reading).tokens_per_s {
        Some(rate) if arrives > 0.0 => rate.per_s / whole.load.output_tokens.max(1.0),
        _ => arrives,
    };
    asked.max(whole.floor_per_s())
}

/// The objectives of a server under a reading; a validated scenario has them for every server's
/// model.
pub fn targets(scenario: &Scenario, server: &Server, reading: Reading) -> Objectives {
    let target = scenario.classes[server.class].targets[server.model];
    reading.objectives(target.unwrap_or_else(Objectives::none))
}

/// What a replica of a server is held to on an accelerator, whose profile must be there: [`targets`], less what those
/// who share it or send KV cache need.
pub fn held(
    scenario: &Scenario,
    server: &Server,
    accelerator: usize,
    station: &Station,
    reading: Reading,
) -> Objectives {
    let is_it = |p: &&Profile| p.model == server.model && p.accelerator == accelerator;
    let profile = scenario.profiles.iter().find(is_it);
    let transfer = profile.and_then(|profile| Transfer::of(scenario, server, profile));
    let targets = targets(scenario, server, reading);
    held_to(server, station, transfer.unwrap_or(Transfer::NONE), targets)
}

/// What a replica is sized to keep: a plan may give it any rate up to the one that it is granted.
pub(super) fn kept(objectives: Objectives, reading: Reading) -> Objectives {
    match reading {
        Reading::Engine => objectives.at_any_lower_rate(),
        Reading::Reference => objectives,
    }
}
