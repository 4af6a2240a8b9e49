//! Laws of the engine's reading on random replicas.

use isocost_model::queue::{
    EngineSettings, Experts, Iteration, ItlOver, Linear, Objective, Objectives, Reading, Roofline,
    ServiceModel, Station,
};
use proptest::prelude::*;

fn service() -> impl Strategy<Value = ServiceModel> {
    let linear = (1.0..40.0, 0.001..0.5, 0.0..50.0, 0.0..0.05).prop_map(|(a, b, c, d)| {
        ServiceModel::Linear(Linear { alpha_ms: a, beta_ms: b, gamma_ms: c, delta_ms: d })
    });
    let iteration = (1.0..40.0, 0.001..0.1, 0.0..1e-3).prop_map(|(a, b, c)| {
        ServiceModel::Iteration(Iteration { alpha_ms: a, beta_ms: b, gamma_ms: c })
    });
    let roofline = (5.0..30.0, 0.001..0.1, 0.0..1e-4, 0.003..0.05, 0.0..1.0).prop_map(
        |(alpha_ms, beta_ms, gamma_ms, delta_ms, hidden)| {
            ServiceModel::Roofline(Roofline {
                alpha_ms,
                beta_ms,
                gamma_ms,
                delta_ms,
                delta2_ms: 0.0,
                hidden_tokens: hidden * alpha_ms / delta_ms,
                overhead_ms: 3.0,
                lag_steps: 1.2,
                experts: Experts { read_ms: 0.0, share: 0.0 },
            })
        },
    );
    prop_oneof![linear, iteration, roofline]
}

fn station() -> impl Strategy<Value = Station> {
    let tokens = (0.0_f64..9000.0, 1.0_f64..800.0);
    let scvs = (0.0_f64..3.0, 0.0_f64..3.0, 0.0_f64..2.0);
    (service(), tokens, scvs, 0.0_f64..1.0, any::<bool>(), any::<bool>()).prop_map(
        |(service, (input, output), (arrivals, answers, prompts), hits, plain, chunked)| Station {
            reading: Reading::Engine,
            arrival_scv: if plain { 1.0 } else { arrivals },
            token_scv: if plain { 1.0 } else { answers },
            input_scv: if plain { 0.0 } else { prompts },
            prefix_hit_share: if plain { 0.0 } else { hits },
            engine: EngineSettings {
                chunked_prefill: plain || chunked,
                ..EngineSettings::default()
            },
            ..Station::new(service, input.round(), output.round(), None)
        },
    )
}

/// `mu(batch)`, requests/s; `None` where requests take no time.
fn capacity(station: &Station, batch: u32) -> Option<f64> {
    Some(station.analyze(batch, 1e-6).ok()?.capacity_per_s)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn latencies_are_sound_and_mean_ones_rise_with_the_rate(
        station in station(),
        batch in 1_u32..150,
    ) {
        let Some(capacity) = capacity(&station, batch) else { return Ok(()) };
        let mut before = (0.0, 0.0);
        for load in [0.02, 0.1, 0.3, 0.5, 0.7, 0.85, 0.95, 0.99] {
            let a = station.analyze(batch, capacity * load).expect("below capacity");
            for value in [a.itl_ms, a.ttft_ms, a.mean_wait_ms, a.first_token_ms, a.mean_in_service] {
                prop_assert!(value.is_finite() && value >= 0.0, "{value} at {load}");
            }
            prop_assert!(a.utilisation <= 1.0 + 1e-9);
            // Little's law of the whole replica.
            let in_system = a.throughput_per_s / 1000.0 * a.mean_response_ms;
            prop_assert!((in_system - a.mean_in_system).abs() <= 1e-6 * (1.0 + in_system));
            if station.arrival_scv == 1.0 {
                prop_assert!(a.ttft_ms >= before.0 * (1.0 - 5e-3), "TTFT {} < {}", a.ttft_ms, before.0);
                prop_assert!(a.itl_ms >= before.1 * (1.0 - 5e-3), "ITL {} < {}", a.itl_ms, before.1);
            }
            before = (a.ttft_ms, a.itl_ms);
        }
    }

    #[test]
    fn percentiles_rise_with_the_percentage(station in station(), batch in 1_u32..60, load in 0.1..0.95) {
        let Some(capacity) = capacity(&station, batch) else { return Ok(()) };
        let a = station.analyze(batch, capacity * load).expect("below capacity");
        let at = |p: f64| {
            [a.ttft_percentile_ms(p), a.itl_percentile_ms(p), a.tpot_percentile_ms(p), a.wait_percentile_ms(p)]
        };
        let all = [50.0, 90.0, 95.0, 99.0].map(at);
        for (low, high) in all.iter().zip(&all[1..]) {
            for (low, high) in low.iter().zip(high) {
                prop_assert!(low.is_finite() && high >= low, "{low} {high}");
            }
        }
    }

    #[test]
    fn what_is_sized_keeps_its_objectives_and_hardly_more_would(
        station in station(),
        batch in 1_u32..80,
        load in 0.1_f64..0.9,
        percentile in prop_oneof![Just(None), Just(Some(95.0))],
        over in prop_oneof![Just(ItlOver::Gaps), Just(ItlOver::Requests)],
    ) {
        let Some(capacity) = capacity(&station, batch) else { return Ok(()) };
        let then = station.analyze(batch, capacity * load).expect("below capacity");
        let limit = |metric| {
            let free = Objectives { itl_over: over, ..Objectives::none() };
            then.limited(&free, metric, percentile) * 1.001
        };
        use isocost_model::queue::Metric;
        let objectives = Objectives {
            itl: Some(Objective { limit_ms: limit(Metric::Itl).max(1e-3), percentile }),
            ttft: Some(Objective { limit_ms: limit(Metric::Ttft).max(1e-3), percentile }),
            itl_over: over,
            ..Objectives::none()
        };
        let Ok(sized) = station.size(batch, &objectives) else { return Ok(()) };
        let a = station.analyze(sized.batch, sized.arrival_rate_per_s).expect("below capacity");
        for (metric, objective) in objectives.latencies() {
            let value = a.limited(&objectives, metric, objective.percentile);
            prop_assert!(value <= objective.limit_ms * (1.0 + 1e-9), "{metric:?} {value}");
        }
        // Percentiles jump, where a pass holds one prompt more.
        if percentile.is_none() && sized.arrival_rate_per_s < 0.998 * a.capacity_per_s {
            let beyond = station.analyze(sized.batch, sized.arrival_rate_per_s * 1.001).expect("below");
            let missed = objectives.latencies().any(|(metric, o)| {
                beyond.limited(&objectives, metric, o.percentile) > o.limit_ms
            });
            prop_assert!(missed, "a larger rate keeps the objectives");
        }
    }

    #[test]
    fn the_best_batch_is_the_least_within_tolerance(station in station(), limit in 1.0_f64..40.0) {
        let slow = Station { queue_limit: None, ..station };
        let alone = slow.analyze(1, 1e-6);
        let Ok(alone) = alone else { return Ok(()) };
        let objectives = Objectives {
            itl: Some(Objective::mean(alone.itl_ms.max(1e-3) * (1.0 + limit / 20.0))),
            ttft: Some(Objective::mean(alone.ttft_ms.max(1e-3) * (1.0 + limit))),
            ..Objectives::none()
        };
        let all = slow.size_all(40, &objectives);
        let most = all.iter().flatten().map(|s| s.throughput_per_s).fold(0.0, f64::max);
        match slow.size_best(40, &objectives, 0.02) {
            Ok(best) => prop_assert!(best.throughput_per_s >= most * 0.978, "{} of {most}", best.throughput_per_s),
            Err(_) => prop_assert!(most == 0.0),
        }
    }
}

/// The scenario of the reference, or one of ours where it is missing.
fn scenario() -> isocost_model::Scenario {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let reference = root.join("../../shared/reference/large");
    let path = if reference.exists() { reference } else { root.join("../data/fleet-27") };
    isocost_model::input::load(&path).expect("the scenario is sound").scenario
}

/// Objectives on percentiles are looked at at a few batch sizes and rates: what is found is what looking at every batch size
/// from the lowest rate on finds, to the digit.
#[test]
fn percentiles_are_sized_as_by_looking_at_every_batch_size() {
    use isocost_model::candidates::{SizingOptions, batch_limit, targets};
    let scenario = scenario();
    let over = |o: Option<Objective>| o.map(|o| Objective { percentile: Some(95.0), ..o });
    let pairs = scenario.servers.iter().flat_map(|server| {
        let profiles = scenario.profiles.iter().filter(|p| p.model == server.model);
        profiles.map(move |profile| (server, profile))
    });
    let mut sizes = 0;
    for (at, (server, profile)) in pairs.enumerate().filter(|(at, _)| at % 7 == 0) {
        let load = &server.load;
        let station = Station::new(profile.service, load.input_tokens, load.output_tokens, None);
        let mut station = Station { reading: Reading::Engine, ..station };
        station.engine.chunked_prefill = at % 3 > 0;
        let stated = targets(&scenario, server, Reading::Reference).per_request();
        let objectives = Objectives { itl: over(stated.itl), ttft: over(stated.ttft), ..stated };
        let most = batch_limit(server, profile, &SizingOptions::reference()).min(48);
        let all = station.size_all(most, &objectives);
        let best = isocost_model::queue::best_batch(&all, 0.02);
        let found = station.size_best(most, &objectives, 0.02);
        assert_eq!(found.is_ok(), best.is_ok(), "{station:?}");
        let (Ok(found), Ok(best)) = (found, best) else { continue };
        assert_eq!(found, best, "{station:?}");
        sizes += 1;
    }
    assert!(sizes > 10, "{sizes}");
}

/// A station of prompts in one piece.
fn whole(service: ServiceModel, input: f64, output: f64) -> Station {
    let engine = EngineSettings { chunked_prefill: false, ..EngineSettings::default() };
    Station { reading: Reading::Engine, engine, ..Station::new(service, input, output, None) }
}

/// Prompts that differ, come in bursts and go first: the times to the first token are told apart by passes, counts and lengths,
/// and once took 11 s and more, in place of some hundredths of one.
#[test]
fn no_percentile_is_slow() {
    let service =
        ServiceModel::Iteration(Iteration { alpha_ms: 19.876, beta_ms: 0.05233, gamma_ms: 0.0 });
    let station = Station {
        arrival_scv: 2.14,
        token_scv: 1.89,
        input_scv: 1.13,
        prefix_hit_share: 0.209,
        ..whole(service, 8242.0, 58.0)
    };
    let capacity = capacity(&station, 39).expect("requests take time");
    let a = station.analyze(39, 0.689 * capacity).expect("below capacity");
    let start = std::time::Instant::now();
    assert!(a.ttft_percentile_ms(95.0) < a.ttft_percentile_ms(99.0));
    assert!(start.elapsed().as_secs_f64() < 3.0, "{:?}", start.elapsed());
}

/// Arrivals that are even find hardly anybody, and most first tokens come after the same time: percentages that share it
/// have it to the digit.
#[test]
fn percentages_share_a_time_to_the_digit() {
    let linear = Linear {
        alpha_ms: 1.0,
        beta_ms: 0.001,
        gamma_ms: 0.0,
        delta_ms: 0.020_680_534_522_651_475,
    };
    let station = Station {
        arrival_scv: 0.146_581_252_508_258_07,
        token_scv: 0.0,
        ..whole(ServiceModel::Linear(linear), 2076.0, 398.0)
    };
    let a = station.analyze(1, 0.1 * capacity(&station, 1).expect("time")).expect("below capacity");
    let all = [50.0, 80.0, 90.0].map(|p| a.ttft_percentile_ms(p));
    assert!(all.windows(2).all(|pair| pair[0] <= pair[1]), "{all:?}");
    assert_eq!(all[0], all[1]);
}

/// Evenly spaced arrivals that come rarely find nobody at their prompts: the first token takes the prompt's own pass and
/// what is outside the engine.
#[test]
fn even_arrivals_that_find_nobody_do_not_wait() {
    let roofline = Roofline {
        alpha_ms: 19.73,
        beta_ms: 0.0015,
        gamma_ms: 1.5e-7,
        delta_ms: 0.01682,
        delta2_ms: 0.0,
        hidden_tokens: 299.0,
        overhead_ms: 3.0,
        lag_steps: 1.2,
        experts: Experts { read_ms: 0.0, share: 0.0 },
    };
    let station = Station {
        arrival_scv: 0.0,
        token_scv: 0.1,
        prefix_hit_share: 0.851,
        ..whole(ServiceModel::Roofline(roofline), 3179.0, 3.0)
    };
    let rate = 0.09 * capacity(&station, 51).expect("time");
    let a = station.analyze(51, rate).expect("below capacity");
    assert_eq!(a.wait_percentile_ms(95.0), 0.0);
    let alone = a.ttft_percentile_ms(95.0);
    assert!((25.0..27.0).contains(&alone), "{alone}");
}

/// Where prompts go first the passes of a rate are those of as many in service as end as come, a number between two
/// whole ones: latencies rise with the rate and do not fall back where it passes the next.
#[test]
fn whole_prompts_make_no_saw() {
    let service = ServiceModel::Iteration(Iteration {
        alpha_ms: 37.160_550_181_222_16,
        beta_ms: 0.001,
        gamma_ms: 0.000_114_614_387_839_381_35,
    });
    let station = Station {
        arrival_scv: 1.275_693_289_711_630_9,
        token_scv: 2.306_117_339_842_558_5,
        input_scv: 1.542_011_615_474_604_5,
        prefix_hit_share: 0.849_648_473_214_884_2,
        ..whole(service, 7054.0, 1.0)
    };
    let capacity = capacity(&station, 55).expect("time");
    let means = (0..40).map(|at| {
        let rate = capacity * (0.555 + 0.0003 * f64::from(at));
        let a = station.analyze(55, rate).expect("below capacity");
        (a.ttft_ms, a.itl_ms)
    });
    let means: Vec<(f64, f64)> = means.collect();
    assert!(means.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1), "{means:?}");
}

/// A request alone takes what its profile says: `out - 1` decode passes and its prompt's.
#[test]
fn a_request_alone_is_served_as_by_hand() {
    let linear = Linear { alpha_ms: 8.0, beta_ms: 0.5, gamma_ms: 20.0, delta_ms: 0.01 };
    let station = Station {
        reading: Reading::Engine,
        ..Station::new(ServiceModel::Linear(linear), 100.0, 11.0, None)
    };
    let a = station.analyze(1, 1e-6).expect("below capacity");
    // The prompt's pass: 20 + 1 ms; each of the ten others 8.5 ms.
    assert!((a.ttft_ms - 21.0).abs() < 1e-2, "{}", a.ttft_ms);
    assert!((a.itl_ms - 8.5).abs() < 1e-6, "{}", a.itl_ms);
    assert!((1000.0 / a.capacity_per_s - 106.0).abs() < 1e-6, "{}", a.capacity_per_s);
}

/// `11-kv-in32000` of the reference's field scenarios: prompts of 32,000 tokens, 131,072 bytes of
/// cache a token, 27 GB of it free on an L40S and 58 GB on an H100. The L40S holds six requests, not
/// 33, and what six of them serve needs more than three cards for 20 requests a minute; one H100 (688
/// cents) does.
#[test]
fn long_prompts_are_bounded_by_the_cache() {
    let on = |alpha_ms, beta_ms, gamma_ms, free_gb: f64| Station {
        reading: Reading::Engine,
        engine: EngineSettings {
            kv_tokens: Some((free_gb * 1e9 / 131_072.0) as u64),
            ..EngineSettings::default()
        },
        ..Station::new(
            ServiceModel::Iteration(Iteration { alpha_ms, beta_ms, gamma_ms }),
            32_000.0,
            512.0,
            None,
        )
    };
    let objectives = Objectives {
        itl: Some(Objective::mean(400.0)),
        ttft: Some(Objective::mean(60_000.0)),
        ..Objectives::none()
    };
    let replicas = |station: Station| {
        let sized = station.size_best(256, &objectives, 0.02).expect("feasible");
        assert!(sized.batch <= 13, "{}", sized.batch);
        (20.0 / 60.0 / sized.throughput_per_s).ceil()
    };
    let l40s = on(26.784, 0.098588, 0.0002023, 27.0);
    assert!(l40s.analyze(33, 1e-3).expect("below capacity").batch <= 6);
    assert!(replicas(l40s) * 186.0 > 688.0);
    assert_eq!(replicas(on(8.392, 0.036086, 5.217e-05, 58.0)), 1.0);
}

/// A request that the cache does not hold is served by no batch.
#[test]
fn a_request_longer_than_the_cache_is_not_sized() {
    let service =
        ServiceModel::Iteration(Iteration { alpha_ms: 8.0, beta_ms: 0.1, gamma_ms: 1e-4 });
    let engine = EngineSettings { kv_tokens: Some(1000), ..EngineSettings::default() };
    let station =
        Station { reading: Reading::Engine, engine, ..Station::new(service, 900.0, 200.0, None) };
    assert!(station.size(16, &Objectives::none()).is_err());
}
