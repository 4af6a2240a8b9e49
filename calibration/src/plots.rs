//! Pictures of a fit: its residuals, and measured against predicted latencies sweep by sweep.

use isocost_charts::{Axis, Chart, Panels, Rule, Series};

use crate::fit::Fit;
use crate::point::{Arrivals, Point, sweeps};
use crate::predict::predict;
use crate::residual::Metric;

/// Places along a predicted line.
const PLACES: u32 = 60;

/// The pictures of `fit`, each by its name: `residuals`, `itl` and `ttft`.
pub fn plots(fit: &Fit, points: &[Point]) -> Vec<(String, Panels)> {
    let title = format!("Residuals of the {} model", fit.family.name());
    let charts = Metric::BOTH.map(|metric| residuals(fit, points, metric)).to_vec();
    let panels =
        Panels::new(title, charts).subtitle("predicted over measured, less 1").grid(2, 460, 320);
    vec![
        ("residuals".to_owned(), panels),
        ("itl".to_owned(), latencies(fit, points, Metric::Itl)),
        ("ttft".to_owned(), latencies(fit, points, Metric::Ttft)),
    ]
}

fn name(metric: Metric) -> &'static str {
    match metric {
        Metric::Itl => "Inter-token latency",
        Metric::Ttft => "Time to first token",
    }
}

/// Residuals against the concurrency, one colour a sweep.
fn residuals(fit: &Fit, points: &[Point], metric: Metric) -> Chart {
    let x = Axis::linear("Requests in the system, measured", "");
    let mut chart = Chart::new(name(metric), x, Axis::linear("Residual", "%"));
    for sweep in sweeps(points) {
        let at = |&i: &usize| {
            let point = &points[i];
            let predicted = metric.predicted(&predict(fit.service, &fit.bench, point)?);
            let share = predicted / metric.measured(point)? - 1.0;
            (point.sweep == sweep).then_some((point.concurrency()?, share * 100.0))
        };
        chart = chart.with(Series::points(&sweep, fit.used.iter().filter_map(at).collect()));
    }
    chart.rule(Rule::y(0.0, ""))
}

/// Measured latencies and the predicted line, one panel a sweep.
fn latencies(fit: &Fit, points: &[Point], metric: Metric) -> Panels {
    let charts = sweeps(points).into_iter().map(|sweep| {
        let of: Vec<&Point> =
            fit.used.iter().map(|&i| &points[i]).filter(|p| p.sweep == sweep).collect();
        let measured = |p: &&Point| Some((p.rate_per_s, metric.measured(p)?));
        let x = Axis::linear("Arrival rate", "requests/s").from_zero();
        Chart::new(&sweep, x, Axis::linear(name(metric), "ms").from_zero())
            .with(Series::points("measured", of.iter().filter_map(measured).collect()))
            .with(Series::line("predicted", line(fit, &of, metric)))
    });
    let title = format!("{} by the {} model", name(metric), fit.family.name());
    Panels::new(title, charts.collect()).grid(3, 320, 260)
}

/// What the model predicts for a sweep's mean request under Poisson arrivals.
fn line(fit: &Fit, points: &[&Point], metric: Metric) -> Vec<(f64, f64)> {
    let Some(first) = points.first() else { return Vec::new() };
    let most = points.iter().map(|p| p.rate_per_s).fold(0.0, f64::max);
    let at = |i: u32| {
        let rate_per_s = most * f64::from(i) / f64::from(PLACES);
        let point = Point { arrivals: Arrivals::POISSON, rate_per_s, ..(*first).clone() };
        let prediction = predict(fit.service, &fit.bench, &point)?;
        Some((rate_per_s, metric.predicted(&prediction)))
    };
    (1..=PLACES).filter_map(at).collect()
}
