//! `isocost control`, `collect` and `actuate`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use isocost_kubernetes::actuate::Actuator;
use isocost_kubernetes::cluster::Cluster;
use isocost_kubernetes::collect::{Collector, Prometheus};
use isocost_kubernetes::control::{
    Actuate, Candidate, Capacity, Clock, Collect, Controller, CycleLog, DataOptions,
    ElectionOptions, Invoker, Metrics, Optimizer, Parts, Remote, Service, planner_options, routes,
    run as run_loop, serve,
};
use isocost_serve::http::{Listening, Registry, terminated};
use isocost_serve::planning::Planner;
use isocost_serve::runtime;
use isocost_solver::{backend, default_backend};

use super::service::{failure, listens, stays_here};
use crate::args::{
    ActuateArgs, CapacityFrom, ClusterArgs, CollectArgs, ControlArgs, ElectionArgs, PrometheusArgs,
};
use crate::output::print;
use crate::{Failure, exit};

/// Runs `isocost control` until it is told to end.
pub fn control(args: &ControlArgs) -> Result<u8, Failure> {
    let settings = args.listen.settings(Some(["CONTROLLER_HOST", "CONTROLLER_PORT"]), 3300)?;
    stays_here(&settings, args.open)?;
    args.log.start()?;
    let mut registry = Registry::with_prefix("isocost");
    let work = async {
        let cluster = Cluster::connect(&args.cluster.access()).await.map_err(Failure::failed)?;
        let parts = parts(args, &cluster, &mut registry)?;
        let controller = Arc::new(Controller::new(parts).map_err(Failure::input)?);
        let identity = identity();
        let candidate = args
            .election
            .leader_elect
            .then(|| Candidate::new(&cluster, election(&args.election, &identity)));
        let log = Some(args.cycle_log.clone()).filter(|file| file.as_os_str() != "-");
        let log = CycleLog::new(log).with_limit(u64::from(args.cycle_log_limit) << 20);
        let metrics = Metrics::new(&mut registry);
        let dry_run = args.actuate.dry_run;
        let invoker = Invoker::new(controller, identity, candidate, log, metrics, dry_run);
        let clock = Clock { period: args.period };
        let what = match args.period.is_zero() {
            true => "on demand".to_owned(),
            false => format!("every {} s", args.period.as_secs_f64()),
        };
        let started = |listening: &Listening| listens("control", &what, &settings, listening);
        let ended =
            run_loop(Arc::new(invoker), clock, &settings, registry, started, terminated()).await;
        ended.map_err(failure)
    };
    runtime::block_on(work).map_err(Failure::failed)??;
    Ok(exit::OK)
}

/// The parts of the loop: here, or elsewhere where a URL says so.
fn parts(args: &ControlArgs, cluster: &Cluster, registry: &mut Registry) -> Result<Parts, Failure> {
    let (urls, wait) = (&args.parts, args.parts.part_timeout);
    let service = |url: &str| Service::new(url, wait).map_err(Failure::input);
    let collect = match urls.elsewhere(&urls.collector, "COLLECTOR") {
        Some(url) => Collect::Remote(service(&url)?),
        None => {
            let collector = collector(&args.cluster, &args.prometheus, cluster.clone())?;
            Collect::Local(Box::new(collector))
        }
    };
    // Where autoscalers act nobody else does.
    let options = args.actuate.options();
    let actuate = match urls.elsewhere(&urls.actuator, "ACTUATOR").filter(|_| !options.publish) {
        Some(url) => Actuate::Remote(service(&url)?),
        None => Actuate::Local(Actuator::new(cluster.clone(), options)),
    };
    let chosen = match &args.backend {
        Some(name) => backend(name),
        None => default_backend(),
    };
    let chosen = chosen.map_err(Failure::input)?;
    let options = planner_options(args.sizing.options()?, args.gap);
    let optimizer = match urls.elsewhere(&urls.optimizer, "INFERNO") {
        Some(url) => {
            let planner = isocost_planner::Planner {
                sizing: options.sizing,
                request: options.request,
                ..isocost_planner::Planner::new(chosen)
            };
            Optimizer::Remote(Remote::new(&url, wait, planner).map_err(Failure::input)?)
        }
        None => {
            let planner = Planner::new(options, chosen, registry);
            Optimizer::Local(Arc::new(planner), args.plan_limit)
        }
    };
    let capacity = match args.capacity {
        CapacityFrom::File => Capacity::File,
        CapacityFrom::Nodes => Capacity::Nodes(cluster.clone(), args.actuate.products()),
    };
    let data = DataOptions { directory: args.data.clone(), dynamic: args.dynamic, capacity };
    let (sizing, stability) =
        (args.sizing.options()?, args.stability.stability(args.actuate.scale_by));
    let ownership = args.actuate.ownership();
    Ok(Parts { collect, optimizer, actuate, data, sizing, stability, ownership })
}

fn collector(
    cluster: &ClusterArgs,
    prometheus: &PrometheusArgs,
    connected: Cluster,
) -> Result<Collector, Failure> {
    let options = prometheus.options(cluster.namespace());
    let prometheus = options.map(Prometheus::new).transpose().map_err(Failure::input)?;
    Ok(Collector::new(connected, prometheus))
}

fn election(args: &ElectionArgs, identity: &str) -> ElectionOptions {
    ElectionOptions {
        namespace: args.lease_namespace.clone(),
        name: args.lease.clone(),
        identity: identity.to_owned(),
        term: args.lease_term,
        address: args.advertise.clone().filter(|url| !url.is_empty()),
    }
}

/// Who we are: the pod's name, and what no other process has, nor had under that name.
fn identity() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "isocost".to_owned());
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{host}-{}-{:x}", std::process::id(), since.as_nanos())
}

/// Runs `isocost collect`.
pub fn collect(args: &CollectArgs) -> Result<u8, Failure> {
    let settings = args.listen.settings(Some(["COLLECTOR_HOST", "COLLECTOR_PORT"]), 3301)?;
    stays_here(&settings, args.open || !args.serve)?;
    args.log.start()?;
    let work = async {
        let cluster = Cluster::connect(&args.cluster.access()).await.map_err(Failure::failed)?;
        let collector = collector(&args.cluster, &args.prometheus, cluster)?;
        if !args.serve {
            let json = routes::collected(&collector).await.map_err(Failure::failed)?;
            return print(json.as_bytes());
        }
        let started = |l: &Listening| listens("collector", "GET /collect", &settings, l);
        let routes = routes::collector(collector);
        serve(routes, &settings, started, terminated()).await.map_err(failure)
    };
    runtime::block_on(work).map_err(Failure::failed)??;
    Ok(exit::OK)
}

/// Runs `isocost actuate`.
pub fn actuate(args: &ActuateArgs) -> Result<u8, Failure> {
    let settings = args.listen.settings(Some(["ACTUATOR_HOST", "ACTUATOR_PORT"]), 3303)?;
    stays_here(&settings, args.open || !args.serve)?;
    args.log.start()?;
    let work = async {
        let cluster = Cluster::connect(&args.cluster.access()).await.map_err(Failure::failed)?;
        let actuator = Actuator::new(cluster.clone(), args.actuate.options());
        let Some(file) = &args.file else {
            let routes = routes::actuator(cluster, actuator);
            let started = |l: &Listening| listens("actuator", "POST /update", &settings, l);
            serve(routes, &settings, started, terminated()).await.map_err(failure)?;
            return Ok(exit::OK);
        };
        let text = read(file)?;
        let updated = routes::updated(&cluster, &actuator, &text).await;
        let (json, complete) = updated.map_err(|e| match e.status.is_client_error() {
            true => Failure::input(format!("{}: {}", file.display(), e.message)),
            false => Failure::failed(e.message),
        })?;
        print(json.as_bytes())?;
        Ok(if complete { exit::OK } else { exit::FAILED })
    };
    runtime::block_on(work).map_err(Failure::failed)?
}

fn read(file: &PathBuf) -> Result<String, Failure> {
    std::fs::read_to_string(file)
        .map_err(|e| Failure::input(format!("{}: cannot be read: {e}", file.display())))
}
