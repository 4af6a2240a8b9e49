//! What it costs: by server and by card type.

use isocost_charts::{Axis, Chart, Series};

use crate::content::{Block, Cell, Figure, Section, Table};
use crate::format::{cents, count, percent};
use crate::palette::{GREY, Palette};
use crate::{BARS, Input};

pub(crate) fn section(input: &Input<'_>) -> Section {
    let figures = vec![
        Figure::new("cost-by-server", by_server(input)),
        Figure::new("cost-by-type", by_type(input)),
    ];
    Section::new("cost", "Cost").with(Block::figures(figures)).with(Block::Table(table(input)))
}

/// Height of a chart with so many lying bars.
pub(crate) fn height(bars: usize) -> u32 {
    120 + 24 * bars.clamp(2, 60) as u32
}

/// Cost of each server by card type, the costliest first, the rest summed.
fn by_server(input: &Input<'_>) -> Chart {
    let Input { scenario, plan, .. } = input;
    let mut order: Vec<usize> = (0..plan.placements.len()).collect();
    order.sort_by(|&a, &b| plan.placements[b].cost().total_cmp(&plan.placements[a].cost()));
    let (shown, rest) = order.split_at(order.len().min(BARS));
    let rows: Vec<&[usize]> = shown.chunks(1).chain((!rest.is_empty()).then_some(rest)).collect();
    let name = |row: &&[usize]| match row {
        [s] => scenario.servers[*s].name.clone(),
        rest => format!("{} other servers", count(rest.len() as u64)),
    };
    let names: Vec<String> = rows.iter().map(name).collect();
    let cost = |row: &[usize], card_type: usize| -> f64 {
        let parts = row.iter().flat_map(|&s| &plan.placements[s].parts);
        let here = parts.filter(|p| scenario.accelerators[p.accelerator].card_type == card_type);
        here.map(|p| p.cost).sum()
    };
    let height = height(rows.len());
    let mut chart = Chart::new(
        "Cost of each server",
        Axis::linear("Cost", input.per_hour()),
        Axis::categories("", names),
    )
    .stacked()
    .size(640, height);
    let palette = input.palette();
    let used = (0..scenario.card_types.len()).filter(|&t| plan.usage[t].cards > 0);
    let (own, others): (Vec<usize>, Vec<usize>) = used.partition(|&t| palette.is_own(t));
    for t in own {
        let values = rows.iter().map(|row| cost(row, t)).collect();
        let series = Series::bars(&scenario.card_types[t].name, values);
        chart = chart.with(series.color(palette.color(t)));
    }
    if !others.is_empty() {
        let values = rows.iter().map(|row| others.iter().map(|&t| cost(row, t)).sum()).collect();
        chart = chart.with(Series::bars("other types", values).color(GREY));
    }
    if !rest.is_empty() {
        chart = chart.subtitle(format!("The {BARS} costliest, and the rest together"));
    }
    chart
}

fn by_type(input: &Input<'_>) -> Chart {
    let Input { scenario, plan, .. } = input;
    let mut used: Vec<usize> = (0..plan.usage.len()).filter(|&t| plan.usage[t].cards > 0).collect();
    used.sort_by(|&a, &b| plan.usage[b].cost.total_cmp(&plan.usage[a].cost));
    used.truncate(BARS);
    let names = used.iter().map(|&t| scenario.card_types[t].name.clone());
    let height = height(used.len());
    let chart = Chart::new(
        "Cost of each card type",
        Axis::linear("Cost", input.per_hour()),
        Axis::categories("", names),
    );
    let bars: Vec<Bar> = used.iter().map(|&t| (Some(t), plan.usage[t].cost)).collect();
    coloured(chart, &bars, |series| series, &input.palette()).size(480, height)
}

/// A bar: the type of card that it is of, and how long it is.
pub(crate) type Bar = (Option<usize>, f64);

/// With a bar in each place, `drawn` in the colour of its type; the names stand at the axis, not in a
/// legend.
pub(crate) fn coloured(
    chart: Chart,
    bars: &[Bar],
    drawn: fn(Series) -> Series,
    palette: &Palette,
) -> Chart {
    let mut chart = chart.stacked();
    for (place, &(card_type, value)) in bars.iter().enumerate() {
        let mut alone = vec![0.0; bars.len()];
        alone[place] = value;
        let color = card_type.map_or(GREY, |t| palette.color(t));
        chart = chart.with(drawn(Series::bars("", alone)).color(color));
    }
    chart
}

fn table(input: &Input<'_>) -> Table {
    let Input { scenario, plan, .. } = input;
    let columns = [
        "Card type",
        "Replicas",
        "Cards",
        "Cost, cents/h",
        "Share of cost, %",
        "Cost of a card, cents/h",
    ];
    let first = ["Card type", "Cards", "Cost, cents/h"];
    let mut table =
        Table::new("cost-by-type", "Cost by card type", 1, &columns).ranked(&first, &[]);
    for (t, (card, usage)) in scenario.card_types.iter().zip(&plan.usage).enumerate() {
        let parts = plan.placements.iter().flat_map(|p| &p.parts);
        let here = parts.filter(|p| scenario.accelerators[p.accelerator].card_type == t);
        let share = (plan.total_cost > 0.0).then(|| usage.cost / plan.total_cost);
        let each = (usage.cards > 0).then(|| usage.cost / usage.cards as f64);
        table.rows.push(vec![
            Cell::text(&card.name),
            Cell::count(here.map(|p| p.replicas).sum()),
            Cell::count(usage.cards),
            Cell::number(Some(usage.cost), cents),
            Cell::number(share, percent),
            Cell::number(each, cents),
        ]);
    }
    table
}
