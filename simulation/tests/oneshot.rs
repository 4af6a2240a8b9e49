//! Replicas whose answers are one token, against simulation.

use isocost_model::queue::{EngineSettings, Iteration, Reading, ServiceModel, Station};
use isocost_simulation::{Effort, Latency, Replica, Traffic, Watch, simulate};

fn station(input_tokens: f64, arrival_scv: f64, input_scv: f64) -> Station {
    let costs = Iteration { alpha_ms: 8.392, beta_ms: 0.036086, gamma_ms: 0.00005217 };
    Station {
        service: ServiceModel::Iteration(costs),
        input_tokens,
        output_tokens: 1.0,
        queue_limit: None,
        arrival_scv,
        token_scv: 0.0,
        reading: Reading::Engine,
        engine: EngineSettings::default(),
        input_scv,
        prefix_hit_share: 0.0,
        network_ms: 0.0,
    }
}

/// Least and largest errors of mean and P99 of the time to first token, as shares of the simulated.
fn errors(station: &Station, batch: u32) -> [(f64, f64); 2] {
    let capacity = station.analyze(batch, 1e-6).expect("it serves").capacity_per_s;
    let effort = Effort { requests: 10_000, replications: 6, ..Effort::default() };
    let mut most = [(0.0_f64, 0.0_f64); 2];
    for load in [0.3, 0.6, 0.85] {
        let rate = load * capacity;
        let predicted = station.analyze(batch, rate).expect("it is steady");
        let replica = Replica::of(station, batch);
        let report = simulate(&replica, &Traffic::of(station, rate), &effort, 0, &Watch::NONE)
            .expect("nobody stops it");
        let pairs = [
            (predicted.ttft_ms, report.latency_ms(Latency::Ttft, None)),
            (predicted.ttft_percentile_ms(99.0), report.latency_ms(Latency::Ttft, Some(99.0))),
        ];
        for (most, (predicted, simulated)) in most.iter_mut().zip(pairs) {
            let simulated = simulated.expect("requests were served").value;
            let error = predicted / simulated - 1.0;
            *most = (most.0.min(error), most.1.max(error));
        }
    }
    most
}

#[test]
fn a_queue_of_prompts_is_what_simulation_finds() {
    for input_tokens in [300.0, 1_500.0, 6_000.0, 20_000.0] {
        for batch in [1, 4, 16] {
            let [mean, p99] = errors(&station(input_tokens, 1.0, 0.0), batch);
            let what = format!("{input_tokens} tokens, {batch} places: {mean:?}, P99 {p99:?}");
            assert!(mean.0 > -0.05 && mean.1 < 0.12, "{what}");
            assert!(p99.0 > -0.06 && p99.1 < 0.10, "{what}");
        }
    }
}

#[test]
fn bursts_and_prompts_that_vary_are_near_it_or_cautious() {
    for (arrival_scv, input_scv) in [(2.5, 0.0), (1.0, 1.0)] {
        for input_tokens in [300.0, 6_000.0] {
            let [mean, p99] = errors(&station(input_tokens, arrival_scv, input_scv), 16);
            let what = format!("{input_tokens}, {arrival_scv}, {input_scv}: {mean:?}, P99 {p99:?}");
            assert!(mean.0 > -0.15 && mean.1 < 0.12, "{what}");
            // A burst while few are there counts with all that bursts bring: that is cautious.
            assert!(p99.0 > -0.13 && p99.1 < 0.50, "{what}");
        }
    }
}

#[test]
fn the_first_token_comes_no_sooner_at_a_higher_rate() {
    for input_tokens in [250.0, 2_500.0, 9_000.0] {
        for batch in [1, 18, 200] {
            let station = station(input_tokens, 1.0, 0.0);
            let capacity = station.analyze(batch, 1e-6).expect("it serves").capacity_per_s;
            let at = |k: u32| {
                let rate = capacity * f64::from(k) / 30.0;
                let analysis = station.analyze(batch, rate).expect("it is steady");
                [analysis.ttft_ms, analysis.ttft_percentile_ms(96.25)]
            };
            let mut before = [0.0; 2];
            for now in (1..30).map(at) {
                assert!(now[0] >= before[0] * (1.0 - 1e-9) && now[1] >= before[1] * (1.0 - 1e-3));
                before = now;
            }
        }
    }
}

#[test]
fn prompts_of_any_length_and_any_batch_have_an_answer() {
    for input_tokens in [0.5, 1.0, 8.0, 127.0, 129.0, 8_191.0, 8_193.0, 1e6] {
        for batch in [1, 2, 3, 64, 65, 8_192] {
            for (arrival_scv, input_scv) in [(1.0, 0.0), (0.0, 0.0), (40.0, 4.0)] {
                let station = station(input_tokens, arrival_scv, input_scv);
                let capacity = station.analyze(batch, 1e-9).expect("it serves").capacity_per_s;
                for load in [0.01, 0.9, 0.999] {
                    let analysis = station.analyze(batch, load * capacity).expect("it is steady");
                    let p99 = analysis.ttft_percentile_ms(99.0);
                    let (mean, wait) = (analysis.ttft_ms, analysis.mean_wait_ms);
                    let what =
                        format!("{input_tokens} {batch} {arrival_scv} {load}: {mean} {p99} {wait}");
                    assert!(
                        mean.is_finite() && p99.is_finite() && mean >= wait && wait >= 0.0,
                        "{what}"
                    );
                }
            }
        }
    }
}
