//! What `isocost horizon` found: tables for people, and charts by hour.

use isocost_charts::{Axis, Chart, Series};
use isocost_model::horizon::{Export, HorizonPlan};
use isocost_model::plan::Status;
use serde_json::{Value, json};

use super::style::{BOLD, GREEN};
use super::table::{cents, gap, table};
use super::width::fitted;

use crate::output::say;

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
        say!("{}\n", fitted(&pools(export), &["in use, least", "mean", "most"]));
        say!("{}\n", fitted(&periods(export), &PERIODS));
    }
    for note in &plan.notes {
        say!("note: {note}");
    }
    if !compared.is_empty() {
        say!("{}\n", fitted(&comparison(export, compared), &[]));
    }
    let by = format!("({} by {})", plan.formulation, plan.backend);
    let hours = export.profile.hours();
    match plan.status {
        Status::Optimal | Status::Feasible => say!(
            "{BOLD}total {} cents over {hours} hours{BOLD:#} ({} cents/h), {GREEN}{}{GREEN:#}: bound {}, \
             gap {} {by}",
            cents(plan.cost),
            cents(plan.cost / hours),
            plan.status.word(),
            cents(plan.bound),
            gap(plan.gap()),
        ),
        Status::Infeasible => say!(
            "{BOLD}infeasible{BOLD:#}: no plan serves all {} servers in every period {by}",
            export.scenario.servers.len()
        ),
        Status::Unknown => say!(
            "{BOLD}no plan{BOLD:#}: stopped before one was found or excluded; bound {} {by}",
            cents(plan.bound)
        ),
    }
    let (sizing, solving) = export.seconds;
    say!("sizing {:.1} ms, solving {solving:.2} s", sizing * 1e3);
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
        let (mut used, mut on_demand, mut spot, mut cost) = (0.0, 0.0, 0.0, 0.0);
        for (at, planned) in export.profile.periods.iter().zip(&plan.periods) {
            let rented = planned.rented[r];
            used += at.hours * rented.used as f64;
            on_demand += at.hours * rented.on_demand as f64;
            spot += at.hours * rented.spot as f64;
            cost += at.hours * export.pool_cost(planned, r).iter().sum::<f64>();
        }
        let in_use = plan.periods.iter().map(|p| p.rented[r].used);
        rows.add_row([
            pool.name(export.scenario).to_owned(),
            plan.reserved[r].to_string(),
            in_use.clone().min().unwrap_or(0).to_string(),
            format!("{:.1}", used / hours),
            in_use.max().unwrap_or(0).to_string(),
            cents(on_demand),
            cents(spot),
            cents(cost),
        ]);
    }
    rows
}

/// Columns of periods that a narrow terminal does without, in order.
const PERIODS: [&str; 6] =
    ["hours", "reserved ¢/h", "on demand ¢/h", "spot ¢/h", "in use", "rented"];

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
        let (mut used, mut on_demand, mut spot, mut rented) = (0, 0, 0, Vec::new());
        for (pool, units) in export.prices.pools.iter().zip(&planned.rented) {
            used += units.used;
            on_demand += units.on_demand;
            spot += units.spot;
            let more = units.on_demand + units.spot;
            if more > 0 {
                rented.push(format!("{more} {}", pool.name(export.scenario)));
            }
        }
        rows.add_row([
            at.name.clone(),
            at.hours.to_string(),
            used.to_string(),
            on_demand.to_string(),
            spot.to_string(),
            cents(cost[0]),
            cents(cost[1]),
            cents(cost[2]),
            cents(cost.iter().sum()),
            rented.join(", "),
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

/// Cards held and cost by hour, each by its name; nothing where there is no plan.
pub fn charts(export: &Export<'_>) -> Vec<(String, Chart)> {
    if !export.plan.has_plan() {
        return Vec::new();
    }
    let (edges, plan) = (edges(export), export.plan);
    let [mut reserved, mut on_demand, mut spot, mut in_use] =
        [(); 4].map(|()| vec![0.0; plan.periods.len()]);
    for (r, pool) in export.prices.pools.iter().enumerate() {
        let cards = pool.cards(export.scenario) as f64;
        for (h, planned) in plan.periods.iter().enumerate() {
            let rented = planned.rented[r];
            reserved[h] += cards * plan.reserved[r] as f64;
            on_demand[h] += cards * rented.on_demand as f64;
            spot[h] += cards * rented.spot as f64;
            in_use[h] += cards * rented.used as f64;
        }
    }
    let held = [("reserved", reserved), ("on demand", on_demand), ("spot", spot)];
    let in_use = Series::line("in use", steps(&edges, &in_use)).dashed().color(IN_USE);
    let cards = stacked("Cards by hour", Axis::counts("Cards", ""), &edges, &held).with(in_use);
    let mut costs = ["reserved", "on demand", "spot", "energy"].map(|name| (name, Vec::new()));
    for planned in &plan.periods {
        let cost = export.period_cost(planned);
        costs.iter_mut().zip(cost).for_each(|((_, values), cost)| values.push(cost));
    }
    let cost = stacked(
        "Cost by hour",
        Axis::linear("Cost", export.scenario.currency.per_hour()),
        &edges,
        &costs,
    );
    vec![("cards".to_owned(), cards), ("cost".to_owned(), cost)]
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

/// The colour of what is in use: none of those that ways to pay have, by their place.
const IN_USE: usize = 5;

/// Parts on top of each other, those that are nothing at all times left out; a way to pay has one
/// colour in every chart.
fn stacked(title: &str, y: Axis, edges: &[(f64, f64)], parts: &[(&str, Vec<f64>)]) -> Chart {
    let mut chart = Chart::new(title, Axis::hours("From the start"), y.from_zero());
    let mut below = vec![0.0; edges.len()];
    for (place, (name, values)) in parts.iter().enumerate() {
        if values.iter().all(|value| *value <= 0.0) {
            continue;
        }
        let top: Vec<f64> = below.iter().zip(values).map(|(b, v)| b + v).collect();
        let low = steps(edges, &below);
        let bands = low.iter().zip(steps(edges, &top)).map(|(l, t)| (l.0, l.1, t.1)).collect();
        chart = chart.with(Series::band(*name, bands).area().color(place));
        below = top;
    }
    chart
}
