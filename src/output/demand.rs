//! Demand over time as `isocost horizon --profile` reads it.

use isocost_model::input::reading::figure;
use isocost_simulation::Demand;

const HEADER: [&str; 9] = [
    "period",
    "hours",
    "server",
    "arrival_rate_per_min",
    "input_tokens",
    "output_tokens",
    "arrival_scv",
    "input_scv",
    "token_scv",
];

/// The largest variation that a profile may state.
const MOST_SCV: f64 = 1e4;

/// The rows of a profile for `server`; what a period does not tell is blank.
pub fn profile(demand: &Demand, server: &str) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADER)?;
    let told = |x: Option<f64>| x.map(figure).unwrap_or_default();
    let scv = |x: Option<f64>| told(x.map(|x| x.min(MOST_SCV)));
    for period in &demand.periods {
        writer.write_record([
            period.name.clone(),
            figure(period.hours),
            server.to_owned(),
            figure(period.arrival_rate_per_min),
            told(period.input_tokens),
            told(period.output_tokens),
            scv(period.arrival_scv),
            scv(period.input_scv),
            scv(period.token_scv),
        ])?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}
