//! `isocost plan`: from a scenario to a checked plan.

use std::path::Path;
use std::time::Instant;

use isocost_catalogue::{Catalogue, deploy};
use isocost_charts::Theme;
use isocost_formulations::Program;
use isocost_model::export::{
    Export, Table, budgets_table, candidates_table, json_text, nodes_table, plan_csv, plan_json,
    plan_table, summary_table, usage_table, write_all, write_file,
};
use isocost_model::plan::{Choice, Plan, Status};
use isocost_model::stress::add_headroom;
use isocost_planner::certify::{Certified, CertifyError};
use isocost_simulation::Search;
use isocost_solver::Interrupt;

use super::{given, report};
use crate::args::{Deploy, Format, PlanArgs};
use crate::job::Job;
use crate::output::style::{Bar, Spinner, warning};
use crate::output::trace::Trace;
use crate::output::{print, table};
use crate::{Failure, exit};

/// A plan, and what it was made by.
pub struct Planned {
    /// The planner and its fleet.
    pub job: Job,
    /// The plan.
    pub plan: Plan,
    /// Seconds that solving took.
    pub solving_s: f64,
}

impl Planned {
    /// What exports take.
    pub fn export(&self) -> Export<'_> {
        self.job.fleet.export(&self.plan, self.solving_s)
    }

    /// Writes the plan's files into a directory, or its tables and the scenario into a workbook.
    ///
    /// # Errors
    /// What cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let export = self.export();
        if path.is_dir() || !isocost_spreadsheet::is_workbook(path) {
            return write_all(path, &export).map_err(Failure::failed);
        }
        let of_plan = [summary_table, plan_table, usage_table, candidates_table];
        let mut tables: Vec<Table> = of_plan.iter().map(|table| table(&export)).collect();
        if !self.plan.budgets.is_empty() {
            tables.push(budgets_table(&export));
        }
        if !export.plan.nodes.is_empty() {
            tables.push(nodes_table(&export));
        }
        tables.extend(self.job.other_loads());
        let book = isocost_spreadsheet::write(&tables, self.job.source.as_deref());
        let book = book.map_err(|e| Failure::failed(format!("{}: {e}", path.display())))?;
        write_file(path, &book).map_err(Failure::failed)
    }

    /// Why the plan is as it is, or why there is none, as JSON; `None` of a heuristic's plan.
    ///
    /// # Errors
    /// A failure of the solver.
    pub fn explanation_json(&self, interrupt: &Interrupt) -> Result<Option<String>, Failure> {
        Ok(report::explanation(self, interrupt)?.map(|explanation| json_text(&explanation)))
    }

    /// The report: one HTML file. `name` is what its reader knows the scenario by.
    ///
    /// # Errors
    /// A failure of the solver.
    pub fn report(&self, name: &str, interrupt: &Interrupt) -> Result<String, Failure> {
        let explanation = report::explanation(self, interrupt)?;
        Ok(isocost_report::html(&report::input(self, name, explanation.as_ref())))
    }

    /// The report's charts, each by name as SVG.
    ///
    /// # Errors
    /// A failure of the solver.
    pub fn charts(&self, interrupt: &Interrupt) -> Result<Vec<(String, String)>, Failure> {
        let explanation = report::explanation(self, interrupt)?;
        let input = report::input(self, "", explanation.as_ref());
        let plots = isocost_report::plots(&input);
        Ok(plots.map(|(name, chart)| (name, chart.svg(&Theme::light()))).collect())
    }
}

/// Runs the command; returns its exit code.
pub fn run(args: &PlanArgs) -> Result<u8, Failure> {
    let planned = planned(args)?;
    // What took long to find is shown whether or not there is room for the files.
    let written = write(args, &planned);
    show(args, &planned.export())?;
    written?;
    Ok(exit::of(planned.plan.status))
}

/// The plan that is asked for.
pub fn planned(args: &PlanArgs) -> Result<Planned, Failure> {
    let is_other = |path: &&Path| isocost_spreadsheet::is_other_workbook(path) && !path.is_dir();
    if let Some(path) = args.out.as_deref().filter(is_other) {
        let what = "workbooks are written as .xlsx";
        return Err(Failure::input(format!("--out {}: {what}; end the name so", path.display())));
    }
    let mut job = Job::new(&args.scenario, &args.sizing, &args.solve)?;
    money(args, &mut job);
    if args.certify {
        return certified(args, job);
    }
    let trace = Trace::start(&mut job.planner.request, args.trace.is_some());
    let Job { planner, fleet, .. } = &job;
    if let Some(path) = &args.write_model {
        write_model(&planner.program(fleet), path)?;
    }
    let start = Instant::now();
    let choice = match &args.read_solution {
        Some(path) => given::solution(path, &job)?,
        None => {
            let _spinner = Spinner::start("solving");
            choose(args, &job)?
        }
    };
    let solving_s = start.elapsed().as_secs_f64();
    if let Some(path) = &args.trace {
        trace.write(path, solving_s, &choice)?;
    }

    let mut plan = planner.checked(fleet, choice).map_err(Failure::failed)?;
    if plan.serves_all() && !args.no_cost_range && args.read_solution.is_none() {
        let _spinner = Spinner::start("planning at the ends of the calibration's region");
        plan.cost_range = planner.cost_range(fleet).map_err(Failure::failed)?;
    }
    if plan.status == Status::Infeasible {
        plan.notes.extend(why(&job, &plan)?);
    }
    add_headroom(job.stated(), &planner.sizing, &mut plan);
    Ok(Planned { job, plan, solving_s })
}

/// What sums are shown in, as the arguments say.
fn money(args: &PlanArgs, job: &mut Job) {
    let currency = &mut job.fleet.scenario.currency;
    if let Some(name) = &args.currency {
        currency.name = Some(name.clone());
    }
    currency.rate = args.exchange_rate.unwrap_or(currency.rate);
}

/// What brings a plan about; nothing of a plan that is none.
fn deployed(kind: Deploy, args: &PlanArgs, export: &Export<'_>) -> Result<String, Failure> {
    if !export.plan.has_plan() {
        export.plan.notes.iter().for_each(|note| warning(note));
        return Ok(String::new());
    }
    let catalogue = Catalogue::builtin();
    Ok(match kind {
        Deploy::K8s => deploy::kubernetes(export, &catalogue, &args.product),
        Deploy::TerraformTfvars => deploy::terraform(export, &catalogue),
    })
}

/// The plan that simulation agrees with.
fn certified(args: &PlanArgs, mut job: Job) -> Result<Planned, Failure> {
    let start = Instant::now();
    let search = Search { effort: args.effort.effort(), ..Search::default() };
    let bar = Bar::start("simulating");
    let listen = |round: u32, done: usize, of: usize| bar.set_round(round, done, of);
    let certified = job.planner.certify(job.fleet, &search, &listen);
    drop(bar);
    let Certified { mut plan, fleet, .. } = certified.map_err(|error| match error {
        CertifyError::Stopped => Failure { code: exit::UNKNOWN, ..Failure::failed(error) },
        error => Failure::failed(error),
    })?;
    job.fleet = fleet;
    add_headroom(job.stated(), &job.planner.sizing, &mut plan);
    Ok(Planned { job, plan, solving_s: start.elapsed().as_secs_f64() })
}

/// The cheapest choice; what proves its bound goes to `--proof`.
fn choose(args: &PlanArgs, job: &Job) -> Result<Choice, Failure> {
    let Job { planner, fleet, .. } = job;
    let problem = planner.problem(fleet);
    let Some(path) = &args.proof else {
        return planner.choose(fleet, &problem).map_err(Failure::failed);
    };
    let proven = planner.proven(fleet, &problem).map_err(Failure::failed)?;
    let Some((choice, proof)) = proven else {
        return Err(Failure::input(
            "--proof: only plans by patterns are proven; give --formulation mixed or single",
        ));
    };
    match proof {
        Some(text) => {
            isocost_model::export::write_file(path, text.as_bytes()).map_err(Failure::failed)?
        }
        None => return Err(Failure::failed("--proof: time was up before anything was proven")),
    }
    match choice.status {
        // What to do under shortage has no proof of its own.
        Status::Infeasible | Status::Unknown => {
            planner.choose(fleet, &problem).map_err(Failure::failed)
        }
        _ => Ok(choice),
    }
}

/// Why there is no plan, and where to read more.
fn why(job: &Job, plan: &Plan) -> Result<Vec<String>, Failure> {
    let _spinner = Spinner::start("why there is no plan");
    let reason = job.planner.reason(&job.fleet, plan).map_err(Failure::failed)?;
    let more = "`isocost explain` with the same arguments says what would help".to_owned();
    Ok(reason.into_iter().chain([more]).collect())
}

fn write_model(program: &Program, path: &Path) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::failed(format!("{}: {e}", path.display()));
    let write: fn(&isocost_solver::Milp, &mut Vec<u8>) -> std::io::Result<()> =
        match path.extension().and_then(|e| e.to_str()) {
            Some("mps") => |milp, out| isocost_solver::write_mps(milp, out),
            Some("lp") => |milp, out| isocost_solver::write_lp(milp, out),
            _ => {
                let text = format!("{}: expected a name that ends in .mps or .lp", path.display());
                return Err(Failure::input(text));
            }
        };
    let mut text = Vec::new();
    write(&program.milp, &mut text).map_err(failed)?;
    isocost_model::export::write_file(path, &text).map_err(Failure::failed)
}

/// Writes the files that are asked for.
pub fn write(args: &PlanArgs, planned: &Planned) -> Result<(), Failure> {
    let reported = report::write(args, planned);
    // One that cannot be written is no reason to leave out the other.
    let written = args.out.as_deref().map_or(Ok(()), |path| planned.write(path));
    reported.and(written)
}

fn show(args: &PlanArgs, export: &Export<'_>) -> Result<(), Failure> {
    if let Some(kind) = args.export {
        return print(deployed(kind, args, export)?.as_bytes());
    }
    let bytes = match args.format {
        Format::Table => {
            table::print(export);
            return Ok(());
        }
        Format::Json => plan_json(export).into_bytes(),
        Format::Csv => plan_csv(export),
    };
    print(&bytes)
}
