//! `isocost analyze --cases`: many cases from a CSV.

use std::path::Path;

use isocost_model::export::cells;
use isocost_model::input::cases::{Case, GIVEN, STATED, cases};

use crate::Failure;
use crate::output::style::warning;

/// Every case of a CSV, analysed anew.
pub fn read(path: &Path) -> Result<Vec<Case>, Failure> {
    let (cases, warnings) = cases(path).map_err(Failure::input)?;
    warnings.iter().for_each(|w| warning(&w.to_string()));
    Ok(cases)
}

/// What the queueing model says of a case, in the columns [`STATED`].
pub fn computed(case: &Case) -> [f64; 10] {
    let a = &case.analysis;
    [
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
    ]
}

/// The cases as CSV, in the columns they were read from, with the computed results.
pub fn csv(cases: &[Case]) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(GIVEN.iter().chain(&STATED)).map_err(Failure::failed)?;
    for case in cases {
        let computed = computed(case).map(|value| value.to_string());
        let row: Vec<&String> = case.given.iter().chain(&computed).collect();
        writer.write_record(cells(&row)).map_err(Failure::failed)?;
    }
    writer.into_inner().map_err(Failure::failed)
}
