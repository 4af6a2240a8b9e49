//! A stand-in for Prometheus where none is installed: it scrapes pods every second, and answers the queries that
//! the collector asks, told apart by the metrics in them. It knows no PromQL.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::{Query, State};
use axum::{Json, Router, routing::get};
use serde_json::{Value, json};

use super::prometheus::Target;

/// Samples of a series of a pod: when, and what.
type Samples = BTreeMap<String, Vec<(f64, f64)>>;

struct Pod {
    namespace: &'static str,
    deployment: String,
    samples: Samples,
}

#[derive(Clone)]
struct Scraper {
    window_s: f64,
    start: Instant,
    pods: Arc<Mutex<Vec<Pod>>>,
}

/// Starts one; its URL.
pub async fn scraping(targets: Vec<Target>, window: Duration) -> String {
    let pod = |target: &Target| Pod {
        namespace: target.namespace,
        deployment: target.pod.rsplitn(3, '-').last().unwrap().to_owned(),
        samples: Samples::default(),
    };
    let pods = targets.iter().map(pod).collect();
    let (window_s, start) = (window.as_secs_f64(), Instant::now());
    let scraper = Scraper { window_s, start, pods: Arc::new(Mutex::new(pods)) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/api/v1/query", get(query)).with_state(scraper.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        loop {
            ticks.tick().await;
            for (i, target) in targets.iter().enumerate() {
                scraper.scrape(i, &target.address).await;
            }
        }
    });
    url
}

impl Scraper {
    async fn scrape(&self, i: usize, address: &str) {
        let Ok(answer) = reqwest::get(format!("http://{address}/metrics")).await else { return };
        let Ok(text) = answer.text().await else { return };
        let now = self.start.elapsed().as_secs_f64();
        let mut pods = self.pods.lock().unwrap();
        for line in text.lines().filter(|l| l.starts_with("vllm:")) {
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            let name = series.split('{').next().unwrap_or(series).to_owned();
            // Buckets are not asked for.
            if let Some(value) = value.parse().ok().filter(|_| !name.ends_with("_bucket")) {
                pods[i].samples.entry(name).or_default().push((now, value));
            }
        }
    }
}

async fn query(
    State(scraper): State<Scraper>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Json<Value> {
    let query = &asked["query"];
    let now = scraper.start.elapsed().as_secs_f64();
    let mut sums: BTreeMap<(String, String), f64> = BTreeMap::new();
    for pod in scraper.pods.lock().unwrap().iter() {
        if let Some(value) = answer(query, pod, now, scraper.window_s) {
            *sums.entry((pod.namespace.to_owned(), pod.deployment.clone())).or_default() += value;
        }
    }
    let row = |((namespace, deployment), value): ((String, String), f64)| {
        let metric = json!({ "namespace": namespace, "isocost_deployment": deployment });
        json!({ "metric": metric, "value": [now, value.to_string()] })
    };
    let result: Vec<Value> = sums.into_iter().map(row).collect();
    Json(json!({ "status": "success", "data": { "resultType": "vector", "result": result } }))
}

fn answer(query: &str, pod: &Pod, now: f64, window_s: f64) -> Option<f64> {
    let all = |name: &str| pod.samples.get(&format!("vllm:{name}"));
    let within = |name: &str| -> Vec<(f64, f64)> {
        let samples = all(name).into_iter().flatten();
        samples.copied().filter(|(at, _)| *at > now - window_s).collect()
    };
    let slope = |name: &str| {
        let samples = within(name);
        let ((t0, first), (t1, last)) = (*samples.first()?, *samples.last()?);
        (t1 > t0).then(|| (last - first) / (t1 - t0))
    };
    let mean = |name: &str| {
        let count = slope(&format!("{name}_count")).filter(|count| *count > 0.0)?;
        Some(slope(&format!("{name}_sum"))? / count)
    };
    let counter = "request_success_total";
    if query.contains("count_over_time") {
        let seen = within(counter);
        if query.contains("offset") {
            let before = all(counter)?.iter().any(|(at, _)| *at <= now - window_s);
            let full =
                before && seen.first()?.0 < now - window_s * 0.75 && seen.last()?.0 > now - 3.0;
            return full.then_some(1.0);
        }
        return (!seen.is_empty()).then_some(1.0);
    }
    let has = |metric: &str| query.contains(metric);
    if has("deriv(") {
        slope("num_requests_waiting").map(|per_s| per_s * 60.0)
    } else if has("num_requests_running") {
        within("num_requests_running").into_iter().map(|(_, n)| n).reduce(f64::max)
    } else if has(counter) {
        slope(counter).map(|per_s| per_s * 60.0)
    } else if has("request_prompt_tokens") {
        mean("request_prompt_tokens")
    } else if has("request_generation_tokens") {
        mean("request_generation_tokens")
    } else if has("time_to_first_token") {
        mean("time_to_first_token_seconds").map(|s| s * 1e3)
    } else if has("inter_token_latency") {
        mean("inter_token_latency_seconds").map(|s| s * 1e3)
    } else {
        within("num_requests_waiting").last().map(|(_, n)| *n)
    }
}
