//! `isocost analyze --cases`: many cases from a CSV.

use std::path::Path;

use isocost_model::queue::{ServiceModel, Station};

use crate::Failure;

/// Columns of a case.
const GIVEN: [&str; 10] = [
    "service_model",
    "input_tokens",
    "output_tokens",
    "max_batch",
    "max_queue",
    "arrival_rps",
    "alpha_ms",
    "beta_ms",
    "gamma_ms",
    "delta_ms",
];

/// What is computed.
pub const COMPUTED: [&str; 10] = [
    "throughput_rps",
    "loss_probability",
    "mean_in_service",
    "mean_wait_ms",
    "mean_service_ms",
    "mean_response_ms",
    "itl_ms",
    "ttft_ms",
    "wait_p95_ms",
    "wait_p99_ms",
];

/// One line of the file.
pub struct Case {
    /// The cells of the columns [`GIVEN`].
    given: Vec<String>,
    /// What the file says of the columns [`COMPUTED`], where it says anything.
    pub stated: [Option<f64>; 10],
    /// What the queueing model says of them.
    pub computed: [f64; 10],
}

/// Every case of a CSV, computed anew.
pub fn read(path: &Path) -> Result<Vec<Case>, Failure> {
    let name = path.display();
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(path)
        .map_err(|e| Failure::input(format!("{name}: cannot be read: {e}")))?;
    let header = reader.headers().map_err(|e| Failure::input(format!("{name}: {e}")))?.clone();
    let place = |column| header.iter().position(|h| h == column);
    let (given, stated) = (GIVEN.map(place), COMPUTED.map(place));
    let mut problems: Vec<String> = GIVEN
        .iter()
        .zip(&given)
        .filter(|(_, place)| place.is_none())
        .map(|(column, _)| format!("{name}:1: there is no column `{column}`; add it"))
        .collect();
    let mut cases = Vec::new();
    if problems.is_empty() {
        for (record, line) in reader.records().zip(2..) {
            match record.map_err(|e| e.to_string()).and_then(|r| case(&r, &given, &stated)) {
                Ok(case) => cases.push(case),
                Err(what) => problems.push(format!("{name}:{line}: {what}")),
            }
        }
    }
    match problems.is_empty() {
        true => Ok(cases),
        false => Err(Failure::input(problems.join("\n"))),
    }
}

/// The cases as CSV, in the columns they were read from, with the computed results.
pub fn csv(cases: &[Case]) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(GIVEN.iter().chain(&COMPUTED)).map_err(Failure::failed)?;
    for case in cases {
        let computed = case.computed.iter().map(ToString::to_string);
        let row = case.given.iter().cloned().chain(computed);
        writer.write_record(row).map_err(Failure::failed)?;
    }
    writer.into_inner().map_err(Failure::failed)
}

fn case(
    record: &csv::StringRecord,
    given: &[Option<usize>; 10],
    stated: &[Option<usize>; 10],
) -> Result<Case, String> {
    let text = |i: usize| given[i].and_then(|p| record.get(p)).unwrap_or("");
    let number = |i: usize| match text(i).parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        _ => Err(format!("{} is `{}`; expected a number of at least 0", GIVEN[i], text(i))),
    };
    let whole = |i: usize| match text(i).parse::<u32>() {
        Ok(value) => Ok(value),
        _ => Err(format!("{} is `{}`; expected a whole number", GIVEN[i], text(i))),
    };
    let mut known = [None; 10];
    for ((known, place), column) in known.iter_mut().zip(stated).zip(COMPUTED) {
        let cell = place.and_then(|p| record.get(p)).filter(|t| !t.is_empty());
        *known = match cell.map(str::parse::<f64>) {
            Some(Err(_)) => return Err(format!("{column} is no number; leave it empty")),
            Some(Ok(value)) => Some(value),
            None => None,
        };
    }
    let (alpha_ms, beta_ms, gamma_ms) = (number(6)?, number(7)?, number(8)?);
    let service = match text(0) {
        "linear" => ServiceModel::Linear { alpha_ms, beta_ms, gamma_ms, delta_ms: number(9)? },
        "iteration" => ServiceModel::Iteration { alpha_ms, beta_ms, gamma_ms },
        other => return Err(format!("service_model is `{other}`; expected linear or iteration")),
    };
    let queue = if text(4).is_empty() { None } else { Some(whole(4)?) };
    let output = number(2)?;
    if output < 1.0 {
        return Err(format!("output_tokens is `{output}`; expected at least 1"));
    }
    let station = Station::new(service, number(1)?, output, queue);
    let a = station.analyze(whole(3)?, number(5)?).map_err(|e| e.to_string())?;
    let computed = [
        a.throughput_per_s,
        a.loss_probability,
        a.mean_in_service,
        a.mean_wait_ms,
        a.mean_service_ms,
        a.mean_response_ms,
        a.itl_ms,
        a.ttft_ms,
        a.wait_percentile_ms(95.0),
        a.wait_percentile_ms(99.0),
    ];
    let given = (0..GIVEN.len()).map(|i| text(i).to_owned()).collect();
    Ok(Case { given, stated: known, computed })
}
