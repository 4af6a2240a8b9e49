//! The measured sweeps: the errors that the documentation reports.

use std::path::Path;

use isocost_calibration::{
    Bench, Family, Forecast, Options, Overload, Point, Validation, fit, fit_and_validate,
    mark_single_client, read, systems,
};

/// The points of a file, where the reference is here.
fn measured(name: &str) -> Option<Vec<Point>> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference/measured").join(name);
    if !path.exists() {
        println!("skipped: {} is not here", path.display());
        return None;
    }
    Some(read::load(&[path]).expect("the points are sound").points)
}

fn at_most(what: &str, error: f64, most: f64) {
    assert!(error <= most, "{what}: {error:.4}, at most {most}");
}

#[test]
fn ten_sweeps_at_constant_gaps() {
    let Some(mut points) = measured("vllm-percentiles.csv") else { return };
    assert_eq!((points.len(), mark_single_client(&mut points)), (90, 0), "the file tells them");
    let bench = Bench { batch: 1024, ..Bench::default() };
    let options = Options { bench, starts: 2, ..Options::default() };
    let (fitted, v) = fit_and_validate(Family::Roofline, &points, &options).expect("points");
    // Of 90 points one alone was overloaded: 696 requests in flight, 423 by Little's law.
    assert_eq!(fitted.excluded.len(), 1, "{:?}", fitted.excluded);
    assert!(matches!(fitted.excluded[0].reason, Overload::Growing { .. }));
    let unseen = v.unseen_errors();
    at_most("ITL, median", unseen.itl.median, 0.015);
    at_most("ITL, mean", unseen.itl.mean, 0.04);
    at_most("TTFT, median", unseen.ttft.median, 0.06);
    at_most("TTFT, mean", unseen.ttft.mean, 0.09);
    let p95 = unseen.ttft_percentiles.iter().find(|(percent, _)| *percent == 95.0);
    at_most("P95 TTFT, mean", p95.expect("it was measured").1.mean, 0.10);
    for coverage in [v.region.itl_coverage, v.region.ttft_coverage] {
        let coverage = coverage.expect("there are other sweeps");
        assert!((0.85..=0.99).contains(&coverage), "{coverage}");
    }
}

#[test]
fn six_sweeps_predict_the_other_four() {
    let Some(points) = measured("vllm-percentiles.csv") else { return };
    let long_or_short = |p: &Point| p.sweep.starts_with("i4096") || p.sweep.starts_with("i64");
    let (others, six): (Vec<Point>, Vec<Point>) = points.into_iter().partition(long_or_short);
    let bench = Bench { batch: 1024, ..Bench::default() };
    let options = Options { bench, starts: 2, ..Options::default() };
    let fitted = fit(Family::Roofline, &six, &options).expect("there are enough points");
    let forecast = Forecast::new(&fitted, &others);
    assert_eq!(forecast.judged.len() + forecast.excluded.len(), others.len());
    // Prompts of 64 and 4,096 tokens from those of 256 and 1,024, which show no attention: 4% and 17%.
    at_most("ITL, median", forecast.errors.itl.median, 0.06);
    at_most("TTFT, median", forecast.errors.ttft.median, 0.20);
    assert_eq!(forecast.errors.ttft_percentiles.len(), 4, "median, P90, P95, P99");
    assert_eq!(forecast.errors.tpot_percentiles.len(), 3, "P90, P95, P99");
}

#[test]
fn a_closed_loop_shows_its_memory() {
    let Some(points) = measured("closed-loop.csv") else { return };
    assert_eq!((points.len(), systems(&points).len()), (420, 13));
    let own = |p: &Point| p.system.starts_with("Qwen3-32B H100 SXM vllm 0.12.0 bf16 2");
    let points: Vec<Point> = points.into_iter().filter(own).collect();
    let options = Options { starts: 2, ..Options::default() };
    let fitted = fit(Family::Roofline, &points, &options).expect("there are enough points");
    let tokens = fitted.bench.engine.kv_tokens.expect("clients wait for a place");
    assert!((250_000..350_000).contains(&tokens), "{tokens}");
    let v = Validation::new(&fitted, &points);
    at_most("ITL, median", v.fitted.itl.median, 0.06);
    at_most("TTFT, median", v.fitted.ttft.median, 0.15);
}
