//! An optimizer elsewhere that answers what it should not: nothing of it is carried out.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use isocost_kubernetes::control::{Controller, Optimizer, Parts, Record, Remote, planner_options};
use isocost_model::candidates::SizingOptions;
use serde_json::{Value, json};

use crate::stand_in::StandIn;
use crate::stand_in::fleet::{Setup, controller, cycle, parts, state};
use crate::{SPACE, fleet};

/// An optimizer at a URL, with the sizing that its answers are checked by.
pub fn remote(url: &str) -> Remote {
    let options = planner_options(SizingOptions::default(), 1e-4);
    let backend = isocost_solver::default_backend().unwrap();
    let mut planner = isocost_planner::Planner::new(backend);
    (planner.sizing, planner.request) = (options.sizing, options.request);
    Remote::new(url, Duration::from_secs(60), planner).unwrap()
}

/// One that answers what `answer` makes of the servers that it is asked about.
async fn answering(answer: impl Fn(&Value) -> Value + Clone + Send + Sync + 'static) -> String {
    let route = post(async move |body: axum::Json<Value>| axum::Json(answer(&body.0)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/optimizeOne", route);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

/// What an answer makes of a server's present allocation.
type Of = dyn Fn(&Value) -> Value + Send + Sync;

/// The allocations that an answer has, by what it makes of each server's present one.
fn allocations(system: &Value, of: impl Fn(&Value) -> Value) -> Value {
    let servers = system["system"]["serverData"]["servers"].as_array().unwrap();
    let pairs =
        servers.iter().map(|s| (s["name"].as_str().unwrap().to_owned(), of(&s["currentAlloc"])));
    Value::Object(pairs.collect())
}

async fn asks(stand_in: &StandIn, url: &str) -> Record {
    let optimizer = Optimizer::Remote(remote(url));
    let parts = Parts { optimizer, ..parts(stand_in.config(), SPACE, &Setup::default()) };
    cycle(&Arc::new(Controller::new(parts).unwrap())).await
}

#[tokio::test]
async fn what_breaks_a_rule_changes_nothing() {
    let stand_in = fleet(27).await;
    assert_eq!(cycle(&controller(&stand_in, SPACE, &Setup::default())).await.count("applied"), 27);
    let placed = state(&stand_in, SPACE);
    let with = |key: &'static str, value: Value| {
        move |now: &Value| {
            let mut then = now.clone();
            then[key] = value.clone();
            then
        }
    };
    let nowhere = with("accelerator", json!("NoSuchCard"));
    let none = |share: Value| move |_: &Value| json!({ "accelerator": "", "numReplicas": 0, "servedShare": share });
    let answers: Vec<(&str, Value, Arc<Of>)> = vec![
        ("an accelerator that there is not", json!("optimal"), Arc::new(nowhere)),
        ("no replica, and a share of 1e308", json!("optimal"), Arc::new(none(json!(1e308)))),
        ("no replica, and none is said", Value::Null, Arc::new(none(Value::Null))),
        ("no replica, infeasible", json!("infeasible"), Arc::new(none(json!(0.0)))),
        ("thousands of replicas", json!("optimal"), Arc::new(with("numReplicas", json!(4_000)))),
        (
            "more than can be",
            json!("optimal"),
            Arc::new(with("numReplicas", json!(4_294_967_295_u64))),
        ),
        ("less than none", json!("optimal"), Arc::new(with("numReplicas", json!(-1)))),
        ("no number", json!("optimal"), Arc::new(with("numReplicas", json!("three")))),
        ("one replica each", json!("optimal"), Arc::new(with("numReplicas", json!(1)))),
    ];
    for (what, status, of) in answers {
        let url = answering(move |system| {
            json!({ "allocations": allocations(system, |now| of(now)), "status": status })
        })
        .await;
        let record = asks(&stand_in, &url).await;
        assert_eq!(record.count("applied"), 0, "{what}: {:?}", record.decided);
        assert_eq!(state(&stand_in, SPACE), placed, "{what}");
    }
    let strangers =
        answering(|_| json!({ "allocations": { "nobody": { "numReplicas": 1 } } })).await;
    let record = asks(&stand_in, &strangers).await;
    assert!(record.errors[0].contains("`nobody` was not asked about"), "{:?}", record.errors);
    assert!(record.errors[0].contains("nothing is changed"), "{:?}", record.errors);
    for nonsense in [json!([]), json!({}), json!({ "allocations": 7 })] {
        let url = answering(move |_| nonsense.clone()).await;
        let record = asks(&stand_in, &url).await;
        assert!(record.errors[0].contains("no allocation solution"), "{:?}", record.errors);
    }
    assert_eq!(state(&stand_in, SPACE), placed);
}

#[tokio::test]
async fn a_sound_answer_without_a_status_is_carried_out_and_one_that_leaves_servers_out_keeps_them()
{
    let stand_in = fleet(6).await;
    cycle(&controller(&stand_in, SPACE, &Setup::default())).await;
    let placed = state(&stand_in, SPACE);
    let same =
        answering(|system| json!({ "allocations": allocations(system, Value::clone) })).await;
    let record = asks(&stand_in, &same).await;
    assert_eq!((record.errors.len(), record.decided.len()), (0, 0), "{:?}", record.errors);
    assert_eq!(record.status, "unproven");
    let silent = answering(|_| json!({ "allocations": {} })).await;
    let record = asks(&stand_in, &silent).await;
    assert_eq!((record.errors.len(), record.decided.len()), (0, 0), "{:?}", record.errors);
    assert_eq!(state(&stand_in, SPACE), placed);
}

#[tokio::test]
async fn an_answer_without_end_is_given_up() {
    let stand_in = fleet(2).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let endless = async || {
        let chunk = axum::body::Bytes::from(vec![b' '; 1 << 20]);
        let chunks =
            futures_util::stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()));
        axum::body::Body::from_stream(chunks)
    };
    let router = Router::new().route("/optimizeOne", post(endless));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let record = asks(&stand_in, &url).await;
    assert!(record.errors[0].contains("more than 64 MiB"), "{:?}", record.errors);
}
