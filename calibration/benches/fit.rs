//! What a fit takes: 42 points, six kinds of request, for each service model; and one prediction of
//! all of them, of which a fit makes thousands.
//!
//! `cargo bench -p isocost-calibration`

use divan::Bencher;
use isocost_calibration::{Arrivals, Bench, Family, Options, Point, fit, predict};
use isocost_model::queue::{Experts, Roofline, ServiceModel, Station};

const BATCH: u32 = 256;

fn main() {
    divan::main();
}

/// Points that a roofline replica would show, with errors of up to 2% of a fixed pattern.
fn points() -> Vec<Point> {
    let model = ServiceModel::Roofline(Roofline {
        alpha_ms: 11.0,
        beta_ms: 0.012,
        gamma_ms: 7e-5,
        delta_ms: 0.038,
        delta2_ms: 2e-6,
        hidden_tokens: 145.0,
        overhead_ms: 7.0,
        lag_steps: 1.35,
        experts: Experts { read_ms: 0.0, share: 0.0 },
    });
    let mut points = Vec::new();
    for (input, output) in [
        (1000.0, 1000.0),
        (1000.0, 250.0),
        (1000.0, 64.0),
        (250.0, 1000.0),
        (250.0, 250.0),
        (250.0, 64.0),
    ] {
        let capacity = Station::new(model, input, output, None).service_rate_per_s(BATCH);
        for i in 1..=7 {
            let error = 1.0 + 0.02 * f64::from(points.len() as u32 * 7919 % 100) / 100.0;
            let sweep = format!("i{input}-o{output}");
            let rate_per_s = capacity * f64::from(i) / 12.0;
            let mut point = Point::new(sweep, Arrivals::POISSON, rate_per_s, input, output);
            if let Some(prediction) = predict(model, &Bench::default(), &point) {
                point.ttft_ms = Some(prediction.ttft_ms * error);
                point.itl_ms = Some(prediction.itl_ms * error);
            }
            points.push(point);
        }
    }
    points
}

#[divan::bench(args = Family::ALL, sample_count = 5, sample_size = 1)]
fn one_fit(bencher: Bencher<'_, '_>, family: Family) {
    let points = points();
    bencher.bench(|| fit(family, &points, &Options::default()).map(|fit| fit.values));
}

#[divan::bench(args = Family::ALL)]
fn one_prediction_of_all_points(bencher: Bencher<'_, '_>, family: Family) {
    let points = points();
    let bench = Bench::default();
    let service = family.model(&[11.0, 0.02, 7e-5, 0.03, 1e-6, 100.0, 5.0, 1.0]);
    bencher.bench(|| points.iter().filter_map(|p| predict(service, &bench, p)).count());
}
