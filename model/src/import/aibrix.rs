//! A profile of AIBrix's GPU optimizer: requests per second that one deployment serves within its
//! objectives, a row an *output* size and a column an input size.
//!
//! Several profiles, one a GPU type, become the question that `isocost experiment buckets` answers: which GPUs
//! for which sizes, at least cost. There a row is an input size, as the Mélange solver has it.

use serde::Serialize;
use std::collections::BTreeMap;

use super::{Assume, Imported, Object};
use crate::input::reading::{Node, Report, Value, dig, figure};

/// Requests per minute where nobody says.
const RATE_PER_MIN: f64 = 60.0;

/// Whether `node` is such a profile.
pub(super) fn is(node: &Node) -> bool {
    dig::has(node, "tputs") && dig::has(node, "indexes")
}

/// What `isocost experiment buckets` reads.
#[derive(Serialize)]
struct Buckets {
    input_tokens: Vec<f64>,
    output_tokens: Vec<f64>,
    workload_distribution: Vec<Vec<f64>>,
    gpu_info: BTreeMap<String, Gpu>,
    total_request_rate: f64,
}

#[derive(Serialize)]
struct Gpu {
    cost: f64,
    tputs: Vec<Vec<f64>>,
}

pub(super) fn convert(
    profiles: &[&Object<'_>],
    assume: &Assume,
    report: &mut Report,
) -> Option<Imported> {
    let mut sizes: Option<[Vec<f64>; 2]> = None;
    let mut gpus = BTreeMap::new();
    for object in profiles {
        let Some((name, indexes, gpu)) = profile(object, report) else { continue };
        if sizes.get_or_insert_with(|| indexes.clone()) != &indexes {
            let what = "its sizes are not those of the profile before it".to_owned();
            object.problem(object.node.at, what, "profile every GPU at the same sizes", report);
        }
        if gpus.insert(name.clone(), gpu).is_some() {
            let what = format!("there are two profiles of `{name}`");
            object.problem(object.node.at, what, "give one of them", report);
        }
    }
    let [output_tokens, input_tokens] = sizes.filter(|_| report.problems.is_empty())?;
    let (shares, served) = shares(&gpus, input_tokens.len(), output_tokens.len());
    if served == 0 {
        let file = profiles.first().map_or("", |object| object.file);
        let what = "no GPU serves a request of any size within the profile's objectives".to_owned();
        report.problem_in(file, what, "profile again with objectives that can be met");
        return None;
    }
    let rate_per_min = assume.rate_per_min.unwrap_or(RATE_PER_MIN);
    let mut assumed = Vec::new();
    if assume.rate_per_min.is_none() {
        assumed.push(format!("{RATE_PER_MIN} requests/min arrive in all (--rate says another)"));
    }
    assumed.push(format!(
        "requests of each of the {served} sizes that some GPU serves are as frequent: put your own shares \
         into workload_distribution"
    ));
    assumed.push(
        "a GPU's throughput is what its profile measured within the profile's own objectives, and its \
         price is per hour in the profile's own money"
            .to_owned(),
    );
    let buckets = Buckets {
        input_tokens,
        output_tokens,
        workload_distribution: shares,
        gpu_info: gpus,
        total_request_rate: rate_per_min / 60.0,
    };
    let text = serde_json::to_string_pretty(&buckets).ok()? + "\n";
    Some(Imported { text, assumed, warnings: Vec::new() })
}

/// Equal shares of the sizes that some GPU serves, and how many those are.
fn shares(gpus: &BTreeMap<String, Gpu>, rows: usize, columns: usize) -> (Vec<Vec<f64>>, usize) {
    let serves = |i: usize, j: usize| gpus.values().any(|gpu| gpu.tputs[i][j] > 0.0);
    let served = (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j)));
    let served = served.filter(|(i, j)| serves(*i, *j)).count();
    let share = |i, j| if serves(i, j) { 1.0 / served as f64 } else { 0.0 };
    let row = |i| (0..columns).map(|j| share(i, j)).collect();
    ((0..rows).map(row).collect(), served)
}

/// A profile's GPU, its sizes (of outputs, then of inputs) and its figures with inputs in rows.
fn profile(object: &Object<'_>, report: &mut Report) -> Option<(String, [Vec<f64>; 2], Gpu)> {
    let node = object.node;
    let before = report.found();
    let name = dig::text(node, "gpu").unwrap_or("").to_owned();
    if name.is_empty() {
        object.problem(node.at, "`gpu` is missing".to_owned(), "give the GPU's name", report);
    }
    let cost = dig::positive(node, "cost");
    if cost.is_none() {
        let what = "`cost` is no price above 0".to_owned();
        object.problem(node.at, what, "give the price of an hour", report);
    }
    let [outputs, inputs] = dig::items(node, "indexes") else {
        let what = "`indexes` is no pair of lists".to_owned();
        object.problem(node.at, what, "expected the output sizes and the input sizes", report);
        return None;
    };
    let [outputs, inputs] = [outputs, inputs].map(row);
    for sizes in [&outputs, &inputs] {
        if !sizes.windows(2).all(|pair| pair[0] < pair[1]) || sizes.is_empty() {
            let what = "`indexes` holds sizes that do not rise".to_owned();
            object.problem(node.at, what, "sort rows and columns by their sizes", report);
        }
    }
    let tputs: Vec<Vec<f64>> = dig::items(node, "tputs").iter().map(row).collect();
    if tputs.len() != outputs.len() || tputs.iter().any(|row| row.len() != inputs.len()) {
        let what = format!(
            "`tputs` is no matrix of {} rows (output sizes) and {} columns (input sizes)",
            outputs.len(),
            inputs.len()
        );
        object.problem(node.at, what, "give the profile as it was written", report);
    }
    if let Some(bad) = tputs.iter().flatten().find(|x| !(0.0..=1e9).contains(*x)) {
        let what = format!("`tputs` holds {}", figure(*bad));
        object.problem(node.at, what, "expected requests per second from 0 on", report);
    }
    if report.found() > before {
        return None;
    }
    let turned = (0..inputs.len()).map(|i| tputs.iter().map(|row| row[i]).collect()).collect();
    Some((name, [outputs, inputs], Gpu { cost: cost?, tputs: turned }))
}

/// The numbers of a list; what is none is not a number here either.
fn row(node: &Node) -> Vec<f64> {
    let Value::List(items) = &node.value else { return Vec::new() };
    let number = |item: &Node| match &item.value {
        Value::Number(text) => text.parse().unwrap_or(f64::NAN),
        _ => f64::NAN,
    };
    items.iter().map(number).collect()
}
