//! Requests by size and GPU types, from the JSON input of the Mélange solver.
//!
//! | field | meaning |
//! |---|---|
//! | `workload_distribution` | matrix: rows are input sizes, columns are output sizes, cells are shares of the requests |
//! | `gpu_info` | by name (or a list of objects with `name`): `cost` of one an hour, `tputs` a matrix of requests per second |
//! | `total_request_rate` | requests per second; older files say `overall_rate` |
//! | `slice_factor` | slices that a bucket is cut into, 1 where it is absent |
//!
//! Fields of our own, all optional: `input_tokens` and `output_tokens` (sizes of rows and columns, to
//! be shown), `currency`, `provenance`, and `cap` of a GPU type (how many there are).

use std::path::Path;

use super::fields::{ABSURD, Fields};
use super::node::{Node, Value, parse_names};
use super::problem::{InputError, Problem, Report};
use super::text::{name_of, read_text};
use crate::buckets::{Bucket, Buckets, Gpu, MAX_SLICES, SliceFactor};

/// Least rate of a bucket that a GPU serves, requests per second: one in eleven days.
const SLOWEST: f64 = 1e-6;

/// What replaces the file's own fields.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Instead {
    /// Requests per second.
    pub rate_per_s: Option<f64>,
    /// Slice factor.
    pub slices: Option<SliceFactor>,
}

/// Reads the question in the file at `path`. Returns what is odd about it beside it.
///
/// # Errors
/// Every problem of the file, each with its place.
pub fn buckets(path: &Path, instead: Instead) -> Result<(Buckets, Vec<Problem>), InputError> {
    let name = name_of(path);
    match read_text(path) {
        Ok(text) => buckets_text(&name, &text, instead),
        Err(what) => {
            let mut report = Report::default();
            let remedy = "give a JSON file with workload_distribution and gpu_info, or name a server of \
                          a scenario by --server";
            report.problem_in(&name, what, remedy);
            Err(InputError { problems: report.problems })
        }
    }
}

/// The same for a text; `file` stands for it in messages.
///
/// # Errors
/// As [`buckets`].
pub fn buckets_text(
    file: &str,
    text: &str,
    instead: Instead,
) -> Result<(Buckets, Vec<Problem>), InputError> {
    let mut report = Report::default();
    // Names of GPUs are the keys of the objects in the first level below the root.
    let node = parse_names(file, text, 1, &mut report);
    let fields = node.as_ref().and_then(|n| Fields::new(file, n, "input", &mut report));
    let question = fields.map(|fields| read(fields, instead, &mut report));
    match question.filter(|_| report.problems.is_empty()) {
        Some(question) => Ok((question, report.warnings)),
        None => Err(InputError { problems: report.problems }),
    }
}

fn read(mut fields: Fields<'_>, instead: Instead, report: &mut Report) -> Buckets {
    let rate = total_rate(&mut fields, instead.rate_per_s, report);
    let slices = fields.whole("slice_factor", 1..=MAX_SLICES, report).unwrap_or(1);
    let shares = match fields.node("workload_distribution") {
        Some(node) => matrix(fields.file, node, "workload_distribution", report),
        None => {
            let what = "`workload_distribution` is missing".to_owned();
            fields.problem("", what, "give a matrix of shares, a row an input size", report);
            None
        }
    };
    let shape = shares.as_ref().map(|m| (m.len(), m[0].len()));
    let gpus = gpus(&mut fields, shape, report);
    let (rows, columns) = shape.unwrap_or((0, 0));
    let inputs = labels(&mut fields, "input_tokens", rows, report);
    let outputs = labels(&mut fields, "output_tokens", columns, report);
    let currency = fields.text("currency", report).unwrap_or("").to_owned();
    let provenance = fields.text("provenance", report).unwrap_or("").to_owned();
    let total: f64 = shares.iter().flatten().flatten().sum();
    if total * rate > ABSURD {
        let what = format!("the shares and the rate make {} requests/s", total * rate);
        let remedy = format!("expected at most {ABSURD}");
        fields.problem("workload_distribution", what, &remedy, report);
    }
    if shares.is_some() && (total - 1.0).abs() > 1e-6 {
        let what = format!("the shares sum to {total}, not to 1");
        let remedy = "the rate of a bucket is its share times the total rate, as it stands";
        fields.warning("workload_distribution", what, remedy, report);
    }
    fields.finish(report);
    let cells = shares.into_iter().flatten().enumerate().flat_map(|(i, row)| {
        let (inputs, outputs) = (&inputs, &outputs);
        let bucket = move |(j, share): (usize, f64)| Bucket {
            input: inputs[i].clone(),
            output: outputs[j].clone(),
            rate_per_s: share * rate,
        };
        row.into_iter().enumerate().map(bucket).collect::<Vec<_>>()
    });
    let mut question = Buckets {
        buckets: cells.collect(),
        gpus: Vec::new(),
        limits: Vec::new(),
        slices: instead.slices.unwrap_or(SliceFactor::Whole(slices)),
        currency,
        provenance,
    };
    for (g, (gpu, cap)) in gpus.into_iter().enumerate() {
        question.gpus.push(gpu);
        if let Some(cap) = cap {
            question.cap(g, u64::from(cap));
        }
    }
    question
}

fn total_rate(fields: &mut Fields<'_>, instead: Option<f64>, report: &mut Report) -> f64 {
    let (new, old) = (fields.has("total_request_rate"), fields.has("overall_rate"));
    let rate = fields.number("total_request_rate", 0.0..=ABSURD, report);
    let older = fields.number("overall_rate", 0.0..=ABSURD, report);
    if new && old {
        let what = "`total_request_rate` and `overall_rate` are one thing".to_owned();
        fields.problem("overall_rate", what, "keep one of them", report);
    }
    if !new && !old && instead.is_none() {
        let what = "`total_request_rate` is missing".to_owned();
        fields.problem("", what, "give the requests per second, or --rate", report);
    }
    instead.or(rate).or(older).unwrap_or(0.0)
}

/// GPU types with their caps.
fn gpus(
    fields: &mut Fields<'_>,
    shape: Option<(usize, usize)>,
    report: &mut Report,
) -> Vec<(Gpu, Option<u32>)> {
    let file = fields.file;
    let entries: Vec<(Option<&str>, &Node)> = match fields.node("gpu_info").map(|n| &n.value) {
        Some(Value::Object(entries)) => entries.iter().map(|e| (Some(&*e.0), &e.1)).collect(),
        Some(Value::List(items)) => items.iter().map(|n| (None, n)).collect(),
        Some(other) => {
            let what = format!("expected GPU types by name, found {}", other.kind());
            fields.problem("gpu_info", what, "write { \"NAME\": { ... } }", report);
            return Vec::new();
        }
        None => Vec::new(),
    };
    if entries.is_empty() {
        let what = "there is no GPU type in `gpu_info`".to_owned();
        fields.problem("gpu_info", what, "give at least one, with cost and tputs", report);
    }
    let mut gpus: Vec<(Gpu, Option<u32>)> = Vec::new();
    for (key, node) in entries {
        let entity = key.map_or("gpu_info".to_owned(), |name| format!("gpu `{name}`"));
        let Some(mut entry) = Fields::new(file, node, &entity, report) else { continue };
        let name = match key {
            Some(name) => name.trim(),
            None => entry.name("name", report),
        };
        if key.is_some() {
            entry.ignore(&["name"]);
        }
        if gpus.iter().any(|(gpu, _)| gpu.name.eq_ignore_ascii_case(name)) {
            let what = format!("there are two GPU types `{name}`");
            entry.problem("", what, "keep one of them", report);
        }
        gpus.push(gpu(entry, name, shape, report));
    }
    gpus
}

fn gpu(
    mut entry: Fields<'_>,
    name: &str,
    shape: Option<(usize, usize)>,
    report: &mut Report,
) -> (Gpu, Option<u32>) {
    if !entry.has("cost") {
        let what = "`cost` is missing".to_owned();
        entry.problem("", what, "give the price of one an hour", report);
    }
    let cost_per_h = entry.number("cost", 0.0..=ABSURD, report).unwrap_or(0.0);
    let cap = entry.whole("cap", 0..=1_000_000, report);
    let mut rates = None;
    match entry.node("tputs") {
        Some(node) => {
            rates = matrix(entry.file, node, &format!("{}, tputs", entry.entity), report);
        }
        None => {
            let what = "`tputs` is missing".to_owned();
            entry.problem("", what, "give a matrix of requests per second", report);
        }
    }
    if let Some(slow) = rates.iter().flatten().flatten().find(|r| **r > 0.0 && **r < SLOWEST) {
        let what = format!("a rate of {slow} requests/s is next to nothing");
        let remedy = "write 0 where the GPU cannot serve the bucket";
        entry.problem("tputs", what, remedy, report);
    }
    let found = rates.as_ref().map(|m| (m.len(), m[0].len()));
    if let (Some(shape), Some(found)) = (shape, found)
        && shape != found
    {
        let what = format!("has {} x {} cells", found.0, found.1);
        let remedy = format!("workload_distribution has {} x {}", shape.0, shape.1);
        entry.problem("tputs", what, &remedy, report);
    }
    entry.finish(report);
    let rates_per_s = rates.into_iter().flatten().flatten().collect();
    (Gpu { name: name.to_owned(), cost_per_h, rates_per_s }, cap)
}

/// A matrix of numbers of at least 0; never empty.
fn matrix(file: &str, node: &Node, entity: &str, report: &mut Report) -> Option<Vec<Vec<f64>>> {
    let before = report.found();
    let mut rows: Vec<Vec<f64>> = Vec::new();
    let lists = list(file, node, entity, report)?;
    for row in lists {
        let Some(cells) = list(file, row, entity, report) else { continue };
        let cells: Vec<f64> =
            cells.iter().filter_map(|cell| number(file, cell, entity, report)).collect();
        if report.found() == before && rows.first().is_some_and(|r| r.len() != cells.len()) {
            let what = format!("a row has {} cells, the first one {}", cells.len(), rows[0].len());
            report.problem_at(file, row.at, entity, what, "give every row as many cells");
        }
        rows.push(cells);
    }
    (report.found() == before).then_some(rows)
}

/// The items of a list with at least one.
fn list<'a>(
    file: &str,
    node: &'a Node,
    entity: &str,
    report: &mut Report,
) -> Option<&'a Vec<Node>> {
    let what = match &node.value {
        Value::List(items) if !items.is_empty() => return Some(items),
        Value::List(_) => "expected a row of a matrix, found an empty list".to_owned(),
        other => format!("expected a row of a matrix, found {}", other.kind()),
    };
    report.problem_at(file, node.at, entity, what, "write a matrix as [[1, 2], [3, 4]]");
    None
}

fn number(file: &str, node: &Node, entity: &str, report: &mut Report) -> Option<f64> {
    let what = match &node.value {
        Value::Number(text) => match text.parse::<f64>() {
            Ok(number) if (0.0..=ABSURD).contains(&number) => return Some(number),
            _ => format!("{text} is out of range"),
        },
        other => format!("expected a number, found {}", other.kind()),
    };
    report.problem_at(file, node.at, entity, what, &format!("expected 0 to {ABSURD}"));
    None
}

/// What the rows or columns are called: their sizes where they are given, else their numbers from 1.
fn labels(
    fields: &mut Fields<'_>,
    key: &'static str,
    count: usize,
    report: &mut Report,
) -> Vec<String> {
    let numbers: Vec<String> = (1..=count).map(|i| i.to_string()).collect();
    let Some(node) = fields.node(key) else { return numbers };
    let Some(items) = list(fields.file, node, key, report) else { return numbers };
    let sizes: Vec<f64> =
        items.iter().filter_map(|n| number(fields.file, n, key, report)).collect();
    if count > 0 && items.len() != count {
        let what = format!("has {} sizes", items.len());
        let remedy = format!("workload_distribution has {count} of them");
        fields.problem(key, what, &remedy, report);
    }
    if sizes.len() == count { sizes.iter().map(f64::to_string).collect() } else { numbers }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = r#"{
  "gpu_info": { "L4": { "cost": 0.7, "tputs": [[4, 0], [2, 1]] },
                "H100": { "cost": 4, "tputs": [[30, 9], [20, 8]], "cap": 3 } },
  "workload_distribution": [[0.5, 0.25], [0.125, 0.125]],
  "total_request_rate": 16, "slice_factor": 4
}"#;

    fn problems(text: &str) -> Vec<String> {
        let error = buckets_text("f.json", text, Instead::default()).expect_err("it is not sound");
        error.problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_is_read_whole() {
        let (question, warnings) =
            buckets_text("f.json", SOUND, Instead::default()).expect("it is sound");
        assert_eq!(warnings, []);
        let rates: Vec<f64> = question.buckets.iter().map(|b| b.rate_per_s).collect();
        assert_eq!(rates, [8.0, 4.0, 2.0, 2.0]);
        assert_eq!(question.gpus[0].name, "L4");
        assert_eq!(question.gpus[1].rates_per_s, [30.0, 9.0, 20.0, 8.0]);
        assert_eq!(question.slices, SliceFactor::Whole(4));
        assert_eq!((question.most(0), question.most(1)), (None, Some(3)));
        assert_eq!((&*question.buckets[1].input, &*question.buckets[1].output), ("1", "2"));
    }

    #[test]
    fn the_list_form_and_the_older_name_of_the_rate_are_read() {
        let text = r#"{ "gpu_info": [{ "name": "L4", "cost": 1, "tputs": [[2]] }],
            "workload_distribution": [[1]], "overall_rate": 6, "output_tokens": [256] }"#;
        let instead = Instead { rate_per_s: None, slices: Some(SliceFactor::Infinite) };
        let (question, _) = buckets_text("f.json", text, instead).expect("it is sound");
        assert_eq!((&*question.gpus[0].name, question.buckets[0].rate_per_s), ("L4", 6.0));
        assert_eq!(question.slices, SliceFactor::Infinite);
        assert_eq!(question.buckets[0].output, "256");
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let text = r#"{ "gpu_info": { "a": { "tputs": [[1, -2]] }, "b": { "cost": 1, "tputs": [[1]] } },
  "workload_distribution": [[0.5, 0.5]], "slice_factor": 0 }"#;
        let found = problems(text);
        let wanted = [
            "f.json:1:38: gpu `a`, tputs: -2 is out of range",
            "gpu `a`: `cost` is missing",
            "gpu `b`, tputs: has 1 x 1 cells; workload_distribution has 1 x 2",
            "slice_factor: 0 is out of range",
            "`total_request_rate` is missing",
        ];
        for wanted in wanted {
            assert!(found.iter().any(|p| p.contains(wanted)), "{wanted} in {found:#?}");
        }
        assert_eq!(found.len(), wanted.len(), "{found:#?}");
    }

    #[test]
    fn nothing_odd_is_taken_for_a_file() {
        for text in ["", "[]", "{}", "{\"gpu_info\": 3}", "{\"workload_distribution\": [[]]}"] {
            assert!(!problems(text).is_empty(), "{text}");
        }
        let slow = SOUND.replace("[4, 0]", "[4, 1e-300]");
        assert!(problems(&slow)[0].contains("gpu `L4`, tputs: a rate of"), "{:?}", problems(&slow));
        let absurd = SOUND.replace("0.5", "900000000");
        assert!(problems(&absurd)[0].contains("requests/s; expected at most"));
        let ragged = SOUND.replace("[0.125, 0.125]", "[0.125]");
        assert!(problems(&ragged).iter().any(|p| p.contains("a row has 1 cells, the first one 2")));
    }
}
