//! Fleets that were described for other tools, made into files of ours.
//!
//! | what people have | what it becomes |
//! |---|---|
//! | ConfigMaps and `VariantAutoscaling` objects of llm-d's workload variant autoscaler | a scenario |
//! | profiles of AIBrix's GPU optimizer | requests by size and GPU type, as `isocost experiment buckets` reads them |
//!
//! Such files say less than a plan needs. What is taken for granted is listed, a sentence each: in
//! [`Imported::assumed`], and in the scenario's own comments.

mod aibrix;
mod variants;
mod write;

use std::path::Path;

use crate::input::reading::{At, Node, Report, Value, dig, name_of, parse_documents, read_text};
use crate::input::{InputError, Problem};

/// What to take where the files do not say.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Assume {
    /// Requests per minute of a server, or of all requests by size.
    pub rate_per_min: Option<f64>,
    /// Mean tokens of a prompt.
    pub input_tokens: Option<f64>,
    /// Mean tokens of an answer.
    pub output_tokens: Option<f64>,
}

/// A file of ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Its text: a scenario in YAML, or requests by size in JSON.
    pub text: String,
    /// What was taken for granted.
    pub assumed: Vec<String>,
    /// What is odd about the files.
    pub warnings: Vec<Problem>,
}

/// What is read, in words.
const KINDS: &str = "read are ConfigMaps and VariantAutoscaling objects of llm-d's autoscaler (kubectl get ... \
                     -o yaml), and profiles of AIBrix's GPU optimizer; inferno's files are scenarios as they are";

/// An object out of a file.
struct Object<'a> {
    file: &'a str,
    node: &'a Node,
}

impl Object<'_> {
    fn problem(&self, at: At, what: String, remedy: &str, report: &mut Report) {
        report.problem_at(self.file, at, &self.name(), what, remedy);
    }

    /// What it is in messages.
    fn name(&self) -> String {
        let kind = dig::text(self.node, "kind").unwrap_or("object");
        match dig::text(self.node, "metadata.name") {
            Some(name) => format!("{kind} `{name}`"),
            None => kind.to_owned(),
        }
    }
}

/// Makes of some files one of ours.
///
/// # Errors
/// Every problem of every file, each with its place.
pub fn import(paths: &[impl AsRef<Path>], assume: &Assume) -> Result<Imported, InputError> {
    let mut report = Report::default();
    let mut texts = Vec::new();
    for path in paths {
        let name = name_of(path.as_ref());
        match read_text(path.as_ref()) {
            Ok(text) => texts.push((name, text)),
            Err(what) => report.problem_in(&name, what, KINDS),
        }
    }
    if !report.problems.is_empty() {
        return Err(InputError { problems: report.problems });
    }
    import_texts(&texts, assume)
}

/// The same for texts, each after the name that stands for its file in messages.
///
/// # Errors
/// As [`import`].
pub fn import_texts(texts: &[(String, String)], assume: &Assume) -> Result<Imported, InputError> {
    let mut report = Report::default();
    let documents: Vec<(&str, Vec<Node>)> = texts
        .iter()
        .map(|(file, text)| (file.as_str(), parse_documents(file, text, &mut report)))
        .collect();
    let objects: Vec<Object<'_>> = documents
        .iter()
        .flat_map(|(file, nodes)| nodes.iter().flat_map(|node| objects(file, node)))
        .collect();
    let imported = match report.problems.is_empty() {
        true => convert(&objects, assume, &mut report),
        false => None,
    };
    match imported {
        Some(imported) if report.problems.is_empty() => {
            Ok(Imported { warnings: report.warnings, ..imported })
        }
        _ => Err(InputError { problems: report.problems }),
    }
}

/// The objects of a document: itself, or those of a list of Kubernetes or JSON.
fn objects<'a>(file: &'a str, node: &'a Node) -> Vec<Object<'a>> {
    let within = match &node.value {
        Value::List(items) => items.as_slice(),
        _ if dig::text(node, "kind").is_some_and(|kind| kind.ends_with("List")) => {
            dig::items(node, "items")
        }
        _ => return vec![Object { file, node }],
    };
    within.iter().flat_map(|node| objects(file, node)).collect()
}

fn convert(objects: &[Object<'_>], assume: &Assume, report: &mut Report) -> Option<Imported> {
    let profiles: Vec<&Object<'_>> = objects.iter().filter(|o| aibrix::is(o.node)).collect();
    let fleet = objects.iter().any(|object| variants::is(object.node));
    match (profiles.is_empty(), fleet) {
        (false, false) => aibrix::convert(&profiles, assume, report),
        (true, true) => variants::convert(objects, assume, report),
        (false, true) => {
            let file = profiles.first().map_or("", |object| object.file);
            let what = "the files are of two tools: an AIBrix profile, and objects of a cluster";
            report.problem_in(file, what.to_owned(), "import them one after the other");
            None
        }
        (true, false) => {
            let files = objects.iter().map(|object| (object.file, object.node));
            for (file, node) in files {
                let what = match dig::has(node, "system") || dig::has(node, "acceleratorData") {
                    true => "this is a scenario already: give it to `isocost plan`",
                    false => "there is nothing to import",
                };
                report.problem_at(file, node.at, "", what.to_owned(), KINDS);
            }
            if objects.is_empty() {
                report.problem_in("the files", "there is nothing to import".to_owned(), KINDS);
            }
            None
        }
    }
}
