//! A saved plan in place of one that is made anew: its replicas, under the scenario's loads.

use std::collections::HashMap;
use std::path::Path;

use isocost_model::check::{CheckOptions, check};
use isocost_model::compare::{SavedPart, SavedPlan};
use isocost_model::input::load_plan;
use isocost_model::plan::{Choice, Plan, Status};

use crate::Failure;
use crate::job::Job;

/// The plan at `path`: a `plan.json`, or the `--out` directory that holds one.
pub fn plan(path: &Path, job: &Job) -> Result<Plan, Failure> {
    let name = path.display();
    if !job.margin.is_none() {
        let text = format!("--plan {name}: it is simulated as it is; leave the margin out");
        return Err(Failure::input(text));
    }
    let saved = load_plan(path).map_err(Failure::input)?;
    let shares = shares(&saved, job).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|p| format!("{name}: {p}")).collect();
        Failure::input(lines.join("\n"))
    })?;
    let choice = Choice {
        status: Status::Feasible,
        objective: cost(&shares, job),
        shares,
        bound: f64::NEG_INFINITY,
        formulation: "saved".to_owned(),
        backend: name.to_string(),
        notes: Vec::new(),
    };
    let Job { scenario, candidates, sizing, .. } = job;
    let unlimited = job.request.problem.unlimited;
    let plan = Plan::new(scenario, candidates, sizing, unlimited, choice);
    let options = CheckOptions { unlimited, ..CheckOptions::default() };
    let broken = check(scenario, sizing, &options, &plan);
    if broken.is_empty() {
        return Ok(plan);
    }
    let lines: Vec<String> = broken.iter().take(20).map(|b| format!("{name}: {b}")).collect();
    let remedy = "give the scenario, loads and flags that the plan was made with";
    Err(Failure::input(format!("{}\nthe plan does not hold here; {remedy}", lines.join("\n"))))
}

/// For each server the candidates that the plan puts it on, or everything that does not fit.
fn shares(saved: &SavedPlan, job: &Job) -> Result<Vec<Vec<(usize, u64)>>, Vec<String>> {
    let by_name: HashMap<&str, &[SavedPart]> =
        saved.servers.iter().map(|s| (s.name.as_str(), &*s.parts)).collect();
    let mut problems = Vec::new();
    let servers = job.scenario.servers.iter().enumerate();
    let shares = servers.map(|(s, server)| {
        let parts = by_name.get(server.name.as_str()).copied().unwrap_or_default();
        let options = parts.iter().filter_map(|part| match option(job, s, part) {
            Ok(option) => Some((option, part.replicas)),
            Err(what) => {
                problems.push(format!("server `{}`: {what}", server.name));
                None
            }
        });
        options.collect()
    });
    let shares = shares.collect();
    if problems.is_empty() { Ok(shares) } else { Err(problems) }
}

/// The candidate of server `s` that a part stands for.
fn option(job: &Job, s: usize, part: &SavedPart) -> Result<usize, String> {
    let options = job.candidates.options(s);
    let name = |accelerator: usize| job.scenario.accelerators[accelerator].name.as_str();
    let found = options.iter().position(|o| name(o.accelerator) == part.accelerator);
    let found = found.ok_or_else(|| format!("`{}` cannot serve it", part.accelerator))?;
    let batch = options[found].batch;
    if part.batch != batch && part.batch != 0 {
        return Err(format!(
            "batch size {} on `{}`, where sizing takes {batch}; give the flags that the plan was \
             made with",
            part.batch, part.accelerator
        ));
    }
    Ok(found)
}

fn cost(shares: &[Vec<(usize, u64)>], job: &Job) -> f64 {
    let one = |(s, shares): (usize, &Vec<(usize, u64)>)| {
        let options = job.candidates.options(s);
        shares.iter().map(|&(o, n)| options[o].cost_cents_per_h * n as f64).sum::<f64>()
    };
    shares.iter().enumerate().map(one).sum()
}
