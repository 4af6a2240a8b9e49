//! `isocost size`: what rate the objectives allow, at every batch size.

use isocost_model::export::{cells, json_text};
use isocost_model::queue::{Shortfall, Sized, best_batch};
use serde_json::{Value, json};

use super::plot;
use super::replica::{Offer, Replica, replicas};
use crate::args::{Format, SizeArgs};
use crate::output::say;
use crate::output::style::BOLD;
use crate::output::table::table;
use crate::output::width::fitted;
use crate::output::{picture, print};
use crate::{Failure, exit};

/// Runs the command; returns its exit code.
pub fn run(args: &SizeArgs) -> Result<u8, Failure> {
    args.plot.iter().try_for_each(|path| picture::check(path))?;
    let replicas = replicas(&args.of, &args.station, &args.objectives, args.max_batch)?;
    let tolerance = args.objectives.batch_tolerance;
    let curves: Vec<Curve> = replicas.iter().map(|r| Curve::new(r, tolerance)).collect();
    if let Some(path) = &args.plot {
        let [curve] = &curves[..] else {
            return Err(Failure::input("a plot shows one replica; choose it by --accelerator"));
        };
        let title = match &curve.replica.names {
            Some((server, accelerator)) => format!("Largest rate: {server} on {accelerator}"),
            None => "Largest rate within the objectives".to_owned(),
        };
        picture::write(path, &plot::rates(&title, &curve.sizings, curve.best.as_ref().ok()))?;
    }
    match args.format {
        Format::Table => match &curves[..] {
            [curve] => curve.print_table(),
            _ => print_best(&curves),
        },
        Format::Json => print(json_text(&json_of(&curves)).as_bytes())?,
        Format::Csv => print(&csv_of(&curves)?)?,
    }
    let any = curves.iter().any(|c| c.best.is_ok());
    Ok(if any { exit::OK } else { exit::INFEASIBLE })
}

/// The largest rate of a replica at every batch size.
struct Curve<'a> {
    replica: &'a Replica,
    /// Entry `i` is that of batch size `i + 1`.
    sizings: Vec<Result<Sized, Shortfall>>,
    /// The least batch size within the tolerance of the best rate, or why there is none.
    best: Result<Sized, String>,
}

impl<'a> Curve<'a> {
    fn new(replica: &'a Replica, tolerance: f64) -> Self {
        match &replica.offer {
            Ok(Offer { station, max_batch, objectives }) => {
                let sizings = station.size_all(*max_batch, objectives);
                let best = best_batch(&sizings, tolerance).map_err(|e| e.to_string());
                Self { replica, sizings, best }
            }
            Err(reason) => Self { replica, sizings: Vec::new(), best: Err(reason.to_string()) },
        }
    }

    fn peak(&self) -> f64 {
        self.sizings.iter().flatten().map(|s| s.throughput_per_s).fold(0.0, f64::max)
    }

    /// The curve at doubling batch sizes, and the best itself.
    fn print_table(&self) {
        let (peak, last) = (self.peak(), self.sizings.len());
        let mut table = table(&["batch", "req/min", "of peak %", ""], 0);
        for (sizing, n) in self.sizings.iter().zip(1_usize..) {
            let chosen = self.best.as_ref().is_ok_and(|b| b.batch as usize == n);
            if !(n.is_power_of_two() || n == last || chosen) {
                continue;
            }
            match sizing {
                Ok(s) => table.add_row([
                    n.to_string(),
                    format!("{:.3}", s.throughput_per_s * 60.0),
                    format!("{:.1}", s.throughput_per_s / peak * 100.0),
                    if chosen { "<- least batch near the peak" } else { "" }.to_owned(),
                ]),
                Err(e) => {
                    table.add_row([n.to_string(), "-".to_owned(), String::new(), e.to_string()])
                }
            };
        }
        if last > 0 {
            say!("{}\n", fitted(&table, &[]));
        }
        match &self.best {
            Ok(s) => say!(
                "{BOLD}batch {}{BOLD:#} serves {:.3} requests/min within the objectives",
                s.batch,
                s.throughput_per_s * 60.0
            ),
            Err(e) => say!("{BOLD}infeasible{BOLD:#}: {e}"),
        }
    }
}

/// A line an accelerator.
fn print_best(curves: &[Curve<'_>]) {
    let mut table = table(&["accelerator", "batch", "of", "req/min", "of peak %", ""], 1);
    for curve in curves {
        let name = curve.replica.names.as_ref().map_or("", |names| &names.1).to_owned();
        let most = match curve.sizings.len() {
            0 => String::new(),
            n => n.to_string(),
        };
        table.add_row(match &curve.best {
            Ok(s) => [
                name,
                s.batch.to_string(),
                most,
                format!("{:.3}", s.throughput_per_s * 60.0),
                format!("{:.1}", s.throughput_per_s / curve.peak() * 100.0),
                String::new(),
            ],
            Err(e) => [name, "-".to_owned(), most, String::new(), String::new(), e.clone()],
        });
    }
    if let Some(column) = table.column_mut(5) {
        column.set_cell_alignment(comfy_table::CellAlignment::Left);
    }
    say!("{}", fitted(&table, &[]));
}

/// One object for a replica from flags, a list of them for a scenario's.
fn json_of(curves: &[Curve<'_>]) -> Value {
    let object = |curve: &Curve<'_>| {
        let batches: Vec<Value> = curve.sizings.iter().zip(1..).map(batch_json).collect();
        let best = curve.best.as_ref().ok().map(|s| s.batch);
        let mut value = json!({ "best_batch": best, "batches": batches });
        if let Some((server, accelerator)) = &curve.replica.names {
            value["server"] = json!(server);
            value["accelerator"] = json!(accelerator);
        }
        if let Err(reason) = &curve.best {
            value["reason"] = json!(reason);
        }
        value
    };
    match curves {
        [curve] if curve.replica.names.is_none() => object(curve),
        _ => curves.iter().map(object).collect(),
    }
}

fn batch_json((sizing, batch): (&Result<Sized, Shortfall>, u32)) -> Value {
    match sizing {
        Ok(s) => json!({
            "batch": batch,
            "arrival_rate_rps": s.arrival_rate_per_s,
            "throughput_rps": s.throughput_per_s,
        }),
        Err(e) => json!({ "batch": batch, "reason": e.to_string() }),
    }
}

/// A line a batch size; where an accelerator does not serve at all, one line with the reason.
fn csv_of(curves: &[Curve<'_>]) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header =
        ["server", "accelerator", "batch", "arrival_rate_rps", "throughput_rps", "best", "reason"];
    writer.write_record(header).map_err(Failure::failed)?;
    for curve in curves {
        let (server, accelerator) = curve.replica.names.clone().unwrap_or_default();
        let mut row = |numbers: [String; 5]| {
            let names = [server.clone(), accelerator.clone()];
            let row: Vec<&String> = names.iter().chain(&numbers).collect();
            writer.write_record(cells(&row)).map_err(Failure::failed)
        };
        let blank = String::new;
        if let (true, Err(reason)) = (curve.sizings.is_empty(), &curve.best) {
            row([blank(), blank(), blank(), blank(), reason.clone()])?;
        }
        for (sizing, batch) in curve.sizings.iter().zip(1_u32..) {
            row(match sizing {
                Ok(s) => [
                    batch.to_string(),
                    s.arrival_rate_per_s.to_string(),
                    s.throughput_per_s.to_string(),
                    curve.best.as_ref().is_ok_and(|b| b.batch == batch).to_string(),
                    blank(),
                ],
                Err(e) => [batch.to_string(), blank(), blank(), blank(), e.to_string()],
            })?;
        }
    }
    writer.into_inner().map_err(Failure::failed)
}
