//! Known parameters are found again from points that the queueing model made, with noise, outliers
//! and overload; intervals hold the truth as often as they say.

use isocost_calibration::{
    Arrivals, Bench, Course, Doubt, Family, Fit, FitError, Options, Overload, Point, Validation,
    fit, predict,
};
use isocost_model::queue::{EngineSettings, Reading, ServiceModel, Station};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

const BENCH: Bench = Bench {
    batch: 64,
    engine: EngineSettings { token_budget: 8192, kv_tokens: None, chunked_prefill: true },
    course: Course::InTurn,
};

/// True parameters of each family.
fn truth(family: Family) -> Vec<f64> {
    match family {
        Family::Linear => vec![12.0, 0.15, 18.0, 2e-4],
        Family::Iteration => vec![11.0, 0.03, 6e-5],
        Family::Roofline => vec![11.0, 0.02, 7e-5, 0.04, 2e-6, 120.0, 6.0, 1.4],
        Family::Mixture => vec![5.0, 0.02, 7e-5, 0.04, 2e-6, 60.0, 6.0, 1.4, 8.0, 0.05],
    }
}

/// Points below saturation at four kinds of request, without noise.
fn points(family: Family) -> Vec<Point> {
    let model = family.model(&truth(family));
    let kinds = [(1000.0, 200.0), (200.0, 400.0), (500.0, 60.0), (100.0, 50.0)];
    kinds
        .into_iter()
        .flat_map(|(input, output)| {
            let capacity = capacity_per_s(model, input, output);
            [0.05, 0.25, 0.45, 0.65, 0.8, 0.9]
                .map(|load| made(model, input, output, load * capacity))
        })
        .collect()
}

/// What the engine's model says that a replica can serve, requests/s.
fn capacity_per_s(model: ServiceModel, input: f64, output: f64) -> f64 {
    let mut station = Station::new(model, input, output, None);
    station.reading = Reading::Engine;
    station.analyze(BENCH.batch, 1e-3).expect("the model is sound").capacity_per_s
}

fn made(model: ServiceModel, input: f64, output: f64, rate: f64) -> Point {
    let sweep = format!("i{input}-o{output}");
    let point = Point::new(sweep, Arrivals::POISSON, rate, input, output);
    let prediction = predict(model, &BENCH, &point).expect("the model is sound");
    Point { ttft_ms: Some(prediction.ttft_ms), itl_ms: Some(prediction.itl_ms), ..point }
}

/// The same with relative errors of these standard deviations.
fn noisy(points: &[Point], itl: f64, ttft: f64, seed: u64) -> Vec<Point> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut error = move |size: f64| {
        // Twelve uniform numbers make a normal one.
        let sum: f64 = (0..12).map(|_| random.random::<f64>()).sum();
        (size * (sum - 6.0)).exp()
    };
    let spoil = |p: &Point| Point {
        itl_ms: p.itl_ms.map(|x| x * error(itl)),
        ttft_ms: p.ttft_ms.map(|x| x * error(ttft)),
        ..p.clone()
    };
    points.iter().map(spoil).collect()
}

fn fitted(family: Family, points: &[Point], starts: u32) -> Fit {
    fit(family, points, &Options { bench: BENCH, starts, seed: 7 }).expect("enough points")
}

/// Largest relative error of a parameter.
fn worst(fit: &Fit) -> f64 {
    let truth = truth(fit.family);
    fit.values.iter().zip(&truth).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f64::max)
}

#[test]
fn exact_points_give_the_exact_parameters() {
    for family in Family::ALL {
        let fit = fitted(family, &points(family), 8);
        assert!(worst(&fit) < 1e-3, "{family:?}: {:?}", fit.values);
        assert!(fit.excluded.is_empty());
    }
}

#[test]
fn outliers_and_overload_do_not_move_the_fit() {
    for family in Family::ALL {
        let mut points = noisy(&points(family), 0.005, 0.015, 3);
        let clean = fitted(family, &points, 12);
        let model = family.model(&truth(family));
        for (at, factor) in [(3, 4.0), (9, 0.3)] {
            points[at].ttft_ms = points[at].ttft_ms.map(|x| x * factor);
            points[at + 10].itl_ms = points[at + 10].itl_ms.map(|x| x * factor);
        }
        let capacity = capacity_per_s(model, 200.0, 400.0);
        // A queue that grew while it was measured: all places taken, seconds of wait.
        for over in [1.1, 1.6] {
            let full = made(model, 200.0, 400.0, 0.999 * capacity);
            let (rate_per_s, ttft_ms) = (over * capacity, Some(9000.0 * over));
            points.push(Point { rate_per_s, ttft_ms, ..full.clone() });
            // A hundred times as many in flight at the end as there are places.
            points.push(Point { rate_per_s, ttft_ms, in_flight: Some(6400.0), ..full });
        }
        let fit = fitted(family, &points, 12);
        let excluded: Vec<usize> = fit.excluded.iter().map(|e| e.point).collect();
        for at in 24..28 {
            assert!(excluded.contains(&at), "{family:?}: {excluded:?}");
        }
        assert_eq!(excluded.len(), 4, "{family:?}: {:?}", fit.excluded);
        let reasons = |wanted: fn(&Overload) -> bool| {
            fit.excluded.iter().filter(|e| wanted(&e.reason)).count()
        };
        assert_eq!(reasons(|r| matches!(r, Overload::Growing { .. })), 2);
        assert_eq!(reasons(|r| matches!(r, Overload::Saturated { .. })), 2);
        for at in [3, 9, 13, 19] {
            let place = fit.used.iter().position(|i| *i == at).expect("it is not overloaded");
            assert!(fit.weights[place] < 0.1, "{family:?} {at}: {}", fit.weights[place]);
        }
        let width = |i: usize| {
            let (low, high) = clean.confidence.intervals[i];
            (high / low).ln() / 2.0
        };
        for (i, (with, without)) in fit.values.iter().zip(&clean.values).enumerate() {
            let moved = (with / without).ln().abs();
            assert!(moved < 1.5 * width(i), "{family:?} {i}: {with}, not {without}");
        }
    }
}

#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    let seeds = 150_u64;
    for (family, itl, ttft) in [
        (Family::Linear, 0.01, 0.03),
        (Family::Linear, 0.02, 0.02),
        (Family::Iteration, 0.01, 0.03),
    ] {
        let clean = points(family);
        let truth = truth(family);
        let mut held = 0;
        for seed in 0..seeds {
            let fit = fitted(family, &noisy(&clean, itl, ttft, seed), 1);
            let intervals = fit.confidence.intervals.iter().zip(&truth);
            held += intervals.filter(|((low, high), x)| low <= x && *x <= high).count();
        }
        let coverage = held as f64 / (seeds as usize * truth.len()) as f64;
        println!(
            "{family:?}, errors {itl} and {ttft}: {coverage:.3} of the intervals hold the truth"
        );
        // Parameters of a fit go together: a standard deviation is at most 1.8 points of 150 fits.
        assert!((0.91..=0.99).contains(&coverage), "{family:?} {itl} {ttft}: {coverage:.3}");
    }
}

#[test]
fn the_ends_of_the_region_are_slower_and_faster() {
    for family in Family::ALL {
        let points = noisy(&points(family), 0.01, 0.03, 5);
        let fit = fitted(family, &points, 4);
        let mean_log = |model| {
            let sum: f64 = points
                .iter()
                .map(|p| predict(model, &BENCH, p).map_or(0.0, |x| (x.itl_ms * x.ttft_ms).ln()))
                .sum();
            sum / points.len() as f64
        };
        let Fit { confidence, service, .. } = &fit;
        assert!(mean_log(confidence.optimistic) < mean_log(*service), "{family:?}");
        assert!(mean_log(confidence.pessimistic) > mean_log(*service), "{family:?}");
    }
}

#[test]
fn a_seed_gives_one_fit() {
    let points = noisy(&points(Family::Roofline), 0.01, 0.03, 11);
    let (a, b) = (fitted(Family::Roofline, &points, 4), fitted(Family::Roofline, &points, 4));
    assert_eq!(a, b);
    assert_eq!(Validation::new(&a, &points), Validation::new(&b, &points));
}

#[test]
fn what_the_points_do_not_tell_is_said() {
    let one_kind: Vec<Point> = points(Family::Roofline).into_iter().take(6).collect();
    let one_kind = noisy(&one_kind, 0.01, 0.03, 2);
    let fit = fitted(Family::Roofline, &one_kind, 4);
    let unknown = |d: &Doubt| matches!(d, Doubt::Unknown { .. } | Doubt::Correlated { .. });
    assert!(fit.confidence.doubts.iter().any(unknown), "{:?}", fit.confidence);

    let few = fit_error(&one_kind[..3]);
    assert!(matches!(few, FitError::TooFew { parameters: 8, latencies: 6, .. }), "{few}");
    let none = fit_error(&[]);
    assert!(matches!(none, FitError::TooFew { latencies: 0, .. }));
}

fn fit_error(points: &[Point]) -> FitError {
    fit(Family::Roofline, points, &Options::default()).expect_err("too few points")
}
