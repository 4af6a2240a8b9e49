//! Stress and margin: how far loads and service times may be off before an objective breaks.
//!
//! A plan is stressed by a factor `f >= 1` on what it was made from: the rate that each replica
//! gets, the parameters of its service times, or both. Batch sizes, replicas and the split of a
//! server's load over them stay as planned. What breaks first is found for every objective on its
//! own: the factors are scanned in steps of 1% (latencies rise with both, but the iteration model's
//! chunks move in whole numbers, and a latency may step down where they do), and the first step
//! that breaks is bisected.
//!
//! A [`Margin`] is the other way round: the scenario with its loads and service times up by a
//! factor. A plan of that scenario, carried out under the stated loads, stands any stress up to it.

//!
//! [`add_headroom`] asks for less, of every plan that is shown: the load at which something breaks first.

mod first;
mod margin;
mod replica;

use rayon::prelude::*;

use crate::candidates::SizingOptions;
use crate::plan::{Placement, Plan};
use crate::queue::{Factors, Metric, ServiceModel};
use crate::scenario::Scenario;
pub use first::{FirstBreak, add_headroom, shown};
pub use margin::Margin;
use replica::{Replica, Under};

/// Factors above this are not tried: nothing that far off is an error of estimation.
pub const MOST_FACTOR: f64 = 64.0;

/// Step of the scan, as a share.
const STEP: f64 = 0.01;

/// What is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shift {
    /// The rate that each replica gets.
    Load,
    /// Every parameter of the service times.
    Service,
    /// Parameter alpha alone.
    Alpha,
    /// Parameter beta alone.
    Beta,
    /// Parameter gamma alone.
    Gamma,
    /// Parameter delta alone (linear and roofline models).
    Delta,
    /// Load and service times.
    Both,
}

impl Shift {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Load, Self::Service, Self::Alpha, Self::Beta, Self::Gamma, Self::Delta, Self::Both];

    /// The word for it in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Service => "service",
            Self::Alpha => "alpha",
            Self::Beta => "beta",
            Self::Gamma => "gamma",
            Self::Delta => "delta",
            Self::Both => "both",
        }
    }

    /// The service model and the rate with this off by `factor`.
    fn apply(self, service: ServiceModel, rate_per_s: f64, factor: f64) -> (ServiceModel, f64) {
        let on = |which: Self| {
            if self == which || matches!(self, Self::Service | Self::Both) { factor } else { 1.0 }
        };
        let load = if matches!(self, Self::Load | Self::Both) { factor } else { 1.0 };
        let [alpha, beta, gamma, delta, rest] =
            [Self::Alpha, Self::Beta, Self::Gamma, Self::Delta, Self::Service].map(on);
        let factors = Factors { alpha, beta, gamma, delta, rest, lag: 1.0 };
        (service.scaled(&factors), rate_per_s * load)
    }
}

/// What a replica has to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kept {
    /// Inter-token latency, ms.
    Itl,
    /// Time to first token, ms.
    Ttft,
    /// Wait before service, ms.
    Wait,
    /// From arrival to the last token, ms.
    E2e,
    /// Share of requests that a finite queue turns away.
    Loss,
    /// The prompts whose KV cache the link of a pool's replica carries.
    Link,
    /// The share of its service rate up to which a replica is credited with its throughput.
    Steady,
    /// Arrivals stay below the service rate: above it an unbounded queue grows for ever, and a
    /// finite one turns the rest away. Not an objective, but the end of every one of them.
    Stable,
}

impl Kept {
    const ALL: [Self; 8] = [
        Self::Itl,
        Self::Ttft,
        Self::Wait,
        Self::E2e,
        Self::Loss,
        Self::Link,
        Self::Steady,
        Self::Stable,
    ];

    /// The word for it in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Itl => Metric::Itl.word(),
            Self::Ttft => Metric::Ttft.word(),
            Self::Wait => Metric::Wait.word(),
            Self::E2e => Metric::E2e.word(),
            Self::Loss => Metric::Loss.word(),
            Self::Link => "link",
            Self::Steady => "capacity",
            Self::Stable => "stability",
        }
    }
}

/// An objective of a server, and how far off its inputs may be.
#[derive(Debug, Clone, PartialEq)]
pub struct Headroom {
    /// Index into [`Scenario::servers`].
    pub server: usize,
    /// What has to be kept.
    pub kept: Kept,
    /// Its limit: ms, or a share.
    pub limit: f64,
    /// Its value as planned, the worst over the server's replicas: ms, or a share.
    pub planned: f64,
    /// For each of [`Shift::ALL`] the least factor at which it breaks; `None` up to
    /// [`MOST_FACTOR`].
    pub breaks_at: [Option<f64>; Shift::ALL.len()],
}

impl Headroom {
    /// The least factor at which it breaks when `shift` is off; `None` up to [`MOST_FACTOR`].
    pub fn at(&self, shift: Shift) -> Option<f64> {
        Shift::ALL.iter().position(|s| *s == shift).and_then(|i| self.breaks_at[i])
    }

    /// Whether it breaks when `shift` is off by at most `factor`.
    pub fn breaks_within(&self, shift: Shift, factor: f64) -> bool {
        self.at(shift).is_some_and(|at| at <= factor)
    }
}

/// The headroom of every objective of every server with load, the smallest (load and service times
/// both off) first. `factor` is among the factors that are tried, so that
/// [`Headroom::breaks_within`] is exact at it.
pub fn stress(
    scenario: &Scenario,
    sizing: &SizingOptions,
    plan: &Plan,
    factor: f64,
) -> Vec<Headroom> {
    let servers = plan.placements.par_iter().enumerate();
    let each = servers.map(|(s, placement)| of_server(scenario, sizing, s, placement, factor));
    let mut all: Vec<Headroom> = each.flatten_iter().collect();
    let key = |h: &Headroom| h.at(Shift::Both).unwrap_or(f64::INFINITY);
    all.sort_by(|a, b| key(a).total_cmp(&key(b)).then(a.server.cmp(&b.server)));
    all
}

fn of_server(
    scenario: &Scenario,
    sizing: &SizingOptions,
    s: usize,
    placement: &Placement,
    factor: f64,
) -> Vec<Headroom> {
    let server = &scenario.servers[s];
    let parts = placement.parts.iter();
    let replicas: Vec<Replica> =
        parts.filter_map(|part| Replica::of(scenario, sizing, server, part)).collect();
    if replicas.is_empty() {
        return Vec::new();
    }
    // Each replica has what the server states; a link, only those on accelerators that are in a pool.
    let limit = |kept: Kept| replicas.iter().find_map(|replica| replica.limit(kept));
    let stated: Vec<Kept> = Kept::ALL.into_iter().filter(|kept| limit(*kept).is_some()).collect();
    let planned: Vec<Under<'_>> = replicas.iter().map(|r| r.under(Shift::Load, 1.0)).collect();
    let breaks: Vec<Vec<Option<f64>>> =
        Shift::ALL.iter().map(|&shift| first_breaks(&replicas, &stated, shift, factor)).collect();
    let headroom = |(i, &kept): (usize, &Kept)| Headroom {
        server: s,
        kept,
        limit: limit(kept).unwrap_or(f64::INFINITY),
        planned: planned.iter().map(|under| under.value(kept)).fold(0.0, f64::max),
        breaks_at: std::array::from_fn(|shift| breaks[shift][i]),
    };
    stated.iter().enumerate().map(headroom).collect()
}

/// For each of `stated` the least factor at which a replica breaks it.
fn first_breaks(
    replicas: &[Replica],
    stated: &[Kept],
    shift: Shift,
    factor: f64,
) -> Vec<Option<f64>> {
    let mut found = vec![None; stated.len()];
    let has_delta = |r: &Replica| !matches!(r.station.service, ServiceModel::Iteration(_));
    if shift == Shift::Delta && !replicas.iter().any(has_delta) {
        return found;
    }
    let mut before = 1.0;
    for at in grid(factor) {
        let under: Vec<Under<'_>> = replicas.iter().map(|r| r.under(shift, at)).collect();
        for (edge, &kept) in found.iter_mut().zip(stated).filter(|(edge, _)| edge.is_none()) {
            let broken = replicas.iter().zip(&under).filter(|(_, under)| !under.keeps(kept));
            *edge = broken.map(|(r, _)| r.edge(kept, shift, before, at)).min_by(f64::total_cmp);
        }
        if found.iter().all(Option::is_some) {
            break;
        }
        before = at;
    }
    found
}

/// Factors that are tried, `factor` among them.
fn grid(factor: f64) -> impl Iterator<Item = f64> {
    let steps = (MOST_FACTOR.ln() / STEP.ln_1p()).ceil() as i32;
    let mut all: Vec<f64> =
        (0..=steps).map(|i| (1.0 + STEP).powi(i).min(MOST_FACTOR)).chain([factor]).collect();
    all.sort_by(f64::total_cmp);
    all.into_iter().filter(|f| *f >= 1.0)
}
