//! `isocost diff`: two plans side by side, read from files or made from scenarios.

use std::path::Path;

use isocost_model::compare::{SavedPlan, compare};
use isocost_model::export::{json_text, plan_json};
use isocost_model::input::{is_plan, load_plan, plan_text};
use isocost_solver::Interrupt;

use crate::args::{DiffArgs, Format};
use crate::job::Job;
use crate::output::style::Spinner;
use crate::output::{diff as text, print};
use crate::{Failure, exit};

/// Runs the command; returns its exit code.
pub fn run(args: &DiffArgs) -> Result<u8, Failure> {
    if is_plan(&args.after) && (args.loads.is_some() || args.capacity_scale != 1.0) {
        let what = "is a plan already; --loads and --capacity-scale change a scenario: \
                    give the scenario instead";
        return Err(Failure::input(format!("{}: {what}", args.after.display())));
    }
    // The handler of Ctrl-C belongs to the first plan that is made.
    let mut interrupt = None;
    let before = plan(args, &args.before, false, &mut interrupt)?;
    let after = plan(args, &args.after, true, &mut interrupt)?;
    let difference = compare(&before, &after);
    match args.format {
        Format::Table => text::print(&difference, args.all),
        Format::Json => {
            print(json_text(&difference).as_bytes())?;
        }
        Format::Csv => print(&text::csv(&difference).map_err(Failure::failed)?)?,
    }
    Ok(exit::OK)
}

fn plan(
    args: &DiffArgs,
    path: &Path,
    second: bool,
    interrupt: &mut Option<Interrupt>,
) -> Result<SavedPlan, Failure> {
    if is_plan(path) {
        return load_plan(path).map_err(Failure::input);
    }
    let mut job = Job::new(&args.scenario(path, second), &args.sizing, &args.solve)?;
    let own = &mut job.planner.request.solve.interrupt;
    *own = interrupt.get_or_insert_with(|| own.clone()).clone();
    let plan = {
        let _spinner = Spinner::start("solving");
        job.planner.plan(&job.fleet).map_err(Failure::failed)?
    };
    let name = path.display().to_string();
    if !plan.has_plan() {
        let code = exit::of(plan.status);
        let text = format!(
            "{name}: {}: there is no plan to compare; see `isocost explain {name}`",
            plan.status.word()
        );
        return Err(Failure { code, text, problems: Vec::new() });
    }
    plan_text(&name, &plan_json(&job.fleet.export(&plan, 0.0))).map_err(Failure::failed)
}
