//! The fleet as a planning problem: the static data, each server with the load that it is planned
//! for, and what it has now.
//!
//! ```text
//! StaticData, Sight -> Believed, Server of each Deployment -> Candidates -> Entry of each -> what is in doubt
//! ```
//!
//! A server that the data has no place for (a class or a model that nobody defined, say) is left alone
//! with the reason; it does not keep the others from being planned. A server that may not have as many
//! replicas as its load needs is planned for what it may have, so that it does not make the whole problem
//! one of shortage.

use std::collections::BTreeMap;

use isocost_model::Scenario;
use isocost_model::candidates::{Candidates, Reading, SizingOptions, Sizings, targets};
use isocost_model::scenario::Server;

use super::cards;
use super::data::StaticData;
use super::entry::{Entry, Seen, entry};
use super::place::{Wanted, place};
use super::witness::{self, Believed, Sight};
use crate::actuate::Ledger;
use crate::cluster::Managed;
use crate::collect::{LeftAlone, Observation};

/// The fleet, ready to be decided on.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// What is planned with: the static data, with the cards that are believed in, and no servers.
    pub scenario: Scenario,
    /// Servers that can be planned.
    pub entries: Vec<Entry>,
    /// Deployments and servers that are left alone, with the reason.
    pub left_alone: Vec<LeftAlone>,
    /// Cards that there are, and those in use.
    pub ledger: Ledger,
    /// Card types whose count is in doubt: servers on them are held as they are.
    pub in_doubt: Vec<String>,
    /// What is odd about the cards.
    pub warnings: Vec<String>,
}

/// Puts the fleet together.
pub fn fleet(data: &StaticData, sight: Sight<'_>, sizing: (&SizingOptions, &Sizings)) -> Fleet {
    let Sight { observed, stability, .. } = sight;
    let mut left_alone = observed.left_alone.clone();
    let mut scenario = data.scenario.clone();
    let mut standing: Vec<&Managed> = observed.standing.iter().collect();
    let mut seen = Vec::with_capacity(observed.servers.len());
    for observation in once_each(&observed.servers, &mut left_alone, &mut standing) {
        match placed(&scenario, observation, sight, sizing.0.reading) {
            Ok((server, placed)) => {
                scenario.servers.push(server);
                seen.push(placed);
            }
            Err(reason) => {
                left_alone.push(LeftAlone { name: observation.managed.key.to_string(), reason });
                standing.push(&observation.managed);
            }
        }
    }
    reserve(&mut scenario, &standing);
    let candidates = Candidates::build_with(&scenario, sizing.0, sizing.1);
    let mut entries = Vec::with_capacity(seen.len());
    for (s, placed) in seen.into_iter().enumerate() {
        entries.push(entry(&scenario, &candidates, s, placed, stability));
    }
    scenario.servers.clear();
    let mut fleet = Fleet {
        scenario,
        entries,
        left_alone,
        ledger: Ledger::default(),
        in_doubt: Vec::new(),
        warnings: Vec::new(),
    };
    witness::all_zero(&mut fleet, sight);
    cards::believe(&mut fleet, &data.counts);
    fleet
}

/// Servers of a name of their own. Deployments that share one are all left alone: none of them may take
/// another's place.
fn once_each<'a>(
    servers: &'a [Observation],
    left_alone: &mut Vec<LeftAlone>,
    standing: &mut Vec<&'a Managed>,
) -> Vec<&'a Observation> {
    let mut named: BTreeMap<&str, Vec<&Observation>> = BTreeMap::new();
    for observation in servers {
        named.entry(&observation.managed.server).or_default().push(observation);
    }
    let mut kept = Vec::with_capacity(servers.len());
    for observation in servers {
        let managed = &observation.managed;
        let others = named.get(managed.server.as_str()).into_iter().flatten();
        let others = others.filter(|o| o.managed.key != managed.key);
        let others: Vec<String> = others.map(|o| o.managed.key.to_string()).collect();
        if others.is_empty() {
            kept.push(observation);
            continue;
        }
        standing.push(managed);
        left_alone.push(LeftAlone {
            name: managed.key.to_string(),
            reason: format!(
                "{} is server `{}` too, and nobody knows which is meant; give each an inferno.server.name of its own",
                others.join(", "),
                managed.server
            ),
        });
    }
    kept
}

/// Keeps the cards of Deployments that are left alone from the others: what runs of them goes on running.
fn reserve(scenario: &mut Scenario, standing: &[&Managed]) {
    for managed in standing {
        let on = managed.accelerator.as_deref().unwrap_or_default();
        let profile = scenario.profiles.iter().find(|profile| {
            scenario.models[profile.model] == managed.model
                && scenario.accelerators[profile.accelerator].name == on
        });
        let Some(profile) = profile else { continue };
        let accelerator = &scenario.accelerators[profile.accelerator];
        let each = u64::from(profile.units_per_replica) * u64::from(accelerator.multiplicity);
        let card = &mut scenario.card_types[accelerator.card_type];
        card.spare += each * u64::from(managed.replicas);
    }
}

/// The server that a Deployment is, and what is believed of it.
fn placed<'a>(
    scenario: &Scenario,
    observation: &'a Observation,
    sight: Sight<'_>,
    reading: Reading,
) -> Result<(Server, Seen<'a>), String> {
    let mut believed = sight.believed(observation);
    let idle = sight.is_idle(&observation.managed.uid);
    let wanted = |believed: &Believed| Wanted { load: believed.load, stays: believed.stays, idle };
    let server = place(scenario, observation, wanted(&believed), sight.stability)?;
    let Some(broken) = broken(scenario, &server, reading, observation) else {
        return Ok((server, Seen { observation, believed, broken: None, idle }));
    };
    // Latencies that break an objective end the dead band, upwards: what is seen counts.
    believed.load = witness::heavier(believed.load, observation.load);
    let server = place(scenario, observation, wanted(&believed), sight.stability)?;
    Ok((server, Seen { observation, believed, broken: Some(broken), idle }))
}

/// The objective that measured latencies break, in words. A mean above the limit breaks an objective
/// on a percentile too.
fn broken(
    scenario: &Scenario,
    server: &Server,
    reading: Reading,
    seen: &Observation,
) -> Option<String> {
    let objectives = targets(scenario, server, reading);
    let measured = &seen.measured;
    let pairs = [
        ("time to the first token", measured.ttft_ms, objectives.ttft),
        ("time between tokens", measured.itl_ms, objectives.itl),
    ];
    pairs.into_iter().find_map(|(word, measured, objective)| {
        let (measured, limit) = (measured?, objective?.limit_ms);
        (measured > limit)
            .then(|| format!("the {word} is {measured:.0} ms, {limit} ms is asked for"))
    })
}
