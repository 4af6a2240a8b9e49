//! `isocost experiment buckets`: requests by size, spread over GPU types.

use std::path::Path;
use std::time::Instant;

use isocost_formulations::buckets::solve;
use isocost_model::Scenario;
use isocost_model::buckets::{Buckets, Report, SliceFactor, check, of_server};
use isocost_model::export::json_text;
use isocost_model::export::write_file;
use isocost_model::input::reading::known_names;
use isocost_model::input::{self, Instead, Problem};
use isocost_model::scenario::Provenance;
use isocost_solver::{SolveOptions, backend, default_backend};

use crate::args::{BucketsArgs, Format};
use crate::job::interrupt;
use crate::output::buckets::print_table;
use crate::output::style::{Spinner, warning};
use crate::{Failure, exit, output};

/// Runs the command; returns its exit code.
pub fn run(args: &BucketsArgs) -> Result<u8, Failure> {
    let backend = match &args.backend {
        Some(name) => backend(name),
        None => default_backend(),
    };
    let backend = backend.map_err(Failure::input)?;
    let start = Instant::now();
    let mut question = match (&args.server, &args.distribution) {
        (Some(server), Some(sizes)) => of_scenario(args, server, sizes)?,
        _ => of_file(args)?,
    };
    cap(&mut question, &args.cap)?;
    let sizing_s = if args.server.is_some() { start.elapsed().as_secs_f64() } else { 0.0 };
    let options = SolveOptions {
        time_limit: args.time_limit,
        relative_gap: args.gap,
        interrupt: interrupt(),
        ..SolveOptions::default()
    };
    let start = Instant::now();
    let spread = {
        let _spinner = Spinner::start("solving");
        solve(&question, args.formulation.into(), &*backend, &options).map_err(Failure::failed)?
    };
    if spread.has_plan() {
        let broken: Vec<String> =
            check(&question, &spread).iter().map(ToString::to_string).collect();
        if !broken.is_empty() {
            let text = format!("the spread does not hold, please report it: {}", broken.join("; "));
            return Err(Failure::failed(text));
        }
    }
    let seconds = (sizing_s, start.elapsed().as_secs_f64());
    emit(args, &Report { question: &question, spread: &spread, seconds })?;
    Ok(exit::of(spread.status))
}

fn warn(warnings: &[Problem]) {
    warnings.iter().for_each(|w| warning(&w.to_string()));
}

fn of_file(args: &BucketsArgs) -> Result<Buckets, Failure> {
    let instead = Instead { rate_per_s: args.rate, slices: args.slice_factor };
    let (question, warnings) = input::buckets(&args.input, instead).map_err(Failure::input)?;
    warn(&warnings);
    Ok(question)
}

/// Slices of a server's buckets where nothing else is asked for.
const SLICES: SliceFactor = SliceFactor::Whole(4);

fn of_scenario(args: &BucketsArgs, name: &str, sizes: &Path) -> Result<Buckets, Failure> {
    let input::Loaded { mut scenario, warnings } =
        input::load(&args.input).map_err(Failure::input)?;
    warn(&warnings);
    let (sizes, warnings) = input::sizes(sizes).map_err(Failure::input)?;
    warn(&warnings);
    let Some(server) = scenario.servers.iter().position(|s| s.name == name) else {
        let known = scenario.servers.iter().map(|s| s.name.as_str());
        let text = format!("unknown server `{name}`; {}", known_names(name, known));
        return Err(Failure::input(text));
    };
    if let Some(rate) = args.rate {
        scenario.servers[server].load.arrival_rate_per_min = rate * 60.0;
    }
    left_out(&scenario, server);
    let _spinner = Spinner::start("sizing");
    let slices = args.slice_factor.unwrap_or(SLICES);
    let unlimited = args.unlimited || scenario.optimizer.unlimited;
    let sizing = args.sizing.options()?;
    let mut question = of_server(&scenario, server, &sizes, &sizing, slices, unlimited);
    question.provenance = provenance(&scenario, scenario.servers[server].model).to_owned();
    Ok(question)
}

/// Says what of a server has no say here.
fn left_out(scenario: &Scenario, server: usize) {
    if scenario.servers[server].min_replicas > 1 {
        warning("the server's minNumReplicas has no say in how its requests are spread by size");
    }
    if !scenario.budgets.is_empty() {
        warning("the scenario's budgets have no say in how requests are spread by size");
    }
}

fn provenance(scenario: &Scenario, model: usize) -> &'static str {
    let mut of = scenario.profiles.iter().filter(|p| p.model == model).map(|p| p.provenance);
    if of.clone().any(|p| p == Provenance::Estimated) {
        "estimated"
    } else if of.all(|p| p == Provenance::Calibrated) {
        "calibrated"
    } else {
        ""
    }
}

/// Adds the caps of the arguments, every unknown name at once.
fn cap(question: &mut Buckets, caps: &[(String, u64)]) -> Result<(), Failure> {
    let mut unknown = Vec::new();
    for (name, most) in caps {
        match question.gpus.iter().position(|gpu| gpu.name.eq_ignore_ascii_case(name)) {
            Some(gpu) => question.cap(gpu, *most),
            None => {
                let known = question.gpus.iter().map(|gpu| gpu.name.as_str());
                unknown.push(format!("--cap: unknown GPU `{name}`; {}", known_names(name, known)));
            }
        }
    }
    if unknown.is_empty() { Ok(()) } else { Err(Failure::input(unknown.join("\n"))) }
}

fn emit(args: &BucketsArgs, report: &Report<'_>) -> Result<(), Failure> {
    let json = json_text(&report.json());
    if let Some(dir) = &args.out {
        std::fs::create_dir_all(dir)
            .map_err(|e| Failure::failed(format!("{}: cannot be made: {e}", dir.display())))?;
        let mut files = vec![("buckets.json", json.clone().into_bytes())];
        if report.spread.has_plan() {
            files.extend([("gpus.csv", report.gpus_csv()), ("buckets.csv", report.buckets_csv())]);
        }
        for (name, bytes) in files {
            write_file(&dir.join(name), &bytes).map_err(Failure::failed)?;
        }
    }
    match args.format {
        Format::Table => print_table(report),
        Format::Json => output::print(json.as_bytes())?,
        Format::Csv => output::print(&report.gpus_csv())?,
    }
    Ok(())
}
