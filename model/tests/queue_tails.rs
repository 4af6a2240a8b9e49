//! Percentiles, sizing and the distribution against a chain whose states are all written down.

use isocost_model::queue::{
    Iteration, Linear, Metric, Objective, Objectives, Reading, ServiceModel, Station,
};
use proptest::prelude::*;

/// The chain by its vector of states, normalised by summing them: nothing is shared with the model
/// but the service times.
struct States {
    batch: usize,
    /// Probabilities of 0, 1, ... in the system; an unbounded queue is cut off where nothing is left.
    p: Vec<f64>,
    mu_full: f64,
    finite: bool,
}

impl States {
    fn new(station: &Station, batch: u32, lambda: f64) -> Self {
        let mu = |n: usize| station.service_rate_per_s(n as u32);
        let batch = batch as usize;
        let rho = lambda / mu(batch);
        let waiting = match station.queue_limit {
            Some(limit) => limit as usize,
            None => (-60.0 / rho.ln()) as usize + 10,
        };
        // Logarithms, so that no parameters are too large or too small.
        let mut logs = vec![0.0_f64];
        for n in 1..=batch + waiting {
            logs.push(logs[n - 1] + (lambda / mu(n.min(batch))).ln());
        }
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut p: Vec<f64> = logs.iter().map(|l| (l - top).exp()).collect();
        let total: f64 = p.iter().sum();
        p.iter_mut().for_each(|p| *p /= total);
        let finite = station.queue_limit.is_some();
        Self { batch, p, mu_full: mu(batch), finite }
    }

    fn lost(&self) -> f64 {
        if self.finite { self.p[self.p.len() - 1] } else { 0.0 }
    }

    /// `P(W > t)` of the served: who finds `N + k` starts after `k + 1` departures.
    fn waits_longer(&self, t: f64) -> f64 {
        let x = self.mu_full * t;
        let entering = if self.finite { self.p.len() - 1 } else { self.p.len() };
        let (mut poisson, mut fewer, mut sum) = ((-x).exp(), 0.0, 0.0);
        for (k, p) in self.p[..entering].iter().skip(self.batch).enumerate() {
            fewer += poisson;
            poisson *= x / (k + 1) as f64;
            sum += p * fewer;
        }
        sum / (1.0 - self.lost())
    }

    /// Share of the tokens that are made with at most `n` in service.
    fn tokens_up_to(&self, step: impl Fn(usize) -> f64, n: usize) -> f64 {
        let weight = |(i, p): (usize, &f64)| {
            let busy = i.min(self.batch);
            if busy == 0 { (0, 0.0) } else { (busy, p * busy as f64 / step(busy)) }
        };
        let all: Vec<(usize, f64)> = self.p.iter().enumerate().map(weight).collect();
        let total: f64 = all.iter().map(|w| w.1).sum();
        all.iter().filter(|w| w.0 <= n).map(|w| w.1).sum::<f64>() / total
    }
}

fn linear(alpha_ms: f64, beta_ms: f64) -> ServiceModel {
    ServiceModel::Linear(Linear { alpha_ms, beta_ms, gamma_ms: 0.5, delta_ms: 1e-3 })
}

fn stations() -> impl Strategy<Value = Station> {
    let queue = prop_oneof![Just(None), (0_u32..60).prop_map(Some)];
    (0.1..100.0_f64, 0.0..2.0_f64, 0_u32..500, 2_u32..500, queue).prop_map(
        |(alpha, beta, input, output, queue)| {
            Station::new(linear(alpha, beta), f64::from(input), f64::from(output), queue)
        },
    )
}

proptest! {
    #[test]
    fn the_distribution_is_that_of_the_states(
        station in stations(), batch in 1_u32..40, at in 0.02..0.95_f64,
    ) {
        let rate = station.service_rate_per_s(batch) * at;
        let a = station.analyze(batch, rate).expect("a steady state");
        let states = States::new(&station, batch, rate);
        for ((n, p), expected) in a.states().zip(&states.p) {
            prop_assert!((p - expected).abs() <= 1e-10 * expected + 1e-15, "p({n}) {p} {expected}");
        }
        if station.queue_limit.is_some() {
            prop_assert_eq!(a.states().count(), states.p.len());
        }
    }

    #[test]
    fn percentiles_of_the_wait_are_those_of_the_states(
        station in stations(), batch in 1_u32..40, at in 0.3..0.95_f64,
    ) {
        let rate = station.service_rate_per_s(batch) * at;
        let a = station.analyze(batch, rate).expect("a steady state");
        let states = States::new(&station, batch, rate);
        prop_assert!((a.loss_probability - states.lost()).abs() <= 1e-9 * states.lost() + 1e-15);
        for percent in [50.0, 90.0, 95.0, 99.0] {
            let above = 1.0 - percent / 100.0;
            let wait = a.wait_percentile_ms(percent);
            prop_assert_eq!(a.ttft_percentile_ms(percent), wait + a.first_token_ms);
            // At the percentile the probability is the one asked for; at no wait it is less.
            let exceeds = states.waits_longer(wait / 1000.0);
            match wait > 0.0 {
                true => prop_assert!((exceeds - above).abs() < 1e-7, "P{percent} {exceeds}"),
                false => prop_assert!(exceeds <= above + 1e-9, "P{percent} {exceeds}"),
            }
        }
    }

    #[test]
    fn percentiles_of_itl_are_those_of_the_states(
        station in stations(), batch in 1_u32..40, at in 0.05..0.95_f64, percent in 1.0..99.9_f64,
    ) {
        let ServiceModel::Linear(Linear { alpha_ms, beta_ms, .. }) = station.service else { return Ok(()) };
        let step = |n: usize| alpha_ms + beta_ms * n as f64;
        let rate = station.service_rate_per_s(batch) * at;
        let a = station.analyze(batch, rate).expect("a steady state");
        let states = States::new(&station, batch, rate);
        let itl = a.itl_percentile_ms(percent);
        let at_most = |ms: f64| (1..=batch as usize).filter(|n| step(*n) <= ms * (1.0 + 1e-12)).max();
        let n = at_most(itl).expect("it is a step of some state");
        let share = |n| states.tokens_up_to(step, n);
        prop_assert!(share(n) >= percent / 100.0 - 1e-9, "{}", share(n));
        if beta_ms > 1e-6 && n > 1 {
            prop_assert!(share(n - 1) <= percent / 100.0 + 1e-9, "{}", share(n - 1));
        }
    }

    #[test]
    fn mean_itl_and_p99_ttft_are_sized_together(
        station in stations(), batch in 2_u32..40, slack in 1.05..3.0_f64, wait in 0.05..3.0_f64,
    ) {
        let light = station.analyze(batch, station.service_rate_per_s(1) * 0.001).expect("light");
        let (itl, ttft) = (light.itl_ms * slack, light.ttft_ms * slack + light.mean_service_ms * wait);
        let objectives = Objectives {
            itl: Some(Objective::mean(itl)),
            ttft: Some(Objective::percentile(ttft, 99.0)),
            ..Objectives::none()
        };
        let Ok(sized) = station.size(batch, &objectives) else { return Ok(()) };
        // P99 TTFT <= limit says: at most 1% wait longer than the limit less the first token.
        let meets = |rate: f64| {
            let a = station.analyze(batch, rate).expect("a steady state");
            let room = ttft - a.first_token_ms;
            let late = States::new(&station, batch, rate).waits_longer(room.max(0.0) / 1000.0);
            a.itl_ms <= itl * (1.0 + 1e-9) && room >= 0.0 && late <= 0.01 + 1e-7
        };
        prop_assert!(meets(sized.arrival_rate_per_s));
        let top = station.service_rate_per_s(batch) * 0.999;
        if sized.arrival_rate_per_s * 1.001 < top {
            prop_assert!(!meets(sized.arrival_rate_per_s * 1.001));
        }
        let all = station.size_all(batch, &objectives);
        let last = all[batch as usize - 1].as_ref().expect("as alone");
        let error = (last.arrival_rate_per_s / sized.arrival_rate_per_s - 1.0).abs();
        prop_assert!(error < 1e-9, "{error}");
    }
}

/// A replica of an 8B model, by what answers vary.
fn engine(token_scv: f64) -> Station {
    let service =
        ServiceModel::Iteration(Iteration { alpha_ms: 8.4, beta_ms: 0.036, gamma_ms: 0.00005 });
    Station { reading: Reading::Engine, token_scv, ..Station::new(service, 512.0, 256.0, None) }
}

#[test]
fn the_last_token_comes_after_the_first_and_a_gap_for_each_that_follows() {
    for scv in [0.0, 0.5, 1.0, 3.0] {
        let station = engine(scv);
        let a = station.analyze(64, 4.0).expect("it is stable");
        assert!((a.e2e_ms() - a.ttft_ms - 255.0 * a.itl_ms).abs() < 1e-9 * a.e2e_ms());
        let at = [50.0, 90.0, 95.0, 99.0].map(|p| a.e2e_percentile_ms(p));
        assert!(at.windows(2).all(|w| w[0] < w[1]), "{scv}: {at:?}");
        // Answers that vary less have a shorter tail.
        let steady = engine(0.0).analyze(64, 4.0).expect("it is stable").e2e_percentile_ms(99.0);
        assert!(scv == 0.0 || at[3] > 1.5 * steady, "{scv}: {at:?}, {steady}");
    }
}

#[test]
fn waits_for_a_place_are_waits_for_the_last_token() {
    // One place, taken four fifths of the time: hardly anything of the tail is service.
    let service = ServiceModel::Linear(Linear {
        alpha_ms: 0.5994,
        beta_ms: 0.0,
        gamma_ms: 0.0,
        delta_ms: 0.0,
    });
    let station = Station { reading: Reading::Engine, ..Station::new(service, 0.0, 1001.0, None) };
    let a = station.analyze(1, 80.0 / 60.0).expect("it is stable");
    for p in [50.0, 90.0, 95.0, 99.0] {
        let (first, last) = (a.ttft_percentile_ms(p), a.e2e_percentile_ms(p));
        // A queue of one place: the time in the system is exponential with mean S / (1 - rho).
        let exact = -(1.0 - p / 100.0_f64).ln() * 599.4 / (1.0 - 80.0 / 60.0 * 0.5994);
        assert!(last >= first, "P{p}: {last} before the first token, {first}");
        assert!((last / exact - 1.0).abs() < 0.03, "P{p}: {last}, {exact} by the chain");
    }
}

#[test]
fn an_objective_of_the_last_token_is_kept_and_binds() {
    let station = engine(1.0);
    for percentile in [None, Some(95.0)] {
        let limit_ms = if percentile.is_some() { 12_000.0 } else { 4_000.0 };
        let objective = Objective { limit_ms, percentile };
        let objectives = Objectives { e2e: Some(objective), ..Objectives::none() };
        let sized = station.size_best(256, &objectives, 0.02).expect("it is met");
        let at = |rate: f64| {
            let a = station.analyze(sized.batch, rate).expect("it is stable");
            a.value(Metric::E2e, percentile)
        };
        assert!(at(sized.arrival_rate_per_s) <= limit_ms * (1.0 + 1e-9), "{percentile:?}");
        let free = station.size_best(256, &Objectives::none(), 0.02).expect("nothing is asked");
        assert!(sized.arrival_rate_per_s < 0.99 * free.arrival_rate_per_s, "{percentile:?}");
        let strict =
            Objectives { e2e: Some(Objective { limit_ms: 1.0, percentile }), ..objectives };
        let missed = station.size_best(256, &strict, 0.02).expect_err("it cannot be met");
        assert_eq!(missed.metric, Metric::E2e);
        assert!(missed.to_string().contains("E2E is at best"), "{missed}");
    }
}
