//! Laws of the queueing model, on random replicas.

use isocost_model::queue::{
    Experts, Iteration, Linear, Metric, Objective, Objectives, QueueError, Roofline, ServiceModel,
    Station, best_batch,
};
use proptest::prelude::*;

/// Parameters over many orders of magnitude, in every service model.
fn stations(queue: impl Strategy<Value = Option<u32>>) -> impl Strategy<Value = Station> {
    let power = |low: i32, high: i32| (low..high).prop_map(|e| 10f64.powi(e));
    let scale = (power(-3, 4), power(-6, 2), power(-8, 0), power(-6, 0));
    let tokens = (0_u32..4096, 1_u32..2048);
    (0..3, scale, 0.0..=1.0_f64, tokens, queue).prop_map(
        |(kind, (alpha_ms, beta_ms, gamma_ms, delta_ms), hidden, tokens, queue)| {
            let service = match kind {
                0 => ServiceModel::Linear(Linear { alpha_ms, beta_ms, gamma_ms, delta_ms }),
                1 => ServiceModel::Iteration(Iteration { alpha_ms, beta_ms, gamma_ms }),
                _ => ServiceModel::Roofline(Roofline {
                    alpha_ms,
                    beta_ms,
                    gamma_ms,
                    delta_ms,
                    delta2_ms: delta_ms * 1e-4,
                    hidden_tokens: hidden * alpha_ms / delta_ms,
                    overhead_ms: alpha_ms / 2.0,
                    lag_steps: 1.5,
                    experts: Experts { read_ms: 0.0, share: 0.0 },
                }),
            };
            // One output token of the linear model is no decode step, and without a prompt no work.
            let output = f64::from(tokens.1) + 1.0;
            Station::new(service, f64::from(tokens.0), output, queue)
        },
    )
}

fn any_queue() -> impl Strategy<Value = Option<u32>> {
    prop_oneof![Just(None), (0_u32..500).prop_map(Some)]
}

/// Whether its latencies have no jumps in the rate.
fn smooth(station: &Station) -> bool {
    !matches!(station.service, ServiceModel::Iteration(_))
}

/// `mu(N)`, where it is also the largest rate of the batch sizes up to `N`.
fn capacity(station: &Station, batch: u32) -> f64 {
    station.service_rate_per_s(batch)
}

proptest! {
    #[test]
    fn service_rates_rise_with_the_occupancy(station in stations(Just(None)), n in 1_u32..2000) {
        let (fewer, more) = (station.service_rate_per_s(n), station.service_rate_per_s(n + 1));
        prop_assert!(more >= fewer * (1.0 - 1e-12) || !smooth(&station), "{fewer} {more}");
    }

    #[test]
    fn latencies_and_loss_rise_with_the_rate(
        station in stations(any_queue()), batch in 1_u32..200, at in 0.01..0.97_f64,
    ) {
        let top = capacity(&station, batch);
        let low = station.analyze(batch, top * at).expect("below capacity");
        let high = station.analyze(batch, top * at * 1.02).expect("below capacity");
        let not_below = |a: f64, b: f64| b >= a * (1.0 - 1e-9) - 1e-12;
        // The iteration model reads chunks off a rounded occupancy: only the wait is smooth there.
        prop_assert!(not_below(low.mean_wait_ms, high.mean_wait_ms));
        prop_assert!(not_below(low.loss_probability, high.loss_probability));
        if smooth(&station) {
            prop_assert!(not_below(low.itl_ms, high.itl_ms));
            prop_assert!(not_below(low.ttft_ms, high.ttft_ms));
        }
    }

    #[test]
    fn throughput_and_littles_law_hold(
        station in stations(any_queue()), batch in 1_u32..200, at in 0.001..0.999_f64,
    ) {
        let top = capacity(&station, batch);
        let a = station.analyze(batch, top * at).expect("below capacity");
        prop_assert!(a.throughput_per_s <= top * (1.0 + 1e-12));
        let by_little = a.throughput_per_s / 1000.0 * a.mean_response_ms;
        prop_assert!((a.mean_in_system - by_little).abs() <= 1e-9 * by_little.max(1e-12));
        prop_assert!(a.utilisation <= 1.0 + 1e-12 && a.mean_in_service >= 0.0);
    }

    #[test]
    fn long_queues_tend_to_the_unbounded_one(
        station in stations(Just(None)), batch in 1_u32..100, at in 0.05..0.9_f64,
    ) {
        let rate = capacity(&station, batch) * at;
        let long = Station { queue_limit: Some(20_000), ..station };
        let (a, b) = (station.analyze(batch, rate).expect("stable"), long.analyze(batch, rate).expect("finite"));
        prop_assert!((a.mean_wait_ms - b.mean_wait_ms).abs() <= 1e-7 * a.mean_wait_ms.max(1e-6));
        let (a95, b95) = (a.wait_percentile_ms(95.0), b.wait_percentile_ms(95.0));
        prop_assert!((a95 - b95).abs() <= 1e-6 * a95.max(1e-3), "{a95} {b95}");
    }

    #[test]
    fn sizing_meets_the_objectives_and_no_more(
        station in stations(any_queue()), batch in 1_u32..100, slack in 1.05..4.0_f64, wait in 0.01..10.0_f64,
    ) {
        let least = station.analyze(1, station.service_rate_per_s(1) * 0.001).expect("light");
        let objectives = Objectives {
            itl: Some(Objective::mean(least.itl_ms * slack)),
            ttft: Some(Objective::mean(least.ttft_ms * slack + wait * least.mean_service_ms)),
            max_loss: 0.01,
            ..Objectives::none()
        };
        let Ok(sized) = station.size(batch, &objectives) else { return Ok(()) };
        let meets = |rate: f64| {
            let a = station.analyze(batch, rate).expect("within range");
            a.itl_ms <= objectives.itl.expect("set").limit_ms * (1.0 + 1e-9)
                && a.ttft_ms <= objectives.ttft.expect("set").limit_ms * (1.0 + 1e-9)
                && (station.queue_limit.is_none() || a.loss_probability <= 0.01 * (1.0 + 1e-9))
        };
        prop_assert!(meets(sized.arrival_rate_per_s));
        let top = capacity(&station, batch) * 0.999;
        if smooth(&station) && sized.arrival_rate_per_s < top * (1.0 - 1e-9) {
            prop_assert!(!meets((sized.arrival_rate_per_s * 1.001).min(top * 1.0009)));
        }
    }

    #[test]
    fn all_batch_sizes_at_once_are_each_alone(station in stations(any_queue()), slack in 1.1..4.0_f64) {
        let least = station.analyze(1, station.service_rate_per_s(1) * 0.001).expect("light");
        let objectives = Objectives {
            itl: Some(Objective::mean(least.itl_ms * slack)),
            ..Objectives::none()
        };
        for (all, batch) in station.size_all(24, &objectives).iter().zip(1..) {
            match (all, station.size(batch, &objectives)) {
                (Ok(a), Ok(b)) => {
                    let error = (a.arrival_rate_per_s / b.arrival_rate_per_s - 1.0).abs();
                    prop_assert!(error < 1e-9 || !smooth(&station));
                }
                (a, b) => prop_assert_eq!(a.is_ok(), b.is_ok()),
            }
        }
    }
}

proptest! {
    #[test]
    fn the_quick_way_to_the_best_batch_is_the_long_way(
        station in stations(any_queue()), slack in 1.02..4.0_f64, wait in 0.0..2.0_f64, tolerance in 0.0..0.2_f64,
    ) {
        let least = station.analyze(1, station.service_rate_per_s(1) * 0.001).expect("light");
        let objectives = Objectives {
            itl: Some(Objective::mean(least.itl_ms * slack)),
            ttft: Some(Objective::mean(least.ttft_ms * slack + wait * least.mean_service_ms)),
            ..Objectives::none()
        };
        let all = station.size_all(40, &objectives);
        match (station.size_best(40, &objectives, tolerance), best_batch(&all, tolerance)) {
            (Ok(a), Ok(b)) => {
                let error = (a.throughput_per_s / b.throughput_per_s - 1.0).abs();
                let same = a.batch == b.batch && error < 1e-8;
                // Where latencies jump with the chunks, several rates are each the largest around:
                // the two may differ, and the quick one has to keep the objectives all the same.
                let at = station.analyze(a.batch, a.arrival_rate_per_s).expect("steady");
                let kept = |value: f64, o: Option<Objective>| o.is_none_or(|o| value <= o.limit_ms * (1.0 + 1e-9));
                let keeps = kept(at.itl_ms, objectives.itl) && kept(at.ttft_ms, objectives.ttft);
                prop_assert!(same || (!smooth(&station) && keeps), "{a:?} {b:?}");
            }
            (a, b) => prop_assert_eq!(a.is_ok(), b.is_ok()),
        }
    }
}

/// Probability of waiting in M/M/c at `a` Erlang: Erlang's C formula by the recursion of his B.
fn erlang_c(c: u32, a: f64) -> f64 {
    let b = (1..=c).fold(1.0, |b, k| a * b / (f64::from(k) + a * b));
    let rho = a / f64::from(c);
    b / (1.0 - rho * (1.0 - b))
}

#[test]
fn constant_service_times_give_erlang_c() {
    let service = ServiceModel::Linear(Linear {
        alpha_ms: 100.0,
        beta_ms: 0.0,
        gamma_ms: 0.0,
        delta_ms: 0.0,
    });
    let station = Station::new(service, 0.0, 2.0, None);
    for (c, rho) in [(1, 0.5), (4, 0.8), (32, 0.95), (500, 0.99)] {
        let mu = 10.0;
        let rate = rho * f64::from(c) * mu;
        let a = station.analyze(c, rate).expect("stable");
        let wait_ms = 1000.0 * erlang_c(c, rho * f64::from(c)) / (f64::from(c) * mu - rate);
        assert!(
            (a.mean_wait_ms - wait_ms).abs() <= 1e-9 * wait_ms,
            "c {c}: {} {wait_ms}",
            a.mean_wait_ms
        );
    }
}

/// The design's decode-only figures: K = 1024 steps, alpha 19, beta 1, at most 200 in the system.
#[test]
fn known_figures_of_decode_only() {
    let service =
        ServiceModel::Linear(Linear { alpha_ms: 19.0, beta_ms: 1.0, gamma_ms: 0.0, delta_ms: 0.0 });
    let at = |batch: u32, per_min: f64| {
        let station = Station::new(service, 0.0, 1025.0, Some(200 - batch));
        station.analyze(batch, per_min / 60.0).expect("a steady state")
    };
    let a = at(32, 30.0);
    assert!((a.mean_in_system - 21.24).abs() < 0.005 && (a.mean_in_service - 20.90).abs() < 0.005);
    assert!((a.mean_wait_ms - 674.0).abs() < 0.5, "{}", a.mean_wait_ms);
    assert!((a.mean_response_ms - 42_481.0).abs() < 0.5, "{}", a.mean_response_ms);
    assert!((a.mean_service_ms / 1024.0 - 40.8).abs() < 0.05);
    assert!((at(48, 35.2).itl_ms - 50.0).abs() < 0.1, "{}", at(48, 35.2).itl_ms);
    assert!((at(48, 36.613).mean_wait_ms - 1000.0).abs() < 1.0, "{}", at(48, 36.613).mean_wait_ms);
}

#[test]
fn edges_are_answers_or_errors() {
    let linear = |alpha_ms, beta_ms| {
        ServiceModel::Linear(Linear { alpha_ms, beta_ms, gamma_ms: 0.0, delta_ms: 0.0 })
    };
    let station = Station::new(linear(10.0, 0.1), 0.0, 100.0, None);
    let huge = 100_000;
    let top = station.service_rate_per_s(huge);
    for share in [0.001, 0.5, 0.999] {
        let a = station.analyze(huge, top * share).expect("below capacity");
        assert!(a.mean_in_service.is_finite() && a.mean_wait_ms >= 0.0);
    }
    assert_eq!(station.analyze(0, 1.0), Err(QueueError::Batch(0)));
    assert_eq!(station.analyze(huge + 1, 1.0), Err(QueueError::Batch(huge + 1)));
    assert!(matches!(station.analyze(4, f64::NAN), Err(QueueError::Rate(_))));
    assert!(matches!(station.analyze(4, 1e9), Err(QueueError::Unstable { .. })));
    let nothing = Station::new(linear(0.0, 0.0), 0.0, 100.0, None);
    assert_eq!(nothing.analyze(4, 1.0), Err(QueueError::Service));
    assert!(nothing.size(4, &Objectives::none()).is_err());
    assert!(best_batch(&[], 0.02).is_err());
    // One request at a time and no queue: the latency does not depend on the rate.
    let alone = Station::new(linear(10.0, 0.1), 0.0, 100.0, Some(0));
    let itl = |limit| Objectives { itl: Some(Objective::mean(limit)), ..Objectives::none() };
    assert!(alone.size(1, &itl(10.1)).is_ok() && alone.size(1, &itl(10.09)).is_err());
}

#[test]
fn bursts_lengthen_the_wait_alone() {
    let service =
        ServiceModel::Linear(Linear { alpha_ms: 10.0, beta_ms: 0.1, gamma_ms: 1.0, delta_ms: 0.0 });
    let smooth = Station::new(service, 10.0, 100.0, None);
    let at = |station: Station| {
        let rate = smooth.service_rate_per_s(8) * 0.9;
        station.analyze(8, rate).expect("stable")
    };
    let (a, b) = (at(smooth), at(Station { arrival_scv: 3.0, ..smooth }));
    assert!(b.mean_wait_ms > 2.0 * a.mean_wait_ms);
    assert_eq!(a.itl_ms, b.itl_ms);
    // Under Poisson arrivals lengths stretch the wait and leave its probability alone.
    let varied = at(Station { token_scv: 3.0, ..smooth });
    for (one, other) in [
        (varied.mean_wait_ms, a.mean_wait_ms),
        (varied.wait_percentile_ms(99.0), a.wait_percentile_ms(99.0)),
    ] {
        assert!((one - 2.0 * other).abs() < 1e-9 * one, "{one}, not twice {other}");
    }
}

proptest! {
    #[test]
    fn waits_rise_with_the_rate_and_with_bursts(
        station in stations(any_queue()), batch in 1_u32..200, at in 0.05..0.97_f64,
        arrival_scv in 0.0..10.0_f64, token_scv in 0.05..10.0_f64,
    ) {
        let rate = capacity(&station, batch) * at;
        let wait = |arrival_scv: f64, rate: f64| {
            let a = Station { arrival_scv, token_scv, ..station }.analyze(batch, rate).expect("below capacity");
            (a.mean_wait_ms, a.wait_percentile_ms(99.0))
        };
        let (mean, p99) = wait(arrival_scv, rate);
        prop_assert!(mean.is_finite() && mean >= 0.0 && p99.is_finite() && p99 >= 0.0);
        let (later, later_p99) = wait(arrival_scv, rate * 1.02);
        prop_assert!(later >= mean * (1.0 - 1e-9) && later_p99 >= p99 * (1.0 - 1e-6));
        prop_assert!(wait(arrival_scv + 0.5, rate).0 >= mean * (1.0 - 1e-9));
    }
}

/// Linear parameters with one of them far from the others, and the tokens at their least.
#[test]
fn parameters_may_lie_twelve_orders_apart() {
    let powers = [1e-6, 1e-3, 1.0, 1e3, 1e6];
    let rates = [0.001, 0.3, 0.9, 0.999];
    for (alpha_ms, beta_ms) in powers.into_iter().flat_map(|a| powers.map(|b| (a, b))) {
        for (input, output) in [(0.0, 2.0), (0.0, 1e5), (1e5, 1.0), (300.0, 300.0)] {
            let (gamma_ms, delta_ms) = (beta_ms, alpha_ms * 1e-3);
            let linear = ServiceModel::Linear(Linear { alpha_ms, beta_ms, gamma_ms, delta_ms });
            let iteration =
                ServiceModel::Iteration(Iteration { alpha_ms, beta_ms, gamma_ms: delta_ms });
            for service in [linear, iteration] {
                for (queue, batch) in [(None, 1), (None, 300), (Some(0), 40), (Some(7), 1)] {
                    let station = Station::new(service, input, output, queue);
                    let top = capacity(&station, batch);
                    for rate in rates.map(|share| share * top) {
                        let a = station.analyze(batch, rate).expect("below capacity");
                        let flow = a.throughput_per_s / 1000.0 * a.mean_response_ms;
                        let off = (a.mean_in_system - flow).abs();
                        assert!(off <= 1e-9 * flow, "{station:?} at {rate}: {off}");
                        let values = [a.itl_ms, a.ttft_ms, a.wait_percentile_ms(99.0)];
                        assert!(values.iter().all(|v| v.is_finite()), "{station:?}: {a:?}");
                        assert!((0.0..=1.0).contains(&a.loss_probability));
                        assert!(a.itl_percentile_ms(99.0) >= a.itl_percentile_ms(50.0));
                    }
                    let limit = station.analyze(batch, top * 0.5).expect("stable").ttft_ms * 2.0;
                    let ttft = Some(Objective::mean(limit));
                    let objectives = Objectives { ttft, ..Objectives::none() };
                    if let Ok(sized) = station.size(batch, &objectives) {
                        let a = station.analyze(batch, sized.arrival_rate_per_s).expect("stable");
                        assert!(a.ttft_ms <= limit * (1.0 + 1e-9), "{} {limit}", a.ttft_ms);
                    }
                }
            }
        }
    }
}

/// One output token is a prefill and no decode: the linear model's service is the prefill alone.
#[test]
fn one_output_token_is_a_prefill() {
    let service =
        ServiceModel::Linear(Linear { alpha_ms: 7.0, beta_ms: 0.2, gamma_ms: 4.0, delta_ms: 0.01 });
    let station = Station::new(service, 100.0, 1.0, None);
    assert!((station.service_ms(3.0) - (4.0 + 0.01 * 100.0 * 3.0)).abs() < 1e-12);
    let a = station.analyze(8, station.service_rate_per_s(8) * 0.5).expect("stable");
    assert!((a.first_token_ms - a.mean_service_ms).abs() < 1e-9 * a.mean_service_ms);
}

/// At half of its load a large batch is full with a probability below the least `f64`: percentiles
/// must not start from there.
#[test]
fn large_batches_have_percentiles_around_the_mean() {
    let service = ServiceModel::Linear(Linear {
        alpha_ms: 50.0,
        beta_ms: 0.001,
        gamma_ms: 0.0,
        delta_ms: 0.0,
    });
    let station = Station::new(service, 0.0, 200.0, None);
    for batch in [5_000, 100_000] {
        let a = station.analyze(batch, station.service_rate_per_s(batch) * 0.5).expect("stable");
        let (p10, p50, p90) =
            (a.itl_percentile_ms(10.0), a.itl_percentile_ms(50.0), a.itl_percentile_ms(90.0));
        assert!(p10 < p50 && p50 < p90, "{p10} {p50} {p90}");
        assert!((p50 / a.itl_ms - 1.0).abs() < 1e-3, "{p50} {}", a.itl_ms);
        let mean: f64 = a.states().take(batch as usize + 1).map(|(n, p)| f64::from(n) * p).sum();
        assert!((mean / a.mean_in_service - 1.0).abs() < 1e-9, "{mean}");
    }
}

#[test]
fn a_wait_is_an_objective_of_its_own() {
    let service =
        ServiceModel::Iteration(Iteration { alpha_ms: 8.0, beta_ms: 0.03, gamma_ms: 5e-5 });
    let station = Station::new(service, 512.0, 256.0, None);
    for percentile in [None, Some(95.0)] {
        for batch in [1, 8, 64] {
            let wait = Some(Objective { limit_ms: 100.0, percentile });
            let objectives = Objectives { wait, ..Objectives::none() };
            let sized = station.size(batch, &objectives).expect("it is met when almost idle");
            let wait_ms = |rate: f64| {
                let analysis = station.analyze(batch, rate).expect("steady");
                analysis.value(Metric::Wait, percentile)
            };
            let rate = sized.arrival_rate_per_s;
            assert!(wait_ms(rate) <= 100.0 * (1.0 + 1e-9), "batch {batch}");
            assert!(wait_ms(rate * 1.0001) > 100.0, "batch {batch}: not the largest rate");
        }
    }
    // One place and no queue: nobody waits, whatever the rate.
    let station = Station { queue_limit: Some(0), ..station };
    let wait = Some(Objective::mean(1e-9));
    let sized = station.size(1, &Objectives { wait, ..Objectives::none() }).expect("met");
    assert!((sized.arrival_rate_per_s / station.service_rate_per_s(1) - 0.999).abs() < 1e-9);
}

#[test]
fn service_in_no_time_or_for_ever_is_told_as_such() {
    for (service, input, output) in [
        (
            ServiceModel::Linear(Linear {
                alpha_ms: 20.0,
                beta_ms: 0.4,
                gamma_ms: 5.0,
                delta_ms: 0.0,
            }),
            0.0,
            1.0,
        ),
        (
            ServiceModel::Linear(Linear {
                alpha_ms: 20.0,
                beta_ms: 0.4,
                gamma_ms: 0.0,
                delta_ms: 0.0,
            }),
            9.0,
            1.0,
        ),
        (
            ServiceModel::Linear(Linear {
                alpha_ms: 1e-322,
                beta_ms: 0.0,
                gamma_ms: 0.0,
                delta_ms: 0.0,
            }),
            9.0,
            9.0,
        ),
        (
            ServiceModel::Iteration(Iteration { alpha_ms: 1e-322, beta_ms: 0.0, gamma_ms: 0.0 }),
            9.0,
            9.0,
        ),
    ] {
        let station = Station::new(service, input, output, None);
        let itl = Some(Objective::mean(40.0));
        let objectives = Objectives { itl, ..Objectives::none() };
        for shortfall in [
            station.size(8, &objectives).expect_err("no rate"),
            station.size_best(8, &objectives, 0.02).expect_err("no rate"),
        ] {
            assert!(shortfall.to_string().contains("takes no time"), "{shortfall}");
            assert!(shortfall.excess() == f64::INFINITY, "it is not the closest to be met");
        }
    }
    let service =
        ServiceModel::Iteration(Iteration { alpha_ms: 1e308, beta_ms: 0.0, gamma_ms: 0.0 });
    let station = Station::new(service, 9.0, 9e9, None);
    let shortfall = station.size(8, &Objectives::none()).expect_err("no rate");
    assert!(shortfall.to_string().contains("for ever"), "{shortfall}");
}
