//! Certified rates: against a queue whose answer is known, and against other seeds.

use isocost_model::queue::{
    EngineSettings, Iteration, Linear, Objective, Objectives, ServiceModel,
};
use isocost_simulation::{
    Binding, CertifiedRate, Claim, Effort, Latency, Replica, Search, Traffic, Watch, largest_rate,
    simulate,
};

/// One request at a time, each 12 + 0.02 x 300 = 18 ms: M/D/1.
const LINEAR: ServiceModel =
    ServiceModel::Linear(Linear { alpha_ms: 8.0, beta_ms: 0.3, gamma_ms: 12.0, delta_ms: 0.02 });

fn claim(rate_per_s: f64, ttft: Option<Objective>) -> Claim {
    let engine = EngineSettings::default();
    Claim {
        replica: Replica { service: LINEAR, batch: 1, queue_limit: None, engine, network_ms: 0.0 },
        traffic: Traffic::new(rate_per_s, 300.0, 1.0),
        objectives: Objectives { ttft, ..Objectives::none() },
        unit: 0,
    }
}

fn found(claim: &Claim, search: &Search) -> CertifiedRate {
    largest_rate(claim, search, &Watch::NONE).expect("nobody stops it")
}

/// A mean wait of `rho / (2 (1 - rho)) 18 ms` = 18 ms, where `rho` = 2/3 (Pollaczek and Khinchine).
#[test]
fn the_rate_is_that_of_pollaczek_and_khinchine_from_below_and_from_above() {
    let exact = 2.0 / 3.0 / 0.018;
    for start in [5.0, 30.0, 50.0, 500.0] {
        let got = found(&claim(start, Some(Objective::mean(36.0))), &Search::default());
        assert!(got.rate_per_s <= exact && got.rate_per_s > 0.96 * exact, "{got:?}, not {exact}");
        assert!(got.half_width < 0.02 * exact && got.half_width > 0.0, "{got:?}");
        assert_eq!((got.binding, got.start_holds), (Binding::Ttft, start < exact));
        assert!((got.capacity_per_s - 1.0 / 0.018).abs() < 1e-6, "{got:?}");
    }
}

#[test]
fn what_cannot_hold_has_no_rate_and_what_needs_nothing_has_the_capacity() {
    let never = found(&claim(10.0, Some(Objective::mean(10.0))), &Search::default());
    assert_eq!((never.rate_per_s, never.binding), (0.0, Binding::Ttft));
    let free = found(&claim(10.0, None), &Search::default());
    assert!((free.rate_per_s - 0.98 / 0.018).abs() < 1e-6, "{free:?}");
    assert_eq!((free.binding, free.start_holds), (Binding::Capacity, true));
    let start = Search { upwards: false, ..Search::default() };
    let kept = found(&claim(10.0, Some(Objective::mean(36.0))), &start);
    assert_eq!((kept.rate_per_s, kept.binding), (10.0, Binding::Start));
    assert!(kept.requests < 20_000, "far from its limit a short run is enough: {kept:?}");
}

#[test]
fn other_seeds_agree() {
    let service =
        ServiceModel::Iteration(Iteration { alpha_ms: 8.0, beta_ms: 0.1, gamma_ms: 1e-4 });
    let engine = EngineSettings { kv_tokens: Some(12_000), ..EngineSettings::default() };
    let replica = Replica { service, batch: 32, queue_limit: None, engine, network_ms: 0.0 };
    let traffic = Traffic::new(10.0, 400.0, 40.0);
    let (itl, ttft) = (Objective::percentile(60.0, 95.0), Objective::percentile(400.0, 95.0));
    let objectives = Objectives { itl: Some(itl), ttft: Some(ttft), ..Objectives::none() };
    let claim = Claim { replica, traffic, objectives, unit: 3 };
    let effort = Effort { requests: 2_000, ..Effort::default() };
    let got = found(&claim, &Search { effort, ..Search::default() });
    assert!(got.rate_per_s > 0.0, "{got:?}");
    let holds = |seed: &u64| {
        let (traffic, effort) =
            (Traffic { rate_per_s: got.rate_per_s, ..traffic }, Effort { seed: *seed, ..effort });
        let report = simulate(&replica, &traffic, &effort, 9, &Watch::NONE).expect("runs");
        let keeps = |latency, o: Objective| {
            let used = report.used(latency, o).expect("observed");
            used.value + used.half_width <= 1.0
        };
        report.is_steady() && keeps(Latency::of_itl(&objectives), itl) && keeps(Latency::Ttft, ttft)
    };
    let holding = (100..140).filter(holds).count();
    assert!(holding >= 38, "{holding} of 40");
}

#[test]
fn threads_change_nothing() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let effort = Effort { requests: 500, ..Effort::default() };
        let search = Search { effort, ..Search::default() };
        pool.install(|| found(&claim(30.0, Some(Objective::mean(36.0))), &search))
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn a_raised_flag_stops_it() {
    let watch = Watch { stop: &|| true, arrived: &|_| () };
    assert!(largest_rate(&claim(30.0, None), &Search::default(), &watch).is_err());
}
