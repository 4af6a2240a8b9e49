//! What vLLM's `/metrics` says, said of an emulated replica.
//!
//! Latencies have vLLM's names and, up to the largest ones, its buckets. Tokens of prompts and
//! answers have one bucket: sum and count are what they are read for.

use std::fmt::Error;

use isocost_simulation::Histogram;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::Emulated;

const TTFT_S: [f64; 18] = [
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    20.0, 40.0,
];
const ITL_S: [f64; 15] =
    [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0];
const REQUEST_S: [f64; 17] = [
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0,
];

/// Writes the metrics of a replica; none of one that serves no model.
pub fn encode(replica: &Emulated, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
    let Some(assignment) = replica.assignment() else { return Ok(()) };
    let observed = replica.observed();
    let mut page = Page { model: &assignment.model, encoder: &mut encoder };

    page.gauge("num_requests_running", "Requests in service", replica.running())?;
    page.gauge("num_requests_waiting", "Requests that wait", replica.waiting())?;
    page.successes(observed.served())?;
    page.counter("prompt_tokens", "Tokens of prompts", observed.input_tokens)?;
    page.counter("generation_tokens", "Tokens of answers", observed.output_tokens)?;

    let served = observed.served();
    let tokens = [
        ("request_prompt_tokens", "Tokens of a prompt", observed.input_tokens),
        ("request_generation_tokens", "Tokens of an answer", observed.output_tokens),
    ];
    for (name, help, sum) in tokens {
        page.histogram(name, help, sum as f64, served, &[(f64::INFINITY, served)])?;
    }
    let latencies = [
        (
            "time_to_first_token_seconds",
            "From arrival to the first token",
            &observed.ttft_ms,
            &TTFT_S[..],
        ),
        ("inter_token_latency_seconds", "Between two tokens", &observed.itl_ms, &ITL_S[..]),
        ("time_per_output_token_seconds", "Between two tokens", &observed.itl_ms, &ITL_S[..]),
        (
            "request_queue_time_seconds",
            "From arrival to service",
            &observed.wait_ms,
            &REQUEST_S[..],
        ),
        (
            "e2e_request_latency_seconds",
            "From arrival to the last token",
            &observed.response_ms,
            &REQUEST_S[..],
        ),
    ];
    for (name, help, sample, ends_s) in latencies {
        page.histogram(name, help, sample.sum() / 1e3, sample.count(), &buckets(sample, ends_s))?;
    }
    Ok(())
}

/// Values in each bucket, the last of which has no upper end.
fn buckets(sample: &Histogram, ends_s: &[f64]) -> Vec<(f64, u64)> {
    let mut below = 0;
    let mut bucket = |end_s: f64, at_most: u64| {
        let count = at_most - below;
        below = at_most;
        (end_s, count)
    };
    let mut buckets: Vec<_> =
        ends_s.iter().map(|end_s| bucket(*end_s, sample.at_most(end_s * 1e3))).collect();
    buckets.push(bucket(f64::INFINITY, sample.count()));
    buckets
}

/// The page that is written, and the model that every line of it names.
struct Page<'a, 'b> {
    model: &'a str,
    encoder: &'a mut DescriptorEncoder<'b>,
}

impl Page<'_, '_> {
    fn metric(
        &mut self,
        name: &str,
        help: &str,
        kind: MetricType,
        write: impl FnOnce(MetricEncoder<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let name = format!("vllm:{name}");
        let labels = [("model_name", self.model), ("engine", "0")];
        let mut metric = self.encoder.encode_descriptor(&name, help, None, kind)?;
        write(metric.encode_family(&labels)?)
    }

    fn gauge(&mut self, name: &str, help: &str, value: usize) -> Result<(), Error> {
        let write = |mut m: MetricEncoder<'_>| m.encode_gauge(&(value as i64));
        self.metric(name, help, MetricType::Gauge, write)
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> Result<(), Error> {
        let write = |mut m: MetricEncoder<'_>| m.encode_counter::<NoLabelSet, _, u64>(&value, None);
        self.metric(name, help, MetricType::Counter, write)
    }

    /// Requests by why they ended: here all have their answer.
    fn successes(&mut self, served: u64) -> Result<(), Error> {
        let labels = [("model_name", self.model), ("engine", "0"), ("finished_reason", "stop")];
        let (name, help) = ("vllm:request_success", "Requests served");
        let mut metric = self.encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&served, None)
    }

    fn histogram(
        &mut self,
        name: &str,
        help: &str,
        sum: f64,
        count: u64,
        buckets: &[(f64, u64)],
    ) -> Result<(), Error> {
        let write =
            |mut m: MetricEncoder<'_>| m.encode_histogram::<NoLabelSet>(sum, count, buckets, None);
        self.metric(name, help, MetricType::Histogram, write)
    }
}
