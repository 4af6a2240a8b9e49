//! Measured points from files: our CSV, and what the benchmark tools of the field write.
//!
//! The kind of a file is told by its content, never by its name: [`TOOLS`] lists them. Each tool's
//! reader takes one run apart; `run` is the one way from there to a point.
//!
//! ```text
//! file -> documents -> runs (a kind each) -> points
//! ```

mod aiperf;
mod aiperf_csv;
mod cells;
mod columns;
mod guidellm;
mod guidellm_csv;
mod hint;
mod inference_perf;
mod llmd;
mod llmperf;
mod rows;
mod run;
mod vllm;

use std::path::Path;

use isocost_model::input::reading::{
    At, Node, Report, Value, dig, name_of, parse_foreign, read_text,
};
use isocost_model::input::{InputError, Problem};

use crate::point::Point;
use run::Source;

/// What is read, in words.
pub const TOOLS: &str = "results of vLLM (vllm bench serve), SGLang (bench_serving), GuideLLM (JSON or \
                         CSV), AIPerf and genai-perf (JSON or CSV), inference-perf (stage_N), llm-d-benchmark \
                         (0.1, 0.2), llmperf (summary), and a CSV with our columns";

/// What stands in the files.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Points, in the order of the files.
    pub points: Vec<Point>,
    /// What is odd about them.
    pub warnings: Vec<Problem>,
}

/// Columns of traces of requests, in lower case.
const TRACES: [&str; 4] = ["contexttokens", "request tokens", "arrival_s", "num_prefill_tokens"];
const A_TRACE: &str = "this is a trace of requests: give it to `isocost simulate --trace`";

/// Requests per second above this, and milliseconds, are no measurement.
const MOST: f64 = 1e9;
/// Tokens above this are no request.
const MOST_TOKENS: f64 = 1e8;

/// What has been read so far.
#[derive(Default)]
struct Reading {
    points: Vec<Point>,
    /// Problems that nothing makes up for, and warnings.
    report: Report,
    /// Problems of runs, which are left out if there are others.
    broken: Vec<Problem>,
    /// Variation of the gaps, where a configuration beside the file tells it.
    gap_scv: Option<f64>,
}

impl Reading {
    /// Takes the point of a run, or what is wrong with it.
    fn run(&mut self, read: impl FnOnce(&mut Report) -> Option<Point>) {
        let mut own = Report::default();
        let point = read(&mut own);
        self.report.warnings.append(&mut own.warnings);
        match own.problems.is_empty() {
            true => self.points.extend(point),
            false => self.broken.append(&mut own.problems),
        }
    }

    /// The points; where there is none at all, what is wrong with the runs is what is wrong.
    fn finish(self) -> Result<Measured, InputError> {
        let Self { points, report, broken, .. } = self;
        let Report { mut problems, mut warnings, .. } = report;
        if points.is_empty() {
            problems.extend(broken);
        } else {
            warnings.extend(broken.into_iter().map(left_out));
        }
        match problems.is_empty() {
            true => Ok(Measured { points, warnings: gathered(warnings) }),
            false => Err(InputError { problems }),
        }
    }
}

fn left_out(problem: Problem) -> Problem {
    Problem { remedy: format!("the run is left out ({})", problem.remedy), ..problem }
}

/// Warnings that say the same of several places are said once.
fn gathered(warnings: Vec<Problem>) -> Vec<Problem> {
    let mut found: Vec<(Problem, usize)> = Vec::new();
    for warning in warnings {
        let same = |(known, _): &&mut (Problem, usize)| {
            (&known.what, &known.remedy) == (&warning.what, &warning.remedy)
        };
        match found.iter_mut().find(same) {
            Some((_, more)) => *more += 1,
            None => found.push((warning, 0)),
        }
    }
    let said = |(warning, more): (Problem, usize)| match more {
        0 => warning,
        _ => Problem { what: format!("{} (and {more} more such)", warning.what), ..warning },
    };
    found.into_iter().map(said).collect()
}

/// Reads the points of every file. A run that cannot be, such as one with a negative latency, is left
/// out with a warning as long as there are others.
///
/// # Errors
/// Every problem of every file, each with its place.
pub fn load(paths: &[impl AsRef<Path>]) -> Result<Measured, InputError> {
    let mut reading = Reading::default();
    for path in paths {
        let path = path.as_ref();
        let name = name_of(path);
        match read_text(path) {
            Ok(text) => {
                reading.gap_scv = hint::gap_scv(path);
                read(&name, &text, &mut reading);
            }
            Err(what) => {
                reading.report.problem_in(&name, what, "give a file of measured points");
            }
        }
    }
    reading.finish()
}

/// Reads the points in `text`; `name` stands for the file in messages.
///
/// # Errors
/// As [`load`].
pub fn load_text(name: &str, text: &str) -> Result<Measured, InputError> {
    let mut reading = Reading::default();
    read(name, text, &mut reading);
    reading.finish()
}

fn read(name: &str, text: &str, reading: &mut Reading) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let yaml = [".yaml", ".yml"].iter().any(|e| name.to_lowercase().ends_with(e));
    if yaml || text.trim_start().starts_with(['{', '[']) {
        return read_documents(name, text, reading);
    }
    if aiperf_csv::is(text) {
        return read_item(name, &aiperf_csv::document(text), reading);
    }
    if guidellm_csv::is(text) {
        return guidellm_csv::read(name, text, reading);
    }
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("").to_lowercase();
    if TRACES.iter().any(|column| header.contains(column)) {
        let remedy = format!("read are {TOOLS}");
        return reading.report.problem_in(name, A_TRACE.to_owned(), &remedy);
    }
    let points = rows::read(name, text, &mut reading.report);
    reading.points.extend(points);
}

/// The documents of a file: one, or one a line where its first line is a whole one.
fn read_documents(name: &str, text: &str, reading: &mut Reading) {
    let lines = || text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    let whole = |line: &str| line.trim_start().starts_with('{') && line.trim_end().ends_with('}');
    if lines().count() < 2 || !lines().next().is_some_and(|(line, _)| whole(line)) {
        if let Some(node) = parse_foreign(name, text, 1, &mut reading.report) {
            read_document(name, &node, reading);
        }
        return;
    }
    for (line, number) in lines() {
        let mut own = Report::default();
        let node = parse_foreign(name, line, number, &mut own);
        reading.broken.append(&mut own.problems);
        if let Some(node) = node {
            read_document(name, &node, reading);
        }
    }
}

/// A run, a list of runs, or runs by their clients.
fn read_document(name: &str, node: &Node, reading: &mut Reading) {
    match &node.value {
        Value::List(items) if items.iter().any(llmperf::is_request) => {
            let source = Source { file: name, at: node.at, entity: "benchmark", gap_scv: None };
            reading.run(|report| llmperf::requests(items, source, report));
        }
        Value::List(items) => items.iter().for_each(|item| read_item(name, item, reading)),
        Value::Object(entries)
            if !entries.is_empty() && entries.iter().all(|(key, _)| key.parse::<u32>().is_ok()) =>
        {
            entries.iter().for_each(|(_, item)| read_item(name, item, reading));
        }
        _ => read_item(name, node, reading),
    }
}

fn read_item(name: &str, node: &Node, reading: &mut Reading) {
    if dig::has(node, "benchmarks") {
        return read_guidellm(name, node, reading);
    }
    let gap_scv = reading.gap_scv;
    let source = Source { file: name, at: node.at, entity: "benchmark", gap_scv };
    type Reader = fn(&Node, Source<'_>, &mut Report) -> Option<Point>;
    type Kind = (fn(&Node) -> bool, Reader);
    const KINDS: [Kind; 5] = [
        (vllm::is, vllm::read),
        (llmd::is, llmd::read),
        (inference_perf::is, inference_perf::read),
        (llmperf::is, llmperf::read),
        (aiperf::is, aiperf::read),
    ];
    if inference_perf::is_configuration(node) {
        // It has been read with the stages beside it.
        return;
    }
    match KINDS.iter().find(|(is, _)| is(node)) {
        Some((_, read)) => reading.run(|report| read(node, source, report)),
        None => {
            let (what, remedy) = unknown(node);
            // A file of many such lines is told once.
            let said = reading.report.problems.last();
            if said.is_none_or(|last| last.what != what || !last.place.starts_with(name)) {
                reading.report.problem_at(name, node.at, "", what, &remedy);
            }
        }
    }
}

fn read_guidellm(name: &str, node: &Node, reading: &mut Reading) {
    let benchmarks = dig::items(node, "benchmarks");
    if benchmarks.is_empty() {
        let what = "there is no benchmark in the report".to_owned();
        let remedy = "give a report of a run that ended";
        reading.report.problem_at(name, node.at, "benchmarks", what, remedy);
    }
    for (benchmark, number) in benchmarks.iter().zip(1..) {
        let entity = format!("benchmark {number}");
        let source = Source { file: name, at: benchmark.at, entity: &entity, gap_scv: None };
        reading.run(|report| guidellm::read(benchmark, source, report));
    }
}

/// What to say of a document that is no benchmark: what it seems to be, and what is read.
fn unknown(node: &Node) -> (String, String) {
    let has = |keys: &[&str]| keys.iter().all(|key| dig::has(node, key));
    let seems = if has(&["timestamp", "input_length"]) {
        A_TRACE
    } else if has(&["metadata", "metrics"]) {
        "these are AIPerf's requests one by one: give profile_export_aiperf.json beside them"
    } else if has(&["acceleratordata"]) || has(&["system"]) {
        "this is a scenario: give it to `isocost plan`"
    } else {
        "no benchmark of a tool that is read"
    };
    (seems.to_owned(), format!("read are {TOOLS}"))
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
