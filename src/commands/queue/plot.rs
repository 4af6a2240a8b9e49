//! Charts of one replica.

use isocost_charts::{Axis, Chart, Panels, Rule, Scale, Series};
use isocost_model::queue::{Analysis, Objective, Objectives, Shortfall, Sized};

/// Rates at which a latency is drawn.
const STEPS: u32 = 160;

/// Share of the service rate up to which latencies are drawn.
const TOP: f64 = 0.995;

/// A latency is shown up to this many times its objective, or its value at the point analysed.
const HEADROOM: f64 = 2.0;

/// Probability that the chart of the occupancy leaves out.
const LEFT_OUT: f64 = 5e-4;

/// States up to which each has a column of its own.
const MOST_COLUMNS: usize = 150;

/// TTFT and ITL against the rate at the batch size of `at`, with objectives and the sized rate.
pub fn latency(
    title: &str,
    at: &Analysis,
    objectives: &Objectives,
    sized: Option<Sized>,
) -> Panels {
    let rates = (1..=STEPS).map(|i| at.capacity_per_s * TOP * f64::from(i) / f64::from(STEPS));
    let analyses: Vec<Analysis> =
        rates.filter_map(|rate| at.station.analyze(at.batch, rate).ok()).collect();
    let panel =
        |name: &str, axis: Axis, objective: Option<Objective>, value: Value, tails: Tails| {
            let curve = |p: Option<f64>| -> Vec<(f64, f64)> {
                analyses.iter().map(|a| (a.rate_per_s * 60.0, value(a, p))).collect()
            };
            let (mean, tail) = (curve(None), curve(Some(99.0)));
            let low = mean.first().map_or(1.0, |p| p.1);
            let shown = objective.map_or(0.0, |o| o.limit_ms).max(value(at, Some(99.0))) * HEADROOM;
            let high = tail.last().map_or(shown, |p| p.1 * 1.1).min(shown).max(low * HEADROOM);
            let low = if axis.scale == Scale::Log { low / 2.0 } else { 0.0 };
            let rate = Axis::linear("Arrival rate", "req/min").from_zero();
            let mut chart = Chart::new(name, rate, axis.range(low, high))
                .with(Series::line("mean", mean))
                .with(tails("P95", curve(Some(95.0))))
                .with(tails("P99", tail));
            if let Some(o) = objective {
                let which = o.percentile.map_or("mean".to_owned(), |p| format!("P{p}"));
                let label = format!("objective: {which} {} ms", o.limit_ms);
                chart = chart.rule(Rule::y(o.limit_ms, label));
            }
            if let Some(rate) = sized.map(|s| s.arrival_rate_per_s * 60.0) {
                chart = chart.rule(Rule::x(rate, format!("{rate:.1}")));
            }
            chart
        };
    // Waits span powers of ten; a first token that takes no time has no place among them.
    let waits = if at.first_token_ms > 0.0 { Axis::log } else { Axis::linear };
    let charts = vec![
        panel("Time to first token", waits("TTFT", "ms"), objectives.ttft, ttft, Series::line),
        // A token sees a whole number of others: its percentiles rise in steps.
        panel("Inter-token latency", Axis::linear("ITL", "ms"), objectives.itl, itl, Series::steps),
    ];
    let capacity = at.capacity_per_s * 60.0;
    let mut facts = format!("Batch {}; a full batch serves {capacity:.1} req/min", at.batch);
    if let Some(sized) = sized {
        let rate = sized.arrival_rate_per_s * 60.0;
        facts += &format!("; within the objectives {rate:.1} req/min");
    }
    Panels::new(title, charts).subtitle(facts).grid(2, 460, 340)
}

/// A latency: its mean, or a percentile.
type Value = fn(&Analysis, Option<f64>) -> f64;

/// How percentiles are drawn.
type Tails = fn(&'static str, Vec<(f64, f64)>) -> Series;

fn ttft(a: &Analysis, percentile: Option<f64>) -> f64 {
    percentile.map_or(a.ttft_ms, |p| a.ttft_percentile_ms(p))
}

fn itl(a: &Analysis, percentile: Option<f64>) -> f64 {
    percentile.map_or(a.itl_ms, |p| a.itl_percentile_ms(p))
}

/// The largest rate against the batch size.
pub fn rates(title: &str, sizings: &[Result<Sized, Shortfall>], best: Option<&Sized>) -> Chart {
    let point = |s: &Sized| (f64::from(s.batch), s.throughput_per_s * 60.0);
    let points: Vec<(f64, f64)> = sizings.iter().flatten().map(point).collect();
    let peak = points.iter().map(|p| p.1).fold(0.0, f64::max);
    let chart = Chart::new(
        title,
        Axis::counts("Batch size", "requests").from_zero(),
        Axis::linear("Largest rate", "req/min").range(0.0, peak * 1.15),
    )
    .with(Series::line("", points));
    let Some((batch, rate)) = best.map(point) else { return chart };
    chart
        .subtitle(format!("Least batch size near the peak: {batch}, {rate:.1} req/min"))
        .with(Series::points("", vec![(batch, rate)]))
        .rule(Rule::x(batch, format!("batch {batch}")))
}

/// The distribution of the number in the system.
pub fn occupancy(title: &str, at: &Analysis) -> Chart {
    let mut seen = 0.0;
    let states: Vec<(f64, f64)> = at
        .states()
        .take_while(|(_, p)| {
            let more = seen < 1.0 - LEFT_OUT;
            seen += p;
            more
        })
        .map(|(n, p)| (f64::from(n), p))
        .collect();
    let first = states.iter().position(|(_, p)| *p > LEFT_OUT / 100.0).unwrap_or(0);
    let shown = &states[first..];
    let series = match shown.len() <= MOST_COLUMNS {
        true => Series::columns("", shown.iter().map(|(n, p)| (n - 0.5, n + 0.5, *p)).collect()),
        false => Series::steps("", shown.to_vec()),
    };
    let (low, high) = (first as f64, (first + shown.len()) as f64);
    Chart::new(
        title,
        Axis::counts("In service and waiting", "requests").range(low - 0.5, high - 0.5),
        Axis::linear("Probability", "").from_zero(),
    )
    .subtitle(format!(
        "Batch {}, {:.1} req/min: {:.1} in service and {:.1} waiting on average",
        at.batch,
        at.rate_per_s * 60.0,
        at.mean_in_service,
        at.mean_in_system - at.mean_in_service,
    ))
    .with(series)
    .rule(Rule::x(f64::from(at.batch) + 0.5, "full batch"))
}
