//! Objectives against predictions: what the queueing model says of each placement, mean and tail.

use isocost_charts::{Axis, Chart, Rule, Series};
use isocost_model::candidates::held;
use isocost_model::queue::{Analysis, Metric, Objective, Objectives};

use crate::content::{Block, Cell, Figure, Section, Table};
use crate::cost::height;
use crate::format::{count, ms, percent, percentile};
use crate::placements::latency;
use crate::{BARS, Input, ROWS};

/// From this share of its limit on an objective is called close.
const CLOSE: f64 = 0.95;
/// Rounding of a prediction at the very limit, the checker's own.
const ROUNDING: f64 = 1e-9;

/// An objective of a placement with its prediction.
struct Verdict {
    server: usize,
    accelerator: usize,
    metric: Metric,
    objective: Objective,
    /// What the objective limits, ms.
    predicted: f64,
    /// What is predicted besides.
    analysis: Analysis,
    over: Objectives,
}

/// What a percentile of ITL is over.
const ITL_OVER: &str = " A percentile of ITL is over requests, each by the mean of its own gaps between \
                        tokens (TPOT), unless the class says gaps or the reading is the reference's.";

/// Percentiles shown beside the mean.
const TAIL: [f64; 3] = [50.0, 95.0, 99.0];

impl Verdict {
    fn share(&self) -> f64 {
        self.predicted / self.objective.limit_ms
    }

    /// The word for it, which is also how it is set off.
    fn word(&self) -> &'static str {
        match self.share() {
            s if s <= CLOSE => "met",
            s if s <= 1.0 + ROUNDING => "close",
            _ => "missed",
        }
    }

    /// `P95 TTFT`, `mean ITL`.
    fn what(&self) -> String {
        format!("{} {}", percentile(self.objective.percentile), self.metric.word())
    }
}

pub(crate) fn section(input: &Input<'_>) -> Option<Section> {
    let mut verdicts = verdicts(input);
    let idle = input.plan.placements.iter().filter(|p| p.demand_per_s <= 0.0).count();
    if verdicts.is_empty() {
        return None;
    }
    verdicts.sort_by(|a, b| b.share().total_cmp(&a.share()));
    let of = |word| verdicts.iter().filter(|v| v.word() == word).count() as u64;
    let mut text = format!(
        "Of {} latency objectives, {} are met, {} close (above {}% of the limit, still kept) and {} \
         missed. Predictions are the queueing model's at the planned split of the load.",
        count(verdicts.len() as u64),
        count(of("met")),
        count(of("close")),
        percent(CLOSE),
        count(of("missed")),
    );
    let limits = |v: &Verdict| v.metric == Metric::Itl && v.objective.percentile.is_some();
    if verdicts.iter().any(limits) {
        text.push_str(ITL_OVER);
    }
    if idle > 0 {
        text.push_str(&format!(
            " Servers without load ({}) have no prediction.",
            count(idle as u64)
        ));
    }
    let figure = Figure::new("objectives", chart(input, &verdicts));
    Some(
        Section::new("objectives", "Objectives")
            .text(text)
            .with(Block::figures(vec![figure]))
            .with(Block::Table(table(input, &verdicts))),
    )
}

fn verdicts(input: &Input<'_>) -> Vec<Verdict> {
    let Input { scenario, plan, .. } = input;
    let mut verdicts = Vec::new();
    for (s, (server, placement)) in scenario.servers.iter().zip(&plan.placements).enumerate() {
        for part in &placement.parts {
            let Some(analysis) = part.predicted else { continue };
            let (on, reading) = (part.accelerator, input.sizing.reading);
            let targets = held(scenario, server, on, &analysis.station, reading);
            for (metric, objective) in targets.latencies() {
                verdicts.push(Verdict {
                    server: s,
                    accelerator: part.accelerator,
                    metric,
                    objective,
                    predicted: analysis.limited(&targets, metric, objective.percentile),
                    analysis,
                    over: targets,
                });
            }
        }
    }
    verdicts
}

/// How much of its limit each of the tightest objectives takes.
fn chart(input: &Input<'_>, verdicts: &[Verdict]) -> Chart {
    let shown = &verdicts[..verdicts.len().min(BARS)];
    let name = |v: &Verdict| format!("{}: {}", input.scenario.servers[v.server].name, v.what());
    let title = "Predictions as a share of their limit";
    let mut chart = Chart::new(
        title,
        Axis::linear("Share of the limit", "%").from_zero(),
        Axis::categories("", shown.iter().map(name)),
    )
    .rule(Rule::x(100.0, "limit"))
    .size(640, height(shown.len()));
    // Where a dot stands is its verdict; its colour is that of its cards.
    let palette = input.palette();
    let mut types: Vec<usize> = shown.iter().map(|v| input.card_type(v.accelerator)).collect();
    types.sort_unstable();
    types.dedup();
    for t in types {
        let here = shown.iter().enumerate().filter(|(_, v)| input.card_type(v.accelerator) == t);
        let points: Vec<_> = here.map(|(i, v)| (v.share() * 100.0, i as f64)).collect();
        let name =
            if palette.is_own(t) { &input.scenario.card_types[t].name } else { "other types" };
        chart = chart.with(Series::points(name, points).color(palette.color(t)));
    }
    if shown.len() < verdicts.len() {
        let all = count(verdicts.len() as u64);
        chart = chart.subtitle(format!("The {BARS} tightest of {all} objectives"));
    }
    chart
}

fn table(input: &Input<'_>, verdicts: &[Verdict]) -> Table {
    let columns = [
        "Server",
        "Accelerator",
        "Objective",
        "Verdict",
        "Limit, ms",
        "Predicted, ms",
        "Of the limit, %",
        "Mean, ms",
        "P50, ms",
        "P95, ms",
        "P99, ms",
    ];
    let caption = "Objectives against predictions, the tightest first";
    let first = ["Server", "Objective", "Verdict", "Of the limit, %"];
    let last = ["Mean, ms", "P50, ms"];
    let mut table = Table::new("objectives-table", caption, 4, &columns).ranked(&first, &last);
    // What is cut need not be predicted.
    for (nth, verdict) in verdicts.iter().enumerate() {
        table.rows.push(if nth < ROWS { row(input, verdict) } else { Vec::new() });
    }
    table.cut(ROWS, "the tightest", "plan.json (--out DIR) holds every prediction.")
}

fn row(input: &Input<'_>, v: &Verdict) -> Vec<Cell> {
    let mut cells = vec![
        Cell::text(&input.scenario.servers[v.server].name),
        Cell::text(&input.scenario.accelerators[v.accelerator].name),
        Cell::text(v.what()),
        Cell::text(v.word()).tone(v.word()),
        latency(v.objective.limit_ms),
        latency(v.predicted),
        Cell::number(Some(v.share()), percent),
        Cell::number(Some(v.analysis.value(v.metric, None)), ms),
    ];
    cells.extend(TAIL.map(|p| latency(v.analysis.limited(&v.over, v.metric, Some(p)))));
    cells
}
