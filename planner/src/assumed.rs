//! What a plan takes for granted where the scenario does not say, a note each.

use isocost_model::Scenario;
use isocost_model::candidates::{Reading, SizingOptions, assumed_kv_tokens, targets};
use isocost_model::plan::Plan;
use isocost_model::queue::ItlOver;
use isocost_model::scenario::{Profile, Server};

/// The notes of a plan that is read as engines; the reference's reading assumes nothing.
pub(crate) fn notes(scenario: &Scenario, sizing: &SizingOptions, plan: &Plan) -> Vec<String> {
    if sizing.reading == Reading::Reference || !plan.has_plan() {
        return Vec::new();
    }
    let mut notes = Vec::new();
    notes.extend(caches(scenario, sizing, plan));
    notes.extend(percentiles(scenario, sizing));
    notes
}

/// KV caches of which nobody speaks.
fn caches(
    scenario: &Scenario,
    sizing: &SizingOptions,
    plan: &Plan,
) -> impl Iterator<Item = String> + use<> {
    let (mut used, mut assumed, mut endless) = (0, 0, 0);
    for (server, placement) in scenario.servers.iter().zip(&plan.placements) {
        for part in placement.parts.iter().filter(|part| part.rate_per_s > 0.0) {
            let is_of = |p: &&Profile| (p.model, p.accelerator) == (server.model, part.accelerator);
            let Some(profile) = scenario.profiles.iter().find(is_of) else { continue };
            used += 1;
            assumed += usize::from(is_assumed(server, profile, sizing));
            endless += usize::from(is_endless(server, profile, sizing));
        }
    }
    let assumed = (assumed > 0).then(|| {
        format!(
            "KV cache: {assumed} of {used} placements state no kvTokens; a replica is taken to hold 2 x \
             maxBatchSize x atTokens"
        )
    });
    let endless = (endless > 0).then(|| {
        format!(
            "KV cache: {endless} of {used} placements state neither kvTokens nor atTokens; a replica is taken \
             never to run out"
        )
    });
    assumed.into_iter().chain(endless)
}

fn is_assumed(server: &Server, profile: &Profile, sizing: &SizingOptions) -> bool {
    let stated = profile.engine.kv_tokens.or(sizing.engine.kv_tokens);
    stated.is_none() && assumed_kv_tokens(server, profile).is_some()
}

/// A cache of which neither profile nor server says anything.
fn is_endless(server: &Server, profile: &Profile, sizing: &SizingOptions) -> bool {
    let stated = profile.engine.kv_tokens.or(sizing.engine.kv_tokens);
    stated.is_none() && server.max_batch.is_none() && profile.at_tokens.is_none()
}

/// What percentiles of ITL are over, where one is asked for.
fn percentiles(scenario: &Scenario, sizing: &SizingOptions) -> Option<String> {
    let (mut requests, mut gaps) = (0, 0);
    for server in &scenario.servers {
        let objectives = targets(scenario, server, sizing.reading);
        let percentile = objectives.itl.and_then(|itl| itl.percentile);
        match (percentile, objectives.itl_over) {
            (None, _) => {}
            (Some(_), ItlOver::Requests) => requests += 1,
            (Some(_), ItlOver::Gaps) => gaps += 1,
        }
    }
    let over = match (requests, gaps) {
        (0, 0) => return None,
        (_, 0) => "over requests, each by the mean of its own gaps (TPOT)".to_owned(),
        (0, _) => "over the gaps between tokens".to_owned(),
        _ => format!("over requests (TPOT) for {requests} servers, over gaps for {gaps}"),
    };
    Some(format!("percentiles of ITL are {over}"))
}
