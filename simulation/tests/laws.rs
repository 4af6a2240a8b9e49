//! Laws that the simulations keep.

use isocost_model::queue::{Roofline, ServiceModel, Station};
use isocost_simulation::{
    Chain, Effort, Estimate, Group, Latency, Replica, Report, Request, TOKEN_BUDGET, Traffic,
    Watch, simulate, simulate_chain, simulate_trace,
};
use proptest::prelude::*;

const LINEAR: ServiceModel =
    ServiceModel::Linear { alpha_ms: 8.0, beta_ms: 0.3, gamma_ms: 12.0, delta_ms: 0.02 };
const ITERATION: ServiceModel =
    ServiceModel::Iteration { alpha_ms: 8.0, beta_ms: 0.1, gamma_ms: 1e-4 };
const ROOFLINE: ServiceModel = ServiceModel::Roofline(Roofline {
    alpha_ms: 8.0,
    beta_ms: 0.1,
    gamma_ms: 1e-4,
    delta_ms: 0.03,
    hidden_tokens: 200.0,
    overhead_ms: 5.0,
    lag_steps: 1.5,
});

fn replica(service: ServiceModel, batch: u32, queue_limit: Option<u32>) -> Replica {
    Replica { service, batch, queue_limit, token_budget: TOKEN_BUDGET }
}

fn traffic(rate_per_s: f64) -> Traffic {
    let (input_tokens, output_tokens) = (300.0, 50.0);
    Traffic { rate_per_s, arrival_scv: 1.0, input_tokens, output_tokens, token_scv: 1.0 }
}

fn alone(service: ServiceModel, requests: &[Request]) -> Report {
    let group = Group { replica: replica(service, 8, None), count: 1, weight: 1.0 };
    let effort = Effort { warmup: 0.0, replications: 1, ..Effort::default() };
    let reports = simulate_trace(&[group], requests, &effort, 0, &Watch::NONE);
    reports.expect("nobody stops it").remove(0)
}

fn mean(report: &Report, latency: Latency) -> f64 {
    report.mean_ms(latency).expect("observed").value
}

#[test]
fn a_request_alone_takes_the_service_time_of_its_profile() {
    for service in [LINEAR, ITERATION] {
        for (input_tokens, output_tokens) in [(300, 50), (4000, 7), (0, 20), (1, 1), (512, 1)] {
            let request = Request { arrival_ms: 0.0, input_tokens, output_tokens };
            let (input, output) = (f64::from(input_tokens), f64::from(output_tokens));
            let station = Station::new(service, input, output, None);
            let report = alone(service, &[request]);
            let (got, expected) = (mean(&report, Latency::Response), station.service_ms(1.0));
            assert!((got - expected).abs() <= 1e-9 * expected, "{got}, not {expected}");
        }
    }
}

/// The roofline model reads the mean context in its prefill too, the simulation what is there.
#[test]
fn a_request_alone_takes_its_roofline() {
    let request = Request { arrival_ms: 0.0, input_tokens: 400, output_tokens: 100 };
    let report = alone(ROOFLINE, &[request]);
    let prefill = 8.0 + 0.1 + 1e-4 * 400.0 + 0.03 * 200.0;
    assert!((mean(&report, Latency::Ttft) - prefill - 5.0).abs() < 1e-9);
    let read_ahead = 1e-4 * 50.0;
    let expected = Station::new(ROOFLINE, 400.0, 100.0, None).service_ms(1.0) - read_ahead;
    assert!((mean(&report, Latency::Response) - expected).abs() < 1e-9 * expected);
}

/// 20,000 tokens under a budget of 8,192: passes of 8,192, 8,192 and 3,616 tokens.
#[test]
fn long_prompts_are_cut_by_the_budget() {
    let report =
        alone(ITERATION, &[Request { arrival_ms: 0.0, input_tokens: 20_000, output_tokens: 1 }]);
    let prefill = 3.0 * 8.0 + 0.1 * 20_000.0 + 1e-4 * (8_192.0 + 16_384.0 + 20_000.0);
    let token = 8.0 + 0.1 + 1e-4 * 20_001.0;
    assert!((mean(&report, Latency::Ttft) - prefill - token).abs() < 1e-9);
}

/// Three requests by hand, linear. The first prompt takes a pass alone (0 to 12 + 6 = 18 ms). The
/// other two arrive during it and are let in at 18 ms; that pass decodes the first one's second
/// token beside them (18 + 12 + 0.3 + 12 = 42.3), and one pass decodes the rest (+ 8 + 0.9 = 51.2).
#[test]
fn passes_are_shared_as_by_hand() {
    let request =
        |arrival_ms, output_tokens| Request { arrival_ms, input_tokens: 300, output_tokens };
    let report = alone(LINEAR, &[request(0.0, 3), request(5.0, 2), request(10.0, 2)]);
    let waits = 0.0 + 13.0 + 8.0;
    assert!((report.pooled().wait_ms.sum() - waits).abs() < 1e-9);
    let ttft = 18.0 + (42.3 - 5.0) + (42.3 - 10.0);
    assert!((report.pooled().ttft_ms.sum() - ttft).abs() < 1e-9);
    let gaps = 24.3 + 3.0 * 8.9;
    assert!((report.pooled().itl_ms.sum() - gaps).abs() < 1e-9);
    assert_eq!(report.pooled().itl_ms.count(), 4);
    let responses = 51.2 + (51.2 - 5.0) + (51.2 - 10.0);
    assert!((report.pooled().response_ms.sum() - responses).abs() < 1e-9);
}

/// Probability of waiting in M/M/c at `a` Erlang: Erlang's C formula by the recursion of his B.
fn erlang_c(c: u32, a: f64) -> f64 {
    let b = (1..=c).fold(1.0, |b, k| a * b / (f64::from(k) + a * b));
    b / (1.0 - a / f64::from(c) * (1.0 - b))
}

/// Intervals at 95% miss one time in twenty: of many, few may, and none by far.
struct Misses {
    checks: u32,
    outside: u32,
}

impl Misses {
    fn check(&mut self, what: &str, estimate: Option<Estimate>, exact: f64) {
        let estimate = estimate.expect("observed");
        let off = (estimate.value - exact).abs();
        assert!(off <= 2.0 * estimate.half_width + 1e-12, "{what}: {estimate:?}, exactly {exact}");
        self.checks += 1;
        self.outside += u32::from(off > estimate.half_width);
    }
}

#[test]
fn constant_service_rates_agree_with_erlang_c() {
    let mut misses = Misses { checks: 0, outside: 0 };
    for (c, rho) in [(1, 0.5), (4, 0.8), (16, 0.9), (50, 0.95)] {
        let rate_per_s = rho * f64::from(c) * 10.0;
        let chain = Chain {
            rates_per_s: (1..=c).map(|n| 10.0 * f64::from(n)).collect(),
            queue_limit: None,
            rate_per_s,
            arrival_scv: 1.0,
            work_scv: 1.0,
        };
        let effort = Effort { requests: 100_000, ..Effort::default() };
        let report = simulate_chain(&chain, &effort, c, &Watch::NONE).expect("nobody stops it");
        let (busy, drain) = (erlang_c(c, rho * f64::from(c)), f64::from(c) * 10.0 - rate_per_s);
        let name = format!("c {c}, rho {rho}");
        misses.check(&name, report.mean_ms(Latency::Wait), 1000.0 * busy / drain);
        let p99 = 1000.0 * (busy / 0.01).ln().max(0.0) / drain;
        misses.check(&name, report.percentile_ms(Latency::Wait, 99.0), p99);
        misses.check(&name, report.in_service(), rho * f64::from(c));
    }
    assert!(misses.outside <= 2, "{} of {} outside", misses.outside, misses.checks);
}

/// The solver against its own process, with both service models, finite and unbounded queues.
#[test]
fn the_chain_agrees_with_the_queueing_model() {
    let mut misses = Misses { checks: 0, outside: 0 };
    let mut unit = 0;
    for service in [LINEAR, ITERATION] {
        for queue_limit in [None, Some(0), Some(5), Some(40)] {
            for (batch, load) in [(1, 0.6), (12, 0.9), (40, 0.95)] {
                let station = Station::new(service, 300.0, 50.0, queue_limit);
                let rate_per_s = station.service_rate_per_s(batch) * load;
                let chain = Chain {
                    rates_per_s: (1..=batch).map(|n| station.service_rate_per_s(n)).collect(),
                    queue_limit,
                    rate_per_s,
                    arrival_scv: 1.0,
                    work_scv: 1.0,
                };
                unit += 1;
                let effort = Effort { requests: 80_000, ..Effort::default() };
                let report = simulate_chain(&chain, &effort, unit, &Watch::NONE).expect("runs");
                let a = station.analyze(batch, rate_per_s).expect("a steady state");
                let name = format!("{service:?}, batch {batch}, queue {queue_limit:?}");
                misses.check(&name, report.mean_ms(Latency::Wait), a.mean_wait_ms);
                let p99 = report.percentile_ms(Latency::Wait, 99.0);
                misses.check(&name, p99, a.wait_percentile_ms(99.0));
                misses.check(&name, report.mean_ms(Latency::Response), a.mean_response_ms);
                misses.check(&name, report.in_service(), a.mean_in_service);
                // A share is there to be seen where the sample holds some hundred of it.
                if a.loss_probability == 0.0 || a.loss_probability > 0.001 {
                    misses.check(&name, report.loss(), a.loss_probability);
                }
            }
        }
    }
    let (outside, checks) = (misses.outside, misses.checks);
    assert!(f64::from(outside) <= 0.08 * f64::from(checks), "{outside} of {checks} outside");
}

#[test]
fn seeds_decide_and_threads_do_not() {
    let run = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let effort = Effort { requests: 500, seed, ..Effort::default() };
        let replica = replica(LINEAR, 16, Some(4));
        pool.install(|| simulate(&replica, &traffic(20.0), &effort, 3, &Watch::NONE))
    };
    assert_eq!(run(1, 5), run(4, 5));
    assert_ne!(run(4, 5), run(4, 6));
}

#[test]
fn a_raised_flag_stops_it() {
    let watch = Watch { stop: &|| true, arrived: &|_| () };
    let replica = replica(LINEAR, 16, None);
    assert!(simulate(&replica, &traffic(20.0), &Effort::default(), 0, &watch).is_err());
}

#[test]
fn overload_is_not_steady_and_light_load_is() {
    let effort = Effort { requests: 2000, ..Effort::default() };
    let run = |rate, queue| {
        let replica = replica(LINEAR, 8, queue);
        simulate(&replica, &traffic(rate), &effort, 0, &Watch::NONE).expect("nobody stops it")
    };
    assert!(run(1.0, None).is_steady());
    assert!(!run(1000.0, None).is_steady());
    let flooded = run(1000.0, Some(10));
    assert!(flooded.is_steady());
    let in_service = flooded.in_service().expect("observed").value;
    assert!(in_service <= 8.0 && in_service > 7.9, "{in_service}");
    assert!(flooded.in_system().expect("observed").value <= 18.0);
}

/// Replicas and traffic of all kinds, small enough to run by the hundred.
fn cases() -> impl Strategy<Value = (Replica, Traffic)> {
    let queue = prop_oneof![Just(None), (0_u32..20).prop_map(Some)];
    let scv = prop_oneof![Just(0.0), Just(1.0), 0.1..5.0_f64];
    let shape = (0_usize..3, 1_u32..40, queue, 0.1..60.0_f64);
    let tokens = (scv.clone(), 0.0..3000.0_f64, 1.0..80.0_f64, scv);
    (shape, tokens, 40_u32..4000).prop_map(|(shape, tokens, token_budget)| {
        let ((model, batch, queue_limit, rate_per_s), (arrival_scv, input, output, token_scv)) =
            (shape, tokens);
        let service = [LINEAR, ITERATION, ROOFLINE][model];
        let traffic = Traffic {
            rate_per_s,
            arrival_scv,
            input_tokens: input,
            output_tokens: output,
            token_scv,
        };
        (Replica { service, batch, queue_limit, token_budget }, traffic)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn requests_are_conserved((replica, traffic) in cases()) {
        let effort = Effort { requests: 300, replications: 2, ..Effort::default() };
        let report = simulate(&replica, &traffic, &effort, 0, &Watch::NONE).expect("runs");
        for section in report.sections() {
            prop_assert_eq!(section.arrived, 300);
            prop_assert_eq!(section.arrived, section.lost + section.served());
            prop_assert_eq!(section.wait_ms.count(), section.served());
            prop_assert_eq!(section.ttft_ms.count(), section.served());
            prop_assert!(replica.queue_limit.is_some() || section.lost == 0);
            let most = f64::from(replica.batch) * section.time_ms;
            prop_assert!(section.in_service_ms <= most * (1.0 + 1e-9));
            let places = f64::from(replica.batch) + f64::from(replica.queue_limit.unwrap_or(300_000));
            prop_assert!(section.in_system_ms <= places * section.time_ms * (1.0 + 1e-9));
        }
    }

    /// From empty to empty the number in the system, over time, is the sum of the times in it.
    #[test]
    fn littles_law_holds_on_the_sample(
        (replica, _) in cases(),
        rows in prop::collection::vec((0.0..200.0_f64, 0_u32..5000, 1_u32..60), 2..60),
    ) {
        let mut arrival_ms = 0.0;
        let requests: Vec<Request> = rows
            .iter()
            .map(|&(gap_ms, input_tokens, output_tokens)| {
                arrival_ms += gap_ms;
                Request { arrival_ms, input_tokens, output_tokens }
            })
            .collect();
        let effort = Effort { warmup: 0.0, replications: 1, ..Effort::default() };
        let group = Group { replica, count: 1, weight: 1.0 };
        let report = simulate_trace(&[group], &requests, &effort, 0, &Watch::NONE).expect("runs").remove(0);
        let (pooled, sum) = (report.pooled(), report.pooled().response_ms.sum());
        prop_assert!((pooled.in_system_ms - sum).abs() <= 1e-9 * sum.max(1.0));
        let waits = pooled.wait_ms.sum();
        prop_assert!((pooled.in_system_ms - pooled.in_service_ms - waits).abs() <= 1e-9 * sum.max(1.0));
        let tokens: u64 = requests.iter().map(|r| u64::from(r.output_tokens)).sum();
        if replica.queue_limit.is_none() {
            prop_assert_eq!(pooled.served() + pooled.itl_ms.count(), tokens);
        }
    }

    #[test]
    fn traces_lose_nothing_on_the_way_to_the_replicas(
        counts in prop::collection::vec((1_u64..4, 0.1..5.0_f64), 1..4), n in 2_u32..200,
    ) {
        let groups: Vec<Group> = counts
            .iter()
            .map(|&(count, weight)| Group { replica: replica(ITERATION, 4, None), count, weight })
            .collect();
        let request = |i| Request { arrival_ms: 9.0 * f64::from(i), input_tokens: 10, output_tokens: 3 };
        let requests: Vec<Request> = (0..n).map(request).collect();
        let effort = Effort { warmup: 0.0, replications: 5, ..Effort::default() };
        let reports = simulate_trace(&groups, &requests, &effort, 0, &Watch::NONE).expect("runs");
        prop_assert_eq!(reports.iter().map(|r| r.pooled().served()).sum::<u64>(), u64::from(n));
    }
}
