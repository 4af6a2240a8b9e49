//! **batch**: what the joint choice of the batch size is worth, and what tail objectives cost.
//!
//! Random fleets of 27 servers, planned exactly with the best batch, the least one within a tolerance
//! of the best rate, and the largest, for objectives on the mean, P95 and P99, with and without card
//! counts.

use isocost_charts::{Axis, Chart, Series};

use crate::data::Data;
use crate::experiment::{Experiment, Scope, Summary};
use crate::instances::{Fleet, Supply};
use crate::markdown::{cents, percent, spread, table};
use crate::measure::Task;
use crate::statistics::Spread;

/// The experiment.
pub struct Batches;

const PERCENTILES: [(&str, Option<f64>); 3] =
    [("mean", None), ("95", Some(95.0)), ("99", Some(99.0))];
const FLEETS: u64 = 12;
/// Ways to choose the batch, as tolerances and as the measurements name them.
const BATCHES: [(Option<f64>, &str); 3] =
    [(Some(0.0), BEST), (Some(0.02), "best within 0.02"), (None, "max")];
const BEST: &str = "best within 0";

impl Experiment for Batches {
    fn name(&self) -> &'static str {
        "batch"
    }

    fn about(&self) -> &'static str {
        "Random fleets of 27 servers (one a seed), one accelerator a server, proven optimal: the batch of \
         the best rate, the least batch within 2% of it (the default of `isocost plan`) and the largest \
         batch, for latency limits on the mean, P95 and P99. Ratios are taken within a fleet."
    }

    fn tasks(&self, scope: &Scope) -> Vec<Task> {
        let Some(backend) = scope.backends.first() else { return Vec::new() };
        let (fleets, forms) = if scope.quick { (2, 1) } else { (FLEETS, 3) };
        let percentiles = if scope.quick { &PERCENTILES[..2] } else { &PERCENTILES };
        let seeds = scope.seed..scope.seed.saturating_add(fleets);
        let mut tasks = Vec::new();
        for seed in seeds {
            for (supply, arm) in [(Supply::Unlimited, "unlimited"), (Supply::Fleet(1.5), "limited")]
            {
                for &(_, percentile) in percentiles {
                    for (batch_tolerance, _) in BATCHES {
                        let fleet = Fleet { copies: 1, forms, load: 1.0, supply, seed };
                        let task = Task::new(arm, fleet, "single", backend);
                        tasks.push(Task {
                            percentile,
                            batch_tolerance,
                            time_limit_s: 20.0,
                            ..task
                        });
                    }
                }
            }
        }
        tasks
    }

    fn summary(&self, measured: &Data, _: &Data) -> Summary {
        let mut summary = Summary::default();
        let arms = measured.distinct("arm");
        let percentiles = measured.distinct("percentile");
        for (batch, title, file) in [
            ("best within 0.02", "What a tolerance of 2% costs", "tolerance"),
            ("max", "What the largest batch costs", "largest-batch"),
        ] {
            let sides: Vec<_> = percentiles.iter().map(|&p| ((p, batch), (p, BEST))).collect();
            let more = compare(measured, &sides);
            summary.say(format!(
                "## {title}\n\nCost with `{batch}` over the cost with the batch of the best rate, less 1; \
                 median and quartiles over the fleets that both serve."
            ));
            summary.say(premiums(&arms, &more));
            summary.plot(file, &chart(title, &arms, &more));
        }

        let tails = percentiles.iter().filter(|p| **p != "mean");
        let tails: Vec<_> = tails.map(|&p| ((p, BEST), ("mean", BEST))).collect();
        let tails = compare(measured, &tails);
        summary.say(
            "## Tails over means\n\nCost of limits on a percentile over the cost of the same limits on \
             the mean, less 1, both with the best batch.",
        );
        summary.say(premiums(&arms, &tails));
        summary.plot("tails", &chart("What limits on a tail cost", &arms, &tails));

        let costs = arms.iter().map(|arm| {
            let of = |row: &crate::data::Row<'_>| row.number("cost_cents_per_h");
            let wanted = [("arm", *arm), ("batch", BEST), ("percentile", "mean")];
            let middle = Spread::of(measured.only(&wanted).filter_map(|row| of(&row)));
            vec![(*arm).to_owned(), spread(middle, |x| cents(Some(x.round())))]
        });
        summary.say("## Costs\n\nCents per hour with the best batch and limits on the mean.");
        summary.say(table(&["supply", "cost"], &costs.collect::<Vec<_>>()));
        summary
    }
}

/// A (percentile, batch) of the measurements.
type Side<'a> = (&'a str, &'a str);

/// What one side costs more than the other under a supply.
struct Premium<'a> {
    arm: &'a str,
    percentile: &'a str,
    /// Ratio less 1, over the fleets that both serve.
    more: Option<Spread>,
    /// Fleets that only the cheaper side can serve.
    unserved: usize,
}

fn compare<'a>(data: &'a Data, sides: &[(Side<'a>, Side<'a>)]) -> Vec<Premium<'a>> {
    let arms = data.distinct("arm");
    let of = |&(dear, cheap): &(Side<'a>, Side<'a>)| {
        let one = |&arm: &&'a str| {
            let cost = |seed: &str, (percentile, batch): Side<'_>| {
                let wanted =
                    [("arm", arm), ("seed", seed), ("percentile", percentile), ("batch", batch)];
                data.only(&wanted).next().and_then(|row| row.number("cost_cents_per_h"))
            };
            let seeds = data.distinct("seed");
            let pairs: Vec<_> =
                seeds.into_iter().map(|seed| (cost(seed, dear), cost(seed, cheap))).collect();
            Premium {
                arm,
                percentile: dear.0,
                more: Spread::of(pairs.iter().filter_map(|(a, b)| Some((*a)? / (*b)? - 1.0))),
                unserved: pairs.iter().filter(|(a, b)| a.is_none() && b.is_some()).count(),
            }
        };
        arms.iter().map(one).collect::<Vec<_>>()
    };
    sides.iter().flat_map(of).collect()
}

fn label(percentile: &str) -> String {
    if percentile == "mean" { percentile.to_owned() } else { format!("P{percentile}") }
}

fn percentiles<'a>(premiums: &[Premium<'a>]) -> Vec<&'a str> {
    let mut names: Vec<&str> = premiums.iter().map(|p| p.percentile).collect();
    names.dedup();
    names
}

fn premiums(arms: &[&str], premiums: &[Premium<'_>]) -> String {
    let rows = percentiles(premiums).into_iter().map(|percentile| {
        let of = premiums.iter().filter(|p| p.percentile == percentile);
        let cell = |p: &Premium<'_>| match p.unserved {
            0 => spread(p.more, percent),
            n => format!("{}; {n} fleets cannot be served", spread(p.more, percent)),
        };
        [label(percentile)].into_iter().chain(of.map(cell)).collect()
    });
    let header: Vec<&str> = ["limits on"].into_iter().chain(arms.iter().copied()).collect();
    table(&header, &rows.collect::<Vec<_>>())
}

fn chart(title: &str, arms: &[&str], premiums: &[Premium<'_>]) -> Chart {
    let x = Axis::categories("Limits on", percentiles(premiums).into_iter().map(label));
    let mut chart = Chart::new(title, x, Axis::linear("More cost, median", "%"));
    for arm in arms {
        let of = premiums.iter().filter(|p| p.arm == *arm);
        let values = of.map(|p| p.more.map_or(f64::NAN, |more| more.median * 100.0));
        chart = chart.with(Series::bars(*arm, values.collect()));
    }
    chart
}
