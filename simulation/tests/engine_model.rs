//! The model of an engine held against its simulation at a dozen stations: the figures that the book
//! states for random ones (`cargo bench -p isocost-simulation --bench engine_model`).

use isocost_model::queue::{
    Analysis, EngineSettings, Experts, Iteration, Linear, Reading, Roofline, ServiceModel, Station,
};
use isocost_simulation::{
    Effort, Latency, Replica, Report, Traffic, Watch, simulate, simulate_closed,
};

const LINEAR: ServiceModel =
    ServiceModel::Linear(Linear { alpha_ms: 7.9, beta_ms: 0.06, gamma_ms: 12.7, delta_ms: 0.0117 });
const ITERATION: ServiceModel =
    ServiceModel::Iteration(Iteration { alpha_ms: 8.06, beta_ms: 0.05, gamma_ms: 9.7e-6 });
const ROOFLINE: ServiceModel = ServiceModel::Roofline(Roofline {
    alpha_ms: 8.0,
    beta_ms: 0.02,
    gamma_ms: 2e-5,
    delta_ms: 0.03,
    delta2_ms: 0.0,
    hidden_tokens: 150.0,
    overhead_ms: 5.0,
    lag_steps: 1.0,
    experts: Experts { read_ms: 0.0, share: 0.0 },
});

/// (service model, input, output, batch, share of the capacity)
const STATIONS: [(ServiceModel, f64, f64, u32, f64); 12] = [
    (LINEAR, 256.0, 128.0, 32, 0.3),
    (LINEAR, 256.0, 128.0, 32, 0.8),
    (LINEAR, 2048.0, 64.0, 16, 0.6),
    (LINEAR, 64.0, 32.0, 64, 0.7),
    (ITERATION, 128.0, 128.0, 32, 0.5),
    (ITERATION, 1000.0, 100.0, 24, 0.7),
    (ITERATION, 400.0, 20.0, 16, 0.8),
    (ITERATION, 4000.0, 60.0, 12, 0.3),
    (ROOFLINE, 256.0, 128.0, 64, 0.5),
    (ROOFLINE, 512.0, 100.0, 48, 0.85),
    (ROOFLINE, 1500.0, 50.0, 24, 0.6),
    (ROOFLINE, 100.0, 200.0, 16, 0.7),
];

const EFFORT: Effort =
    Effort { requests: 12_000, time_ms: None, warmup: 0.5, replications: 8, seed: 11 };

fn station(service: ServiceModel, input: f64, output: f64) -> Station {
    Station { reading: Reading::Engine, ..Station::new(service, input, output, None) }
}

fn replica(service: ServiceModel, batch: u32) -> Replica {
    Replica {
        service,
        batch,
        queue_limit: None,
        engine: EngineSettings::default(),
        network_ms: 0.0,
    }
}

/// (latency, percentile, median error, error of all stations but one)
const HELD: [(Latency, Option<f64>, f64, f64); 8] = [
    (Latency::Ttft, None, 0.05, 0.15),
    (Latency::Itl, None, 0.05, 0.15),
    (Latency::Ttft, Some(95.0), 0.10, 0.25),
    (Latency::Ttft, Some(99.0), 0.10, 0.25),
    (Latency::Itl, Some(95.0), 0.10, 0.25),
    (Latency::Itl, Some(99.0), 0.10, 0.25),
    (Latency::Tpot, Some(95.0), 0.10, 0.25),
    (Latency::Tpot, Some(99.0), 0.10, 0.25),
];

fn predicted_ms(a: &Analysis, latency: Latency, percentile: Option<f64>) -> f64 {
    match (latency, percentile) {
        (Latency::Ttft, None) => a.ttft_ms,
        (Latency::Ttft, Some(p)) => a.ttft_percentile_ms(p),
        (Latency::Tpot, Some(p)) => a.tpot_percentile_ms(p),
        (_, None) => a.itl_ms,
        (_, Some(p)) => a.itl_percentile_ms(p),
    }
}

#[test]
fn predictions_are_what_the_simulation_finds() {
    let mut points: Vec<(Analysis, Report)> = Vec::new();
    for (unit, (service, input, output, batch, load)) in STATIONS.into_iter().enumerate() {
        let station = station(service, input, output);
        let capacity = station.analyze(batch, 1e-3).expect("below capacity").capacity_per_s;
        let traffic = Traffic::new(capacity * load, input, output);
        let report =
            simulate(&replica(service, batch), &traffic, &EFFORT, unit as u32, &Watch::NONE);
        points.push((
            station.analyze(batch, capacity * load).expect("below capacity"),
            report.expect("nobody stops it"),
        ));
    }
    for (latency, percentile, median, most) in HELD {
        let error = |(a, report): &(Analysis, Report)| {
            let simulated = report.latency_ms(latency, percentile).expect("observed").value;
            (predicted_ms(a, latency, percentile) / simulated - 1.0).abs()
        };
        let mut errors: Vec<f64> = points.iter().map(error).collect();
        errors.sort_by(f64::total_cmp);
        let [middle, last_but_one] = [errors[5].midpoint(errors[6]), errors[10]];
        assert!(middle <= median, "{latency:?} {percentile:?}: median {middle}, {errors:?}");
        assert!(last_but_one <= most, "{latency:?} {percentile:?}: {errors:?}");
    }
}

#[test]
fn a_saturated_replica_serves_what_the_model_says() {
    for (service, input, output, batch, _) in STATIONS {
        let station = station(service, input, output);
        let capacity = station.analyze(batch, 1e-3).expect("below capacity").capacity_per_s;
        let traffic = Traffic::new(1.0, input, output);
        let report =
            simulate_closed(&replica(service, batch), &traffic, 4 * batch, &EFFORT, &Watch::NONE)
                .expect("nobody stops it");
        let simulated = report.throughput_per_s().expect("served").value;
        assert!((capacity / simulated - 1.0).abs() < 0.03, "{capacity}, simulated {simulated}");
    }
}

#[test]
fn closed_loops_are_those_of_the_simulation() {
    for (service, input, output, batch, _) in STATIONS {
        let latency = station(service, input, output).closed_loop(batch);
        let traffic = Traffic::new(1.0, input, output);
        let report =
            simulate_closed(&replica(service, batch), &traffic, batch, &EFFORT, &Watch::NONE)
                .expect("nobody stops it");
        let of = |latency| report.mean_ms(latency).expect("observed").value;
        for (value, simulated) in
            [(latency.first_token_ms, of(Latency::Ttft)), (latency.itl_ms, of(Latency::Itl))]
        {
            assert!((value / simulated - 1.0).abs() < 0.08, "{value} ms, simulated {simulated}");
        }
    }
}

#[test]
fn gaps_are_as_long_as_contexts_that_differ_make_them() {
    // Five requests at a time take 41.9 ms at their mean context: one gap in eight is longer.
    let service = ServiceModel::Iteration(Iteration {
        alpha_ms: 38.3111,
        beta_ms: 0.51873,
        gamma_ms: 3.641e-4,
    });
    for (token_scv, batch, rate) in [(1.0, 5, 0.134), (0.2, 5, 0.134), (1.0, 12, 0.3)] {
        let station = Station { token_scv, ..station(service, 75.0, 468.0) };
        let analysis = station.analyze(batch, rate).expect("below capacity");
        let traffic = Traffic { token_scv, ..Traffic::new(rate, 75.0, 468.0) };
        let report = simulate(&replica(service, batch), &traffic, &EFFORT, 1, &Watch::NONE);
        let report = report.expect("nobody stops it");
        for percent in [50.0, 80.0, 90.0, 95.0] {
            let simulated = report.latency_ms(Latency::Itl, Some(percent)).expect("observed");
            let (predicted, found) = (analysis.itl_percentile_ms(percent), simulated.value);
            let error = predicted / found - 1.0;
            assert!(error.abs() < 0.004, "P{percent}: {predicted} ms, {found} ms simulated");
        }
    }
}
