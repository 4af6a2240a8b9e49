//! The client of Prometheus' query API.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use tokio::task::JoinSet;

use super::queries::{Grouping, Quantity, Queries};
use super::{Bounded, Measured};
use crate::cluster::{Key, describe};

/// Where Prometheus is, and what is asked of it.
#[derive(Debug, Clone)]
pub struct PrometheusOptions {
    /// Its base URL, e.g. `https://prometheus.monitoring:9090`.
    pub url: String,
    /// File with a bearer token; read anew for each query, as tokens of service accounts rotate.
    pub token_file: Option<PathBuf>,
    /// File with the certificates that its TLS certificate is held against.
    pub ca_file: Option<PathBuf>,
    /// Time over which rates are taken.
    pub window: Duration,
    /// Longest wait for an answer.
    pub timeout: Duration,
    /// How a sample is told to belong to a Deployment.
    pub grouping: Grouping,
    /// Namespace, where only one is watched.
    pub namespace: Option<String>,
}

/// Why Prometheus gave no data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrometheusError {
    /// A file of the configuration cannot be used.
    #[error("{}: {what}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// No such client can be made.
    #[error("`{0}` is no URL of a Prometheus server: expected http://HOST:PORT or https://...")]
    Url(String),
    /// It did not answer.
    #[error("no answer: {0}")]
    Unreachable(String),
    /// It answered with an error.
    #[error("status {status}: {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What it says.
        message: String,
    },
    /// What it answered is no result of a query.
    #[error("an answer that is no query result: {0}")]
    Answer(String),
}

/// A client of Prometheus.
#[derive(Debug, Clone)]
pub struct Prometheus {
    client: reqwest::Client,
    endpoint: reqwest::Url,
    token_file: Option<PathBuf>,
    queries: Queries,
}

/// Largest value that is taken for one: as much as a label may say.
const MOST: f64 = 1e9;

/// Values by Deployment.
type Values = BTreeMap<Key, f64>;

impl Prometheus {
    /// A client; nothing is asked yet.
    ///
    /// # Errors
    /// Where the URL or the certificates make no sense.
    pub fn new(options: PrometheusOptions) -> Result<Self, PrometheusError> {
        let no_url = || PrometheusError::Url(options.url.clone());
        let text = format!("{}/api/v1/query", options.url.trim_end_matches('/'));
        let endpoint = reqwest::Url::parse(&text).map_err(|_| no_url())?;
        if !matches!(endpoint.scheme(), "http" | "https") {
            return Err(no_url());
        }
        // A second provider cannot be installed; the first is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .timeout(options.timeout)
            .redirect(reqwest::redirect::Policy::none());
        if let Some(file) = &options.ca_file {
            builder = builder.tls_certs_only(certificates(file)?);
        }
        let client = builder.build().map_err(|e| PrometheusError::Unreachable(describe(&e)))?;
        let PrometheusOptions { token_file, window, grouping, namespace, .. } = options;
        let queries = Queries { window, grouping, namespace };
        Ok(Self { client, endpoint, token_file, queries })
    }

    /// Time over which rates are taken.
    pub fn window(&self) -> Duration {
        self.queries.window
    }

    /// What is known of each Deployment, and what could not be asked. The queries run side by side,
    /// so that a server that hangs costs one timeout and not seven.
    pub async fn measure(&self) -> (BTreeMap<Key, Measured>, Vec<String>) {
        let mut asked = JoinSet::new();
        for quantity in Quantity::ALL {
            let this = self.clone();
            asked.spawn(async move {
                let query = this.queries.query(quantity);
                (quantity, this.query(&query).await)
            });
        }
        let mut answers = Vec::new();
        let mut failures: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
        // A task that panics is a defect; it is taken for an answer that is missing.
        while let Some(answer) = asked.join_next().await {
            match answer {
                Ok((quantity, Ok(values))) => answers.push((quantity, values)),
                Ok((quantity, Err(error))) => {
                    failures.entry(error.to_string()).or_default().push(quantity.word());
                }
                Err(error) => failures.entry(error.to_string()).or_default().push("a query"),
            }
        }
        let warnings = failures.into_iter().map(|(error, mut words)| {
            words.sort_unstable();
            let words = words.join(", ");
            format!("Prometheus: {error} (asked for {words}); the labels are used instead")
        });
        (merge(answers), warnings.collect())
    }

    async fn query(&self, query: &str) -> Result<Values, PrometheusError> {
        let mut request = self.client.get(self.endpoint.clone()).query(&[("query", query)]);
        if let Some(file) = &self.token_file {
            let token = std::fs::read_to_string(file).map_err(|e| unusable(file, &e))?;
            request = request.bearer_auth(token.trim());
        }
        let unreachable =
            |e: reqwest::Error| PrometheusError::Unreachable(describe(&e.without_url()));
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status().as_u16();
        let bytes = response.bounded().await.map_err(PrometheusError::Unreachable)?;
        self.read(status, &bytes)
    }

    fn read(&self, status: u16, bytes: &[u8]) -> Result<Values, PrometheusError> {
        let answer: Answer = match serde_json::from_slice(bytes) {
            Ok(answer) => answer,
            // A proxy in between answers in its own words.
            Err(_) if status != 200 => {
                let text: String = String::from_utf8_lossy(bytes).chars().take(200).collect();
                return Err(PrometheusError::Refused { status, message: text });
            }
            Err(error) => return Err(PrometheusError::Answer(error.to_string())),
        };
        match answer {
            Answer { status: word, data: Some(data), .. } if word == "success" => {
                Ok(values(data.result, self.queries.deployment_label()))
            }
            Answer { error, .. } => {
                let message = error.unwrap_or_else(|| "no data and no reason".to_owned());
                Err(PrometheusError::Refused { status, message })
            }
        }
    }
}

/// `{"status": "success", "data": {"result": [...]}}`, or an error.
#[derive(Deserialize)]
struct Answer {
    status: String,
    data: Option<Data>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Sample>,
}

#[derive(Deserialize)]
struct Sample {
    metric: BTreeMap<String, String>,
    value: (f64, String),
}

/// Values by Deployment, whatever they are.
fn values(samples: Vec<Sample>, label: &str) -> Values {
    let value = |mut sample: Sample| {
        let value = sample.value.1.parse::<f64>().unwrap_or(f64::NAN);
        let name = sample.metric.remove(label).filter(|name| !name.is_empty())?;
        let namespace = sample.metric.remove("namespace").unwrap_or_default();
        Some((Key { namespace, name }, value))
    };
    samples.into_iter().filter_map(value).collect()
}

fn merge(answers: Vec<(Quantity, Values)>) -> BTreeMap<Key, Measured> {
    let mut all: BTreeMap<Key, BTreeMap<Quantity, f64>> = BTreeMap::new();
    for (quantity, values) in answers {
        for (key, value) in values {
            all.entry(key).or_default().insert(quantity, value);
        }
    }
    all.into_iter().map(|(key, values)| (key, measured(&values))).collect()
}

/// What was measured of one Deployment.
fn measured(values: &BTreeMap<Quantity, f64>) -> Measured {
    let value = |quantity| values.get(&quantity).copied();
    let growth = value(Quantity::Growth).unwrap_or(0.0);
    let counters = value(Quantity::Counters).unwrap_or(0.0);
    Measured {
        rpm: value(Quantity::Success).map(|rpm| (rpm + growth).max(0.0)),
        in_tokens: value(Quantity::InTokens),
        out_tokens: value(Quantity::OutTokens),
        ttft_ms: value(Quantity::Ttft),
        itl_ms: value(Quantity::Itl),
        waiting: value(Quantity::Waiting),
        running: value(Quantity::Running),
        part_of_window: value(Quantity::Full).unwrap_or(0.0) < counters,
        impossible: values.iter().find_map(|(quantity, value)| impossible(*quantity, *value)),
    }
}

/// Why a value cannot be, in words.
fn impossible(quantity: Quantity, value: f64) -> Option<String> {
    let least = if quantity == Quantity::Growth { -MOST } else { 0.0 };
    (!(least..=MOST).contains(&value)).then(|| {
        let word = quantity.word();
        format!("Prometheus has {value} for its {word}, which cannot be; mend what exports it")
    })
}

fn certificates(file: &Path) -> Result<Vec<reqwest::Certificate>, PrometheusError> {
    let bytes = std::fs::read(file).map_err(|e| unusable(file, &e))?;
    let found = reqwest::Certificate::from_pem_bundle(&bytes).map_err(|e| unusable(file, &e))?;
    if found.is_empty() {
        let what = "there is no certificate in it; expected PEM".to_owned();
        return Err(PrometheusError::File { file: file.to_owned(), what });
    }
    Ok(found)
}

fn unusable(file: &Path, error: &dyn std::error::Error) -> PrometheusError {
    PrometheusError::File { file: file.to_owned(), what: describe(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Prometheus {
        Prometheus::new(PrometheusOptions {
            url: "http://127.0.0.1:9".to_owned(),
            token_file: None,
            ca_file: None,
            window: Duration::from_secs(60),
            timeout: Duration::from_secs(1),
            grouping: Grouping::Pod,
            namespace: None,
        })
        .unwrap()
    }

    fn key(name: &str) -> Key {
        Key { namespace: "n".to_owned(), name: name.to_owned() }
    }

    #[test]
    fn a_value_belongs_to_a_deployment_and_strangers_to_none() {
        let body = br#"{"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"namespace":"n","isocost_deployment":"a"},"value":[1.5,"12.5"]},
            {"metric":{"namespace":"n"},"value":[1.5,"3"]}]}}"#;
        assert_eq!(client().read(200, body).unwrap(), Values::from([(key("a"), 12.5)]));
    }

    #[test]
    fn errors_keep_what_was_said() {
        let body = br#"{"status":"error","errorType":"bad_data","error":"parse error"}"#;
        let refused = PrometheusError::Refused { status: 400, message: "parse error".to_owned() };
        assert_eq!(client().read(400, body), Err(refused));
        let proxy = PrometheusError::Refused { status: 502, message: "Bad Gateway".to_owned() };
        assert_eq!(client().read(502, b"Bad Gateway"), Err(proxy));
        assert!(matches!(client().read(200, b"{}"), Err(PrometheusError::Answer(_))));
    }

    #[test]
    fn what_cannot_be_is_said_of_the_deployment_that_has_it() {
        for odd in ["NaN", "+Inf", "-Inf", "-1", "1e300", "what"] {
            let body = format!(
                r#"{{"status":"success","data":{{"resultType":"vector","result":[
                {{"metric":{{"namespace":"n","isocost_deployment":"a"}},"value":[1.5,"12.5"]}},
                {{"metric":{{"namespace":"n","isocost_deployment":"b"}},"value":[1.5,"{odd}"]}}]}}}}"#
            );
            let values = client().read(200, body.as_bytes()).unwrap();
            for quantity in Quantity::ALL.into_iter().filter(|q| *q != Quantity::Growth) {
                let all = merge(vec![(quantity, values.clone())]);
                assert_eq!(all[&key("a")].impossible, None);
                let reason = all[&key("b")].impossible.clone().unwrap();
                assert!(reason.contains(quantity.word()), "{odd}: {reason}");
            }
        }
    }

    #[test]
    fn a_window_that_some_counters_do_not_fill_is_told() {
        let of = |counters: f64, full: Option<f64>| {
            let mut answers = vec![(Quantity::Counters, Values::from([(key("a"), counters)]))];
            answers.extend(full.map(|n| (Quantity::Full, Values::from([(key("a"), n)]))));
            merge(answers)[&key("a")].part_of_window
        };
        assert!(of(2.0, None) && of(2.0, Some(1.0)));
        assert!(!of(2.0, Some(2.0)));
    }

    #[test]
    fn a_growing_queue_is_demand_and_a_shrinking_one_is_not() {
        let all = merge(vec![
            (Quantity::Growth, Values::from([(key("a"), 6.0), (key("b"), -8.0), (key("c"), 1.0)])),
            (Quantity::Success, Values::from([(key("a"), 10.0), (key("b"), 5.0)])),
            (Quantity::Waiting, Values::from([(key("c"), 2.0)])),
        ]);
        assert_eq!(all[&key("a")].rpm, Some(16.0));
        assert_eq!(all[&key("b")].rpm, Some(0.0));
        assert_eq!((all[&key("c")].rpm, all[&key("c")].waiting), (None, Some(2.0)));
    }

    #[test]
    fn a_url_is_held_against_its_form() {
        for odd in ["prometheus:9090", "ftp://x", "not a url"] {
            let options = PrometheusOptions {
                url: odd.to_owned(),
                token_file: None,
                ca_file: None,
                window: Duration::from_secs(60),
                timeout: Duration::from_secs(1),
                grouping: Grouping::Pod,
                namespace: None,
            };
            assert!(matches!(Prometheus::new(options), Err(PrometheusError::Url(_))), "{odd}");
        }
    }
}
