//! The queueing model against the 60 reference cases, each known to ten digits.

use std::path::PathBuf;

use isocost_model::queue::{Analysis, Iteration, Linear, ServiceModel, Station};

fn reference(file: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference").join(file);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not here", path.display());
    None
}

/// 1e-6 relative, 1e-9 absolute near zero.
fn assert_close(line: u64, name: &str, got: f64, expected: f64) {
    let error = (got - expected).abs();
    assert!(
        error <= (1e-6 * expected.abs()).max(1e-9),
        "line {line}: {name} is {got}, not {expected}"
    );
}

#[test]
fn every_reference_case_is_met() {
    let Some(path) = reference("queue-cases.csv") else { return };
    let mut reader = csv::Reader::from_path(path).expect("the file was found");
    let header = reader.headers().expect("it has a header").clone();
    let mut rows = 0;
    for record in reader.records() {
        let record = record.expect("every row is well formed");
        let line = record.position().map_or(0, |p| p.line());
        let text = |name: &str| {
            let at = header.iter().position(|h| h == name).expect("a known column");
            record.get(at).filter(|t| !t.is_empty())
        };
        let number = |name: &str| text(name).map(|t| t.parse::<f64>().expect("a number"));
        let get = |name: &str| number(name).expect("a filled cell");
        let (alpha_ms, beta_ms, gamma_ms) = (get("alpha_ms"), get("beta_ms"), get("gamma_ms"));
        let service = match number("delta_ms") {
            Some(delta_ms) => {
                ServiceModel::Linear(Linear { alpha_ms, beta_ms, gamma_ms, delta_ms })
            }
            None => ServiceModel::Iteration(Iteration { alpha_ms, beta_ms, gamma_ms }),
        };
        let queue = number("max_queue").map(|q| q as u32);
        let station = Station::new(service, get("input_tokens"), get("output_tokens"), queue);
        let analysis =
            station.analyze(get("max_batch") as u32, get("arrival_rps")).expect("a steady state");
        check(line, &analysis, &get);
        if let Some(p95) = number("wait_p95_ms") {
            assert_close(line, "wait_p95_ms", analysis.wait_percentile_ms(95.0), p95);
            assert_close(
                line,
                "wait_p99_ms",
                analysis.wait_percentile_ms(99.0),
                get("wait_p99_ms"),
            );
        }
        rows += 1;
    }
    assert_eq!(rows, 60);
}

fn check(line: u64, a: &Analysis, get: &dyn Fn(&str) -> f64) {
    for (name, got) in [
        ("throughput_rps", a.throughput_per_s),
        ("loss_probability", a.loss_probability),
        ("mean_in_service", a.mean_in_service),
        ("mean_wait_ms", a.mean_wait_ms),
        ("mean_service_ms", a.mean_service_ms),
        ("mean_response_ms", a.mean_response_ms),
        ("itl_ms", a.itl_ms),
        ("ttft_ms", a.ttft_ms),
    ] {
        assert_close(line, name, got, get(name));
    }
}
