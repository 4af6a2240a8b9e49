//! What stops a solve: its time, and a client that nobody waits for any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use isocost_planner::{Formulation, Request};
use isocost_serve::http::Settings;
use isocost_serve::planning::Options;
use isocost_solver::{Backend, Master, Milp, Solution, SolveOptions, SolverError, Status};
use reqwest::StatusCode;
use tokio::sync::Semaphore;

use crate::support::{Served, backend, quickstart, refused, start};

/// A solver that goes on until it is stopped, by time or by its interrupt.
struct Endless {
    begun: Arc<Semaphore>,
    interrupted: Arc<AtomicUsize>,
}

impl Backend for Endless {
    fn name(&self) -> &'static str {
        "endless"
    }

    fn solve(&self, _: &Milp, options: &SolveOptions) -> Result<Solution, SolverError> {
        self.begun.add_permits(1);
        let start = Instant::now();
        loop {
            if options.interrupt.is_raised() {
                self.interrupted.fetch_add(1, Ordering::SeqCst);
                break;
            }
            if options.time_limit.is_some_and(|limit| start.elapsed() >= limit) {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let (objective, bound) = (f64::INFINITY, f64::NEG_INFINITY);
        Ok(Solution { status: Status::Unknown, values: Vec::new(), objective, bound })
    }

    fn master(&self, _: &Milp) -> Result<Box<dyn Master>, SolverError> {
        Err(SolverError::NoBackend)
    }
}

/// What goes to the backend as it stands.
fn compact() -> Options {
    let request = Request { formulation: Formulation::COMPACT, ..Request::default() };
    Options { request, ..Options::default() }
}

async fn endless(settings: Settings) -> (Served, Arc<Semaphore>, Arc<AtomicUsize>) {
    let (begun, interrupted) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let solver = Endless { begun: Arc::clone(&begun), interrupted: Arc::clone(&interrupted) };
    let served = start(settings, compact(), Box::new(solver), false).await;
    (served, begun, interrupted)
}

/// Waits for what has to come; a test that waits in vain is ended by whoever runs it.
async fn come(what: impl Fn() -> bool) {
    while !what() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_client_that_goes_away_stops_its_solve() {
    let limit = Settings { time_limit: Duration::from_secs(3600), ..Settings::default() };
    let (served, begun, interrupted) = endless(limit).await;
    let body = quickstart().to_string();
    let request = served.client.post(format!("{}/optimizeOne", served.url)).body(body);
    let request = tokio::spawn(request.send());
    begun.acquire().await.expect("open").forget();
    assert_eq!(interrupted.load(Ordering::SeqCst), 0);
    request.abort();
    come(|| interrupted.load(Ordering::SeqCst) == 1).await;
    loop {
        let metrics = served.get("/metrics").await.text().await.expect("text");
        if metrics.lines().any(|l| l == "isocost_plans_stopped_total 1") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn when_time_is_up_the_best_so_far_is_the_answer_and_not_called_optimal() {
    let limit = Settings { time_limit: Duration::from_secs(2), ..Settings::default() };
    let (served, _, interrupted) = endless(limit).await;
    let answer = served.posted("/optimizeOne", quickstart().to_string()).await;
    assert_eq!(answer["status"], "feasible");
    assert!(answer["bound"].is_null(), "nothing was proven: {}", answer["bound"]);
    assert!(answer["notes"].to_string().contains("time was up"), "{}", answer["notes"]);
    assert_eq!(interrupted.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_request_whose_limit_is_over_while_it_waits_is_given_up_and_stops() {
    // A solver that heeds its interrupt alone: the limit of the request ends it.
    struct Deaf(Endless);
    impl Backend for Deaf {
        fn name(&self) -> &'static str {
            "deaf"
        }
        fn solve(&self, milp: &Milp, options: &SolveOptions) -> Result<Solution, SolverError> {
            self.0.solve(milp, &SolveOptions { time_limit: None, ..options.clone() })
        }
        fn master(&self, milp: &Milp) -> Result<Box<dyn Master>, SolverError> {
            self.0.master(milp)
        }
    }
    let (begun, interrupted) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let solver = Deaf(Endless { begun, interrupted: Arc::clone(&interrupted) });
    let limit = Settings { time_limit: Duration::from_millis(200), ..Settings::default() };
    let served = start(limit, compact(), Box::new(solver), false).await;
    let answer = served.post("/optimizeOne", quickstart().to_string()).await;
    let (status, message) = refused(answer).await;
    assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
    assert!(message.contains("longer than 0.2 s"), "{message}");
    come(|| interrupted.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn a_solver_that_fails_is_not_the_clients_fault() {
    struct Broken;
    impl Backend for Broken {
        fn name(&self) -> &'static str {
            "broken"
        }
        fn solve(&self, _: &Milp, _: &SolveOptions) -> Result<Solution, SolverError> {
            Err(SolverError::Failed { backend: "broken", what: "out of order".to_owned() })
        }
        fn master(&self, _: &Milp) -> Result<Box<dyn Master>, SolverError> {
            panic!("a defect of the solver")
        }
    }
    let served = start(Settings::default(), compact(), Box::new(Broken), false).await;
    let answer = served.post("/optimizeOne", quickstart().to_string()).await;
    let (status, message) = refused(answer).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(message, "broken failed: out of order");
    assert_eq!(served.get("/healthz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_panic_on_a_solving_thread_reaches_no_client() {
    struct Panics;
    impl Backend for Panics {
        fn name(&self) -> &'static str {
            "panics"
        }
        fn solve(&self, _: &Milp, _: &SolveOptions) -> Result<Solution, SolverError> {
            panic!("an inner secret")
        }
        fn master(&self, _: &Milp) -> Result<Box<dyn Master>, SolverError> {
            panic!("an inner secret")
        }
    }
    let served = start(Settings::default(), compact(), Box::new(Panics), false).await;
    // As often as there are places to solve in, and once more: a panic gives its place back.
    for _ in 0..=std::thread::available_parallelism().map_or(1, usize::from) {
        let answer = served.post("/optimizeOne", quickstart().to_string()).await;
        let (status, message) = refused(answer).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!message.contains("secret"), "{message}");
    }
    drop(backend());
}
