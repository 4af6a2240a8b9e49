//! Whole simulations: replications in parallel, or a trace over several replicas.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rayon::prelude::*;

use crate::chain::{self, Chain};
use crate::random::{Purpose, stream};
use crate::replica::{Replica, serve, serve_closed};
use crate::report::Report;
use crate::section::{Section, Window};
use crate::traffic::{Draw, Request, Traffic};

/// How much is simulated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effort {
    /// Requests counted in each replication, where it does not go by time.
    pub requests: u64,
    /// Simulated time whose arrivals are counted in each replication in place of `requests`, ms. It
    /// is the time of open arrivals: closed loops and the model's chain go by requests.
    pub time_ms: Option<f64>,
    /// Requests, or time, before that which are not counted, as a share of it: the replica starts
    /// empty, and what it does before it has filled says nothing of its steady state.
    pub warmup: f64,
    /// Independent replications, at least 2 for an interval; batches of a trace.
    pub replications: u32,
    /// Seed of every random number.
    pub seed: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Self { requests: 20_000, time_ms: None, warmup: 0.25, replications: 10, seed: 1 }
    }
}

impl Effort {
    /// Requests that are counted in a replication at a rate, requests/s: by time about that many.
    pub fn counted(&self, rate_per_s: f64) -> u64 {
        self.time_ms.map_or(self.requests, |time_ms| (rate_per_s * time_ms / 1000.0).round() as u64)
    }

    /// Requests of a replication at a rate, requests/s, that are not counted.
    pub fn warmup_requests(&self, rate_per_s: f64) -> u64 {
        (self.warmup * self.counted(rate_per_s) as f64) as u64
    }

    /// Requests that a simulation at a rate, requests/s, draws, warm-up included.
    pub fn total(&self, rate_per_s: f64) -> u64 {
        let each = self.warmup_requests(rate_per_s).saturating_add(self.counted(rate_per_s));
        each.saturating_mul(u64::from(self.replications))
    }

    /// The requests of all replications in one run; `unit` tells them from others under the same seed.
    pub fn requests_of(&self, traffic: &Traffic, unit: u32) -> Vec<Request> {
        let draw = Draw::new(traffic, self.seed, unit, 0);
        match self.time_ms {
            None => draw.take(self.total(traffic.rate_per_s) as usize).collect(),
            Some(time_ms) => {
                let end_ms = (1.0 + self.warmup) * time_ms * f64::from(self.replications);
                draw.take_while(|request| request.arrival_ms < end_ms).collect()
            }
        }
    }

    /// What is counted of that many requests, all of one run.
    pub(crate) fn window_of(&self, requests: usize) -> Window {
        let warmup = (self.warmup * requests as f64) as u64;
        let counted = requests as u64 - warmup.min(requests as u64);
        Window { warmup, counted, sections: self.replications }
    }

    fn window(&self) -> Window {
        let warmup = (self.warmup * self.requests as f64) as u64;
        Window { warmup, counted: self.requests, sections: 1 }
    }

    /// What is counted of requests that arrive so.
    fn window_over(&self, requests: impl Iterator<Item = Request>, watch: &Watch<'_>) -> Window {
        let Some(time_ms) = self.time_ms else { return self.window() };
        let (begin_ms, end_ms) = (self.warmup * time_ms, (1.0 + self.warmup) * time_ms);
        let arrivals = requests.map(|request| request.arrival_ms);
        let (mut warmup, mut counted) = (0, 0);
        for at_ms in arrivals.take_while(|at_ms| *at_ms < end_ms && !(watch.stop)()) {
            *if at_ms < begin_ms { &mut warmup } else { &mut counted } += 1;
        }
        Window { warmup, counted, sections: 1 }
    }
}

/// How a simulation is watched and stopped from outside.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Whether to stop.
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// Hears how many requests have arrived since the last time.
    pub arrived: &'a (dyn Fn(u64) + Sync),
}

impl Watch<'_> {
    /// Nobody looks on.
    pub const NONE: Watch<'static> = Watch { stop: &|| false, arrived: &|_| () };

    pub(crate) fn report(&self, arrivals: u64) -> Result<(), Stopped> {
        (self.arrived)(arrivals);
        if (self.stop)() { Err(Stopped) } else { Ok(()) }
    }
}

/// The watch asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the simulation was stopped before it was done")]
pub struct Stopped;

/// Simulates one replica iteration by iteration. `unit` tells its random numbers from those of
/// other replicas under the same seed.
///
/// # Errors
/// [`Stopped`].
pub fn simulate(
    replica: &Replica,
    traffic: &Traffic,
    effort: &Effort,
    unit: u32,
    watch: &Watch<'_>,
) -> Result<Report, Stopped> {
    replicate(effort, |replication| {
        let draw = || Draw::new(traffic, effort.seed, unit, replication);
        serve(replica, draw(), effort.window_over(draw(), watch), watch)
    })
}

/// Simulates one replica under a closed loop: each of `clients` sends its next request, as long as
/// `traffic` says, when the last is answered. With more clients than places the replica is saturated
/// and its throughput is what it can do.
///
/// # Errors
/// [`Stopped`].
pub fn simulate_closed(
    replica: &Replica,
    traffic: &Traffic,
    clients: u32,
    effort: &Effort,
    watch: &Watch<'_>,
) -> Result<Report, Stopped> {
    replicate(effort, |replication| {
        let draw = Draw::new(traffic, effort.seed, 0, replication);
        serve_closed(replica, clients as usize, draw, effort.window(), watch)
    })
}

/// Simulates the queueing model's own chain.
///
/// # Errors
/// [`Stopped`].
pub fn simulate_chain(
    chain: &Chain,
    effort: &Effort,
    unit: u32,
    watch: &Watch<'_>,
) -> Result<Report, Stopped> {
    replicate(effort, |replication| {
        chain::run(chain, effort.window(), (effort.seed, unit, replication), watch)
    })
}

/// Replications in parallel, put together in their order: threads do not change the result.
fn replicate(
    effort: &Effort,
    one: impl Fn(u32) -> Result<Vec<Section>, Stopped> + Sync + Send,
) -> Result<Report, Stopped> {
    let runs: Result<Vec<_>, Stopped> = (0..effort.replications).into_par_iter().map(one).collect();
    Ok(Report::new(runs?.into_iter().flatten().collect()))
}

/// Replicas that share a trace.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Group {
    /// Each of the replicas.
    pub replica: Replica,
    /// How many there are.
    pub count: u64,
    /// Requests per second that each is meant to get; only the ratios matter.
    pub weight: f64,
}

/// Sends the requests of a trace to replicas at random, in proportion to their weights, and
/// simulates each of them to the last request: one report a group. The first `effort.warmup` of
/// each replica's requests are not counted; the others form `effort.replications` batches.
///
/// # Errors
/// [`Stopped`].
pub fn simulate_trace(
    groups: &[Group],
    trace: &[Request],
    effort: &Effort,
    unit: u32,
    watch: &Watch<'_>,
) -> Result<Vec<Report>, Stopped> {
    let parts = dispatch(groups, trace, &mut stream(effort.seed, unit, 0, Purpose::Dispatch));
    let one = |(group, part): (&Group, Vec<Vec<Request>>)| {
        let runs: Result<Vec<_>, Stopped> = part
            .into_par_iter()
            .map(|requests| {
                let window = effort.window_of(requests.len());
                serve(&group.replica, requests.into_iter(), window, watch)
            })
            .collect();
        Ok(Report::new(merged(effort, runs?)))
    };
    groups.iter().zip(parts).map(one).collect()
}

/// Batches of replicas side by side, each of the batches of all of them.
pub(crate) fn merged(effort: &Effort, runs: Vec<Vec<Section>>) -> Vec<Section> {
    let mut sections = vec![Section::default(); effort.replications as usize];
    for run in runs {
        sections.iter_mut().zip(&run).for_each(|(all, one)| all.merge(one));
    }
    sections
}

/// The requests of each replica of each group.
pub(crate) fn dispatch<T: Copy>(
    groups: &[Group],
    trace: &[T],
    rng: &mut ChaCha8Rng,
) -> Vec<Vec<Vec<T>>> {
    let mut parts: Vec<Vec<Vec<T>>> =
        groups.iter().map(|g| vec![Vec::new(); g.count as usize]).collect();
    // (share of the load up to and with it, group, replica)
    let mut ends: Vec<(f64, usize, usize)> = Vec::new();
    for (g, group) in groups.iter().enumerate() {
        for replica in 0..group.count as usize {
            let before = ends.last().map_or(0.0, |e| e.0);
            ends.push((before + group.weight, g, replica));
        }
    }
    let Some(&(total, ..)) = ends.last() else { return parts };
    for request in trace {
        let at = rng.random::<f64>() * total;
        let chosen = ends.partition_point(|e| e.0 <= at).min(ends.len() - 1);
        let (_, group, replica) = ends[chosen];
        parts[group][replica].push(*request);
    }
    parts
}
