//! A Deployment as a server of the scenario: its names resolved, its figures held against what can be.

use isocost_model::Scenario;
use isocost_model::input::{known_names, server_faults};
use isocost_model::scenario::{CurrentAllocation, Load, Server, rate_or_none};

use super::memory::Stability;
use crate::cluster::LabelLoad;
use crate::collect::Observation;

/// What a server is planned for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// The load.
    pub load: LabelLoad,
    /// Whether it may get no smaller and has to stay where it is.
    pub stays: bool,
    /// Whether it may lose its last replica.
    pub idle: bool,
}

/// The server that a Deployment is, with the load that it is planned for and the headroom beside that.
///
/// # Errors
/// Every reason why the data has no place for it, in words.
pub fn place(
    scenario: &Scenario,
    observation: &Observation,
    wanted: Wanted,
    stability: &Stability,
) -> Result<Server, String> {
    let Wanted { load, stays, idle } = wanted;
    let managed = &observation.managed;
    let mut problems = Vec::new();
    let classes = scenario.classes.iter().map(|c| c.name.as_str());
    let models = scenario.models.iter().map(String::as_str);
    let class = index("service class", &managed.class, classes, &mut problems);
    let model = index("model", &managed.model, models, &mut problems);
    let current = managed.accelerator.as_deref().and_then(|on| {
        let accelerators = scenario.accelerators.iter().map(|a| a.name.as_str());
        let accelerator = index("accelerator", on, accelerators, &mut problems)?;
        Some(CurrentAllocation { accelerator, replicas: managed.replicas, cost_cents_per_h: 0.0 })
    });
    if let (Some(class), Some(model), []) = (class, model, &problems[..]) {
        let most = managed.max_replicas.unwrap_or(u32::MAX);
        let least = managed.min_replicas.unwrap_or(stability.min_replicas.min(most));
        let floor = match (stays, idle) {
            (true, _) => managed.replicas,
            (false, false) => managed.replicas.min(1),
            (false, true) => 0,
        };
        let server = Server {
            name: managed.server.clone(),
            class,
            model,
            load: planned(load, stability.headroom),
            min_replicas: least.max(floor).min(most.max(least)),
            max_replicas: managed.max_replicas,
            max_batch: None,
            max_queue: None,
            keep_accelerator: (managed.keep_accelerator || stays || stability.keeps)
                && current.is_some(),
            allow: Vec::new(),
            min_tokens_per_s: 0.0,
            deny: Vec::new(),
            network: Vec::new(),
            min_types: 0,
            current,
            share: None,
            members: Vec::new(),
            disaggregate: false,
            pool: None,
        };
        let faults = server_faults(&server, scenario);
        if faults.is_empty() {
            return Ok(server);
        }
        problems.extend(faults.into_iter().map(|f| format!("{}; {}", f.what, f.remedy)));
    }
    Err(problems.join("; "))
}

/// A load with the headroom beside it.
fn planned(load: LabelLoad, headroom: f64) -> Load {
    Load {
        arrival_rate_per_min: rate_or_none(load.rpm * (1.0 + headroom)),
        input_tokens: load.in_tokens,
        output_tokens: load.out_tokens,
        arrival_scv: 1.0,
        token_scv: 1.0,
        input_scv: 0.0,
        prefix_hit_share: 0.0,
    }
}

/// The index of a name, or a problem with the nearest known one.
fn index<'a>(
    kind: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    problems: &mut Vec<String>,
) -> Option<usize> {
    let found = known.clone().position(|k| k == name);
    if found.is_none() {
        problems.push(format!("unknown {kind} `{name}`; {}", known_names(name, known)));
    }
    found
}
