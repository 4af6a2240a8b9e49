//! `isocost emulate-load` and `isocost emulate-server`.

use isocost_kubernetes::cluster::{Access, Cluster, LabelLoad};
use isocost_kubernetes::emulate::{
    Assignment, EmulatedServer, LoadEmulator, LoadSettings, Phases, ServerSettings, Told, Walk,
    phases,
};
use isocost_model::input;
use isocost_serve::http::terminated;
use isocost_serve::runtime;

use super::service;
use crate::args::{EmulateLoadArgs, EmulateServerArgs};
use crate::output::style::warning;
use crate::{Failure, exit};

/// Runs `isocost emulate-load`; returns its exit code.
pub fn load(args: &EmulateLoadArgs) -> Result<u8, Failure> {
    // An empty variable is how a manifest says "none".
    let phases = match args.phases.as_ref().filter(|path| !path.as_os_str().is_empty()) {
        Some(path) => phases(path).map_err(Failure::input)?,
        None => Phases::default(),
    };
    let namespace = args.namespace.clone().filter(|name| !name.is_empty());
    let settings = LoadSettings {
        namespace: namespace.clone(),
        interval: args.interval,
        walk: Walk { alpha: args.alpha, theta: args.theta, skew: args.skew },
        phases,
        seed: args.seed,
    };
    let access = Access { namespace, ..Access::default() };
    args.log.start()?;
    let run = async {
        let cluster = Cluster::connect(&access).await.map_err(Failure::failed)?;
        let mut emulator = LoadEmulator::new(cluster, settings);
        if args.once {
            return emulator.logged_round().await.map_err(Failure::failed);
        }
        emulator.until(terminated()).await;
        Ok(())
    };
    runtime::block_on(run).map_err(Failure::failed)??;
    Ok(exit::OK)
}

/// Runs `isocost emulate-server`; returns its exit code.
pub fn server(args: &EmulateServerArgs) -> Result<u8, Failure> {
    let loaded = input::load_without_servers(&args.data).map_err(Failure::input)?;
    loaded.warnings.iter().for_each(|w| warning(&w.to_string()));
    let told = match (&args.labels, &args.model, &args.accelerator) {
        (Some(labels), ..) => Told::ByLabels(labels.clone()),
        (None, Some(model), Some(accelerator)) => Told::Here(assignment(args, model, accelerator)),
        _ => return Err(Failure::input("give --labels, or --model and --accelerator")),
    };
    let here = matches!(told, Told::Here(_));
    let settings =
        ServerSettings { scenario: loaded.scenario, told, speed: args.speed, seed: args.seed };
    args.log.start()?;
    let server = EmulatedServer::new(settings);
    if let Some(problem) = server.tick().filter(|_| here) {
        return Err(Failure::input(problem));
    }
    // The pod's manifest gives host and port.
    let place = args.listen.settings(None, 8000)?;
    let ended = runtime::block_on(server.serve(&place, terminated(), |listening| {
        service::listens("emulate-server", "vLLM's metrics at /metrics", &place, listening);
    }));
    ended.map_err(Failure::failed)?.map_err(service::failure)?;
    Ok(exit::OK)
}

fn assignment(args: &EmulateServerArgs, model: &str, accelerator: &str) -> Assignment {
    Assignment {
        model: model.to_owned(),
        accelerator: accelerator.to_owned(),
        max_batch: args.batch,
        load: Some(LabelLoad {
            rpm: args.rate,
            in_tokens: args.input_tokens,
            out_tokens: args.output_tokens,
        }),
    }
}
