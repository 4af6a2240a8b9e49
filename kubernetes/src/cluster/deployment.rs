//! A managed Deployment: its labels as typed values, or every problem with them at once.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;

use super::owners::Owners;
use crate::labels;

/// Annotation with the load that the present allocation was planned for, `rpm/intokens/outtokens`, and
/// `/measured` where it was: it lets the loop keep its dead band and its floor over a restart.
pub const PLANNED_LOAD: &str = "isocost/planned-load";

/// Annotation with the time of the last change of replicas or accelerator: it lets the loop keep its
/// cool-down over a restart.
pub const CHANGED: &str = "isocost/changed";

const MEASURED: &str = "measured";

/// Where a Deployment is found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Key {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// A load as labels carry it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LabelLoad {
    /// Requests per minute.
    pub rpm: f64,
    /// Mean tokens of a prompt.
    pub in_tokens: f64,
    /// Mean tokens of an answer.
    pub out_tokens: f64,
}

/// A Deployment that the loop may scale.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Managed {
    /// Where it is found.
    pub key: Key,
    /// Identity: a Deployment deleted and made anew has another one.
    pub uid: String,
    /// Server that it stands for.
    pub server: String,
    /// Model that it serves.
    pub model: String,
    /// Service class.
    pub class: String,
    /// Replicas that are asked for (`spec.replicas`, 1 where it is absent).
    pub replicas: u32,
    /// Replicas that are ready (`status.readyReplicas`).
    pub ready: u32,
    /// Accelerator that a replica runs on, where a label says so.
    pub accelerator: Option<String>,
    /// Requests that a replica batches at most, where a label says so.
    pub max_batch: Option<u32>,
    /// Load that the labels state, where all three are there.
    pub load: Option<LabelLoad>,
    /// Load that an emulated load wanders around, where the labels state all three.
    pub nominal: Option<LabelLoad>,
    /// Load that the present allocation was planned for.
    pub planned: Option<LabelLoad>,
    /// Whether that load was measured.
    pub planned_measured: bool,
    /// When the loop changed it last, by the wall clock.
    pub changed: Option<Timestamp>,
    /// Who owns what the loop would set.
    pub owners: Owners,
    /// Fewest replicas, where a label says so.
    pub min_replicas: Option<u32>,
    /// Most replicas, where a label says so.
    pub max_replicas: Option<u32>,
    /// Whether it has to stay on its accelerator.
    pub keep_accelerator: bool,
}

/// A label whose value makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelProblem {
    /// The label.
    pub label: &'static str,
    /// What is wrong with it, and what is expected.
    pub what: String,
}

impl fmt::Display for LabelProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "label {}: {}", self.label, self.what)
    }
}

impl Managed {
    /// Reads a Deployment.
    ///
    /// # Errors
    /// Every label that is missing or makes no sense.
    pub fn read(deployment: &Deployment) -> Result<Self, Vec<LabelProblem>> {
        let metadata = &deployment.metadata;
        let mut read = Reader { labels: metadata.labels.as_ref(), problems: Vec::new() };
        let name = metadata.name.clone().unwrap_or_default();
        let spec = deployment.spec.as_ref();
        let ready = deployment.status.as_ref().and_then(|status| status.ready_replicas);
        let load = read.load([labels::LOAD_RPM, labels::LOAD_IN_TOKENS, labels::LOAD_OUT_TOKENS]);
        let nominal =
            read.load([labels::NOMINAL_RPM, labels::NOMINAL_IN_TOKENS, labels::NOMINAL_OUT_TOKENS]);
        let annotation = |key: &str| metadata.annotations.as_ref()?.get(key);
        let planned = annotation(PLANNED_LOAD).and_then(|text| LabelLoad::from_annotation(text));
        let managed = Self {
            key: Key {
                namespace: metadata.namespace.clone().unwrap_or_default(),
                name: name.clone(),
            },
            uid: metadata.uid.clone().unwrap_or_default(),
            server: read.text(labels::NAME).unwrap_or(name),
            model: read.needed(labels::MODEL),
            class: read.text(labels::CLASS).unwrap_or_else(|| labels::DEFAULT_CLASS.to_owned()),
            replicas: spec.and_then(|spec| spec.replicas).map_or(1, |n| n.max(0) as u32),
            ready: ready.map_or(0, |n| n.max(0) as u32),
            accelerator: read.text(labels::ACCELERATOR),
            max_batch: read.whole(labels::MAX_BATCH_SIZE),
            load,
            nominal,
            planned: planned.map(|(load, _)| load),
            planned_measured: planned.is_some_and(|(_, measured)| measured),
            changed: annotation(CHANGED).and_then(|text| text.parse().ok()),
            owners: Owners::of(metadata.managed_fields.as_deref().unwrap_or_default()),
            min_replicas: read.whole(labels::MIN_REPLICAS),
            max_replicas: read.whole(labels::MAX_REPLICAS),
            keep_accelerator: read.flag(labels::KEEP_ACCELERATOR),
        };
        if read.problems.is_empty() { Ok(managed) } else { Err(read.problems) }
    }
}

impl LabelLoad {
    /// The labels that state it.
    pub fn labels(&self) -> BTreeMap<String, String> {
        [
            (labels::LOAD_RPM, self.rpm),
            (labels::LOAD_IN_TOKENS, self.in_tokens),
            (labels::LOAD_OUT_TOKENS, self.out_tokens),
        ]
        .map(|(label, value)| (label.to_owned(), number(value)))
        .into()
    }

    /// As the annotation [`PLANNED_LOAD`] carries it.
    pub fn annotation(&self, measured: bool) -> String {
        let text = [self.rpm, self.in_tokens, self.out_tokens].map(number).join("/");
        if measured { format!("{text}/{MEASURED}") } else { text }
    }

    /// What [`LabelLoad::annotation`] wrote, and whether it was measured; `None` where it makes no sense:
    /// it is a hint, no input.
    fn from_annotation(text: &str) -> Option<(Self, bool)> {
        let parts: Vec<&str> = text.split('/').collect();
        let (values, measured) = match parts.as_slice() {
            [values @ .., last] if *last == MEASURED => (values, true),
            values => (values, false),
        };
        let [rpm, in_tokens, out_tokens] = <[&str; 3]>::try_from(values).ok()?;
        let value = |text: &str| text.parse::<f64>().ok().filter(|v| sensible(*v));
        let load =
            Self { rpm: value(rpm)?, in_tokens: value(in_tokens)?, out_tokens: value(out_tokens)? };
        Some((load, measured))
    }
}

/// A quantity as a label's value: plain decimals, no more than four of them.
pub fn number(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn sensible(value: f64) -> bool {
    (0.0..=1e9).contains(&value)
}

/// Reads labels, and keeps what is wrong with them.
struct Reader<'a> {
    labels: Option<&'a BTreeMap<String, String>>,
    problems: Vec<LabelProblem>,
}

impl Reader<'_> {
    fn text(&self, label: &str) -> Option<String> {
        self.labels?.get(label).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
    }

    fn needed(&mut self, label: &'static str) -> String {
        self.text(label).unwrap_or_else(|| {
            self.problem(label, "it is missing; say which model the Deployment serves".to_owned());
            String::new()
        })
    }

    fn number(&mut self, label: &'static str) -> Option<f64> {
        let text = self.text(label)?;
        let value = text.parse::<f64>().ok().filter(|v| sensible(*v));
        if value.is_none() {
            self.problem(label, format!("`{text}` is no number from 0 to 1e9"));
        }
        value
    }

    /// A load, where all three of its labels are there: rate, tokens of prompts, tokens of answers.
    fn load(&mut self, labels: [&'static str; 3]) -> Option<LabelLoad> {
        let [rpm, in_tokens, out_tokens] = labels.map(|label| self.number(label));
        Some(LabelLoad { rpm: rpm?, in_tokens: in_tokens?, out_tokens: out_tokens? })
    }

    fn whole(&mut self, label: &'static str) -> Option<u32> {
        let text = self.text(label)?;
        let value = text.parse::<u32>().ok().filter(|v| *v <= 100_000_000);
        if value.is_none() {
            self.problem(label, format!("`{text}` is no whole number from 0 to 100000000"));
        }
        value
    }

    fn flag(&mut self, label: &'static str) -> bool {
        match self.text(label).as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => {
                self.problem(label, format!("`{other}` is neither \"true\" nor \"false\""));
                false
            }
        }
    }

    fn problem(&mut self, label: &'static str, what: String) {
        self.problems.push(LabelProblem { label, what });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(labels: &[(&str, &str)]) -> Deployment {
        let mut deployment = Deployment::default();
        deployment.metadata.name = Some("vllm-1".to_owned());
        deployment.metadata.namespace = Some("infer".to_owned());
        let labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        deployment.metadata.labels = Some(labels.collect());
        deployment
    }

    #[test]
    fn labels_become_values_and_absent_ones_their_defaults() {
        let full = deployment(&[
            (labels::NAME, "chat"),
            (labels::MODEL, "llama"),
            (labels::CLASS, "Premium"),
            (labels::ACCELERATOR, "A100"),
            (labels::MAX_BATCH_SIZE, "8"),
            (labels::LOAD_RPM, "30.2"),
            (labels::LOAD_IN_TOKENS, "128"),
            (labels::LOAD_OUT_TOKENS, "1024"),
            (labels::MIN_REPLICAS, "2"),
        ]);
        let managed = Managed::read(&full).unwrap();
        assert_eq!(managed.server, "chat");
        assert_eq!(managed.max_batch, Some(8));
        assert_eq!(managed.min_replicas, Some(2));
        assert_eq!(managed.replicas, 1, "as the API server defaults it");
        let load = managed.load.unwrap();
        assert_eq!(load, LabelLoad { rpm: 30.2, in_tokens: 128.0, out_tokens: 1024.0 });
        assert_eq!(load.labels()[labels::LOAD_RPM], "30.2");

        let bare = Managed::read(&deployment(&[(labels::MODEL, "llama")])).unwrap();
        assert_eq!((bare.server.as_str(), bare.class.as_str()), ("vllm-1", "Free"));
        assert_eq!((bare.load, bare.accelerator, bare.planned), (None, None, None));
    }

    #[test]
    fn every_bad_label_is_named() {
        let bad = deployment(&[
            (labels::LOAD_RPM, "NaN"),
            (labels::MAX_BATCH_SIZE, "-1"),
            (labels::KEEP_ACCELERATOR, "yes"),
        ]);
        let problems = Managed::read(&bad).unwrap_err();
        let named: Vec<&str> = problems.iter().map(|p| p.label).collect();
        let expected =
            [labels::LOAD_RPM, labels::MODEL, labels::MAX_BATCH_SIZE, labels::KEEP_ACCELERATOR];
        assert_eq!(named, expected);
    }

    #[test]
    fn the_planned_load_survives_its_annotation() {
        let load = LabelLoad { rpm: 12.3456, in_tokens: 0.0, out_tokens: 512.5 };
        for measured in [true, false] {
            let text = load.annotation(measured);
            assert_eq!(LabelLoad::from_annotation(&text), Some((load, measured)));
        }
        for odd in ["", "1/2", "1/2/3/4", "1/x/3", "1/2/-3", "1/2/inf", "measured", "1/2/measured"]
        {
            assert_eq!(LabelLoad::from_annotation(odd), None, "{odd}");
        }
    }
}
