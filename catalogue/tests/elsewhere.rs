//! Families of cards that the efficiencies were not fitted to, on what others have published of them.
//!
//! Few points, each of one engine's version, so that nothing is fitted to them: they hold that the ends of an
//! estimate are far enough apart. `cargo test -p isocost-catalogue --test elsewhere -- --nocapture` prints them.

use isocost_calibration::{Arrivals, Bench, Course, Point, predict};
use isocost_catalogue::{Catalogue, Estimate, Model, Placement, Precision, Quantization};
use isocost_model::queue::{Roofline, ServiceModel};

/// What one system did: clients in a closed loop, and ms.
struct System {
    source: &'static str,
    model: Model,
    card: &'static str,
    tp: u32,
    precision: Precision,
    /// Tokens of a prompt and of an answer.
    tokens: (f64, f64),
    course: Course,
    /// What the ms are.
    timed: Timed,
    /// Clients and ms.
    points: &'static [(u32, f64)],
}

/// What was timed.
#[derive(Clone, Copy)]
enum Timed {
    /// Between two tokens of a request.
    Token,
    /// A whole request.
    Request,
}

/// Llama-3.1-8B under vLLM 0.23.
fn a100() -> System {
    System {
        source: "johnmusgrave.com: vLLM throughput-latency sweep on an A100 40GB",
        model: Catalogue::builtin().model("llama-3.1-8b").expect("a model of the catalogue"),
        card: "A100-40GB",
        tp: 1,
        precision: Precision::Bf16,
        tokens: (1024.0, 128.0),
        course: Course::InTurn,
        timed: Timed::Token,
        points: &[(1, 13.33)],
    }
}

/// Qwen2.5-0.5B under vLLM 0.23, which the host ends more than the card does.
fn l4() -> System {
    let directory = tempfile::tempdir().expect("a directory");
    let config = directory.path().join("config.json");
    let sizes = r#"{"model_type": "qwen2", "hidden_size": 896, "num_hidden_layers": 24,
        "num_attention_heads": 14, "num_key_value_heads": 2, "intermediate_size": 4864,
        "vocab_size": 151936, "tie_word_embeddings": true, "torch_dtype": "bfloat16"}"#;
    std::fs::write(&config, sizes).expect("it is writable");
    let path = config.to_str().expect("a plain path");
    System {
        source: "ai.wmx.dev: baseline serving benchmark on one L4",
        model: Catalogue::builtin().model(path).expect("a dense model"),
        card: "L4",
        tp: 1,
        precision: Precision::Bf16,
        tokens: (256.0, 128.0),
        course: Course::InTurn,
        timed: Timed::Token,
        points: &[(1, 5.1), (2, 5.2), (4, 5.3), (8, 5.5), (16, 6.0), (32, 7.1)],
    }
}

/// Llama 3.1 405B under vLLM's `benchmark_latency.py` of 2024.
fn mi300x() -> System {
    System {
        source: "blogs.oracle.com: Llama 3.1 405B on eight MI300X",
        model: Catalogue::builtin().model("llama-3.1-405b").expect("a model of the catalogue"),
        card: "MI300X",
        tp: 8,
        precision: Precision::Fp8,
        tokens: (128.0, 128.0),
        course: Course::Together,
        timed: Timed::Request,
        points: &[
            (1, 3530.0),
            (2, 3583.0),
            (4, 3734.0),
            (8, 3974.0),
            (16, 4375.0),
            (32, 5130.0),
            (64, 6919.0),
            (128, 10340.0),
            (256, 17750.0),
        ],
    }
}

impl System {
    fn estimate(&self) -> Estimate {
        let catalogue = Catalogue::builtin();
        let card = catalogue.card(self.card).expect("a card of the catalogue");
        let quantization = Quantization { precision: self.precision, experts_only: false };
        let placement = Placement { quantization, ..Placement::new(&self.model, self.tp) };
        Estimate::new(&self.model, card, &placement).expect("it fits")
    }

    /// What service times say of so many clients, ms.
    fn predicted(&self, service: Roofline, clients: u32) -> f64 {
        let (input_tokens, output_tokens) = self.tokens;
        let point = Point {
            system: String::new(),
            sweep: String::new(),
            place: String::new(),
            arrivals: Arrivals::Closed { clients },
            rate_per_s: 1.0,
            in_flight: None,
            ttft_growth: None,
            input_tokens,
            input_scv: Some(0.0),
            output_tokens,
            token_scv: Some(0.0),
            ttft_ms: None,
            itl_ms: None,
            ttft_percentiles: Vec::new(),
            tpot_percentiles: Vec::new(),
        };
        let points = [point];
        let bench = Bench { course: self.course, ..Bench::for_clients(&points) };
        let found = predict(ServiceModel::Roofline(service), &bench, &points[0]);
        let found = found.expect("service times are positive");
        match self.timed {
            Timed::Token => found.itl_ms,
            Timed::Request => found.ttft_ms + (output_tokens - 1.0) * found.itl_ms,
        }
    }
}

#[test]
fn the_ends_hold_what_was_measured_elsewhere() {
    for system in [a100(), l4(), mi300x()] {
        let estimate = system.estimate();
        println!("{}", system.source);
        let mut held = 0;
        for &(clients, ms) in system.points {
            let [low, high] = estimate.ends.map(|end| system.predicted(end, clients));
            let at = system.predicted(estimate.service, clients);
            println!("  {clients} clients: {ms} ms; estimated {at:.1}, {low:.1} to {high:.1}");
            held += usize::from((low..=high).contains(&ms));
        }
        let least = (estimate.margins.level * system.points.len() as f64).ceil() as usize;
        assert!(held >= least, "{}: {held} of {}", system.source, system.points.len());
    }
}
