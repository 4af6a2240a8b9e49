//! Requests that are meant to cost a service its time, its memory or its answers to others.

use std::time::{Duration, Instant};

use isocost_serve::http::Settings;
use isocost_serve::planning::Options;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Served, backend, quickstart, refused, start, stateless};

/// A replica whose sizing goes over a great many states, a great many times.
fn costly() -> String {
    json!({"alpha": 12, "beta": 0.05, "gamma": 0.0005, "avgInputTokens": 128, "avgOutputTokens": 512,
        "maxBatchSize": 100_000, "maxQueueSize": 100_000_000, "targetTTFT": 60, "targetITL": 20})
    .to_string()
}

/// A fleet of which each server is sized by itself, with batches as large as may be.
fn costly_fleet(servers: usize) -> String {
    let mut scenario = quickstart();
    let list = scenario["system"]["serverData"]["servers"].as_array_mut().expect("a list");
    let like = list[0].clone();
    *list = (0..servers)
        .map(|s| {
            let mut server = like.clone();
            server["name"] = json!(format!("s{s}"));
            server["maxBatchSize"] = json!(100_000);
            server["maxQueueSize"] = json!(100_000_000);
            server["currentAlloc"]["load"]["avgInTokens"] = json!(100 + s);
            server
        })
        .collect();
    scenario.to_string()
}

async fn limited(seconds: f64) -> Served {
    let settings = Settings { time_limit: Duration::from_secs_f64(seconds), ..Settings::default() };
    start(settings, Options::default(), backend(), true).await
}

/// Waits until nothing is planned any more; a test that waits in vain is ended by whoever runs it.
async fn idle(served: &Served) {
    loop {
        let metrics = served.get("/metrics").await.text().await.expect("text");
        if metrics.lines().any(|line| line == "isocost_plans_in_flight 0") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn the_analyser_is_bounded_before_it_starts_and_by_its_time() {
    let served = stateless().await;
    let (status, message) = refused(served.post("/optimize-concurrency", costly()).await).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(message.contains("sizes up to 4096 are compared"), "{message}");
    let served = limited(0.2).await;
    let start = Instant::now();
    let percentile = costly_fleet(1);
    let (status, _) = refused(served.post("/optimizeOne", percentile).await).await;
    assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test]
async fn sizing_stops_with_its_time_and_with_its_client() {
    let served = limited(0.3).await;
    let (status, message) = refused(served.post("/optimizeOne", costly_fleet(200)).await).await;
    assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
    assert!(message.contains("--request-limit"), "{message}");
    idle(&served).await;
    // All places are free again.
    let body = quickstart().to_string();
    let served = limited(60.0).await;
    let request = served.client.post(format!("{}/optimizeOne", served.url)).body(costly_fleet(200));
    let request = tokio::spawn(request.send());
    tokio::time::sleep(Duration::from_millis(300)).await;
    request.abort();
    assert_eq!(served.post("/optimizeOne", body).await.status(), StatusCode::OK);
    idle(&served).await;
}

#[tokio::test]
async fn what_is_asked_beside_plans_never_keeps_one_waiting() {
    let served = limited(60.0).await;
    let places = std::thread::available_parallelism().map_or(1, usize::from);
    let asks = (0..2 * places).map(|_| {
        let body = json!({"alpha": 12, "beta": 0.05, "gamma": 0.0005, "avgInputTokens": 128,
            "avgOutputTokens": 512, "maxBatchSize": 4_096, "maxQueueSize": 100_000_000, "targetTTFT": 60});
        let request = served.client.post(format!("{}/optimize-concurrency", served.url));
        tokio::spawn(request.body(body.to_string()).send())
    });
    let asks: Vec<_> = asks.collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let answer = served.posted("/optimizeOne", quickstart().to_string()).await;
    assert_eq!(answer["status"], "optimal");
    asks.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_body_of_a_great_many_values_is_refused_before_it_is_read() {
    let served = start(Settings::default(), Options::default(), backend(), true).await;
    for (path, body) in [
        ("/optimizeOne", format!("[{}{{}}]", "{},".repeat(9_000_000))),
        ("/setServers", format!("{{\"servers\": [{}0]}}", "0,".repeat(13_000_000))),
        ("/solve", format!("{{\"alpha\": [{}0]}}", "[],".repeat(3_000_000))),
    ] {
        let start = Instant::now();
        let answer = served.post(path, body).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{path}");
        let text = answer.text().await.expect("text");
        assert!(text.contains("more values than a document of this length may hold"), "{text}");
        assert!(start.elapsed() < Duration::from_secs(10), "{path}: {:?}", start.elapsed());
    }
}

#[tokio::test]
async fn no_more_problems_are_kept_than_anybody_reads() {
    let served = stateless().await;
    let mut scenario = quickstart();
    scenario["system"]["serverData"]["servers"] = Value::Array(vec![json!({}); 50_000]);
    let answer = served.post("/optimizeOne", scenario.to_string()).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(body["problems"].as_array().map(Vec::len), Some(1_000));
    let message = body["message"].as_str().expect("a message");
    assert!(message.contains("no further ones are kept"), "{message}");
    // Nor a name of a megabyte, over and over.
    scenario["system"]["serverData"]["servers"] =
        json!([{"name": "n".repeat(1 << 20), "model": 1, "class": 2}]);
    let answer = served.post("/optimizeOne", scenario.to_string()).await;
    assert!(answer.text().await.expect("text").len() < 100_000);
}

#[tokio::test]
async fn health_answers_while_large_bodies_are_read() {
    let settings = Settings { max_body: 64 << 20, ..Settings::default() };
    let served = start(settings, Options::default(), backend(), true).await;
    let server = json!({"name": "a server with a name", "note": "x".repeat(200)}).to_string();
    let body = format!("{{\"servers\": [{}{server}]}}", format!("{server},").repeat(80_000));
    let posts = (0..4).map(|_| {
        let request = served.client.post(format!("{}/setServers", served.url)).body(body.clone());
        tokio::spawn(request.send())
    });
    let posts: Vec<_> = posts.collect();
    let mut longest = Duration::ZERO;
    while !posts.iter().all(tokio::task::JoinHandle::is_finished) {
        let start = Instant::now();
        assert_eq!(served.get("/healthz").await.status(), StatusCode::OK);
        longest = longest.max(start.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // A machine that builds beside it is not what is measured: one body takes far longer to read.
    assert!(longest < Duration::from_secs(2), "{longest:?}");
}

#[tokio::test]
async fn changes_are_no_mere_get_unless_clients_need_it() {
    let served = start(Settings::default(), Options::default(), backend(), true).await;
    served.posted("/optimizeOne", quickstart().to_string()).await;
    for path in ["/removeServer/premium-qwen2.5-32b", "/addModel/m", "/applyAllocation"] {
        let answer = served.get(path).await;
        assert_eq!(answer.headers()["allow"], "POST");
        let (status, message) = refused(answer).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
        assert!(message.contains("x-isocost-change"), "{message}");
        let head = served.client.head(format!("{}{path}", served.url)).send().await;
        assert_eq!(head.expect("an answer").status(), StatusCode::METHOD_NOT_ALLOWED);
    }
    assert_eq!(served.post("/addModel/m", "").await.status(), StatusCode::OK);
    let said =
        served.client.get(format!("{}/removeModel/m", served.url)).header("x-isocost-change", "1");
    assert_eq!(said.send().await.expect("an answer").status(), StatusCode::OK);
    let compatible = crate::contract::compatible(true).await;
    assert_eq!(compatible.got("/addModel/m").await, "m");
}
