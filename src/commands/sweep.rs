//! `isocost sweep` and `isocost merge`.

use std::collections::BTreeMap;

use isocost_experiments::sweep::plots::plots;
use isocost_experiments::sweep::{self, Finished, Points, Setting, Shard, Sweep, SweepError};
use isocost_experiments::table::Table;
use isocost_model::spend::Currency;

use crate::args::{MergeArgs, SweepArgs};
use crate::job;
use crate::output::say;
use crate::output::style::{Bar, warning};
use crate::{Failure, exit, output};

/// Runs `isocost sweep`; returns its exit code.
pub fn run(args: &SweepArgs) -> Result<u8, Failure> {
    // What is planned for; costs and cards are those of the plan, whatever the loads turn out to be.
    let planner = job::planner(&args.sizing, &args.solve)?;
    let margin = args.scenario.margin.margin();
    let scenario = margin.apply(&job::read(&args.scenario)?, planner.sizing.reading);
    let per_hour = scenario.currency.per_hour();
    let base = Setting::new(scenario, planner.sizing, planner.request);
    let points = match &args.points {
        Some(path) => Points::from_csv(path, &base),
        None => Points::grid(&args.vary, &base),
    };
    let shard = match &args.shard {
        Some(text) => Shard::parse(text, |name| std::env::var(name).ok()),
        None => Ok(Shard::WHOLE),
    };
    let threads = (args.solve.threads > 1).then(|| {
        "--threads: a sweep runs its points side by side, each on one thread; leave it out, or \
         set --jobs"
            .to_owned()
    });
    let (points, shard) = match (points, shard, threads) {
        (Ok(points), Ok(shard), None) => (points, shard),
        (points, shard, threads) => {
            let problems =
                [points.err().map(|e| e.to_string()), shard.err().map(|e| e.to_string())];
            let problems: Vec<String> = problems.into_iter().flatten().chain(threads).collect();
            return Err(Failure::input(problems.join("\n")));
        }
    };
    let sweep = Sweep { base, points, shard, backend: planner.backend, jobs: args.jobs };
    let bar = Bar::start("planning");
    let finished = sweep.run(&args.out, &|p| bar.set(p.done, p.resumed, p.of));
    drop(bar);
    let finished = finished.map_err(|error| match error {
        SweepError::Journal(error) => Failure::input(error),
        other => Failure::failed(other),
    })?;
    let code = report(&finished);
    match &finished.table {
        Some(table) => args.plots.draw(|| plots(table, &per_hour))?,
        None if args.plots.plots.is_some() => warning("--plots: drawn when all points are there"),
        None => {}
    }
    Ok(code)
}

/// Says what came of it; returns the exit code.
fn report(finished: &Finished) -> u8 {
    let Finished { dir, progress, table, seconds, sizings } = finished;
    let dir = dir.display();
    let Some(table) = table else {
        warning(&format!(
            "stopped after {} of {} points; the same command goes on from there",
            progress.done, progress.of
        ));
        return exit::UNKNOWN;
    };
    let fresh = progress.of - progress.resumed;
    output::sweep::print(table);
    let rate = if fresh > 0 { fresh as f64 / seconds } else { 0.0 };
    say!("{} points: {}", progress.of, statuses(table));
    if progress.resumed > 0 {
        say!("{} of them from an earlier run", progress.resumed);
    }
    say!("{seconds:.1} s, {rate:.1} points/s, {sizings} sizings");
    say!("{dir}/points.csv");
    exit::OK
}

/// How many points have which status.
fn statuses(table: &Table) -> String {
    let Some(column) = table.column("status") else { return String::new() };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    table.rows.iter().for_each(|row| *counts.entry(&row[column]).or_default() += 1);
    let each = counts.iter().map(|(status, n)| format!("{n} {status}"));
    each.collect::<Vec<_>>().join(", ")
}

/// Runs `isocost merge`; returns its exit code.
pub fn merge(args: &MergeArgs) -> Result<u8, Failure> {
    let table = sweep::merge(&args.dirs).map_err(Failure::input)?;
    table.write(&args.out).map_err(Failure::failed)?;
    // The scenario, and with it its currency, is not among what shards write.
    args.plots.draw(|| plots(&table, &Currency::default().per_hour()))?;
    say!("{} points: {}", table.rows.len(), statuses(&table));
    Ok(exit::OK)
}
