//! The CSV of AIPerf and genai-perf, as the JSON of the same run would have it.
//!
//! Blocks, each with a header: metrics with statistics (`Metric,avg,min,max,p99,...`), then single
//! values (`Metric,Value`), then what is of no interest here (telemetry). The unit stands behind the
//! name, `Time To First Token (ms)`, or in a column. Numbers may have commas in their thousands.

use isocost_model::input::reading::{At, Node, Value, csv_line};

/// Whether a CSV text is such a file.
pub(super) fn is(text: &str) -> bool {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let first = header.split(',').next().unwrap_or("").trim().trim_matches('"');
    first.eq_ignore_ascii_case("metric")
}

/// The metrics of the file, as a document.
pub(super) fn document(text: &str) -> Node {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut header: Vec<String> = Vec::new();
    let mut metrics: Vec<(String, Node)> = Vec::new();
    for record in reader.records().map_while(Result::ok) {
        let name = record.get(0).unwrap_or("");
        if name.eq_ignore_ascii_case("metric") {
            header = record.iter().map(str::to_lowercase).collect();
        } else if header.first().is_some_and(|first| first == "metric")
            && record.len() == header.len()
        {
            let at = At { line: csv_line(text, record.position()), column: 1 };
            let (key, unit) = split(name);
            let node = metric(&header, &record, unit, at);
            if !metrics.iter().any(|(known, _)| *known == key) {
                metrics.push((key, node));
            }
        } else {
            header.clear();
        }
    }
    Node { value: Value::Object(metrics), at: At { line: 1, column: 1 } }
}

/// One metric with its statistics; a single value counts as its mean.
fn metric(header: &[String], record: &csv::StringRecord, unit: &str, at: At) -> Node {
    let mut entries = Vec::new();
    if !unit.is_empty() {
        entries.push(("unit".to_owned(), Node { value: Value::Text(unit.to_owned()), at }));
    }
    for (column, cell) in header.iter().zip(record).skip(1).filter(|(_, cell)| !cell.is_empty()) {
        let node = match column.as_str() {
            "unit" => Node { value: Value::Text(cell.to_owned()), at },
            _ => Node { value: Value::Number(cell.replace(',', "")), at },
        };
        let key = if column == "value" { "avg" } else { column };
        entries.push((key.to_owned(), node));
    }
    Node { value: Value::Object(entries), at }
}

/// The key of a metric's name, and the unit behind it.
fn split(name: &str) -> (String, &str) {
    let (name, unit) = match name.split_once('(') {
        Some((name, unit)) => (name, unit.trim_end().trim_end_matches(')')),
        None => (name, ""),
    };
    (name.trim().to_lowercase().replace([' ', '-'], "_"), unit.trim())
}
