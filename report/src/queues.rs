//! Inside the queues: how many requests are in service, and latency against rate, with the point
//! that the plan picks.

use isocost_charts::{Axis, Chart, Rule, Series};
use isocost_model::candidates::held;
use isocost_model::plan::Part;
use isocost_model::queue::{Analysis, ItlOver, Objective};

use crate::content::{Block, Figure, Figures, Section};
use crate::format::{count, ms, percent, percentile, plural, rate};
use crate::{Input, QUEUES};

/// Columns of an occupancy plot at most; larger batches share columns.
const COLUMNS: usize = 64;
/// Counts whose chances add up to less than this are left out at the end of an occupancy plot.
const UNSEEN: f64 = 1e-4;
/// Rates at which a latency curve is worked out.
const STEPS: usize = 60;
/// Of the points of the mean, each so many has a point of the percentile, which takes far longer to tell.
const EVERY: usize = 4;
/// The percentile drawn where the objective names none.
const PERCENTILE: f64 = 95.0;
/// Width and height of a plot.
const SIZE: (u32, u32) = (352, 240);

pub(crate) fn section(input: &Input<'_>) -> Option<Section> {
    let Input { scenario, plan, .. } = input;
    let mut drawn: Vec<(usize, &Part, Analysis)> = plan
        .placements
        .iter()
        .enumerate()
        .flat_map(|(s, p)| p.parts.iter().map(move |part| (s, part)))
        .filter_map(|(s, part)| Some((s, part, part.predicted?)))
        .collect();
    let all = drawn.len();
    drawn.sort_by(|a, b| b.1.cost.total_cmp(&a.1.cost));
    drawn.truncate(QUEUES);
    if drawn.is_empty() {
        return None;
    }
    let mut text =
        "One replica of each placement at its planned rate: how likely it is that so many \
                    requests are in service, and how latency grows with the rate."
            .to_owned();
    if all > drawn.len() {
        text.push_str(&format!(
            " Drawn are the {QUEUES} costliest of {} placements; isocost analyze shows any other.",
            count(all as u64)
        ));
    }
    let palette = input.palette();
    let mut section = Section::new("queues", "Queues").text(text);
    for (nth, (s, part, analysis)) in drawn.into_iter().enumerate() {
        let accelerator = &scenario.accelerators[part.accelerator].name;
        let heading = format!(
            "{} on {accelerator}: {}, batch {}",
            scenario.servers[s].name,
            plural(part.replicas, "replica"),
            part.batch
        );
        let name = |what: &str| format!("queue-{:02}-{what}", nth + 1);
        let objectives = held(
            scenario,
            &scenario.servers[s],
            part.accelerator,
            &analysis.station,
            input.sizing.reading,
        );
        let ttft = Curve { title: "Time to first token", objective: objectives.ttft, at: ttft_ms };
        let over = objectives.itl_over;
        let at = if over == ItlOver::Gaps { gap_ms } else { tpot_ms };
        let itl = Curve { title: "Inter-token latency", objective: objectives.itl, at };
        let color = palette.color(input.card_type(part.accelerator));
        let figures = vec![
            Figure::new(name("occupancy"), occupancy(&analysis, color)),
            Figure::new(name("ttft"), ttft.chart(part, &analysis, color)),
            Figure::new(name("itl"), itl.chart(part, &analysis, color)),
        ];
        section = section.with(Block::Figures(Figures { heading, figures }));
    }
    Some(section)
}

/// How many requests are in service, in the colour of the cards.
fn occupancy(analysis: &Analysis, color: usize) -> Chart {
    let mut probabilities: Vec<f64> = analysis.in_service_probabilities();
    let mut tail = 0.0;
    while let [_, _, .., last] = probabilities[..]
        && tail + last < UNSEEN
    {
        tail += last;
        probabilities.pop();
    }
    let share = probabilities.len().div_ceil(COLUMNS);
    let column = |(i, chunk): (usize, &[f64])| {
        let from = (i * share) as f64 - 0.5;
        (from, from + chunk.len() as f64, chunk.iter().sum::<f64>() * 100.0)
    };
    let columns = probabilities.chunks(share).enumerate().map(column).collect();
    let chance = if share > 1 { format!("Chance of {share} counts") } else { "Chance".into() };
    let mean = analysis.mean_in_service;
    Chart::new(
        "Requests in service",
        Axis::counts("In service", "requests").range(-0.5, probabilities.len() as f64 - 0.5),
        Axis::linear(chance, "%"),
    )
    .subtitle(format!("{}% of the batch in use", percent(analysis.utilisation)))
    .with(Series::columns("", columns).color(color))
    .rule(Rule::x(mean, format!("mean {}", ms(mean))))
    .size(SIZE.0, SIZE.1)
}

/// A latency against the rate of one replica.
struct Curve {
    title: &'static str,
    objective: Option<Objective>,
    /// The mean, or a percentile.
    at: fn(&Analysis, Option<f64>) -> f64,
}

fn ttft_ms(analysis: &Analysis, percentile: Option<f64>) -> f64 {
    percentile.map_or(analysis.ttft_ms, |p| analysis.ttft_percentile_ms(p))
}

/// ITL, its percentiles over gaps.
fn gap_ms(analysis: &Analysis, percentile: Option<f64>) -> f64 {
    percentile.map_or(analysis.itl_ms, |p| analysis.itl_percentile_ms(p))
}

/// ITL, its percentiles over requests.
fn tpot_ms(analysis: &Analysis, percentile: Option<f64>) -> f64 {
    percentile.map_or(analysis.itl_ms, |p| analysis.tpot_percentile_ms(p))
}

impl Curve {
    fn chart(&self, part: &Part, planned: &Analysis, color: usize) -> Chart {
        let named = self.objective.and_then(|o| o.percentile);
        let tail = Some(named.unwrap_or(PERCENTILE));
        let most = planned.capacity_per_s * 0.995;
        let most = if planned.station.queue_limit.is_some() { most * 1.2 } else { most };
        let rates = (1..=STEPS).map(|i| most * i as f64 / STEPS as f64);
        let points: Vec<Analysis> =
            rates.filter_map(|r| planned.station.analyze(part.batch, r).ok()).collect();
        let line = |p: Option<f64>, every| {
            let shown = points.iter().step_by(every).chain(points.last());
            shown.map(|a| (a.rate_per_s, (self.at)(a, p))).collect::<Vec<_>>()
        };
        let here = (self.at)(planned, named);
        let limit = self.objective.map(|o| o.limit_ms);
        let top = [2.0 * here, 1.2 * (self.at)(planned, tail), 1.3 * limit.unwrap_or(0.0)];
        let mut chart = Chart::new(
            self.title,
            Axis::linear("Rate of a replica", "req/s").range(0.0, most),
            Axis::linear(self.title, "ms").range(0.0, top.into_iter().fold(1e-9, f64::max)),
        )
        .subtitle(format!(
            "Planned: {} {} ms at {} req/s",
            percentile(named),
            ms(here),
            rate(planned.rate_per_s)
        ))
        .with(Series::line("mean", line(None, 1)).color(color))
        .with(Series::line(percentile(tail), line(tail, EVERY)).dashed().color(color))
        .with(Series::points("planned", vec![(planned.rate_per_s, here)]).color(color))
        .size(SIZE.0, SIZE.1);
        if let Some(objective) = self.objective {
            let label =
                format!("{} ≤ {} ms", percentile(objective.percentile), ms(objective.limit_ms));
            chart = chart.rule(Rule::y(objective.limit_ms, label));
        }
        chart
    }
}
