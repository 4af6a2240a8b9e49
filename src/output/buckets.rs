//! What `isocost experiment buckets` found: GPUs by type, and which bucket goes where.

use comfy_table::Table;
use isocost_model::buckets::{Bucket, Report};
use isocost_model::plan::Status;

use super::style::{BOLD, GREEN};
use super::table::{cents, gap, table};
use super::width::fitted;

use crate::output::say;

/// Prints how many GPUs, where each bucket goes, what was proven, and the best single type beside it.
pub fn print_table(report: &Report<'_>) {
    let (question, spread) = (report.question, report.spread);
    if !question.provenance.is_empty() {
        say!("rates {}\n", question.provenance);
    }
    if spread.has_plan() {
        say!("{}\n", fitted(&gpus(report), &["most", "load", "each /h"]));
        say!("{}\n", fitted(&buckets(report), &[]));
    }
    for note in &spread.notes {
        say!("note: {note}");
    }
    let by = format!("({} by {})", spread.formulation, spread.backend);
    let per_h = per_hour(report);
    match spread.status {
        Status::Optimal | Status::Feasible => {
            say!(
                "{BOLD}total {} {per_h}{BOLD:#}, {GREEN}{}{GREEN:#}: bound {}, gap {} {by}",
                cents(spread.cost_per_h),
                spread.status.word(),
                cents(spread.bound_per_h),
                gap(spread.gap()),
            );
            say!("{}", best_single(report));
        }
        Status::Infeasible => {
            say!("{BOLD}infeasible{BOLD:#}: not every request can be served {by}");
        }
        Status::Unknown => say!(
            "{BOLD}no spread{BOLD:#}: stopped before one was found or excluded; bound {} {by}",
            cents(spread.bound_per_h)
        ),
    }
    say!(
        "{} requests/s, slice factor {}; sizing {:.1} ms, solving {:.1} ms",
        figure(question.rate_per_s()),
        question.slices,
        report.seconds.0 * 1e3,
        report.seconds.1 * 1e3
    );
}

fn per_hour(report: &Report<'_>) -> String {
    match report.question.currency.as_str() {
        "" => "an hour, in the input's currency".to_owned(),
        currency => format!("{currency}/h"),
    }
}

/// Six digits at most.
fn figure(value: f64) -> String {
    format!("{}", (value * 1e6).round() / 1e6)
}

fn best_single(report: &Report<'_>) -> String {
    let cost = report.spread.cost_per_h;
    match report.question.best_single() {
        Some(single) => {
            let more = if cost > 0.0 {
                format!(", {:+.1}%", (single.cost_per_h / cost - 1.0) * 100.0)
            } else {
                String::new()
            };
            let name = &report.question.gpus[single.gpu].name;
            let (count, cost) = (single.count, cents(single.cost_per_h));
            format!("best single type: {count} {name} at {cost}{more}")
        }
        None => "best single type: none serves every bucket within the limits".to_owned(),
    }
}

fn gpus(report: &Report<'_>) -> Table {
    let header =
        ["GPU", "each /h", "most", "GPUs", "load", "util %", "cost /h", "alone: GPUs", "cost /h"];
    let mut rows = table(&header, 1);
    for (g, gpu) in report.question.gpus.iter().enumerate() {
        let (count, alone) = (report.count(g), report.question.single(g));
        let used = |text: String| if count > 0 { text } else { String::new() };
        rows.add_row([
            gpu.name.clone(),
            cents(gpu.cost_per_h),
            report.question.most(g).map_or(String::new(), |most| most.to_string()),
            count.to_string(),
            used(format!("{:.3}", report.load(g))),
            report.utilisation(g).map_or(String::new(), |u| format!("{:.1}", u * 100.0)),
            used(cents(gpu.cost_per_h * count as f64)),
            alone.map_or("-".to_owned(), |a| a.count.to_string()),
            alone.map_or("-".to_owned(), |a| cents(a.cost_per_h)),
        ]);
    }
    rows
}

/// Buckets of the table; the rest is counted.
const SHOWN: usize = 60;

/// One row a bucket: percent of it on each GPU type in use.
fn buckets(report: &Report<'_>) -> Table {
    let question = report.question;
    let used: Vec<usize> = (0..question.gpus.len()).filter(|&g| report.count(g) > 0).collect();
    let names = used.iter().map(|&g| format!("{} %", question.gpus[g].name));
    let header = ["input", "output", "requests/s"].into_iter().map(str::to_owned);
    let header: Vec<String> = header.chain(names).collect();
    let mut rows = table(&header.iter().map(String::as_str).collect::<Vec<_>>(), 0);
    for b in question.asked().take(SHOWN) {
        let Bucket { input, output, rate_per_s } = &question.buckets[b];
        let shares = used.iter().map(|&g| match report.share(b, g) * 100.0 {
            share if share > 0.0 => format!("{:.1}", share).trim_end_matches(".0").to_owned(),
            _ => ".".to_owned(),
        });
        let start = [input.clone(), output.clone(), figure(*rate_per_s)];
        rows.add_row(start.into_iter().chain(shares));
    }
    let all = question.asked().count();
    if all > SHOWN {
        rows.add_row([format!("... {} more: --out or --format json has all", all - SHOWN)]);
    }
    rows
}
