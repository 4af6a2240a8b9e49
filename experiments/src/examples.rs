//! **examples**: four plans of one fleet: without and with card counts, before and after its loads
//! change; the heuristic beside the proven optimum.
//!
//! After the change a server's current accelerator counts: the change's value is minimised, in which a
//! move costs a tenth of old and new cost on top.

use isocost_charts::{Axis, Chart, Panels, Series};

use crate::data::{Data, Row};
use crate::experiment::{Experiment, Scope, Summary};
use crate::instances::{Fleet, Supply};
use crate::markdown::{aligned, cents, digits, percent, table};
use crate::measure::Task;

/// The experiment.
pub struct Examples;

/// Supplies, each with its name before and after the change.
const SUPPLIES: [(Supply, &str, &str); 2] = [
    (Supply::Unlimited, "unlimited", "unlimited, loads changed"),
    (Supply::Fleet(1.0), "limited", "limited, loads changed"),
];
const METHODS: [&str; 2] = ["single", "greedy"];

impl Experiment for Examples {
    fn name(&self) -> &'static str {
        "examples"
    }

    fn about(&self) -> &'static str {
        "One fleet (9 models in 3 classes on 9 cards as 1x, 2x and 4x), planned with and without card \
         counts, before and after every load changes by a random factor; `single` (proven optimal) \
         beside `greedy`. After the change the change's value is minimised."
    }

    fn tasks(&self, scope: &Scope) -> Vec<Task> {
        let Some(backend) = scope.backends.first() else { return Vec::new() };
        let mut tasks = Vec::new();
        for (supply, before, after) in SUPPLIES {
            for (arm, changed) in [(before, false), (after, true)] {
                for method in METHODS {
                    let fleet = Fleet::plain(supply, scope.seed);
                    let task = Task::new(arm, fleet, method, backend);
                    tasks.push(Task { changed, detail: true, ..task });
                }
            }
        }
        tasks
    }

    fn summary(&self, measured: &Data, placed: &Data) -> Summary {
        let mut summary = Summary::default();
        summary
            .say("## Costs\n\nCents per hour; the objective is the cost, or the change's value.");
        summary.say(costs(measured));
        for (_, before, after) in SUPPLIES {
            for arm in [before, after] {
                summary.say(format!("## {}", capital(arm)));
                summary.say(plan(placed, arm));
                summary.panels(&format!("plan-{}", file_name(arm)), &panels(placed, arm));
                summary.plot(&format!("accelerators-{}", file_name(arm)), &choice(placed, arm));
            }
            summary.say(format!("## What the change does: {before}"));
            for method in METHODS {
                summary.say(changes(placed, before, after, method));
            }
            summary.plot(&format!("change-{}", file_name(before)), &scale(placed, before, after));
        }
        summary
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn file_name(text: &str) -> String {
    text.replace(", ", "-").replace(' ', "-")
}

fn costs(measured: &Data) -> String {
    let rows = measured.distinct("arm").into_iter().map(|arm| {
        let find = |method: &str| {
            let wanted = [("arm", arm), ("formulation", method)];
            measured.only(&wanted).next().map(|row| {
                (
                    row.number("cost_cents_per_h"),
                    row.number("objective_cents_per_h"),
                    row.text("status"),
                )
            })
        };
        let (exact, greedy) = (find("single"), find("greedy"));
        let cost = |found: Option<(Option<f64>, Option<f64>, &str)>| match found {
            Some((Some(cost), _, _)) => cents(Some(cost)),
            Some((None, _, "unknown")) => "leaves servers out".to_owned(),
            Some((None, _, status)) => status.to_owned(),
            None => "-".to_owned(),
        };
        let objective =
            |found: Option<(Option<f64>, Option<f64>, &str)>| cents(found.and_then(|f| f.1));
        let more = exact.and_then(|e| e.0).zip(greedy.and_then(|g| g.0));
        vec![
            arm.to_owned(),
            cost(exact),
            cost(greedy),
            more.map_or("-".to_owned(), |(exact, greedy)| percent(greedy / exact - 1.0)),
            objective(exact),
            objective(greedy),
        ]
    });
    let header =
        ["", "single", "greedy", "greedy costs more", "objective, single", "objective, greedy"];
    table(&header, &rows.collect::<Vec<_>>())
}

/// Rows of one plan.
fn rows<'a>(
    placed: &'a Data,
    arm: &'a str,
    method: &'a str,
) -> impl Iterator<Item = Row<'a>> + Clone {
    placed.rows().filter(move |row| row.text("arm") == arm && row.text("formulation") == method)
}

fn plan(placed: &Data, arm: &str) -> String {
    let of = |method: &'static str| {
        let found = rows(placed, arm, method).map(|row| {
            let value = |column: &str| row.number(column).map_or("-".to_owned(), digits);
            vec![
                row.text("class").to_owned(),
                row.text("model").to_owned(),
                row.text("accelerator").to_owned(),
                row.text("replicas").to_owned(),
                row.text("batch").to_owned(),
                cents(row.number("cost_cents_per_h")),
                value("itl_ms"),
                value("wait_ms"),
            ]
        });
        found.collect::<Vec<_>>()
    };
    let (exact, greedy) = (of("single"), of("greedy"));
    let same = |row: &Vec<String>| greedy.iter().find(|other| other[..2] == row[..2]);
    let rows: Vec<Vec<String>> = exact
        .iter()
        .map(|row| {
            let beside = same(row).map_or("-".to_owned(), |other| {
                if other[2..5] == row[2..5] {
                    "the same".to_owned()
                } else {
                    format!("{} x {}, batch {}, {}", other[3], other[2], other[4], other[5])
                }
            });
            row.iter().cloned().chain([beside]).collect()
        })
        .collect();
    let header = [
        "class",
        "model",
        "accelerator",
        "replicas",
        "batch",
        "cost",
        "ITL ms",
        "wait ms",
        "greedy",
    ];
    aligned(&header, |column| (3..8).contains(&column), &rows)
}

/// Servers of a plan, in order.
fn servers<'a>(placed: &'a Data, arm: &str) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for row in placed.rows().filter(|row| row.text("arm") == arm) {
        if !names.contains(&row.text("server")) {
            names.push(row.text("server"));
        }
    }
    names
}

/// Replicas, batch, cost, ITL and wait of every server, greedy beside exact.
fn panels(placed: &Data, arm: &str) -> Panels {
    let names = servers(placed, arm);
    let chart = |title: &str, unit: &str, column: &str| {
        let mut chart = Chart::new(
            title,
            Axis::linear(title, unit),
            Axis::categories("", names.iter().copied()),
        );
        for method in METHODS {
            let value = |name: &&str| {
                let row = rows(placed, arm, method).find(|row| row.text("server") == *name);
                row.and_then(|row| row.number(column)).unwrap_or(f64::NAN)
            };
            chart = chart.with(Series::bars(method, names.iter().map(value).collect()));
        }
        chart
    };
    let charts = vec![
        chart("Replicas", "", "replicas"),
        chart("Batch", "", "batch"),
        chart("Cost", "cents/h", "cost_cents_per_h"),
        chart("ITL", "ms", "itl_ms"),
        chart("Wait", "ms", "wait_ms"),
    ];
    Panels::new(format!("{}: greedy beside exact", capital(arm)), charts).grid(3, 420, 620)
}

/// Which server runs on which accelerator: a cell's value is its replicas.
fn choice(placed: &Data, arm: &str) -> Chart {
    let names = servers(placed, arm);
    let mut accelerators: Vec<&str> =
        rows(placed, arm, "single").map(|row| row.text("accelerator")).collect();
    accelerators.sort_unstable();
    accelerators.dedup();
    let cell = |server: &str, accelerator: &str| {
        let row = rows(placed, arm, "single")
            .find(|r| r.text("server") == server && r.text("accelerator") == accelerator);
        row.and_then(|row| row.number("replicas")).unwrap_or(f64::NAN)
    };
    let heat = names.iter().map(|s| accelerators.iter().map(|a| cell(s, a)).collect()).collect();
    Chart::new(
        format!("{}: replicas by accelerator, exact", capital(arm)),
        Axis::categories("Accelerator", accelerators.iter().copied()),
        Axis::categories("", names.iter().copied()),
    )
    .with(Series::heat("replicas", heat))
    .size(720, 620)
}

/// Servers whose accelerator changes, and how replicas change.
fn changes(placed: &Data, before: &str, after: &str, method: &str) -> String {
    let place = |arm: &str, server: &str| {
        let row = rows(placed, arm, method).find(|row| row.text("server") == server)?;
        Some((row.text("accelerator").to_owned(), row.number("replicas")?))
    };
    let (mut moved, mut up, mut down) = (Vec::new(), 0, 0);
    for server in servers(placed, after) {
        let (Some(old), Some(new)) = (place(before, server), place(after, server)) else {
            continue;
        };
        if old.0 != new.0 {
            moved.push(vec![
                server.to_owned(),
                format!("{} x {}", old.1, old.0),
                format!("{} x {}", new.1, new.0),
            ]);
        } else if new.1 > old.1 {
            up += 1;
        } else if new.1 < old.1 {
            down += 1;
        }
    }
    let all = servers(placed, after).len();
    let text = format!(
        "By `{method}`, of {all} servers {} move to another accelerator, {up} gain replicas where they \
         are, {down} give some back, {} stay as they are.\n\n",
        moved.len(),
        all - moved.len() - up - down,
    );
    if moved.is_empty() {
        text
    } else {
        text + &aligned(&["moved", "from", "to"], |_| false, &moved)
    }
}

/// Replicas of every server before and after.
fn scale(placed: &Data, before: &str, after: &str) -> Chart {
    let names = servers(placed, after);
    let mut chart = Chart::new(
        format!("Replicas before and after the loads change, {before}, exact"),
        Axis::counts("Replicas", ""),
        Axis::categories("", names.iter().copied()),
    )
    .size(720, 620);
    for (label, arm) in [("before", before), ("after", after)] {
        let value = |name: &&str| {
            let row = rows(placed, arm, "single").find(|row| row.text("server") == *name);
            row.and_then(|row| row.number("replicas")).unwrap_or(f64::NAN)
        };
        chart = chart.with(Series::bars(label, names.iter().map(value).collect()));
    }
    chart
}
