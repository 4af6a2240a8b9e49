//! The queries: one a quantity for all Deployments together, not one a Deployment.
//!
//! With `w` the window, `g(x)` the sum of `x` over a Deployment's pods, and `m(h)` the mean of a
//! histogram, `g(rate(h_sum[w])) / (g(rate(h_count[w])) > 0)`, which is empty where nothing was
//! counted:
//!
//! ```text
//! arrivals   60 * g(rate(vllm:request_success_total[w]))  +  60 * g(deriv(vllm:num_requests_waiting[w]))
//! tokens     m(vllm:request_prompt_tokens), m(vllm:request_generation_tokens)
//! latencies  m(vllm:time_to_first_token_seconds),
//!            m(vllm:inter_token_latency_seconds) or m(vllm:time_per_output_token_seconds)
//! witnesses  g(max_over_time(vllm:num_requests_running[w]))
//!            counters of requests with a sample in the window, and those of them that fill it
//! ```
//!
//! Requests that succeed are those that arrive only while the queue is steady. Where it grows, they
//! are what the replicas can do, not what is asked of them; so the growth of the queue is added.
//! Where it shrinks, they are more than arrives, and it is taken off.
//!
//! A rate over a window that holds samples of a part of it alone reads low, as much as half where a pod, or
//! Prometheus, is new. A counter fills the window that has a sample now, one before the window, and one in its
//! first quarter; a gap in between does not touch its rate.

use std::time::Duration;

/// How a sample is told to belong to a Deployment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Grouping {
    /// By its pod's name, `DEPLOYMENT-HASH-HASH`, in the label `pod`.
    #[default]
    Pod,
    /// By a label that carries the Deployment's name.
    Label(String),
}

/// Label that the grouped result carries the Deployment's name in, where pods are grouped.
const DEPLOYMENT: &str = "isocost_deployment";

/// Which samples are asked for, and how they are put together.
#[derive(Debug, Clone)]
pub struct Queries {
    /// Time over which rates are taken.
    pub window: Duration,
    /// How a sample is told to belong to a Deployment.
    pub grouping: Grouping,
    /// Namespace, where only one is watched.
    pub namespace: Option<String>,
}

/// A quantity that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// Requests that succeed, per minute.
    Success,
    /// Growth of the waiting requests, per minute.
    Growth,
    /// Mean tokens of a prompt.
    InTokens,
    /// Mean tokens of an answer.
    OutTokens,
    /// Mean time to the first token, ms.
    Ttft,
    /// Mean time between tokens, ms.
    Itl,
    /// Requests that wait.
    Waiting,
    /// Most requests that were in service at once.
    Running,
    /// Counters of requests with a sample in the window.
    Counters,
    /// Those of them that fill it.
    Full,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Success,
        Self::Growth,
        Self::InTokens,
        Self::OutTokens,
        Self::Ttft,
        Self::Itl,
        Self::Waiting,
        Self::Running,
        Self::Counters,
        Self::Full,
    ];

    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Success => "rate of requests",
            Self::Growth => "growth of the queue",
            Self::InTokens => "prompt tokens",
            Self::OutTokens => "generated tokens",
            Self::Ttft => "time to the first token",
            Self::Itl => "time between tokens",
            Self::Waiting => "waiting requests",
            Self::Running => "running requests",
            Self::Counters => "counters of requests",
            Self::Full => "counters that fill the window",
        }
    }
}

impl Queries {
    /// The query for a quantity.
    pub fn query(&self, quantity: Quantity) -> String {
        match quantity {
            Quantity::Success => {
                format!("60 * {}", self.over("rate", "vllm:request_success_total"))
            }
            Quantity::Growth => format!("60 * {}", self.over("deriv", "vllm:num_requests_waiting")),
            Quantity::InTokens => self.mean("vllm:request_prompt_tokens"),
            Quantity::OutTokens => self.mean("vllm:request_generation_tokens"),
            Quantity::Ttft => format!("1000 * {}", self.mean("vllm:time_to_first_token_seconds")),
            Quantity::Itl => format!(
                "1000 * ({} or {})",
                self.mean("vllm:inter_token_latency_seconds"),
                self.mean("vllm:time_per_output_token_seconds")
            ),
            Quantity::Waiting => {
                self.group(&format!("vllm:num_requests_waiting{}", self.selector()))
            }
            Quantity::Running => self.over("max_over_time", "vllm:num_requests_running"),
            Quantity::Counters => {
                let (counter, window) = (self.counter(), self.seconds());
                self.count(&format!("count_over_time({counter}[{window}s])"))
            }
            Quantity::Full => {
                let (counter, window) = (self.counter(), self.seconds());
                let quarter = (window / 4).max(1);
                let rest = window - quarter;
                self.count(&format!(
                    "({counter} and {counter} offset {window}s \
                     and count_over_time({counter}[{quarter}s] offset {rest}s))"
                ))
            }
        }
    }

    /// The label of a result that names the Deployment.
    pub fn deployment_label(&self) -> &str {
        match &self.grouping {
            Grouping::Pod => DEPLOYMENT,
            Grouping::Label(label) => label,
        }
    }

    fn mean(&self, histogram: &str) -> String {
        let sum = self.over("rate", &format!("{histogram}_sum"));
        let count = self.over("rate", &format!("{histogram}_count"));
        format!("({sum} / ({count} > 0))")
    }

    fn over(&self, function: &str, metric: &str) -> String {
        self.group(&format!("{function}({metric}{}[{}s])", self.selector(), self.seconds()))
    }

    /// How many series a vector has.
    fn count(&self, vector: &str) -> String {
        self.group(&format!("0 * {vector} + 1"))
    }

    fn counter(&self) -> String {
        format!("vllm:request_success_total{}", self.selector())
    }

    fn seconds(&self) -> u64 {
        self.window.as_secs().max(1)
    }

    fn selector(&self) -> String {
        // Names of namespaces need no escape: letters, digits and dashes.
        self.namespace.as_ref().map_or_else(String::new, |n| format!("{{namespace=\"{n}\"}}"))
    }

    fn group(&self, vector: &str) -> String {
        match &self.grouping {
            Grouping::Pod => format!(
                "sum by (namespace, {DEPLOYMENT}) (label_replace({vector}, \"{DEPLOYMENT}\", \"$1\", \
                 \"pod\", \"(.+)-[a-z0-9]+-[a-z0-9]{{5}}\"))"
            ),
            Grouping::Label(label) => format!("sum by (namespace, {label}) ({vector})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_grouped_and_restricted() {
        let mut queries = Queries {
            window: Duration::from_secs(120),
            grouping: Grouping::Label("app".to_owned()),
            namespace: Some("infer".to_owned()),
        };
        assert_eq!(
            queries.query(Quantity::Success),
            "60 * sum by (namespace, app) (rate(vllm:request_success_total{namespace=\"infer\"}[120s]))"
        );
        queries.grouping = Grouping::Pod;
        queries.namespace = None;
        assert_eq!(
            queries.query(Quantity::Waiting),
            "sum by (namespace, isocost_deployment) (label_replace(vllm:num_requests_waiting, \
             \"isocost_deployment\", \"$1\", \"pod\", \"(.+)-[a-z0-9]+-[a-z0-9]{5}\"))"
        );
    }
}
