//! **formulations**: what heterogeneity and exactness are worth, from scarcity to plenty.
//!
//! The fleet's 27 servers with 0.3 to 2 times the cards that the cheapest plan without card counts
//! uses of a type (of the fleet's count where it uses none), planned by every formulation.

use isocost_charts::{Axis, Chart, Series};

use crate::data::{Data, Row};
use crate::experiment::{Experiment, Scope, Summary, repeated};
use crate::instances::{Fleet, Supply};
use crate::markdown::{cents, digits, percent, spread, table, time};
use crate::measure::Task;
use crate::statistics::Spread;

/// The experiment.
pub struct Formulations;

/// Name of the arm, formulation, whether it serves what it can under shortage.
const ARMS: [(&str, &str, bool); 5] = [
    ("greedy", "greedy", false),
    ("single", "single", false),
    ("mixed", "mixed", false),
    ("compact", "compact", false),
    ("mixed, shortage", "mixed", true),
];
const SHARES: [f64; 13] = [0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5, 2.0];

impl Experiment for Formulations {
    fn name(&self) -> &'static str {
        "formulations"
    }

    fn about(&self) -> &'static str {
        "27 servers with 0.3 to 2 times the cards that the cheapest plan without card counts uses of a \
         type (of the fleet's count where it uses none), by every formulation."
    }

    fn tasks(&self, scope: &Scope) -> Vec<Task> {
        let shares: &[f64] = if scope.quick { &[0.5, 1.0] } else { &SHARES };
        let Some(backend) = scope.backends.first() else { return Vec::new() };
        let arms = shares.iter().flat_map(|&share| {
            ARMS.map(|(arm, formulation, shortage)| {
                let fleet = Fleet::plain(Supply::OfUnlimited(share), scope.seed);
                let time_limit_s = if scope.quick { 1.0 } else { 10.0 };
                Task { shortage, time_limit_s, ..Task::new(arm, fleet, formulation, backend) }
            })
        });
        let arms: Vec<Task> = arms.collect();
        repeated(&arms, if scope.quick { 1 } else { 3 })
    }

    fn summary(&self, measured: &Data, _: &Data) -> Summary {
        let mut summary = Summary::default();
        summary.say("## Cost\n\nCents per hour; `-` where there is no plan that serves all.");
        summary.say(costs(measured));
        summary.plot(
            "cost",
            &chart(measured, "Cost", "cents/h", |row| row.number("cost_cents_per_h")),
        );
        summary.say("## Worth");
        worth(measured, &mut summary);
        summary.say("## Service under shortage");
        summary.say(served(measured));
        summary.say("## Time\n\nSolving, median and quartiles of the repeats.");
        summary.say(times(measured));
        summary.say(ratio(measured));
        let mut chart = chart(measured, "Solving time", "s", |row| row.number("solving_s"));
        chart.y = Axis::log("Solving time", "s");
        summary.plot("time", &chart);
        summary
    }
}

/// The repeat of an arm at a supply that got furthest: a solve that was stopped may have come
/// further in another repeat.
fn row<'a>(data: &'a Data, share: &str, arm: &str) -> Option<Row<'a>> {
    let number = |row: &Row<'_>, column: &str| row.number(column).unwrap_or(f64::INFINITY);
    let reached = |row: &Row<'_>| {
        let served = -row.number("served_share").unwrap_or(0.0);
        (served, number(row, "cost_cents_per_h"), number(row, "gap"))
    };
    let rows = data.only(&[("supply_factor", share), ("arm", arm)]);
    rows.min_by(|a, b| {
        let (a, b) = (reached(a), reached(b));
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2))
    })
}

fn arms(data: &Data) -> Vec<&str> {
    data.distinct("arm")
}

fn costs(data: &Data) -> String {
    let arms: Vec<&str> = arms(data).into_iter().filter(|arm| *arm != "mixed, shortage").collect();
    let rows = data.distinct("supply_factor").into_iter().map(|share| {
        let cell = |arm: &&str| {
            let Some(row) = row(data, share, arm) else { return "-".to_owned() };
            let cost = cents(row.number("cost_cents_per_h"));
            match (row.text("status"), row.number("gap")) {
                ("feasible", Some(gap)) if *arm != "greedy" => {
                    format!("{cost} (gap {})", percent(gap))
                }
                ("infeasible", _) => "infeasible".to_owned(),
                _ => cost,
            }
        };
        [share.to_owned()].into_iter().chain(arms.iter().map(cell)).collect()
    });
    let header: Vec<&str> = ["cards / unlimited"].into_iter().chain(arms.iter().copied()).collect();
    table(&header, &rows.collect::<Vec<_>>())
}

/// How much more `dear` costs than `cheap`, as a share of `cheap`, wherever both have a plan.
fn premiums(data: &Data, dear: &str, cheap: &str) -> Vec<f64> {
    let of_share = |share: &str| {
        let cost = |arm: &str| row(data, share, arm)?.number("cost_cents_per_h");
        let (dear, cheap) = (cost(dear)?, cost(cheap)?);
        Some((dear - cheap) / cheap)
    };
    data.distinct("supply_factor").into_iter().filter_map(of_share).collect()
}

fn worth(data: &Data, summary: &mut Summary) {
    for (what, dear, cheap) in [
        ("Exactness (greedy over single)", "greedy", "single"),
        ("Several accelerators a server (single over mixed)", "single", "mixed"),
        ("Both (greedy over mixed)", "greedy", "mixed"),
    ] {
        let premiums = premiums(data, dear, cheap);
        let most = premiums.iter().copied().fold(0.0, f64::max);
        let middle = spread(Spread::of(premiums.iter().copied()), percent);
        summary.say(format!(
            "- {what}: {middle} more at the median (quartiles), at most {}, over the {} supplies \
             where both serve all.",
            percent(most),
            premiums.len()
        ));
    }
    let has = |share: &str, arm: &str| {
        row(data, share, arm).is_some_and(|row| row.number("cost_cents_per_h").is_some())
    };
    let shares = data.distinct("supply_factor");
    let missed = shares.iter().filter(|s| has(s, "single") && !has(s, "greedy")).count();
    let only_mixed = shares.iter().filter(|s| has(s, "mixed") && !has(s, "single")).count();
    summary.say(format!(
        "- Of {} supplies, greedy leaves servers out at {missed} where a plan of one accelerator a \
         server serves all, and {only_mixed} can be served by mixing alone.",
        shares.len()
    ));
}

fn served(data: &Data) -> String {
    let rows = data.distinct("supply_factor").into_iter().filter_map(|share| {
        let row = row(data, share, "mixed, shortage")?;
        Some(vec![
            share.to_owned(),
            row.number("served_share").map_or("-".to_owned(), percent),
            cents(row.number("cost_cents_per_h")),
            row.text("status").to_owned(),
        ])
    });
    table(&["cards / unlimited", "served", "cost", "status"], &rows.collect::<Vec<_>>())
}

fn times(data: &Data) -> String {
    let arms = arms(data);
    let rows = data.distinct("supply_factor").into_iter().map(|share| {
        let cell = |arm: &&str| {
            let rows = data
                .only(&[])
                .filter(|row| row.text("supply_factor") == share && row.text("arm") == *arm);
            spread(Spread::of(rows.filter_map(|row| row.number("solving_s"))), time)
        };
        [share.to_owned()].into_iter().chain(arms.iter().map(cell)).collect()
    });
    let header: Vec<&str> = ["cards / unlimited"].into_iter().chain(arms.iter().copied()).collect();
    table(&header, &rows.collect::<Vec<_>>())
}

/// How many times longer the compact statement takes than patterns, within each repeat.
fn ratio(data: &Data) -> String {
    let seconds = |share: &str, repeat: &str, arm: &str| {
        let wanted = [("supply_factor", share), ("repeat", repeat), ("arm", arm)];
        data.only(&wanted).next()?.number("solving_s")
    };
    let ratios = data.distinct("supply_factor").into_iter().flat_map(|share| {
        let of = move |repeat| {
            Some(seconds(share, repeat, "compact")? / seconds(share, repeat, "mixed")?)
        };
        data.distinct("repeat").into_iter().filter_map(of).collect::<Vec<_>>()
    });
    let ratios = Spread::of(ratios);
    format!(
        "The compact statement takes {} times as long as patterns (`mixed`), taken within each repeat \
         and supply; a solve that was stopped counts as long as it ran.",
        spread(ratios, digits)
    )
}

fn chart(data: &Data, what: &str, unit: &str, value: impl Fn(&Row<'_>) -> Option<f64>) -> Chart {
    let x = Axis::linear("Cards over those that the cheapest plan without counts uses", "");
    let title = format!("{what} against supply");
    let mut chart = Chart::new(title, x, Axis::linear(what, unit));
    for arm in arms(data) {
        let point = |share: &str| {
            let rows =
                data.rows().filter(|r| r.text("supply_factor") == share && r.text("arm") == arm);
            let middle = Spread::of(rows.filter_map(|row| value(&row)))?;
            Some((share.parse().ok()?, middle.median))
        };
        let points = data.distinct("supply_factor").into_iter().filter_map(point).collect();
        chart = chart.with(Series::line(arm, points));
    }
    chart
}
