//! `isocost analyze`: what latency a rate brings.

use isocost_model::export::{cells, json_text};
use isocost_model::queue::{Analysis, Sized};
use serde_json::{Map, Value, json};

use super::replica::{Offer, Replica, replicas};
use super::{cases, compare, plot};
use crate::args::{AnalyzeArgs, Format};
use crate::output::picture;
use crate::output::print;
use crate::output::say;
use crate::output::table::table;
use crate::output::width::fitted;
use crate::{Failure, exit};

/// Percentiles that are reported.
const PERCENTILES: [f64; 4] = [50.0, 90.0, 95.0, 99.0];

/// Runs the command; returns its exit code.
pub fn run(args: &AnalyzeArgs) -> Result<u8, Failure> {
    if let Some(path) = &args.cases {
        let cases = cases::read(path)?;
        match args.compare {
            true => compare::print_accuracy(&cases, args.format)?,
            false => print(&cases::csv(&cases)?)?,
        }
        return Ok(exit::OK);
    }
    let pictures = [&args.plot, &args.plot_occupancy];
    pictures.into_iter().flatten().try_for_each(|path| picture::check(path))?;
    let replicas = replicas(&args.of, &args.station, &args.objectives, args.batch)?;
    let points: Vec<Point> = replicas.iter().map(|r| point(r, args)).collect();
    if let [Point { analysis: Err(what), replica: Replica { names: None, .. }, .. }] = &points[..] {
        return Err(Failure::input(what.to_string()));
    }
    draw(args, &points)?;
    match args.format {
        Format::Table => print_table(&points),
        Format::Json => print(json_text(&json_of(&points)).as_bytes())?,
        Format::Csv => print(&csv_of(&points)?)?,
    }
    let any = points.iter().any(|p| p.analysis.is_ok());
    Ok(if any { exit::OK } else { exit::INFEASIBLE })
}

/// A replica at a batch size and a rate.
struct Point<'a> {
    replica: &'a Replica,
    /// The largest rate within the objectives, where there is one.
    sized: Option<Sized>,
    analysis: Result<Analysis, String>,
}

/// The point asked for: what is left open is what sizing finds.
fn point<'a>(replica: &'a Replica, args: &AnalyzeArgs) -> Point<'a> {
    let offer = match &replica.offer {
        Ok(offer) => offer,
        Err(reason) => {
            return Point { replica, sized: None, analysis: Err(reason.to_string()) };
        }
    };
    let sized = offer.sized(args.batch, args.objectives.batch_tolerance);
    let batch = sized.as_ref().map_or(offer.max_batch, |s| s.batch);
    let batch = args.batch.unwrap_or(batch);
    let rate = match (args.rate, &sized) {
        (Some(per_min), _) => Ok(per_min / 60.0),
        (None, Ok(sized)) => Ok(sized.arrival_rate_per_s),
        (None, Err(shortfall)) => Err(shortfall.to_string()),
    };
    let analysis =
        rate.and_then(|rate| offer.station.analyze(batch, rate).map_err(|e| e.to_string()));
    Point { replica, sized: sized.ok(), analysis }
}

fn draw(args: &AnalyzeArgs, points: &[Point<'_>]) -> Result<(), Failure> {
    if args.plot.is_none() && args.plot_occupancy.is_none() {
        return Ok(());
    }
    let [Point { replica, sized, analysis }] = points else {
        return Err(Failure::input("a plot shows one replica; choose it by --accelerator"));
    };
    let (Ok(offer), Ok(analysis)) = (&replica.offer, analysis) else { return Ok(()) };
    let title = |what: &str| match &replica.names {
        Some((server, accelerator)) => format!("{what}: {server} on {accelerator}"),
        None => what.to_owned(),
    };
    if let Some(path) = &args.plot {
        let Offer { objectives, .. } = offer;
        let panels = plot::latency(&title("Latency against rate"), analysis, objectives, *sized);
        picture::write(path, &panels)?;
    }
    if let Some(path) = &args.plot_occupancy {
        picture::write(path, &plot::occupancy(&title("Requests in the system"), analysis))?;
    }
    Ok(())
}

/// (name in files, words, value) of everything an analysis says.
fn fields(a: &Analysis) -> Vec<(String, String, f64)> {
    let means = [
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
        ("e2e_ms", "mean E2E, ms", a.e2e_ms()),
    ];
    let means = means.map(|(name, words, value)| (name.to_owned(), words.to_owned(), value));
    let tails = PERCENTILES.into_iter().flat_map(|p| {
        [
            ("wait", "wait", a.wait_percentile_ms(p)),
            ("ttft", "TTFT", a.ttft_percentile_ms(p)),
            ("itl", "ITL", a.itl_percentile_ms(p)),
            ("e2e", "E2E", a.e2e_percentile_ms(p)),
        ]
        .map(|(name, words, value)| (format!("{name}_p{p}_ms"), format!("P{p} {words}, ms"), value))
    });
    means.into_iter().chain(tails).collect()
}

fn print_table(points: &[Point<'_>]) {
    if let [Point { analysis: Ok(analysis), .. }] = points {
        say!("{:<36}{:>14}", "batch size", analysis.batch);
        say!("{:<36}{:>14.4}", "arrivals, requests/min", analysis.rate_per_s * 60.0);
        for (_, words, value) in fields(analysis) {
            say!("{words:<36}{value:>14.4}");
        }
        print_stretched([analysis].into_iter());
        return;
    }
    let header = [
        "accelerator",
        "batch",
        "req/min",
        "util %",
        "wait ms",
        "ITL ms",
        "P95",
        "TTFT ms",
        "P95",
        "P99",
        "",
    ];
    let mut table = table(&header, 1);
    for Point { replica, analysis, .. } in points {
        let name = replica.names.as_ref().map_or("", |names| &names.1).to_owned();
        let cells = match analysis {
            Ok(a) => {
                let values = [
                    a.rate_per_s * 60.0,
                    a.utilisation * 100.0,
                    a.mean_wait_ms,
                    a.itl_ms,
                    a.itl_percentile_ms(95.0),
                    a.ttft_ms,
                    a.ttft_percentile_ms(95.0),
                    a.ttft_percentile_ms(99.0),
                ];
                let values = values.map(|v| format!("{v:.1}")).into_iter();
                let batch = a.batch.to_string();
                [name, batch].into_iter().chain(values).chain([String::new()]).collect()
            }
            Err(reason) => {
                let mut row = vec![String::new(); header.len()];
                (row[0], row[header.len() - 1]) = (name, reason.clone());
                row
            }
        };
        table.add_row(cells);
    }
    if let Some(column) = table.column_mut(header.len() - 1) {
        column.set_cell_alignment(comfy_table::CellAlignment::Left);
    }
    say!("{}", fitted(&table, &["wait ms", "util %", "P99"]));
    print_stretched(points.iter().filter_map(|point| point.analysis.as_ref().ok()));
}

/// Why a percentile of ITL may lie below the mean, where one does.
fn print_stretched<'a>(mut analyses: impl Iterator<Item = &'a Analysis>) {
    if analyses.any(|a| a.itl_percentile_ms(95.0) < a.itl_ms) {
        say!(
            "note: percentiles of ITL are over single gaps between tokens; the few that prompts stretch lift the mean above \
             P95"
        );
    }
}

/// One object for a replica from flags, a list of them for a scenario's.
fn json_of(points: &[Point<'_>]) -> Value {
    let object = |p: &Point<'_>| {
        let mut map = Map::new();
        if let Some((server, accelerator)) = &p.replica.names {
            map.insert("server".to_owned(), json!(server));
            map.insert("accelerator".to_owned(), json!(accelerator));
        }
        match &p.analysis {
            Ok(a) => {
                map.insert("batch".to_owned(), json!(a.batch));
                map.insert("arrival_rate_rps".to_owned(), json!(a.rate_per_s));
                map.extend(fields(a).into_iter().map(|(name, _, value)| (name, json!(value))));
            }
            Err(reason) => {
                map.insert("reason".to_owned(), json!(reason));
            }
        }
        Value::Object(map)
    };
    match points {
        [point] if point.replica.names.is_none() => object(point),
        _ => points.iter().map(object).collect(),
    }
}

fn csv_of(points: &[Point<'_>]) -> Result<Vec<u8>, Failure> {
    let names = points.iter().find_map(|p| p.analysis.as_ref().ok()).map_or(Vec::new(), fields);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = ["server", "accelerator", "batch", "arrival_rate_rps"].map(str::to_owned);
    let columns = names.iter().map(|(name, _, _)| name.clone());
    let header = header.into_iter().chain(columns).chain(["reason".to_owned()]);
    writer.write_record(header).map_err(Failure::failed)?;
    for Point { replica, analysis, .. } in points {
        let (server, accelerator) = replica.names.clone().unwrap_or_default();
        let mut row = vec![server, accelerator];
        match analysis {
            Ok(a) => {
                row.extend([a.batch.to_string(), a.rate_per_s.to_string()]);
                row.extend(fields(a).iter().map(|(_, _, value)| value.to_string()));
                row.push(String::new());
            }
            Err(reason) => {
                row.extend(vec![String::new(); 2 + names.len()]);
                row.push(reason.clone());
            }
        }
        writer.write_record(cells(&row)).map_err(Failure::failed)?;
    }
    writer.into_inner().map_err(Failure::failed)
}
