//! How far off fits are on sweeps that they have not seen: open loops of one system, and closed
//! loops of thirteen.
//!
//! `cargo bench -p isocost-calibration --bench left_out [-- open|six|closed|families|speed]`
//!
//! `SYSTEM=text` takes the closed loops of the systems whose name holds the text; `SWEEPS=1` says more.
//!
//! For each sweep, without it: mean / median error of ITL and TTFT, and P95; the two highest rates,
//! with the largest share by which a latency was predicted too short; coverage of the 95% regions.

use std::path::{Path, PathBuf};
use std::time::Instant;

use isocost_calibration::{
    Bench, Errors, Family, Fit, LeftOut, Options, Point, Prediction, Spread, Validation, fit_all,
    fit_and_validate, mark_single_client, predict, read, systems,
};

/// Those that closed loops are fitted by.
const FAMILIES: [Family; 2] = [Family::Roofline, Family::Mixture];

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let wants = |name: &str| asked.is_empty() || asked.iter().any(|a| a == name);
    if asked.iter().any(|a| a == "speed") {
        speed("vllm-percentiles.csv");
    }
    if asked.iter().any(|a| a == "families") {
        families("vllm-percentiles.csv");
    }
    if wants("open") {
        open("vllm-percentiles.csv", 1024);
    }
    if wants("six") {
        open("vllm-sweeps.csv", 256);
    }
    if wants("closed") {
        closed("closed-loop.csv");
    }
}

fn measured(name: &str) -> Option<Vec<Point>> {
    let path: PathBuf =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference/measured").join(name);
    if !path.exists() {
        println!("skipped: {} is not here", path.display());
        return None;
    }
    match read::load(&[path]) {
        Ok(measured) => Some(measured.points),
        Err(error) => {
            println!("{error}");
            None
        }
    }
}

/// What one prediction of every point takes.
fn speed(name: &str) {
    let Some(mut points) = measured(name) else { return };
    mark_single_client(&mut points);
    let service = Family::Roofline.model(&[11.2, 0.014, 6.4e-5, 0.0425, 3e-7, 181.0, 7.6, 1.44]);
    let bench = Bench { batch: 1024, ..Bench::default() };
    let started = Instant::now();
    let times = 20;
    for _ in 0..times {
        let known = points.iter().filter_map(|p| predict(service, &bench, p)).count();
        assert_eq!(known, points.len());
    }
    let all: Vec<_> =
        points.iter().filter_map(|p| Some((p, predict(service, &bench, p)?))).collect();
    header();
    row("at these parameters", &Errors::of(&all.iter().map(|(p, x)| (*p, x)).collect::<Vec<_>>()));
    println!("{:.2} ms", started.elapsed().as_secs_f64() * 1000.0 / f64::from(times));
}

/// Every service model, as `isocost fit` tries them.
fn families(name: &str) {
    let Some(mut points) = measured(name) else { return };
    mark_single_client(&mut points);
    let bench = Bench { batch: 1024, ..Bench::default() };
    header();
    let options = Options { bench, ..Options::default() };
    let started = Instant::now();
    match fit_all(&Family::ALL, &points, &options) {
        Ok(fits) => {
            fits.iter().for_each(|(fit, v)| row(fit.family.name(), v.unseen_errors()));
        }
        Err(error) => println!("{error}"),
    }
    println!("{} points, {:.1} s", points.len(), started.elapsed().as_secs_f64());
}

/// The sweeps of one system in open loop.
fn open(name: &str, batch: u32) {
    let Some(mut points) = measured(name) else { return };
    mark_single_client(&mut points);
    let bench = Bench { batch, ..Bench::default() };
    let started = Instant::now();
    let found =
        fit_and_validate(Family::Roofline, &points, &Options { bench, ..Options::default() });
    let (fit, validation) = match found {
        Ok(found) => found,
        Err(error) => return println!("{name}: {error}"),
    };
    println!("{name}: {} points, {:.1} s", points.len(), started.elapsed().as_secs_f64());
    parameters(&fit);
    for excluded in &fit.excluded {
        println!("excluded: {}: {}", points[excluded.point].place, excluded.reason);
    }
    header();
    for sweep in &validation.sweeps {
        if let Some(errors) = &sweep.left_out {
            row(&sweep.name, errors);
        }
    }
    row("all, left out", validation.unseen_errors());
    row("all, fitted", &validation.fitted);
    row("highest two rates, left out", &highest(&validation.unseen, &points));
    coverage(&validation);
    println!();
}

/// The points of each system in closed loop.
fn closed(name: &str) {
    let Some(points) = measured(name) else { return };
    let started = Instant::now();
    let mut unseen = Vec::new();
    let only = std::env::var("SYSTEM").unwrap_or_default();
    header();
    for system in systems(&points).into_iter().filter(|s| s.contains(&only)) {
        let own: Vec<Point> = points.iter().filter(|p| p.system == system).cloned().collect();
        let options = Options { bench: Bench::for_clients(&own), ..Options::default() };
        match fit_all(&FAMILIES, &own, &options) {
            Ok(fits) => {
                let unseen_mean = |fit: &(Fit, Validation)| fit.1.unseen_mean();
                let best =
                    fits.into_iter().min_by(|a, b| unseen_mean(a).total_cmp(&unseen_mean(b)));
                let Some((fit, validation)) = best else { continue };
                row(&system, validation.unseen_errors());
                println!(
                    "    clients send {}, KV cache {:?}",
                    fit.bench.course.words(),
                    fit.bench.engine.kv_tokens
                );
                parameters(&fit);
                if std::env::var_os("SWEEPS").is_some() {
                    parameters(&fit);
                    for sweep in &validation.sweeps {
                        row(&format!("    {}", sweep.name), &sweep.fitted);
                    }
                }
                for out in validation.unseen {
                    unseen.extend(out.judged.into_iter().map(|(i, p)| (own[i].clone(), p)));
                }
            }
            Err(error) => println!("{system}: {error}"),
        }
    }
    let judged: Vec<(&Point, &Prediction)> = unseen.iter().map(|(point, p)| (point, p)).collect();
    row("all, left out", &Errors::of(&judged));
    println!("{:.1} s\n", started.elapsed().as_secs_f64());
}

/// Errors at the two highest rates of each sweep.
fn highest(unseen: &[LeftOut], points: &[Point]) -> Errors {
    let mut judged = Vec::new();
    for out in unseen {
        let mut own: Vec<(&Point, &Prediction)> =
            out.judged.iter().map(|(i, prediction)| (&points[*i], prediction)).collect();
        own.sort_by(|a, b| b.0.rate_per_s.total_cmp(&a.0.rate_per_s));
        judged.extend(own.into_iter().take(2));
    }
    Errors::of(&judged)
}

fn parameters(fit: &Fit) {
    let named = fit.family.parameters().iter().zip(&fit.values);
    let named: Vec<String> = named.map(|(name, value)| format!("{name} {value:.4e}")).collect();
    println!("{}", named.join(", "));
}

fn header() {
    println!(
        "{:<60} {:>13} {:>6} {:>13} {:>6} {:>13} {:>13}",
        "mean / median error %", "ITL", "short", "TTFT", "short", "P95 TTFT", "P95 TPOT"
    );
}

fn row(name: &str, errors: &Errors) {
    println!(
        "{name:<60} {:>13} {:>6.1} {:>13} {:>6.1} {:>13} {:>13}",
        shares(&errors.itl),
        errors.itl.optimistic * 100.0,
        shares(&errors.ttft),
        errors.ttft.optimistic * 100.0,
        p95(&errors.ttft_percentiles),
        p95(&errors.tpot_percentiles),
    );
}

fn p95(spreads: &[(f64, Spread)]) -> String {
    let p95 = spreads.iter().find(|(percent, _)| *percent == 95.0);
    p95.map_or(String::new(), |(_, spread)| shares(spread))
}

fn shares(spread: &Spread) -> String {
    format!("{:.1} / {:.1}", spread.mean * 100.0, spread.median * 100.0)
}

fn coverage(validation: &Validation) {
    let region = &validation.region;
    let percent =
        |share: Option<f64>| share.map_or(String::new(), |s| format!("{:.0}%", s * 100.0));
    println!(
        "regions hold {} of ITL and {} of TTFT left out (margins {:.3}, {:.3})",
        percent(region.itl_coverage),
        percent(region.ttft_coverage),
        region.margin.time,
        region.margin.first,
    );
}
