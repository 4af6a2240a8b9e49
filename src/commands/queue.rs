//! `isocost analyze` and `isocost size`: one replica, without any planning.

use std::path::Path;

use isocost_model::queue::{
    Analysis, Objective, Objectives, Roofline, ServiceModel, Shortfall, Sized, Station, best_batch,
};
use serde_json::json;

use crate::args::{AnalyzeArgs, Format, SizeArgs, StationArgs};
use crate::output::print;
use crate::output::style::BOLD;
use crate::output::table::{table, trimmed};
use crate::{Failure, exit};

/// What latency a rate brings.
pub fn analyze(args: &AnalyzeArgs) -> Result<u8, Failure> {
    if let Some(path) = &args.cases {
        print(&cases(path)?)?;
        return Ok(exit::OK);
    }
    let station = station(&args.station);
    let (batch, rate) = (args.batch.unwrap_or(1), args.rate.unwrap_or(0.0));
    let analysis = station.analyze(batch, rate / 60.0).map_err(Failure::input)?;
    let fields = fields(&analysis);
    match args.format {
        Format::Json => {
            let map: serde_json::Map<_, _> =
                fields.iter().map(|(name, _, value)| ((*name).to_owned(), json!(value))).collect();
            print(format!("{:#}\n", serde_json::Value::Object(map)).as_bytes())?;
        }
        Format::Csv => {
            let names: Vec<&str> = fields.iter().map(|f| f.0).collect();
            let values: Vec<String> = fields.iter().map(|f| f.2.to_string()).collect();
            print(format!("{}\n{}\n", names.join(","), values.join(",")).as_bytes())?;
        }
        Format::Table => {
            for (_, words, value) in fields {
                anstream::println!("{words:<34}{value:>16.4}");
            }
        }
    }
    Ok(exit::OK)
}

/// (name in files, words, value) of everything an analysis says.
fn fields(a: &Analysis) -> Vec<(&'static str, &'static str, f64)> {
    let mut fields = vec![
        ("throughput_rps", "throughput, requests/s", a.throughput_per_s),
        ("capacity_rps", "service rate of a full batch, req/s", a.capacity_per_s),
        ("utilisation", "utilisation", a.utilisation),
        ("loss_probability", "share of requests lost", a.loss_probability),
        ("mean_in_system", "mean requests in the system", a.mean_in_system),
        ("mean_in_service", "mean requests in service", a.mean_in_service),
        ("mean_wait_ms", "mean wait, ms", a.mean_wait_ms),
        ("mean_service_ms", "mean service time, ms", a.mean_service_ms),
        ("mean_response_ms", "mean response, ms", a.mean_response_ms),
        ("itl_ms", "mean ITL, ms", a.itl_ms),
        ("ttft_ms", "mean TTFT, ms", a.ttft_ms),
    ];
    for (percent, wait, ttft, itl) in [
        (
            50.0,
            ("wait_p50_ms", "P50 wait, ms"),
            ("ttft_p50_ms", "P50 TTFT, ms"),
            ("itl_p50_ms", "P50 ITL, ms"),
        ),
        (
            90.0,
            ("wait_p90_ms", "P90 wait, ms"),
            ("ttft_p90_ms", "P90 TTFT, ms"),
            ("itl_p90_ms", "P90 ITL, ms"),
        ),
        (
            95.0,
            ("wait_p95_ms", "P95 wait, ms"),
            ("ttft_p95_ms", "P95 TTFT, ms"),
            ("itl_p95_ms", "P95 ITL, ms"),
        ),
        (
            99.0,
            ("wait_p99_ms", "P99 wait, ms"),
            ("ttft_p99_ms", "P99 TTFT, ms"),
            ("itl_p99_ms", "P99 ITL, ms"),
        ),
    ] {
        fields.push((wait.0, wait.1, a.wait_percentile_ms(percent)));
        fields.push((ttft.0, ttft.1, a.ttft_percentile_ms(percent)));
        fields.push((itl.0, itl.1, a.itl_percentile_ms(percent)));
    }
    fields
}

/// What rate the objectives allow, at every batch size.
pub fn size(args: &SizeArgs) -> Result<u8, Failure> {
    let objective =
        |limit: Option<f64>, percentile| limit.map(|limit_ms| Objective { limit_ms, percentile });
    let objectives = Objectives {
        itl: objective(args.itl, args.itl_percentile),
        ttft: objective(args.ttft, args.ttft_percentile),
        tokens_per_s: None,
        max_loss: args.max_loss,
    };
    if args.max_batch == 0 || args.max_batch > isocost_model::queue::MAX_BATCH {
        let most = isocost_model::queue::MAX_BATCH;
        return Err(Failure::input(format!("--max-batch: expected 1 to {most}")));
    }
    let sizings = station(&args.station).size_all(args.max_batch, &objectives);
    let best = best_batch(&sizings, args.batch_tolerance);
    match args.format {
        Format::Table => curve_table(&sizings, &best),
        Format::Json => {
            let batches: Vec<_> = sizings.iter().zip(1..).map(batch_json).collect();
            let best = best.as_ref().ok().map(|s| s.batch);
            print(format!("{:#}\n", json!({ "best_batch": best, "batches": batches })).as_bytes())?;
        }
        Format::Csv => {
            let mut text = "batch,arrival_rate_rps,throughput_rps,reason\n".to_owned();
            for (sizing, batch) in sizings.iter().zip(1..) {
                match sizing {
                    Ok(s) => {
                        text +=
                            &format!("{batch},{},{},\n", s.arrival_rate_per_s, s.throughput_per_s)
                    }
                    Err(e) => text += &format!("{batch},,,\"{e}\"\n"),
                }
            }
            print(text.as_bytes())?;
        }
    }
    Ok(if best.is_ok() { exit::OK } else { exit::INFEASIBLE })
}

fn batch_json((sizing, batch): (&Result<Sized, Shortfall>, u32)) -> serde_json::Value {
    match sizing {
        Ok(s) => json!({
            "batch": batch,
            "arrival_rate_rps": s.arrival_rate_per_s,
            "throughput_rps": s.throughput_per_s,
        }),
        Err(e) => json!({ "batch": batch, "reason": e.to_string() }),
    }
}

/// The curve rate(N) at doubling batch sizes around the best one, and the best itself.
fn curve_table(sizings: &[Result<Sized, Shortfall>], best: &Result<Sized, Shortfall>) {
    let peak = sizings.iter().flatten().map(|s| s.throughput_per_s).fold(0.0, f64::max);
    let last = sizings.len();
    let mut table = table(&["batch", "req/min", "of peak %", ""], 0);
    for (sizing, n) in sizings.iter().zip(1_usize..) {
        let chosen = best.as_ref().is_ok_and(|b| b.batch as usize == n);
        if !(n.is_power_of_two() || n == last || chosen) {
            continue;
        }
        match sizing {
            Ok(s) => table.add_row([
                n.to_string(),
                format!("{:.3}", s.throughput_per_s * 60.0),
                format!("{:.1}", s.throughput_per_s / peak * 100.0),
                if chosen { "<- least batch near the peak".to_owned() } else { String::new() },
            ]),
            Err(e) => table.add_row([n.to_string(), "-".to_owned(), String::new(), e.to_string()]),
        };
    }
    anstream::println!("{}\n", trimmed(&table));
    match best {
        Ok(s) => anstream::println!(
            "{BOLD}batch {}{BOLD:#} serves {:.3} requests/min within the objectives",
            s.batch,
            s.throughput_per_s * 60.0
        ),
        Err(e) => anstream::println!("{BOLD}infeasible{BOLD:#}: {e}"),
    }
}

/// The replica that the arguments describe.
pub fn station(args: &StationArgs) -> Station {
    let (alpha_ms, beta_ms, gamma_ms) = (args.alpha, args.beta, args.gamma);
    let service = match args.delta {
        delta if args.hidden.is_some() => ServiceModel::Roofline(Roofline {
            alpha_ms,
            beta_ms,
            gamma_ms,
            delta_ms: delta.unwrap_or(0.0),
            hidden_tokens: args.hidden.unwrap_or(0.0),
            overhead_ms: args.overhead,
            lag_steps: args.lag,
        }),
        None if !args.linear => ServiceModel::Iteration { alpha_ms, beta_ms, gamma_ms },
        delta => {
            let delta_ms = delta.unwrap_or(0.0);
            ServiceModel::Linear { alpha_ms, beta_ms, gamma_ms, delta_ms }
        }
    };
    Station {
        service,
        input_tokens: args.input,
        output_tokens: args.output.max(1.0),
        queue_limit: args.max_queue,
        arrival_scv: args.arrival_scv,
        token_scv: args.token_scv,
    }
}

/// Columns of a case, and those that are computed.
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
const COMPUTED: [&str; 10] = [
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

/// Every case of a CSV with its results computed anew.
fn cases(path: &Path) -> Result<Vec<u8>, Failure> {
    let name = path.display();
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(path)
        .map_err(|e| Failure::input(format!("{name}: cannot be read: {e}")))?;
    let header = reader.headers().map_err(|e| Failure::input(format!("{name}: {e}")))?.clone();
    let places = GIVEN.map(|c| header.iter().position(|h| h == c));
    let mut problems: Vec<String> = GIVEN
        .iter()
        .zip(&places)
        .filter(|(_, place)| place.is_none())
        .map(|(column, _)| format!("{name}:1: there is no column `{column}`; add it"))
        .collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |row: Vec<String>| writer.write_record(row).map_err(Failure::failed);
    write(GIVEN.iter().chain(&COMPUTED).map(|c| (*c).to_owned()).collect())?;
    if problems.is_empty() {
        for (i, record) in reader.records().enumerate() {
            let line = i + 2;
            match record.map_err(|e| e.to_string()).and_then(|r| case(&r, &places)) {
                Ok(row) => write(row)?,
                Err(what) => problems.push(format!("{name}:{line}: {what}")),
            }
        }
    }
    if !problems.is_empty() {
        return Err(Failure::input(problems.join("\n")));
    }
    writer.into_inner().map_err(Failure::failed)
}

/// One case: its given cells and what they lead to.
fn case(record: &csv::StringRecord, places: &[Option<usize>; 10]) -> Result<Vec<String>, String> {
    let text = |i: usize| places[i].and_then(|p| record.get(p)).unwrap_or("");
    let number = |i: usize| match text(i).parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        _ => Err(format!("{} is `{}`; expected a number of at least 0", GIVEN[i], text(i))),
    };
    let whole = |i: usize| match text(i).parse::<u32>() {
        Ok(value) => Ok(value),
        _ => Err(format!("{} is `{}`; expected a whole number", GIVEN[i], text(i))),
    };
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
    let given = (0..GIVEN.len()).map(|i| text(i).to_owned());
    Ok(given.chain(computed.iter().map(ToString::to_string)).collect())
}
