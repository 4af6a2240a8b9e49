//! Loads from Prometheus: a real one, one that is gone, one that is silent.

use std::sync::Arc;
use std::time::Duration;

use isocost_kubernetes::collect::{Collector, Source};
use isocost_kubernetes::control::{Collect, Controller};

use crate::stand_in::fleet::{
    Setup, cluster, controller, cycle, parts, prometheus, servers, state,
};
use crate::stand_in::prometheus::{self as real_prometheus, Series};
use crate::{SPACE, fleet, undisturbed};

/// A Prometheus that never answers.
async fn silent() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            kept.push(connection);
        }
    });
    url
}

#[tokio::test]
async fn without_prometheus_the_labels_are_used_and_it_is_said() {
    // Nobody listens on a port that was free a moment ago; another one accepts and is silent.
    let gone = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    for url in [gone, silent().await] {
        let stand_in = fleet(6).await;
        let mut parts = parts(stand_in.config(), SPACE, &Setup::default());
        let cluster = cluster(stand_in.config(), SPACE, Duration::from_secs(60));
        let client = prometheus(&url, SPACE, Duration::from_millis(300));
        parts.collect = Collect::Local(Box::new(Collector::new(cluster, Some(client))));
        let record = cycle(&Arc::new(Controller::new(parts).unwrap())).await;
        assert_eq!(record.count("applied"), 6);
        assert_eq!(record.warnings.len(), 1, "{:?}", record.warnings);
        assert!(record.warnings[0].contains("the labels are used instead"));
        assert_eq!(state(&stand_in, SPACE), undisturbed(6).await);
    }
}

/// Two pods of a server that answers 2 requests a second each, of 300 and 150 tokens, and a second
/// server whose queue grows by half a request a second.
fn samples() -> Vec<Series> {
    let names = servers(3);
    let mut all = Vec::new();
    let mut add = |server: &str, pod: &str, metric: &'static str, rate: f64, start: f64| {
        let pod = format!("{server}-5d4f8c7b9-{pod}");
        let at = Box::new(move |t: f64| start + rate * t);
        all.push(Series { metric, pod, namespace: SPACE, at });
    };
    for pod in ["abcde", "fghij"] {
        let server = &names[0].0;
        add(server, pod, "vllm:request_success_total", 2.0, 10.0);
        add(server, pod, "vllm:request_prompt_tokens_sum", 600.0, 0.0);
        add(server, pod, "vllm:request_prompt_tokens_count", 2.0, 0.0);
        add(server, pod, "vllm:request_generation_tokens_sum", 300.0, 0.0);
        add(server, pod, "vllm:request_generation_tokens_count", 2.0, 0.0);
        add(server, pod, "vllm:time_to_first_token_seconds_sum", 0.5, 0.0);
        add(server, pod, "vllm:time_to_first_token_seconds_count", 2.0, 0.0);
        add(server, pod, "vllm:time_per_output_token_seconds_sum", 6.0, 0.0);
        add(server, pod, "vllm:time_per_output_token_seconds_count", 300.0, 0.0);
        add(server, pod, "vllm:num_requests_waiting", 0.0, 3.0);
        let server = &names[1].0;
        add(server, pod, "vllm:request_success_total", 1.0, 0.0);
        add(server, pod, "vllm:num_requests_waiting", 0.5, 0.0);
        // Nobody finished: a mean of nothing is no data.
        add(server, pod, "vllm:request_prompt_tokens_sum", 0.0, 0.0);
        add(server, pod, "vllm:request_prompt_tokens_count", 0.0, 0.0);
    }
    all
}

#[tokio::test]
async fn loads_are_those_of_a_real_prometheus() {
    let Some(prometheus) = real_prometheus::start(&samples()).await else { return };
    let stand_in = fleet(3).await;
    let setup = Setup { prometheus: Some(prometheus.url.clone()), ..Setup::default() };
    let record = cycle(&controller(&stand_in, SPACE, &setup)).await;
    assert_eq!((&record.warnings, &record.errors), (&vec![], &vec![]));
    let seen = |i: usize| {
        let name = &servers(3)[i].0;
        record.observed.iter().find(|s| s.server == *name).unwrap()
    };
    let near =
        |value: f64, wanted: f64| assert!((value / wanted - 1.0).abs() < 0.02, "{value} {wanted}");
    let first = seen(0);
    assert_eq!(first.source, Source::Measured);
    near(first.load.arrival_rate, 240.0);
    near(first.load.avg_in_tokens, 300.0);
    near(first.load.avg_out_tokens, 150.0);
    near(first.ttft_ms.unwrap(), 250.0);
    near(first.itl_ms.unwrap(), 20.0);
    near(first.waiting.unwrap(), 6.0);
    // 2 requests a second succeed, and 1 a second joins the queue; tokens are the labels'.
    let second = seen(1);
    assert_eq!(second.source, Source::RateMeasured);
    near(second.load.arrival_rate, 180.0);
    assert_eq!(second.load.avg_in_tokens, 1024.0);
    assert_eq!(seen(2).source, Source::Labels);
}
