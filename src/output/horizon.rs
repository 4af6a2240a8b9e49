//! What `isocost horizon` found: tables for people, and charts by hour.

use isocost_charts::{Axis, Chart, Series, Theme};
use isocost_model::horizon::{Export, HorizonPlan};
use isocost_model::plan::Status;
use serde_json::{Value, json};

use super::style::{BOLD, GREEN};
use super::table::{cents, table, trimmed};

/// Another way to buy, and what it costs.
pub struct Compared {
    what: &'static str,
    plan: HorizonPlan,
}

impl Compared {
    /// A plan made another way.
    pub fn new(what: &'static str, plan: HorizonPlan) -> Self {
        Self { what, plan }
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        let cost = self.plan.has_plan().then_some(self.plan.cost);
        let bound = self.plan.bound;
        json!({ "what": self.what, "status": self.plan.status.word(), "cost": cost, "bound": bound })
    }
}

/// Prints what to reserve, what to rent when, and what was proven.
pub fn print_table(export: &Export<'_>, compared: &[Compared]) {
    let plan = export.plan;
    if plan.has_plan() {
        anstream::println!("{}\n", trimmed(&pools(export)));
        anstream::println!("{}\n", trimmed(&periods(export)));
    }
    for note in &plan.notes {
        anstream::println!("note: {note}");
    }
    if !compared.is_empty() {
        anstream::println!("{}\n", trimmed(&comparison(export, compared)));
    }
    let by = format!("({} by {})", plan.formulation, plan.backend);
    let hours = export.profile.hours();
    match plan.status {
        Status::Optimal | Status::Feasible => anstream::println!(
            "{BOLD}total {} cents over {hours} hours{BOLD:#} ({} cents/h), {GREEN}{}{GREEN:#}: bound {}, \
             gap {:.2e} {by}",
            cents(plan.cost),
            cents(plan.cost / hours),
            plan.status.word(),
            cents(plan.bound),
            plan.gap(),
        ),
        Status::Infeasible => anstream::println!(
            "{BOLD}infeasible{BOLD:#}: no plan serves all {} servers in every period {by}",
            export.scenario.servers.len()
        ),
        Status::Unknown => anstream::println!(
            "{BOLD}no plan{BOLD:#}: stopped before one was found or excluded; bound {} {by}",
            cents(plan.bound)
        ),
    }
    let (sizing, solving) = export.seconds;
    anstream::println!("sizing {:.1} ms, solving {solving:.2} s", sizing * 1e3);
}

/// One row a pool: what to reserve, and how much is rented over the horizon.
fn pools(export: &Export<'_>) -> comfy_table::Table {
    let header = [
        "pool",
        "reserved",
        "in use, least",
        "mean",
        "most",
        "on demand, unit-hours",
        "spot, unit-hours",
        "cost ¢",
    ];
    let mut rows = table(&header, 1);
    let (plan, hours) = (export.plan, export.profile.hours());
    for (r, pool) in export.prices.pools.iter().enumerate() {
        let over = || export.profile.periods.iter().map(|p| p.hours).zip(&plan.periods);
        let used = || plan.periods.iter().map(|p| p.rented[r].used);
        let sum = |of: &dyn Fn(u64, u64, u64) -> f64| -> f64 {
            over()
                .map(|(h, p)| {
                    let rented = p.rented[r];
                    h * of(rented.used, rented.on_demand, rented.spot)
                })
                .sum()
        };
        let cost: f64 = over().map(|(h, p)| h * export.pool_cost(p, r).iter().sum::<f64>()).sum();
        rows.add_row([
            pool.name(export.scenario).to_owned(),
            plan.reserved[r].to_string(),
            used().min().unwrap_or(0).to_string(),
            format!("{:.1}", sum(&|used, _, _| used as f64) / hours),
            used().max().unwrap_or(0).to_string(),
            cents(sum(&|_, on_demand, _| on_demand as f64)),
            cents(sum(&|_, _, spot| spot as f64)),
            cents(cost),
        ]);
    }
    rows
}

/// Periods of the table; the rest is counted.
const SHOWN: usize = 48;

fn periods(export: &Export<'_>) -> comfy_table::Table {
    let header = [
        "period",
        "hours",
        "in use",
        "on demand",
        "spot",
        "reserved ¢/h",
        "on demand ¢/h",
        "spot ¢/h",
        "total ¢/h",
        "rented",
    ];
    let mut rows = table(&header, 1);
    for column in rows.column_iter_mut().skip(9) {
        column.set_cell_alignment(comfy_table::CellAlignment::Left);
    }
    let all = export.profile.periods.len();
    for (at, planned) in export.profile.periods.iter().zip(&export.plan.periods).take(SHOWN) {
        let cost = export.period_cost(planned);
        let count = |of: &dyn Fn(&isocost_model::horizon::Rented) -> u64| {
            planned.rented.iter().map(of).sum::<u64>().to_string()
        };
        let names = export.prices.pools.iter().zip(&planned.rented);
        let rented = names
            .filter(|(_, r)| r.on_demand + r.spot > 0)
            .map(|(pool, r)| format!("{} {}", r.on_demand + r.spot, pool.name(export.scenario)));
        rows.add_row([
            at.name.clone(),
            at.hours.to_string(),
            count(&|r| r.used),
            count(&|r| r.on_demand),
            count(&|r| r.spot),
            cents(cost[0]),
            cents(cost[1]),
            cents(cost[2]),
            cents(cost.iter().sum()),
            rented.collect::<Vec<_>>().join(", "),
        ]);
    }
    if all > SHOWN {
        rows.add_row([format!("... {} more", all - SHOWN)]);
    }
    rows
}

fn comparison(export: &Export<'_>, compared: &[Compared]) -> comfy_table::Table {
    let mut rows = table(&["instead", "cost ¢", "more %", ""], 1);
    for other in compared {
        let has = other.plan.has_plan();
        let more = (other.plan.cost / export.plan.cost - 1.0) * 100.0;
        rows.add_row([
            other.what.to_owned(),
            if has { cents(other.plan.cost) } else { String::new() },
            if has { format!("{more:+.1}") } else { String::new() },
            other.plan.status.word().to_owned(),
        ]);
    }
    rows
}

/// Cards held and cost by hour, as SVG.
pub fn charts(export: &Export<'_>) -> [String; 2] {
    let cards = |of: &dyn Fn(usize, usize) -> u64| -> Vec<f64> {
        let pools = &export.prices.pools;
        let in_period = |h| -> u64 {
            (0..pools.len()).map(|r| pools[r].cards(export.scenario) * of(h, r)).sum()
        };
        (0..export.plan.periods.len()).map(|h| in_period(h) as f64).collect()
    };
    let rented = |h: usize, r: usize| export.plan.periods[h].rented[r];
    let held = [
        ("reserved", cards(&|_, r| export.plan.reserved[r])),
        ("on demand", cards(&|h, r| rented(h, r).on_demand)),
        ("spot", cards(&|h, r| rented(h, r).spot)),
    ];
    let axis = || Axis::linear("Hours from the start", "h");
    let edges = edges(export);
    let chart = Chart::new("Cards by hour", axis(), Axis::linear("Cards", "").from_zero());
    let in_use = steps(&edges, &cards(&|h, r| rented(h, r).used));
    let cards = stacked(chart, &edges, &held).with(Series::line("in use", in_use).dashed());
    let cost = |i: usize| -> Vec<f64> {
        export.plan.periods.iter().map(|p| export.period_cost(p)[i]).collect()
    };
    let parts =
        [("reserved", cost(0)), ("on demand", cost(1)), ("spot", cost(2)), ("energy", cost(3))];
    let chart = Chart::new("Cost by hour", axis(), Axis::linear("Cost", "cents/h").from_zero());
    let cost = stacked(chart, &edges, &parts);
    [cards.svg(&Theme::light()), cost.svg(&Theme::light())]
}

/// (start, end) of each period, hours from the start.
fn edges(export: &Export<'_>) -> Vec<(f64, f64)> {
    let mut at = 0.0;
    let ends = export.profile.periods.iter().map(|period| {
        let start = at;
        at += period.hours;
        (start, at)
    });
    ends.collect()
}

fn steps(edges: &[(f64, f64)], values: &[f64]) -> Vec<(f64, f64)> {
    edges.iter().zip(values).flat_map(|(&(from, to), &v)| [(from, v), (to, v)]).collect()
}

/// Parts on top of each other, those that are nothing at all times left out.
fn stacked(mut chart: Chart, edges: &[(f64, f64)], parts: &[(&str, Vec<f64>)]) -> Chart {
    let mut below = vec![0.0; edges.len()];
    for (name, values) in parts.iter().filter(|(_, v)| v.iter().any(|x| *x > 0.0)) {
        let top: Vec<f64> = below.iter().zip(values).map(|(b, v)| b + v).collect();
        let low = steps(edges, &below);
        let bands = low.iter().zip(steps(edges, &top)).map(|(l, t)| (l.0, l.1, t.1)).collect();
        chart = chart.with(Series::band(*name, bands));
        below = top;
    }
    chart
}
