//! Laws that the simulations keep.

use isocost_model::queue::{
    EngineSettings, Experts, Iteration, Linear, Roofline, ServiceModel, Station,
};
use isocost_simulation::{
    Chain, Effort, Estimate, Group, Latency, Replica, Report, Request, Traffic, Watch, simulate,
    simulate_chain, simulate_trace,
};
use proptest::prelude::*;

const LINEAR: ServiceModel =
    ServiceModel::Linear(Linear { alpha_ms: 8.0, beta_ms: 0.3, gamma_ms: 12.0, delta_ms: 0.02 });
const ITERATION: ServiceModel =
    ServiceModel::Iteration(Iteration { alpha_ms: 8.0, beta_ms: 0.1, gamma_ms: 1e-4 });
const ROOFLINE: ServiceModel = ServiceModel::Roofline(Roofline {
    alpha_ms: 8.0,
    beta_ms: 0.1,
    gamma_ms: 1e-4,
    delta_ms: 0.03,
    delta2_ms: 1e-6,
    hidden_tokens: 200.0,
    overhead_ms: 5.0,
    lag_steps: 1.5,
    experts: Experts { read_ms: 0.0, share: 0.0 },
});

fn replica(service: ServiceModel, batch: u32, queue_limit: Option<u32>) -> Replica {
    Replica { service, batch, queue_limit, engine: EngineSettings::default(), network_ms: 0.0 }
}

fn traffic(rate_per_s: f64) -> Traffic {
    Traffic::new(rate_per_s, 300.0, 50.0)
}

fn request(arrival_ms: f64, input_tokens: u32, output_tokens: u32) -> Request {
    Request { arrival_ms, input_tokens, cached_tokens: 0, output_tokens, before_ms: 0.0 }
}

/// What one replica makes of these requests, from the first to the last.
fn traced(replica: Replica, requests: &[Request]) -> Report {
    let group = Group { replica, count: 1, weight: 1.0 };
    let effort = Effort { warmup: 0.0, replications: 1, ..Effort::default() };
    let reports = simulate_trace(&[group], requests, &effort, 0, &Watch::NONE);
    reports.expect("nobody stops it").remove(0)
}

fn alone(service: ServiceModel, requests: &[Request]) -> Report {
    traced(replica(service, 8, None), requests)
}

fn mean(report: &Report, latency: Latency) -> f64 {
    report.mean_ms(latency).expect("observed").value
}

#[test]
fn a_request_alone_takes_the_service_time_of_its_profile() {
    for service in [LINEAR, ITERATION] {
        for (input_tokens, output_tokens) in [(300, 50), (4000, 7), (0, 20), (1, 1), (512, 1)] {
            let request = request(0.0, input_tokens, output_tokens);
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
    let report = alone(ROOFLINE, &[request(0.0, 400, 100)]);
    let prefill = 8.0 + 0.1 + 1e-4 * 400.0 + 0.03 * 200.0 + 1e-6 * 400.0 * 400.0;
    assert!((mean(&report, Latency::Ttft) - prefill - 5.0).abs() < 1e-9);
    let read_ahead = 1e-4 * 50.0;
    let expected = Station::new(ROOFLINE, 400.0, 100.0, None).service_ms(1.0) - read_ahead;
    assert!((mean(&report, Latency::Response) - expected).abs() < 1e-9 * expected);
}

/// 20,000 tokens under a budget of 8,192: passes of 8,192, 8,192 and 3,616 tokens.
#[test]
fn long_prompts_are_cut_by_the_budget() {
    let report = alone(ITERATION, &[request(0.0, 20_000, 1)]);
    let prefill = 3.0 * 8.0 + 0.1 * 20_000.0 + 1e-4 * (8_192.0 + 16_384.0 + 20_000.0);
    let token = 8.0 + 0.1 + 1e-4 * 20_001.0;
    assert!((mean(&report, Latency::Ttft) - prefill - token).abs() < 1e-9);
}

/// Three requests by hand, linear. The first prompt takes a pass alone (0 to 12 + 6 = 18 ms). The
/// other two arrive during it and are let in at 18 ms; that pass decodes the first one's second
/// token beside them (18 + 12 + 0.3 + 12 = 42.3), and one pass decodes the rest (+ 8 + 0.9 = 51.2).
#[test]
fn passes_are_shared_as_by_hand() {
    let report =
        alone(LINEAR, &[request(0.0, 300, 3), request(5.0, 300, 2), request(10.0, 300, 2)]);
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

fn near(sum: f64, parts: &[f64]) {
    let expected: f64 = parts.iter().sum();
    assert!((sum - expected).abs() < 1e-9, "{sum}, not {expected}");
}

/// Two prompts of 30 tokens, two blocks each, in a cache of four. The pass of both takes 12 + 1.2 ms;
/// after two steps (8.6 ms each) both fill their blocks, and the second request is preempted with
/// three of its five tokens. The first decodes its other three alone (8.3 ms each). Then the second
/// has its 33 tokens computed anew (12 + 0.66 ms), which yields its fourth, and decodes the last.
#[test]
fn the_newest_is_preempted_and_computed_anew_as_by_hand() {
    let engine = EngineSettings { kv_tokens: Some(64), ..EngineSettings::default() };
    let replica = Replica { engine, ..replica(LINEAR, 8, None) };
    let report = traced(replica, &[request(0.0, 30, 6), request(0.0, 30, 5)]);
    let pooled = report.pooled();
    let (first, last) = (13.2 + 2.0 * 8.6 + 3.0 * 8.3, 13.2 + 2.0 * 8.6 + 3.0 * 8.3 + 12.66 + 8.3);
    near(pooled.response_ms.sum(), &[first, last]);
    near(pooled.ttft_ms.sum(), &[13.2, 13.2]);
    near(pooled.itl_ms.sum(), &[first - 13.2, last - 13.2]);
    near(pooled.tpot_ms.sum(), &[(first - 13.2) / 5.0, (last - 13.2) / 4.0]);
    assert_eq!((pooled.preempted, pooled.itl_ms.count(), pooled.kv_peak_tokens), (1, 9, 64));
    assert!((pooled.itl_ms.largest() - (3.0 * 8.3 + 12.66)).abs() < 1e-9);
    assert_eq!(pooled.wait_ms.sum(), 0.0, "a wait is that for the first place");
    // A request that is longer than the cache is turned away, one as long is not.
    let long = traced(replica, &[request(0.0, 60, 5), request(1.0, 59, 5)]);
    assert_eq!((long.pooled().lost, long.pooled().served()), (1, 1));
}

/// The same under the iteration model, whose prompts yield no token: the second request, preempted
/// with two of its tokens, has 32 to compute anew, and then decodes the other three.
#[test]
fn a_prompt_computed_anew_yields_a_token_where_prompts_do() {
    let engine = EngineSettings { kv_tokens: Some(64), ..EngineSettings::default() };
    let replica = Replica { engine, ..replica(ITERATION, 8, None) };
    let report = traced(replica, &[request(0.0, 30, 3), request(0.0, 30, 5)]);
    let pooled = report.pooled();
    let pass = |tokens: f64, context: f64| 8.0 + 0.1 * tokens + 1e-4 * context;
    let ttft = pass(60.0, 60.0) + pass(2.0, 62.0);
    let second = pass(2.0, 64.0);
    let alone = pass(1.0, 33.0);
    let rest = [pass(32.0, 32.0), pass(1.0, 33.0), pass(1.0, 34.0), pass(1.0, 35.0)];
    near(pooled.ttft_ms.sum(), &[ttft, ttft]);
    near(pooled.itl_ms.sum(), &[second, alone, second, alone, rest.iter().sum()]);
    assert_eq!((pooled.preempted, pooled.itl_ms.count()), (1, 6));
}

/// Without chunks a prompt goes before decoding: the first request (18 ms) waits for its second
/// token until the second one's prompt (18 ms) and a step of both (8.6 ms) are over.
#[test]
fn whole_prompts_go_first_as_by_hand() {
    let engine = EngineSettings { chunked_prefill: false, ..EngineSettings::default() };
    let replica = Replica { engine, ..replica(LINEAR, 8, None) };
    let report = traced(replica, &[request(0.0, 300, 3), request(5.0, 300, 2)]);
    let pooled = report.pooled();
    near(pooled.ttft_ms.sum(), &[18.0, 36.0 - 5.0]);
    near(pooled.itl_ms.sum(), &[26.6, 8.6, 8.3]);
    near(pooled.response_ms.sum(), &[52.9, 44.6 - 5.0]);
    // One that is longer than the budget goes alone, in one pass.
    let long = traced(replica, &[request(0.0, 20_000, 1)]);
    near(long.pooled().ttft_ms.sum(), &[12.0, 0.02 * 20_000.0]);
}

#[test]
fn what_the_prefix_cache_holds_is_not_computed_and_is_read() {
    let cached = |cached_tokens| Request { cached_tokens, ..request(0.0, 400, 1) };
    let ttft = |cached_tokens| alone(ITERATION, &[cached(cached_tokens)]).pooled().ttft_ms.sum();
    let token = 8.1 + 1e-4 * 401.0;
    near(ttft(100), &[8.0, 0.1 * 300.0, 1e-4 * 400.0, token]);
    near(ttft(400), &[8.0, 0.1, 1e-4 * 400.0, token]);
    assert_eq!(alone(ITERATION, &[cached(400)]).pooled().kv_peak_tokens, 416);
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

/// Engines of all kinds; caches that hold a few requests, or one, or not even that.
fn engines() -> impl Strategy<Value = EngineSettings> {
    let kv_tokens = prop_oneof![Just(None), (16_u64..20_000).prop_map(Some)];
    (40_u32..4000, kv_tokens, any::<bool>()).prop_map(
        |(token_budget, kv_tokens, chunked_prefill)| EngineSettings {
            token_budget,
            kv_tokens,
            chunked_prefill,
        },
    )
}

/// Replicas and traffic of all kinds, small enough to run by the hundred.
fn cases() -> impl Strategy<Value = (Replica, Traffic)> {
    let queue = prop_oneof![Just(None), (0_u32..20).prop_map(Some)];
    let scv = || prop_oneof![Just(0.0), Just(1.0), 0.1..5.0_f64];
    let service = prop::sample::select(vec![LINEAR, ITERATION, ROOFLINE]);
    let shape = (service, 1_u32..40, queue, engines());
    let arrivals = (0.1..60.0_f64, scv());
    let prompts = (0.0..3000.0_f64, scv(), prop_oneof![Just(0.0), Just(1.0), 0.0..1.0_f64]);
    (shape, arrivals, prompts, (1.0..80.0_f64, scv())).prop_map(
        |(shape, arrivals, prompts, answers)| {
            let (service, batch, queue_limit, engine) = shape;
            let traffic = Traffic {
                rate_per_s: arrivals.0,
                arrival_scv: arrivals.1,
                input_tokens: prompts.0,
                input_scv: prompts.1,
                prefix_hit_share: prompts.2,
                output_tokens: answers.0,
                token_scv: answers.1,
            };
            (Replica { service, batch, queue_limit, engine, network_ms: 0.0 }, traffic)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn requests_are_conserved((replica, traffic) in cases()) {
        let effort = Effort { requests: 300, replications: 2, ..Effort::default() };
        let report = simulate(&replica, &traffic, &effort, 0, &Watch::NONE).expect("runs");
        let kv_tokens = replica.engine.kv_tokens;
        for section in report.sections() {
            prop_assert_eq!(section.arrived, 300);
            prop_assert_eq!(section.arrived, section.lost + section.served());
            prop_assert_eq!(section.wait_ms.count(), section.served());
            prop_assert_eq!(section.ttft_ms.count(), section.served());
            prop_assert!(section.tpot_ms.count() <= section.served());
            prop_assert!(replica.queue_limit.is_some() || kv_tokens.is_some() || section.lost == 0);
            prop_assert!(kv_tokens.is_none_or(|most| section.kv_peak_tokens <= most));
            prop_assert!(kv_tokens.is_some() || section.preempted == 0);
            let most = f64::from(replica.batch) * section.time_ms;
            prop_assert!(section.in_service_ms <= most * (1.0 + 1e-9));
            let places = f64::from(replica.batch) + f64::from(replica.queue_limit.unwrap_or(300_000));
            prop_assert!(section.in_system_ms <= places * section.time_ms * (1.0 + 1e-9));
        }
    }

    /// From empty to empty the number in the system, over time, is the sum of the times in it, and
    /// every token of every answer comes, preempted or not.
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
                request(arrival_ms, input_tokens, output_tokens)
            })
            .collect();
        let report = traced(replica, &requests);
        let (pooled, sum) = (report.pooled(), report.pooled().response_ms.sum());
        prop_assert!((pooled.in_system_ms - sum).abs() <= 1e-9 * sum.max(1.0));
        if pooled.preempted == 0 {
            let waits = pooled.wait_ms.sum();
            let in_service = pooled.in_system_ms - waits;
            prop_assert!((in_service - pooled.in_service_ms).abs() <= 1e-9 * sum.max(1.0));
        }
        prop_assert_eq!(pooled.served() + pooled.itl_ms.count(), pooled.output_tokens);
        let (ttft, gaps) = (pooled.ttft_ms.sum(), pooled.itl_ms.sum());
        let outside = match replica.service {
            ServiceModel::Roofline(_) => ttft,
            _ => 0.0,
        };
        prop_assert!((ttft + gaps - sum).abs() <= 1e-9 * sum + outside);
        if replica.queue_limit.is_none() {
            let most = replica.engine.kv_tokens.map_or(u64::MAX, |tokens| tokens / 16 * 16);
            let fits = |r: &&Request| u64::from(r.input_tokens + r.output_tokens) <= most;
            let tokens: u64 = requests.iter().filter(fits).map(|r| u64::from(r.output_tokens)).sum();
            prop_assert_eq!(tokens, pooled.output_tokens);
        }
    }

    #[test]
    fn a_cache_that_is_never_full_is_as_none((replica, traffic) in cases()) {
        let effort = Effort { requests: 200, replications: 2, ..Effort::default() };
        let run = |kv_tokens| {
            let engine = EngineSettings { kv_tokens, ..replica.engine };
            let replica = Replica { engine, ..replica };
            simulate(&replica, &traffic, &effort, 0, &Watch::NONE).expect("runs")
        };
        prop_assert_eq!(run(None), run(Some(1 << 40)));
    }

    #[test]
    fn traces_lose_nothing_on_the_way_to_the_replicas(
        counts in prop::collection::vec((1_u64..4, 0.1..5.0_f64), 1..4), n in 2_u32..200,
    ) {
        let groups: Vec<Group> = counts
            .iter()
            .map(|&(count, weight)| Group { replica: replica(ITERATION, 4, None), count, weight })
            .collect();
        let requests: Vec<Request> =
            (0..n).map(|i| request(9.0 * f64::from(i), 10, 3)).collect();
        let effort = Effort { warmup: 0.0, replications: 5, ..Effort::default() };
        let reports = simulate_trace(&groups, &requests, &effort, 0, &Watch::NONE).expect("runs");
        prop_assert_eq!(reports.iter().map(|r| r.pooled().served()).sum::<u64>(), u64::from(n));
    }
}
