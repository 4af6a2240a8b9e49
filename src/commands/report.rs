//! The plan as a report, and its charts as files.

use std::path::Path;

use isocost_model::export::{Timing, write_file};
use isocost_model::plan::Plan;
use isocost_report::Input;

use crate::Failure;
use crate::args::PlanArgs;
use crate::job::Job;

/// Writes what `--report` and `--plots` ask for; nothing where neither is given.
pub fn write(args: &PlanArgs, job: &Job, plan: &Plan, timing: Timing) -> Result<(), Failure> {
    if args.report.is_none() && args.plots.is_none() {
        return Ok(());
    }
    let name = args.scenario.scenario.display().to_string();
    let input = Input {
        name: &name,
        scenario: job.stated(),
        sizing: &job.sizing,
        candidates: &job.candidates,
        plan,
        timing,
    };
    if let Some(path) = &args.report {
        save(path, isocost_report::html(&input).as_bytes(), "--report")?;
    }
    let Some(dir) = &args.plots else { return Ok(()) };
    std::fs::create_dir_all(dir).map_err(|e| Failure::failed(format!("{}: {e}", dir.display())))?;
    for plot in isocost_report::plots(&input) {
        let file = |extension: &str| dir.join(format!("{}.{extension}", plot.name));
        save(&file("svg"), plot.svg.as_bytes(), "--plots")?;
        save(&file("png"), &plot.png, "--plots")?;
    }
    Ok(())
}

fn save(path: &Path, bytes: &[u8], flag: &str) -> Result<(), Failure> {
    write_file(path, bytes).map_err(|e| {
        let (path, why) = (path.display(), e.source);
        Failure::failed(format!("{path}: cannot be written: {why}; choose another place by {flag}"))
    })
}
