//! What is analysed or sized: one replica from flags, or those of a scenario's server.

use std::path::Path;

use isocost_model::candidates::{
    Reading, Reason, SizingOptions, allowed, batch_limit, station as station_of, targets,
};
use isocost_model::input::known_names;
use isocost_model::queue::{
    Experts, Iteration, ItlOver, Linear, MAX_BATCH, Objective, Objectives, Roofline, ServiceModel,
    Shortfall, Sized, Station, TokenRate,
};
use isocost_model::scenario::{Scenario, StatedEngine};

use crate::Failure;
use crate::args::{ObjectiveArgs, ServerArgs, StationArgs};
use crate::job;

/// One replica.
pub struct Replica {
    /// Server and accelerator; `None` where it comes from flags.
    pub names: Option<(String, String)>,
    /// How it serves, or why it does not.
    pub offer: Result<Offer, Reason>,
}

/// How a replica serves.
#[derive(Clone, Copy)]
pub struct Offer {
    pub station: Station,
    pub max_batch: u32,
    pub objectives: Objectives,
}

impl Offer {
    /// The least batch size within `tolerance` of the best rate, or the one given.
    pub fn sized(&self, batch: Option<u32>, tolerance: f64) -> Result<Sized, Shortfall> {
        match batch {
            Some(batch) => self.station.size(batch, &self.objectives),
            None => self.station.size_best(self.max_batch, &self.objectives, tolerance),
        }
    }
}

/// The replicas that the arguments name: one from flags, or one for each accelerator asked for.
pub fn replicas(
    names: &ServerArgs,
    flags: &StationArgs,
    objectives: &ObjectiveArgs,
    max_batch: Option<u32>,
) -> Result<Vec<Replica>, Failure> {
    if let Some(batch) = max_batch.filter(|b| !(1..=MAX_BATCH).contains(b)) {
        let text = format!("the batch size is {batch}; expected 1 to {MAX_BATCH}");
        return Err(Failure::input(text));
    }
    if let Some((path, server)) = names.scenario.as_deref().zip(names.server.as_deref()) {
        let options = SizingOptions {
            reading: objectives.reading.into(),
            max_queue: flags.max_queue,
            max_loss: objectives.max_loss,
            engine: flags.engine.stated(),
            ..SizingOptions::default()
        };
        return of_scenario(path, server, names.accelerator.as_deref(), &options, max_batch);
    }
    let station = Station { reading: objectives.reading.into(), ..station(flags) };
    let max_batch = max_batch.unwrap_or(1);
    let offer = Offer { station, max_batch, objectives: of_flags(objectives) };
    Ok(vec![Replica { names: None, offer: Ok(offer) }])
}

fn of_scenario(
    path: &Path,
    server: &str,
    accelerator: Option<&str>,
    options: &SizingOptions,
    max_batch: Option<u32>,
) -> Result<Vec<Replica>, Failure> {
    let scenario = job::stated(path)?.0;
    let servers = scenario.servers.iter().map(|s| s.name.as_str());
    let accelerators = scenario.accelerators.iter().map(|a| a.name.as_str());
    let found = find("server", server, servers);
    let pinned = accelerator.map(|name| find("accelerator", name, accelerators));
    let (server, pinned) = match (found, pinned.transpose()) {
        (Ok(server), Ok(pinned)) => (server, pinned),
        (server, pinned) => {
            let problems = [server.err(), pinned.err()].into_iter().flatten();
            let at = |problem| format!("{}: {problem}", path.display());
            return Err(Failure::input(problems.map(at).collect::<Vec<_>>().join("\n")));
        }
    };
    let one = |a: usize| {
        let names = (scenario.servers[server].name.clone(), scenario.accelerators[a].name.clone());
        let offer = offer(&scenario, server, a, options, max_batch);
        Replica { names: Some(names), offer }
    };
    Ok(match pinned {
        Some(a) => vec![one(a)],
        None => (0..scenario.accelerators.len()).map(one).collect(),
    })
}

/// The index of a name, case aside, or what is wrong with it.
fn find<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Result<usize, String> {
    let same = |k: &str| k.eq_ignore_ascii_case(name);
    let at = known.clone().position(|k| k == name).or_else(|| known.clone().position(same));
    at.ok_or_else(|| format!("there is no {what} `{name}`; {}", known_names(name, known)))
}

fn offer(
    scenario: &Scenario,
    server: usize,
    accelerator: usize,
    options: &SizingOptions,
    max_batch: Option<u32>,
) -> Result<Offer, Reason> {
    let server = &scenario.servers[server];
    if !allowed(server, accelerator) {
        return Err(Reason::NotAllowed);
    }
    let of_pair = |p: &&isocost_model::scenario::Profile| {
        p.model == server.model && p.accelerator == accelerator
    };
    let profile = scenario.profiles.iter().find(of_pair).ok_or(Reason::NoProfile)?;
    Ok(Offer {
        station: station_of(server, profile, options),
        max_batch: max_batch.unwrap_or_else(|| batch_limit(server, profile, options)),
        objectives: Objectives {
            max_loss: options.max_loss,
            ..targets(scenario, server, options.reading)
        },
    })
}

fn of_flags(args: &ObjectiveArgs) -> Objectives {
    let objective =
        |limit: Option<f64>, percentile| limit.map(|limit_ms| Objective { limit_ms, percentile });
    Reading::from(args.reading).objectives(Objectives {
        itl: objective(args.itl, args.itl_percentile),
        itl_over: ItlOver::default(),
        ttft: objective(args.ttft, args.ttft_percentile),
        wait: objective(args.ttw, args.ttw_percentile),
        e2e: objective(args.e2e, args.e2e_percentile),
        tokens_per_s: args.tps.map(|per_s| TokenRate { per_s, percentile: args.itl_percentile }),
        max_loss: args.max_loss,
    })
}

/// The replica that the arguments describe, as an engine serves.
pub fn station(args: &StationArgs) -> Station {
    let (alpha_ms, beta_ms, gamma_ms) = (args.alpha, args.beta, args.gamma);
    let service = match args.delta {
        delta if args.hidden.is_some() => ServiceModel::Roofline(Roofline {
            alpha_ms,
            beta_ms,
            gamma_ms,
            delta_ms: delta.unwrap_or(0.0),
            delta2_ms: args.delta2,
            hidden_tokens: args.hidden.unwrap_or(0.0),
            overhead_ms: args.overhead,
            lag_steps: args.lag,
            experts: Experts::default(),
        }),
        None if !args.linear => ServiceModel::Iteration(Iteration { alpha_ms, beta_ms, gamma_ms }),
        delta => {
            let delta_ms = delta.unwrap_or(0.0);
            ServiceModel::Linear(Linear { alpha_ms, beta_ms, gamma_ms, delta_ms })
        }
    };
    Station {
        reading: Reading::Engine,
        arrival_scv: args.arrival_scv,
        token_scv: args.token_scv,
        engine: args.engine.stated().settings(StatedEngine::default()),
        input_scv: args.prompts.input_scv.unwrap_or(0.0),
        prefix_hit_share: args.prompts.prefix_hit_share.unwrap_or(0.0),
        ..Station::new(service, args.input, args.output.max(1.0), args.max_queue)
    }
}
