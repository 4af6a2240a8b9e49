//! Tails: percentiles of wait, TTFT and ITL.
//!
//! A request that finds all `N` places taken and `k` requests waiting starts after `k + 1`
//! completions at rate `mu(N)`, so that for an unbounded queue
//! `P(W > t) = P(n >= N) exp(-(mu(N) - lambda) t)`, and for a finite one, over the requests that
//! are let in, `P(W > t) = sum over k of p(N + k) / (1 - loss) P(Poisson(mu(N) t) <= k)`. Bursts and
//! variable lengths change the probability of waiting and stretch the time, as `bursts.rs` says.

use super::analysis::Analysis;
use super::bursts::Bursts;
use super::engine::{OneShot, Tails};
use super::reading::Reading;
use super::root::{Bracket, narrow};

impl Analysis {
    /// Wait that `percent` of the served requests do not exceed, ms; `percent` in [0, 100).
    pub fn wait_percentile_ms(&self, percent: f64) -> f64 {
        if self.station.reading == Reading::Engine {
            return match self.one_shot() {
                Some(queue) => queue.percentile_ms(self.rate_per_s, percent, true),
                None => Tails::new(self).wait_ms(percent),
            };
        }
        let Bursts { odds, scale } = Bursts::new(&self.station, &self.chain);
        let above = (1.0 - percent / 100.0) / odds;
        match self.station.queue_limit {
            _ if self.busy_on_entry() <= above => 0.0,
            None => {
                let drain_per_ms = self.capacity_per_s / 1000.0 * (1.0 - self.chain.rho);
                scale * (self.chain.busy / above).ln() / drain_per_ms
            }
            Some(limit) => scale * self.finite_wait_ms(limit, above),
        }
    }

    /// Time to first token that `percent` of the served requests do not exceed, ms: the wait's
    /// percentile and the mean time from the start of service to the first token.
    pub fn ttft_percentile_ms(&self, percent: f64) -> f64 {
        if self.station.reading == Reading::Engine {
            return match self.one_shot() {
                Some(queue) => queue.percentile_ms(self.rate_per_s, percent, false),
                None => Tails::new(self).ttft_ms(percent),
            };
        }
        self.wait_percentile_ms(percent) + self.first_token_ms
    }

    /// Time to the last token that `percent` of the served requests do not exceed, ms; by the reference's
    /// reading the wait's percentile and the mean time in service.
    pub fn e2e_percentile_ms(&self, percent: f64) -> f64 {
        if self.one_shot().is_some() {
            return self.ttft_percentile_ms(percent);
        }
        if self.station.reading == Reading::Engine {
            return Tails::new(self).e2e_ms(percent);
        }
        self.wait_percentile_ms(percent) + self.mean_service_ms + self.station.network_ms
    }

    /// Inter-token latency that `percent` of the tokens do not exceed, ms: the step time at the
    /// occupancy that a token sees. A state with `n` in service yields `n` tokens a step.
    pub fn itl_percentile_ms(&self, percent: f64) -> f64 {
        if self.one_shot().is_some() {
            return self.itl_ms;
        }
        if self.station.reading == Reading::Engine {
            return Tails::new(self).gap_ms(percent);
        }
        let step_ms = |n: u32| self.station.step_ms(f64::from(n));
        let tokens = |(n, p): (u32, f64)| (n, p * f64::from(n) / step_ms(n));
        let served = || self.places_free().skip(1).map(tokens);
        let full = f64::from(self.batch) * self.chain.busy / step_ms(self.batch);
        let total = full + served().map(|(_, tokens)| tokens).sum::<f64>();
        let mut left = total * percent / 100.0;
        let reached = served().find(|(_, tokens)| {
            left -= tokens;
            left <= 0.0
        });
        step_ms(reached.map_or(self.batch, |(n, _)| n))
    }

    /// Mean time between the tokens of a request that `percent` of the requests do not exceed, ms.
    /// Under the reference's reading, which knows no passes, that of the tokens.
    pub fn tpot_percentile_ms(&self, percent: f64) -> f64 {
        if self.one_shot().is_some() {
            return self.itl_ms;
        }
        if self.station.reading == Reading::Engine {
            return Tails::new(self).tpot_ms(percent);
        }
        self.itl_percentile_ms(percent)
    }

    /// The queue of prompts that an engine is whose answers are one token.
    fn one_shot(&self) -> Option<OneShot> {
        let is_engine = self.station.reading == Reading::Engine;
        is_engine.then(|| OneShot::new(&self.station, self.batch)).flatten()
    }

    /// Probability that a request which is let in has to wait.
    fn busy_on_entry(&self) -> f64 {
        (self.chain.busy - self.chain.loss) / (1.0 - self.chain.loss)
    }

    /// The root of `P(W > t) = above` for a queue of `limit` places.
    fn finite_wait_ms(&self, limit: u32, above: f64) -> f64 {
        let mu = self.capacity_per_s / 1000.0;
        let excess = |t: f64| above - self.exceeds(limit, mu * t);
        // Even Q requests ahead are gone by then, but for a probability far below any percentile.
        let places = f64::from(limit);
        let high = (places + 40.0 + 12.0 * places.sqrt()) / mu;
        let bracket = Bracket { low: (0.0, excess(0.0)), high: (high, excess(high)) };
        if bracket.low.1 > 0.0 {
            return 0.0;
        }
        if bracket.high.1 <= 0.0 {
            return high;
        }
        narrow(bracket, 1e-12, excess)
    }

    /// `P(W > t)` at `x = mu(N) t`: `sum over i < Q of Poisson(i; x) sum over k >= i of p(N + k)`.
    fn exceeds(&self, limit: u32, x: f64) -> f64 {
        let rho = self.chain.rho;
        let places = f64::from(limit);
        let mut log_poisson = -x;
        let mut sum = 0.0;
        for i in 0..limit {
            let i = f64::from(i);
            if i > 0.0 {
                log_poisson += (x / i).ln();
            }
            let poisson = log_poisson.exp();
            if poisson > 0.0 {
                sum += poisson * self.chain.last * geometric(rho, i, places);
            }
        }
        sum / (1.0 - self.chain.loss)
    }
}

/// `sum of rho^k` over `k = from..to`.
fn geometric(rho: f64, from: f64, to: f64) -> f64 {
    let log = rho.ln();
    let count = to - from;
    let ratio =
        if (log * count).abs() < 1e-12 { count } else { (log * count).exp_m1() / log.exp_m1() };
    (log * from).exp() * ratio
}
