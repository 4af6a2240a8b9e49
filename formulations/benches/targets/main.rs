//! Larger and larger fleets, ours beside plain HiGHS on the compact statement, in one run.
//!
//! ```sh
//! cargo bench -p isocost-formulations --bench targets                  # K = 1, 10, 37, 370, 3700
//! cargo bench -p isocost-formulations --bench targets -- 1 10 --limit 60 --compact-limit 60
//! cargo bench -p isocost-formulations --bench targets -- 10 37 --ablation
//! ```
//!
//! K copies of the reference scenario `large` (or of data/fleet-27 where it is missing), scaled as
//! `scaled.rs` says. Every solve runs in a process of its own, so that its
//! peak memory is its own; times are of solving alone, sizing apart.

mod scaled;
mod twister;

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use isocost_formulations::pattern::{self, Ablation, Shape, Space};
use isocost_formulations::{Problem, ProblemOptions, mixed, single};
use isocost_model::candidates::{Candidates, SizingOptions};
use isocost_model::input;
use isocost_model::plan::{Choice, relative_gap};
use isocost_solver::{Progress, SolveOptions, default_backend};
use scaled::scaled;

/// Gap to reach by K, and whether an optimum is to be proven (at most 1e-6).
const TARGETS: [(u32, f64); 5] = [(1, 3e-4), (10, 5e-5), (37, 1.5e-5), (370, 1e-4), (3_700, 1e-3)];

/// Names of what can be switched off.
const DEVICES: [&str; 8] = ["none", "prune", "fixing", "listing", "cuts", "totals", "step", "ties"];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match args.first().map(String::as_str) {
        Some("--child") => child(&args[1..]),
        _ => {
            twister::check();
            parent(&args);
        }
    }
}

/// What the command line asks for.
struct Asked {
    copies: Vec<u32>,
    limit: String,
    compact_limit: String,
    ablation: bool,
}

fn asked(args: &[String]) -> Asked {
    let value = |name: &str, default: &str| {
        let at = args.iter().position(|a| a == name);
        at.and_then(|i| args.get(i + 1)).map_or(default, String::as_str).to_owned()
    };
    let is_value = |i: usize| i > 0 && args[i - 1].starts_with("--") && args[i - 1] != "--ablation";
    let numbers = args.iter().enumerate().filter(|(i, _)| !is_value(*i));
    let mut copies: Vec<u32> = numbers.filter_map(|(_, a)| a.parse().ok()).collect();
    if copies.is_empty() {
        copies = TARGETS.map(|target| target.0).to_vec();
    }
    Asked {
        copies,
        limit: value("--limit", "120"),
        compact_limit: value("--compact-limit", "20"),
        ablation: args.iter().any(|a| a == "--ablation"),
    }
}

fn parent(args: &[String]) {
    let asked = asked(args);
    println!(
        "{:>5} {:>7} {:<7} {:<8} {:<8} {:>14} {:>14} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7}",
        "K",
        "servers",
        "shape",
        "method",
        "without",
        "cost",
        "bound",
        "gap",
        "to target",
        "to proof",
        "in all",
        "CPU s",
        "MB"
    );
    for &k in &asked.copies {
        let run = |shape: &str, method: &str, without: &str| {
            let limit = if method == "compact" { &asked.compact_limit } else { &asked.limit };
            let program = std::env::current_exe().expect("a running program has a path");
            let k = k.to_string();
            let args = ["--child", &k, shape, method, without, limit];
            let done = Command::new(program).args(args).output().expect("it runs again");
            print!("{}", String::from_utf8_lossy(&done.stdout));
            eprint!("{}", String::from_utf8_lossy(&done.stderr));
        };
        for shape in ["single", "mixed"] {
            run(shape, "patterns", "none");
            if asked.ablation {
                DEVICES[1..].iter().for_each(|device| run(shape, "patterns", device));
            } else {
                run(shape, "compact", "none");
            }
        }
    }
}

/// One solve: K, shape, method, what is switched off, seconds.
fn child(args: &[String]) {
    let [k, shape, method, without, limit] = args else { panic!("five arguments by the parent") };
    let k: u32 = k.parse().expect("a number by the parent");
    let problem = problem(k);
    let target = TARGETS.iter().find(|t| t.0 == k).map_or(1e-4, |t| t.1);
    let points = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&points);
    let (start, before) = (Instant::now(), cpu_seconds());
    let options = SolveOptions {
        time_limit: Some(Duration::from_secs_f64(limit.parse().expect("seconds"))),
        progress: Some(Arc::new(move |p: &Progress| {
            let gap = p.incumbent.map_or(f64::INFINITY, |cost| relative_gap(cost, p.bound));
            heard.lock().expect("no listener panics").push((start.elapsed().as_secs_f64(), gap));
        })),
        ..SolveOptions::default()
    };
    let choice = solve(&problem, shape, method, without, &options);
    let seconds = start.elapsed().as_secs_f64();
    let gap = relative_gap(choice.objective, choice.bound);
    let mut points = points.lock().expect("no listener panics").clone();
    points.push((seconds, gap));
    let first = |most: f64| {
        let reached = points.iter().find(|point| point.1 <= most);
        reached.map_or("-".to_owned(), |point| format!("{:.3}", point.0))
    };
    let proven =
        if choice.objective.is_finite() { first(1e-6) } else { choice.status.word().into() };
    println!(
        "{k:>5} {:>7} {shape:<7} {method:<8} {without:<8} {:>14.2} {:>14.2} {gap:>9.1e} {:>9} {proven:>9} \
         {seconds:>9.3} {:>9.2} {:>7}",
        problem.servers.len(),
        choice.objective,
        choice.bound,
        first(target),
        cpu_seconds() - before,
        peak_mb(),
    );
}

fn solve(
    problem: &Problem,
    shape: &str,
    method: &str,
    without: &str,
    options: &SolveOptions,
) -> Choice {
    let backend = default_backend().expect("one is built");
    let asked = ProblemOptions::default();
    if method == "compact" {
        let program =
            if shape == "single" { single(problem, &asked) } else { mixed(problem, &asked) };
        return program.solve(problem, &*backend, options).expect("solved");
    }
    let mut ablation = Ablation::default();
    match without {
        "prune" => ablation.prune = false,
        "fixing" => ablation.fixing = false,
        "listing" => ablation.listing = false,
        "cuts" => ablation.cuts = false,
        "totals" => ablation.totals = false,
        "ties" => ablation.ties = false,
        "step" => ablation.step = false,
        _ => {}
    }
    let shape = if shape == "single" { Shape::Single } else { Shape::Mixed };
    let space = Space::new(problem, shape, &asked);
    pattern::solve(&space, &*backend, options, &ablation).expect("solved")
}

fn problem(k: u32) -> Problem {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let reference = root.join("../../shared/reference/large");
    let path = if reference.exists() { reference } else { root.join("../data/fleet-27") };
    let scenario = scaled(&input::load(&path).expect("the scenario is sound").scenario, k, 1);
    // The flags of the reference figures.
    let sizing = SizingOptions::reference();
    let candidates = Candidates::build(&scenario, &sizing);
    Problem::new(&scenario, &candidates, &ProblemOptions::default())
}

/// Seconds of processor time of this process, on all cores, where the system tells: on a busy machine
/// they say more than the clock.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks =
        after_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// Peak memory of this process, in MB, where the system tells.
fn peak_mb() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kb.map_or("-".to_owned(), |kb| (kb / 1000).to_string())
}
