//! The model of an engine against its simulation, at random stations: the table in
//! docs/src/queueing.md.
//!
//! `cargo bench -p isocost-simulation --bench engine_model -- [stations] [seed] [kind] [keep=FILE]`
//!
//! `kind` is one of `plain` (Poisson arrivals, prompts alike, chunked), `bursts`, `lengths`, `hits`,
//! `whole` (prompts in one piece), `memory` and `closed`. What is simulated is kept in FILE, which is
//! read instead where it is there, so that the model can be looked at anew in no time. `points` at the
//! end prints every point.

mod draw;
mod figures;

use std::fs;

use draw::{Case, Kind};
use figures::{FIGURES, Figures};
use rayon::prelude::*;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|w| w != "--bench").collect();
    let word = |at: usize, default: &str| words.get(at).map_or(default, String::as_str).to_owned();
    let stations: u32 = word(0, "200").parse().expect("a number of stations");
    let seed: u64 = word(1, "1001").parse().expect("a seed");
    let kind = Kind::named(&word(2, "plain")).expect("a kind that the front page names");
    let keep = words.iter().find_map(|w| w.strip_prefix("keep="));
    let cases: Vec<Case> = (0..stations).map(|unit| Case::draw(seed, unit, kind)).collect();
    let simulated = simulated(&cases, keep);
    let pairs: Vec<(&Case, Figures, Figures)> = cases
        .iter()
        .zip(simulated)
        .filter_map(|(case, (rate_per_s, simulated))| {
            Some((case, case.predict(rate_per_s)?, simulated?))
        })
        .collect();
    if words.iter().any(|w| w == "points") {
        for (case, predicted, simulated) in &pairs {
            println!("{case}");
            for (i, name) in FIGURES.iter().enumerate() {
                let (p, s) = (predicted[i], simulated[i]);
                println!("    {name:>9} {p:12.2} {s:12.2} {:+7.1}%", 100.0 * (p / s - 1.0));
            }
        }
    }
    println!("\n{} points, {stations} stations, seed {seed}, {kind:?}\n", pairs.len());
    for (title, top) in [("loads of 20 to 95%", 1.0), ("loads of 20 to 90%", 0.9)] {
        println!("| {title} | median % | 95th percentile % | largest % | optimistic by 5% |");
        println!("|---|---|---|---|---|");
        let within: Vec<_> = pairs.iter().filter(|(case, ..)| case.load <= top).collect();
        for (i, name) in FIGURES.iter().enumerate() {
            let errors = within.iter().map(|(_, p, s)| p[i] / s[i] - 1.0);
            row(name, errors.filter(|e| e.is_finite()).collect());
        }
        println!();
    }
}

/// The simulated rate and figures of each case, from the file where it is there.
fn simulated(cases: &[Case], keep: Option<&str>) -> Vec<(f64, Option<Figures>)> {
    if let Some(text) = keep.and_then(|file| fs::read_to_string(file).ok()) {
        return text.lines().map(figures::parse).collect();
    }
    let all: Vec<(f64, Option<Figures>)> = cases.par_iter().map(Case::simulate).collect();
    if let Some(file) = keep {
        let lines: Vec<String> = all.iter().map(figures::line).collect();
        fs::write(file, lines.join("\n")).expect("a file that can be written");
    }
    all
}

fn row(name: &str, errors: Vec<f64>) {
    let mut sizes: Vec<f64> = errors.iter().map(|e| 100.0 * e.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let Some(last) = sizes.len().checked_sub(1) else { return };
    let at = |share: f64| sizes[(share * last as f64).round() as usize];
    let low = errors.iter().filter(|e| **e < -0.05).count() as f64 / errors.len() as f64;
    println!(
        "| {name} | {:.1} | {:.1} | {:.1} | {:.1}% |",
        at(0.5),
        at(0.95),
        sizes[last],
        100.0 * low
    );
}
