//! The largest rate at which a replica keeps its objectives in simulation.
//!
//! Every rate is simulated with the same random numbers: arrivals at another rate are the same gaps on
//! another scale, and prompts and answers are the same. A latency is then a smooth function of the
//! rate, and where it crosses its limit is found as if it were one without noise (sample average
//! approximation with common random numbers: Kim, Pasupathy and Henderson, A guide to sample average
//! approximation, 2015), by regula falsi with the Illinois rule on
//!
//! ```text
//! g(rate) = max over the objectives of ln(used + m half width)
//! ```
//!
//! where `used` is the share of what an objective allows that is used ([`Report::used`]), and `m` is so large
//! that another run of `R` replications holds, its whole interval within the limit, in 99 of 100 cases. With
//! the standard error `s` of an estimate and `t` the quantile that makes an interval of it, another run's
//! upper end is `used' + t s'`, whose difference from `used` has a variance of
//!
//! ```text
//! s^2 (1 + 1 + t^2 / (2 (R - 1)))      two estimates, and the spread of an estimated s'
//! m = 1 + t99(R - 1) sqrt(2 + t^2 / (2 (R - 1))) / t
//! ```
//!
//! The share of what is beyond a limit, which a percentile goes by, varies as a count of rare events does:
//! its variance grows with it, and a run that happens to be good shows a small error too. Its half width
//! is therefore taken as it is at the limit, `half width / sqrt(used)`.
//!
//! Short runs decide what is far from its limit: a miss anywhere, and up to [`SETTLED`] of the capacity,
//! where a queue settles soon, that all holds. What is close is simulated at full length. What
//! is left of the noise is in the margin `m`: the certified rate is below the root of the estimate itself.
//!
//! Close to its capacity a queue takes longer to settle than any run is, so that no rate above
//! [`LOAD`] of the throughput of the saturated replica is certified.

use isocost_model::queue::{Objective, Objectives};

use crate::estimate::{CONFIDENCE, Estimate, student_t};
use crate::replica::Replica;
use crate::report::{Latency, Report};
use crate::run::{Effort, Stopped, Watch, simulate, simulate_closed};
use crate::traffic::Traffic;

/// Share of other runs that are to find the objectives to hold.
const AGREE: f64 = 0.99;

/// Half widths from a limit beyond which a short run decides.
const CLEAR: f64 = 4.0;

/// Largest share of a saturated replica's throughput that is certified.
const LOAD: f64 = 0.98;

/// Least share of it that is tried.
const LEAST_LOAD: f64 = 1e-3;

/// Share of it up to which a short run can tell that everything holds.
const SETTLED: f64 = 0.8;

/// A short run's share of a full one, and its requests a place in the batch at least.
const SHORT: u64 = 10;
const TURNS: u64 = 8;

/// Rates tried at most in a search at one length.
const MOST_RUNS: u32 = 24;

/// What is to hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claim {
    /// The replica.
    pub replica: Replica,
    /// Its requests; their rate is the one to start from.
    pub traffic: Traffic,
    /// What it has to keep. Tokens per second are not looked at: they are a server's as a whole.
    pub objectives: Objectives,
    /// Tells its random numbers from those of other replicas under the same seed.
    pub unit: u32,
}

/// How a rate is looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// A full run.
    pub effort: Effort,
    /// Width of the bracket, as a share of the rate, that ends the search.
    pub tolerance: f64,
    /// Whether a rate above the one to start from is looked for where that one holds.
    pub upwards: bool,
}

impl Default for Search {
    fn default() -> Self {
        let effort = Effort { requests: 10_000, ..Effort::default() };
        Self { effort, tolerance: 0.01, upwards: true }
    }
}

/// What keeps a rate from being larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// Inter-token latency.
    Itl,
    /// Time to first token.
    Ttft,
    /// Wait before service.
    Wait,
    /// Time to the last token.
    E2e,
    /// Requests turned away.
    Loss,
    /// What the replica can do at all: its queue grows beyond.
    Capacity,
    /// Nothing: the rate to start from holds, and no larger one was looked for.
    Start,
}

/// The largest rate that holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CertifiedRate {
    /// The rate, requests/s: simulated at it the objectives hold with so much to spare that other runs
    /// find the same. 0 where none was found.
    pub rate_per_s: f64,
    /// Half the width of the interval of the largest rate itself, at
    /// [`CONFIDENCE`](crate::CONFIDENCE), requests/s; 0 where no objective binds. The certified rate
    /// lies on the lower side.
    pub half_width: f64,
    /// What keeps it from being larger.
    pub binding: Binding,
    /// Throughput of the replica when it is saturated, requests/s.
    pub capacity_per_s: f64,
    /// Whether the rate to start from holds.
    pub start_holds: bool,
    /// Rates simulated, at any length.
    pub runs: u32,
    /// Requests simulated in all.
    pub requests: u64,
}

/// Finds the largest rate at which everything claimed holds. The same claim and search give the same
/// result on every machine and any number of threads.
///
/// # Errors
/// [`Stopped`].
pub fn largest_rate(
    claim: &Claim,
    search: &Search,
    watch: &Watch<'_>,
) -> Result<CertifiedRate, Stopped> {
    let mut finder =
        Finder { claim, search, watch, capacity_per_s: f64::INFINITY, runs: 0, simulated: 0 };
    let capacity_per_s = finder.saturate()?;
    finder.capacity_per_s = capacity_per_s;
    let start = claim.traffic.rate_per_s.min(LOAD * capacity_per_s);
    let found = finder.find(start, LOAD * capacity_per_s)?;
    Ok(CertifiedRate {
        rate_per_s: found.rate_per_s,
        half_width: found.half_width,
        binding: found.binding,
        capacity_per_s,
        start_holds: found.rate_per_s >= claim.traffic.rate_per_s,
        runs: finder.runs,
        requests: finder.simulated,
    })
}

/// How far a rate is from its limits.
#[derive(Debug, Clone, Copy)]
struct Probe {
    rate_per_s: f64,
    /// `g`, at most 0 where everything holds.
    excess: f64,
    /// The same without the margin.
    value: f64,
    binding: Binding,
    /// Whether a run of any length would say so.
    is_clear: bool,
}

impl Probe {
    fn holds(&self) -> bool {
        self.excess <= 0.0
    }
}

/// A certified rate, its uncertainty, and what binds.
struct Found {
    rate_per_s: f64,
    half_width: f64,
    binding: Binding,
}

struct Finder<'a> {
    claim: &'a Claim,
    search: &'a Search,
    watch: &'a Watch<'a>,
    capacity_per_s: f64,
    runs: u32,
    simulated: u64,
}

impl Finder<'_> {
    fn find(&mut self, start: f64, most: f64) -> Result<Found, Stopped> {
        let first = self.probe(start)?;
        if first.holds() && (!self.search.upwards || start >= most) {
            let binding = if start >= most { Binding::Capacity } else { Binding::Start };
            return Ok(Found { rate_per_s: start, half_width: 0.0, binding });
        }
        let (low, high) = if first.holds() {
            let last = self.probe(most)?;
            if last.holds() {
                return Ok(Found { rate_per_s: most, half_width: 0.0, binding: Binding::Capacity });
            }
            (first, last)
        } else {
            let Some(low) = self.below(first, most * LEAST_LOAD)? else {
                return Ok(Found { rate_per_s: 0.0, half_width: 0.0, binding: first.binding });
            };
            low
        };
        self.narrow(low, high)
    }

    /// A rate that holds below one that does not, and the least seen that does not.
    fn below(&mut self, missed: Probe, least: f64) -> Result<Option<(Probe, Probe)>, Stopped> {
        let (mut high, mut step) = (missed, 0.9);
        loop {
            let low = self.probe((high.rate_per_s * step).max(least))?;
            if low.holds() {
                return Ok(Some((low, high)));
            }
            if low.rate_per_s <= least {
                return Ok(None);
            }
            (high, step) = (low, step * step);
        }
    }

    /// Regula falsi between a rate that holds and one that does not.
    fn narrow(&mut self, mut low: Probe, mut high: Probe) -> Result<Found, Stopped> {
        let (mut low_weight, mut high_weight) = (low.excess, high.excess);
        for _ in 0..MOST_RUNS {
            let width = high.rate_per_s - low.rate_per_s;
            if width <= self.search.tolerance * low.rate_per_s {
                break;
            }
            // Neither end is hit again, and a step takes a tenth of the bracket at least.
            let share = (low_weight / (low_weight - high_weight)).clamp(0.1, 0.9);
            let middle = self.probe(low.rate_per_s + share * width)?;
            if middle.holds() {
                (low, low_weight) = (middle, middle.excess);
                high_weight /= 2.0;
            } else {
                (high, high_weight) = (middle, middle.excess);
                low_weight /= 2.0;
            }
        }
        let slope = (high.value - low.value) / (high.rate_per_s - low.rate_per_s);
        let error = (low.excess - low.value) / self.margin();
        let least = (high.rate_per_s - low.rate_per_s) / 2.0;
        let half_width = if slope > 0.0 { (error / slope).max(least) } else { least };
        Ok(Found { rate_per_s: low.rate_per_s, half_width, binding: high.binding })
    }

    /// Simulates a rate, first for a short while.
    fn probe(&mut self, rate_per_s: f64) -> Result<Probe, Stopped> {
        self.runs += 1;
        let full = self.search.effort;
        let requests = (full.requests / SHORT).max(self.turns());
        if requests < full.requests {
            let probe = self.run(rate_per_s, &Effort { requests, ..full })?;
            let settles = rate_per_s <= SETTLED * self.capacity_per_s;
            if probe.is_clear && (settles || !probe.holds()) {
                return Ok(probe);
            }
        }
        self.run(rate_per_s, &full)
    }

    fn run(&mut self, rate_per_s: f64, effort: &Effort) -> Result<Probe, Stopped> {
        let traffic = Traffic { rate_per_s, ..self.claim.traffic };
        self.simulated += effort.total(rate_per_s);
        let report = simulate(&self.claim.replica, &traffic, effort, self.claim.unit, self.watch)?;
        Ok(probe(rate_per_s, &report, &self.claim.objectives, self.margin()))
    }

    /// Half widths of an interval that are kept from a limit, `m`.
    fn margin(&self) -> f64 {
        let freedom = f64::from(self.search.effort.replications.max(2)) - 1.0;
        let interval = student_t((1.0 + CONFIDENCE) / 2.0, freedom);
        let spread = 2.0 + interval * interval / (2.0 * freedom);
        1.0 + student_t(AGREE, freedom) * spread.sqrt() / interval
    }

    /// Requests that turn a full batch over often enough.
    fn turns(&self) -> u64 {
        TURNS * u64::from(self.claim.replica.batch)
    }

    /// Throughput with twice as many clients as places, requests/s.
    fn saturate(&mut self) -> Result<f64, Stopped> {
        let clients = self.claim.replica.batch.saturating_mul(2);
        let requests = (2 * self.turns()).max(self.search.effort.requests / SHORT);
        let effort = Effort { requests, warmup: 0.5, replications: 4, ..self.search.effort };
        let Claim { replica, traffic, .. } = self.claim;
        let replica = Replica { queue_limit: None, ..*replica };
        self.simulated += effort.total(traffic.rate_per_s);
        let report = simulate_closed(&replica, traffic, clients, &effort, self.watch)?;
        Ok(report.throughput_per_s().map_or(0.0, |e| e.value))
    }
}

/// What a report says of the objectives.
fn probe(rate_per_s: f64, report: &Report, objectives: &Objectives, margin: f64) -> Probe {
    if !report.is_steady() {
        let (excess, value) = (UNBOUNDED, UNBOUNDED);
        return Probe { rate_per_s, excess, value, binding: Binding::Capacity, is_clear: true };
    }
    let used = |latency, objective: Option<Objective>| {
        let objective = objective?;
        let used = report.used(latency, objective)?;
        let is_share = objective.percentile.is_some();
        Some([used.value, if is_share { at_limit(used) } else { used.half_width }])
    };
    let itl = used(Latency::of_itl(objectives), objectives.itl);
    let ttft = used(Latency::Ttft, objectives.ttft);
    let wait = used(Latency::Wait, objectives.wait);
    let e2e = used(Latency::Response, objectives.e2e);
    let loss = report.loss().filter(|_| objectives.max_loss < 1.0);
    let loss = loss.map(|e| [e.value, e.half_width].map(|x| x / objectives.max_loss));
    let mut worst = Probe {
        rate_per_s,
        excess: -UNBOUNDED,
        value: -UNBOUNDED,
        binding: Binding::Capacity,
        is_clear: true,
    };
    let all = [
        (Binding::Itl, itl),
        (Binding::Ttft, ttft),
        (Binding::Wait, wait),
        (Binding::E2e, e2e),
        (Binding::Loss, loss),
    ];
    for (binding, used) in all {
        let Some([value, half_width]) = used else { continue };
        let excess = log(value + margin * half_width);
        if excess > worst.excess {
            worst = Probe { excess, value: log(value), binding, ..worst };
        }
        worst.is_clear &= (value - 1.0).abs() > CLEAR * half_width;
    }
    worst
}

/// The half width of a share as it is at its limit.
fn at_limit(used: Estimate) -> f64 {
    if used.value > 0.0 { used.half_width / used.value.min(1.0).sqrt() } else { used.half_width }
}

/// Logarithm, within bounds.
fn log(used: f64) -> f64 {
    if used > 0.0 { libm::log(used).clamp(-UNBOUNDED, UNBOUNDED) } else { -UNBOUNDED }
}

/// No excess is taken to be larger, so that regula falsi keeps its pace.
const UNBOUNDED: f64 = 1.0;
