//! `isocost horizon`: what to reserve for all hours, and what to rent hour by hour.

use std::path::Path;
use std::time::Instant;

use isocost_formulations::horizon::{Asked, Sized, apart_from_nodes, solve_checked};
use isocost_model::export::json_text;
use isocost_model::export::write_file;
use isocost_model::horizon::{Export, HorizonPlan, Pool, Prices, Profile};
use isocost_model::input::{self, Problem};
use isocost_model::scenario::Scenario;
use isocost_planner::Planner;
use isocost_solver::{Backend, SolveOptions};

use crate::args::{Format, HorizonArgs, Shortage, SolveArgs};
use crate::job::{planner, read};
use crate::output::horizon::{Compared, charts, print_table};
use crate::output::style::{Spinner, warning};
use crate::{Failure, exit, output};

/// Runs the command; returns its exit code.
pub fn run(args: &HorizonArgs) -> Result<u8, Failure> {
    fits(&args.solve)?;
    let (scenario, profile, prices) = inputs(args)?;
    let Planner { sizing, request, backend, .. } = planner(&args.sizing, &args.solve)?;
    let shape = request.formulation.shape(&scenario);
    let asked = Asked {
        scenario: &scenario,
        sizing: &sizing,
        profile: &profile,
        prices: &prices,
        unlimited: request.options(&scenario).unlimited,
        shape,
    };
    let (plan, seconds, compared) = {
        let _spinner = Spinner::start("planning the horizon");
        let start = Instant::now();
        let sized = Sized::new(&scenario, &profile, &sizing);
        if let Some(why) = apart_from_nodes(&scenario, &sized) {
            let remedy = "plan its periods one by one, by `isocost plan --loads`";
            return Err(Failure::input(format!(
                "{why}; a plan over time needs sizes that each divide the next and the node: {remedy}"
            )));
        }
        let sizing_s = start.elapsed().as_secs_f64();
        let start = Instant::now();
        let plan =
            solve_checked(&asked, &sized, &*backend, &request.solve).map_err(Failure::failed)?;
        let seconds = (sizing_s, start.elapsed().as_secs_f64());
        let compared = match args.no_compare || !plan.has_plan() {
            true => Vec::new(),
            false => compare(&asked, &sized, &*backend, &request.solve)?,
        };
        (plan, seconds, compared)
    };
    let export =
        Export { scenario: &scenario, profile: &profile, prices: &prices, plan: &plan, seconds };
    emit(args, &export, &compared)?;
    Ok(exit::of(plan.status))
}

/// Refuses what plans over time do not know.
fn fits(solve: &SolveArgs) -> Result<(), Failure> {
    let unknown = [
        (solve.transition, "--transition"),
        (solve.max_moves.is_some(), "--max-moves"),
        (solve.shortage != Shortage::None, "--shortage"),
        (
            matches!(
                solve.formulation,
                crate::args::Formulation::Greedy | crate::args::Formulation::Compact
            ),
            "--formulation greedy or compact",
        ),
    ];
    let given: Vec<&str> = unknown.iter().filter(|u| u.0).map(|u| u.1).collect();
    match given.is_empty() {
        true => Ok(()),
        false => Err(Failure::input(format!(
            "{}: plans over time do not know it; leave it out, or plan a period by `isocost plan --loads`",
            given.join(", ")
        ))),
    }
}

/// The scenario, its loads over time and the prices, with the margin; warnings go to standard error.
fn inputs(args: &HorizonArgs) -> Result<(Scenario, Profile, Prices), Failure> {
    let scenario = read(&args.scenario)?;
    if !isocost_model::sharing::groups(&scenario).is_empty() {
        warning(
            "plans over time keep every server on replicas of its own: `share` is not looked at",
        );
    }
    if scenario.budgets.iter().any(|budget| budget.cents_per_h.is_some()) {
        return Err(Failure::input(
            "--budget, centsPerHour: plans over time buy at prices of their own and keep no budget of \
             money; leave it out, or plan a period by `isocost plan --loads`",
        ));
    }
    let cards = args.period_cards.as_deref();
    let profile = input::profile(&scenario, &args.profile, cards);
    let prices = match &args.prices.prices {
        Some(path) => input::prices(&scenario, path),
        None => Ok((Prices::by_ratios(&scenario, &args.prices.ratios()), Vec::new())),
    };
    let (mut profile, prices) = match (profile, prices) {
        (Ok((profile, odd)), Ok((prices, odder))) => {
            let warn = |p: &Problem| warning(&p.to_string());
            odd.iter().chain(&odder).for_each(warn);
            (profile, prices)
        }
        (profile, prices) => {
            let problems = [profile.err(), prices.err()].into_iter().flatten();
            let problems = problems.flat_map(|e| e.problems).collect();
            return Err(Failure::input(input::InputError { problems }));
        }
    };
    let margin = args.scenario.margin.margin();
    for load in profile.periods.iter_mut().flat_map(|p| &mut p.loads) {
        load.arrival_rate_per_min *= margin.load;
    }
    Ok((margin.apply(&scenario, args.sizing.options()?.reading), profile, prices))
}

/// What other ways to buy would cost.
fn compare(
    asked: &Asked<'_>,
    sized: &Sized,
    backend: &dyn Backend,
    options: &SolveOptions,
) -> Result<Vec<Compared>, Failure> {
    let only =
        |keep: fn(&Pool) -> Pool| Prices { pools: asked.prices.pools.iter().map(keep).collect() };
    let rented = only(|p| Pool { reserved: None, spot: None, ..p.clone() });
    let reserved = only(|p| Pool { on_demand: None, spot: None, ..p.clone() });
    let peak = asked.profile.peak();
    let peak_sized = Sized::new(asked.scenario, &peak, asked.sizing);
    let cost = |asked: Asked<'_>, sized: &Sized| -> Result<HorizonPlan, Failure> {
        solve_checked(&asked, sized, backend, options).map_err(Failure::failed)
    };
    let at_peak = |prices| Asked { profile: &peak, prices, ..*asked };
    Ok(vec![
        Compared::new("the peak, all hours on demand", cost(at_peak(&rented), &peak_sized)?),
        Compared::new("the peak, all hours reserved", cost(at_peak(&reserved), &peak_sized)?),
        Compared::new(
            "period by period, all on demand",
            cost(Asked { prices: &rented, ..*asked }, sized)?,
        ),
    ])
}

fn emit(args: &HorizonArgs, export: &Export<'_>, compared: &[Compared]) -> Result<(), Failure> {
    let mut json = export.json();
    json["comparedCost"] = compared.iter().map(Compared::json).collect();
    let json = json_text(&json);
    // What took long to find is shown whether or not there is room for the files.
    let written = match &args.out {
        Some(dir) => write(dir, export, &json),
        None => Ok(()),
    };
    match args.format {
        Format::Table => print_table(export, compared),
        Format::Json => output::print(json.as_bytes())?,
        Format::Csv => output::print(&export.pools_csv())?,
    }
    written?;
    args.plots.draw(|| charts(export))
}

fn write(dir: &Path, export: &Export<'_>, json: &str) -> Result<(), Failure> {
    std::fs::create_dir_all(dir)
        .map_err(|e| Failure::failed(format!("{}: cannot be made: {e}", dir.display())))?;
    let mut files = vec![("horizon.json", json.as_bytes().to_vec())];
    if export.plan.has_plan() {
        files.extend([
            ("pools.csv", export.pools_csv()),
            ("placements.csv", export.placements_csv()),
        ]);
    }
    files
        .into_iter()
        .try_for_each(|(name, bytes)| write_file(&dir.join(name), &bytes).map_err(Failure::failed))
}
