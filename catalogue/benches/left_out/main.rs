//! How far the catalogue's estimates are off on systems that their efficiencies were not fitted to.
//!
//! `cargo bench -p isocost-catalogue --bench left_out`
//!
//! Fits the efficiencies to all systems, which are those that are compiled in; to all but one, for each; and to
//! those of the other family of cards, for each family. Mean / median error of ITL and TTFT in per cent, and the
//! signed median. Last, how far apart the ends of an estimate have to be for 80% of what was left out to lie
//! between them.

mod margins;
mod search;
mod systems;

use std::time::Instant;

use isocost_catalogue::Efficiency;

use crate::margins::{Left, margin};
use crate::search::{START, errors, fit};
use crate::systems::{System, measured};

/// Rounds of the search for all systems, and for fewer from where that ended.
const FIRST: usize = 30;
const AGAIN: usize = 10;

fn main() {
    let systems = measured();
    if systems.is_empty() {
        return;
    }
    let started = Instant::now();
    let all: Vec<&System> = systems.iter().collect();
    let found = fit(&all, &[0.0; START.len()], FIRST);
    for ((name, start, _), x) in START.iter().zip(&found) {
        println!("{name:<20} {:.5}", start * x.exp());
    }
    for system in &systems {
        println!("{:<60} {}", system.name, system.course.name());
    }
    println!("\n{:<70} {:>14} {:>6} {:>14} {:>6}", "mean / median error %", "ITL", "", "TTFT", "");
    let mut fitted = Vec::new();
    for system in &systems {
        fitted.extend(row("fitted", system, &found));
    }
    total("all, fitted", &fitted);
    let left = left_out(&systems, &found);
    println!("\nends that hold 80% of what was left out: {}", margin(&left));
    let families = families_left_out(&systems, &found);
    println!("of a family left out: {}", margin(&families));
    println!("{:.0} s", started.elapsed().as_secs_f64());
}

/// Each system, by the efficiencies fitted to the others.
fn left_out<'a>(systems: &'a [System], from: &[f64]) -> Vec<Left<'a>> {
    let mut unseen = Vec::new();
    let mut left = Vec::new();
    for out in systems {
        let others: Vec<&System> = systems.iter().filter(|s| s.name != out.name).collect();
        let found = fit(&others, from, AGAIN);
        unseen.extend(row("left out", out, &found));
        left.push(Left { system: out, efficiency: efficiency(out, &found) });
    }
    total("all, left out", &unseen);
    left
}

/// The systems of each family of cards, by the efficiencies fitted to the other.
fn families_left_out<'a>(systems: &'a [System], from: &[f64]) -> Vec<Left<'a>> {
    let mut unseen = Vec::new();
    let mut left = Vec::new();
    for family in ["Hopper", "Blackwell"] {
        let (own, others): (Vec<&System>, _) =
            systems.iter().partition(|s| s.card.family == family);
        let mut found = fit(&others, from, AGAIN);
        // What is Blackwell's own is part of what it was fitted to, or unknown.
        let factors = found.split_off(search::BLACKWELL);
        let rest = factors.len();
        found.extend(if family == "Hopper" { factors } else { vec![0.0; rest] });
        for system in own {
            unseen.extend(row("family left out", system, &found));
            left.push(Left { system, efficiency: efficiency(system, &found) });
        }
    }
    total("all, family left out", &unseen);
    left
}

/// The efficiencies of a system's card.
pub fn efficiency(system: &System, free: &[f64]) -> Efficiency {
    let value = |i: usize| START[i].1 * free[i].exp();
    let blackwell = system.card.family == "Blackwell";
    let factor = |i: usize| if blackwell { value(search::BLACKWELL + i) } else { 1.0 };
    Efficiency {
        weights: value(0) * factor(0),
        experts: value(1),
        cache: value(2) * factor(0),
        bf16: value(3) * factor(1),
        fp8: value(4) * factor(1),
        fp4: value(5) * factor(1),
        attention: value(6),
        hidden: value(7).min(1.0),
        pass_ms: value(8) * factor(2),
        layer_ms: value(9) * factor(2),
        request_ms: value(10),
        reduce_ms: value(11),
        expert_ms: value(12),
        link: value(13),
        overhead_ms: value(14),
        prompt_layer_ms: value(15),
        lag_steps: value(16),
    }
}

fn row(what: &str, system: &System, free: &[f64]) -> Vec<(f64, f64)> {
    let found = errors(system, &efficiency(system, free));
    total(&format!("{what} {}", system.name), &found);
    found
}

fn total(name: &str, errors: &[(f64, f64)]) {
    let figures = |of: fn(&(f64, f64)) -> f64| {
        let signed: Vec<f64> = errors.iter().map(|e| of(e).exp_m1()).collect();
        let mut sizes: Vec<f64> = signed.iter().map(|e| e.abs()).collect();
        let mean = sizes.iter().sum::<f64>() / sizes.len() as f64;
        (mean * 100.0, median(&mut sizes) * 100.0, median(&mut signed.clone()) * 100.0)
    };
    let (itl, ttft) = (figures(|e| e.0), figures(|e| e.1));
    println!(
        "{name:<70} {:>6.1} /{:>6.1} {:>+6.0} {:>6.1} /{:>6.1} {:>+6.0}",
        itl.0, itl.1, itl.2, ttft.0, ttft.1, ttft.2
    );
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}
