//! Measured points from files: our CSV, GuideLLM's report, vLLM's benchmark result.
//!
//! The kind of file is told by its content: a GuideLLM report is a JSON or YAML object with
//! `benchmarks`; a result of vLLM's `benchmark_serving` (now `vllm bench serve`) is a JSON object
//! with `mean_ttft_ms`, and a file that results were appended to has one on each line; what is
//! neither JSON nor named YAML is CSV.

mod cells;
mod columns;
mod guidellm;
mod rows;
mod vllm;

use std::path::Path;

use isocost_model::input::reading::{
    At, Fields, Node, Report, Value, name_of, parse, parse_from, read_text,
};
use isocost_model::input::{InputError, Problem};

use crate::point::Point;

/// What stands in the files.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Points, in the order of the files.
    pub points: Vec<Point>,
    /// What is odd about them.
    pub warnings: Vec<Problem>,
}

/// Requests per second above this, and milliseconds, are no measurement.
const MOST: f64 = 1e9;
/// Tokens above this are no request.
const MOST_TOKENS: f64 = 1e8;

/// Reads the points of every file.
///
/// # Errors
/// Every problem of every file, each with its place.
pub fn load(paths: &[impl AsRef<Path>]) -> Result<Measured, InputError> {
    let mut report = Report::default();
    let mut points = Vec::new();
    for path in paths {
        let path = path.as_ref();
        let name = name_of(path);
        match read_text(path) {
            Ok(text) => points.extend(read(&name, &text, &mut report)),
            Err(what) => report.problem_in(&name, what, "give a file of measured points"),
        }
    }
    finish(points, report)
}

/// Reads the points in `text`; `name` stands for the file in messages.
///
/// # Errors
/// As [`load`].
pub fn load_text(name: &str, text: &str) -> Result<Measured, InputError> {
    let mut report = Report::default();
    let points = read(name, text, &mut report);
    finish(points, report)
}

fn finish(points: Vec<Point>, report: Report) -> Result<Measured, InputError> {
    if report.problems.is_empty() {
        Ok(Measured { points, warnings: report.warnings })
    } else {
        Err(InputError { problems: report.problems })
    }
}

fn read(name: &str, text: &str, report: &mut Report) -> Vec<Point> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let yaml = [".yaml", ".yml"].iter().any(|e| name.to_lowercase().ends_with(e));
    if !yaml && !text.trim_start().starts_with(['{', '[']) {
        return rows::read(name, text, report);
    }
    let documents = documents(name, text, report);
    documents.iter().flat_map(|node| read_document(name, node, report)).collect()
}

/// The documents of a file: one, or one a line where it starts with a whole one.
fn documents(name: &str, text: &str, report: &mut Report) -> Vec<Node> {
    let lines = || text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    let whole = |line: &str| line.trim_start().starts_with('{') && line.trim_end().ends_with('}');
    if lines().count() < 2 || !lines().all(|(line, _)| whole(line)) {
        return parse(name, text, &mut *report).into_iter().collect();
    }
    let mut nodes = Vec::new();
    for (line, number) in lines() {
        nodes.extend(parse_from(name, line, number, report));
    }
    nodes
}

fn read_document(name: &str, node: &Node, report: &mut Report) -> Vec<Point> {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut points = Vec::new();
    for item in items {
        let Some(fields) = Fields::new(name, item, "benchmark", report) else { continue };
        if fields.has("benchmarks") {
            points.extend(guidellm::read(fields, report));
        } else if fields.has("mean_ttft_ms") {
            points.extend(vllm::read(fields, report));
        } else {
            let what = "neither `benchmarks` (GuideLLM) nor `mean_ttft_ms` (vLLM) is there";
            let remedy = "give GuideLLM's benchmarks.json, a result of vllm bench serve, or a CSV";
            report.problem_at(name, item.at, "benchmark", what.to_owned(), remedy);
        }
    }
    points
}

/// The numbers of a list, where there is one; what is no number counts as 0.
fn numbers(fields: &mut Fields<'_>, key: &'static str) -> Vec<f64> {
    let Some(Value::List(items)) = fields.node(key).map(|node| &node.value) else {
        return Vec::new();
    };
    let number = |node: &Node| match &node.value {
        Value::Number(text) => text.parse().unwrap_or(0.0),
        _ => 0.0,
    };
    items.iter().map(number).collect()
}

/// Squared coefficient of variation of some numbers, where there are several.
fn scv(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let square = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64;
    (values.len() > 1 && mean > 0.0).then(|| square / (mean * mean))
}

/// The mean, where there is anything.
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// `file:line:column`.
fn place(file: &str, at: At) -> String {
    format!("{file}:{}:{}", at.line, at.column)
}

/// A sweep's name from its tokens, for formats that do not name it.
fn sweep_of(input_tokens: f64, output_tokens: f64) -> String {
    // Sampled lengths differ a little from run to run: within about 3% is the same kind.
    let round = |tokens: f64| {
        let step = 2f64.powf((tokens.max(1.0).log2() - 4.0).floor().max(0.0));
        (tokens / step).round() * step
    };
    format!("i{}-o{}", round(input_tokens), round(output_tokens))
}
