//! `isocost emulate-server`: vLLM's metrics of a replica that is simulated as time goes on.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use isocost_model::Scenario;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Registry;

use super::{Assignment, Emulated, podinfo, vllm};
use isocost_serve::http::{App, ListenError, Listening, Settings, listen};

/// Where a replica learns what it serves.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// Once and for all.
    Here(Assignment),
    /// By a file with the pod's labels, as the downward API mounts them, read every second.
    ByLabels(PathBuf),
}

/// How a server is emulated.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Profiles of models on accelerators.
    pub scenario: Scenario,
    /// Where it learns what it serves.
    pub told: Told,
    /// Simulated seconds in a second.
    pub speed: f64,
    /// Seed of every random number.
    pub seed: u64,
}

/// An emulated server; its clones are the same.
#[derive(Clone)]
pub struct EmulatedServer(Arc<Shared>);

struct Shared {
    settings: ServerSettings,
    start: Instant,
    state: Mutex<State>,
}

struct State {
    replica: Emulated,
    /// What was wrong the last time.
    problem: Option<String>,
}

impl EmulatedServer {
    /// Starts now.
    pub fn new(settings: ServerSettings) -> Self {
        let state = State { replica: Emulated::new(settings.seed), problem: None };
        let server =
            Self(Arc::new(Shared { settings, start: Instant::now(), state: state.into() }));
        server.tick();
        server
    }

    /// What it serves over HTTP: `/metrics`, and what every service has.
    pub fn app(&self) -> App {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self.clone()));
        App { routes: Router::new(), open: Router::new(), registry }
    }

    /// Serves its metrics, and hears every second what it is told, until `stop`;
    /// `listens` hears when it begins.
    ///
    /// # Errors
    /// [`ListenError`].
    pub async fn serve(
        &self,
        settings: &Settings,
        stop: impl Future<Output = ()>,
        listens: impl FnOnce(&Listening),
    ) -> Result<(), ListenError> {
        let listening = listen(settings, self.app()).await?;
        listens(&listening);
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        let hears = async {
            loop {
                ticks.tick().await;
                self.tick();
            }
        };
        tokio::select! {
            ended = listening.until(stop) => ended,
            () = hears => Ok(()),
        }
    }

    /// Hears what it is told and goes on until now; returns what is wrong with it, if anything.
    pub fn tick(&self) -> Option<String> {
        let heard = match &self.0.settings.told {
            Told::Here(assignment) => Ok(assignment.clone()),
            Told::ByLabels(path) => std::fs::read_to_string(path)
                .map_err(|e| format!("{}: cannot be read: {e}", path.display()))
                .and_then(|text| podinfo::assignment(&text)),
        };
        let now = self.now();
        let mut state = self.state();
        let done = heard.and_then(|assignment| {
            let assigned = state.replica.assign(&self.0.settings.scenario, assignment, now);
            assigned.map_err(|e| e.to_string())
        });
        state.replica.advance(now);
        let problem = done.err();
        if problem != state.problem {
            match &problem {
                Some(problem) => tracing::warn!(problem, "goes on as it did"),
                None => tracing::info!("told what to serve"),
            }
        }
        state.problem.clone_from(&problem);
        problem
    }

    fn now(&self) -> Duration {
        self.0.start.elapsed().mul_f64(self.0.settings.speed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for EmulatedServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmulatedServer")
            .field("told", &self.0.settings.told)
            .finish_non_exhaustive()
    }
}

impl Collector for EmulatedServer {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let now = self.now();
        let mut state = self.state();
        state.replica.advance(now);
        vllm::encode(&state.replica, encoder)
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;
    use crate::cluster::LabelLoad;
    use crate::emulate::testing::{assignment, scenario};

    fn page(server: &EmulatedServer) -> String {
        let mut text = String::new();
        encode(&mut text, &server.app().registry).expect("a page");
        text
    }

    fn value(page: &str, series: &str) -> f64 {
        let line = page.lines().find(|l| l.starts_with(series)).expect(series);
        line.rsplit(' ').next().expect("a value").parse().expect("a number")
    }

    #[test]
    fn it_says_what_vllm_would() {
        let told = Told::Here(assignment("A100", 60.0));
        let settings = ServerSettings { scenario: scenario(), told, speed: 1e6, seed: 1 };
        let server = EmulatedServer::new(settings);
        std::thread::sleep(Duration::from_millis(10));
        let page = page(&server);
        let served = value(&page, "vllm:request_success_total{");
        assert!(served > 1_000.0, "{served} in hours at 60 a minute");
        let mean = |name: &str| {
            let part = |part: &str| value(&page, &format!("vllm:{name}_{part}{{"));
            part("sum") / part("count")
        };
        assert!((mean("request_prompt_tokens") - 100.0).abs() < 1.0);
        assert!((mean("request_generation_tokens") - 50.0).abs() < 5.0);
        let itl_s = mean("inter_token_latency_seconds");
        assert!((0.020..0.030).contains(&itl_s), "{itl_s} s a token");
        assert_eq!(itl_s, mean("time_per_output_token_seconds"));
        assert!(page.contains("model_name=\"m\""));
        let last = page.lines().find(|l| {
            l.starts_with("vllm:time_to_first_token_seconds_bucket") && l.contains("le=\"+Inf\"")
        });
        let first_tokens = value(&page, "vllm:time_to_first_token_seconds_count{");
        assert_eq!(value(last.expect("a last bucket"), ""), first_tokens);
    }

    #[test]
    fn labels_that_change_are_heard_and_wrong_ones_change_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let labels = dir.path().join("labels");
        let write = |accelerator: &str| {
            let text = format!(
                "inferno.server.model=\"m\"\ninferno.server.allocation.accelerator=\"{accelerator}\"\n"
            );
            std::fs::write(&labels, text).expect("labels");
        };
        let told = Told::ByLabels(labels.clone());
        let server =
            EmulatedServer::new(ServerSettings { scenario: scenario(), told, speed: 1.0, seed: 1 });
        assert!(server.tick().expect("no file yet").contains("cannot be read"));
        assert!(!page(&server).contains("vllm:"));
        write("A100");
        assert_eq!(server.tick(), None);
        assert!(page(&server).contains("vllm:num_requests_running"));
        write("L4");
        assert!(server.tick().expect("no profile").contains("no profile of model `m`"));
        assert_eq!(server.state().replica.assignment().expect("one").accelerator, "A100");
        write("H100");
        assert_eq!(server.tick(), None);
        let told = server.state().replica.assignment().expect("one").clone();
        assert_eq!((told.accelerator.as_str(), told.load), ("H100", None::<LabelLoad>));
    }
}
