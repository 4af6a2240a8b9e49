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

use rayon::prelude::*;

use crate::candidates::{Reading, SizingOptions, demand_per_s, held, station};
use crate::plan::{Part, Placement, Plan};
use crate::queue::{Factors, Metric, Objectives, ServiceModel, Station};
use crate::scenario::{Profile, Scenario};

/// Factors above this are not tried: nothing that far off is an error of estimation.
pub const MOST_FACTOR: f64 = 64.0;

/// Step of the scan, as a share.
const STEP: f64 = 0.01;
/// Relative width at which a breaking factor is known well enough.
const WIDTH: f64 = 1e-9;
/// Relative rounding that a limit is allowed, as the checker allows it.
const ROUNDING: f64 = 1e-9;
/// Share of the service rate at a full batch up to which a replica is steady, as sizing has it.
const STEADY: f64 = 0.999;
/// Share of that which is used where tokens per second are asked for.
const TOKENS_RESERVE: f64 = 0.9;

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
    /// The share of its service rate up to which a replica is credited with its throughput.
    Steady,
    /// Arrivals stay below the service rate: above it an unbounded queue grows for ever, and a
    /// finite one turns the rest away. Not an objective, but the end of every one of them.
    Stable,
}

impl Kept {
    const ALL: [Self; 7] =
        [Self::Itl, Self::Ttft, Self::Wait, Self::E2e, Self::Loss, Self::Steady, Self::Stable];

    /// The word for it in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Itl => "ITL",
            Self::Ttft => "TTFT",
            Self::Wait => "wait",
            Self::E2e => "E2E",
            Self::Loss => "loss",
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
    let replicas: Vec<Replica> = placement
        .parts
        .iter()
        .filter(|part| part.rate_per_s > 0.0)
        .filter_map(|part| {
            let profile = profile_of(scenario, server.model, part)?;
            let station = station(server, profile, sizing);
            let held = held(scenario, server, part.accelerator, &station, sizing.reading);
            let objectives = Objectives { max_loss: sizing.max_loss, ..held };
            Some(Replica { station, batch: part.batch, rate_per_s: part.rate_per_s, objectives })
        })
        .collect();
    if replicas.is_empty() {
        return Vec::new();
    }
    let stated: Vec<Kept> =
        Kept::ALL.into_iter().filter(|k| replicas[0].limit(*k).is_some()).collect();
    let breaks: Vec<Vec<Option<f64>>> =
        Shift::ALL.iter().map(|&shift| first_breaks(&replicas, &stated, shift, factor)).collect();
    let headroom = |(i, &kept): (usize, &Kept)| Headroom {
        server: s,
        kept,
        limit: replicas[0].limit(kept).unwrap_or(f64::INFINITY),
        planned: replicas.iter().map(|r| r.value(kept, Shift::Load, 1.0)).fold(0.0, f64::max),
        breaks_at: std::array::from_fn(|shift| breaks[shift][i]),
    };
    stated.iter().enumerate().map(headroom).collect()
}

fn profile_of<'a>(scenario: &'a Scenario, model: usize, part: &Part) -> Option<&'a Profile> {
    let is_of = |p: &&Profile| p.model == model && p.accelerator == part.accelerator;
    scenario.profiles.iter().find(is_of)
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
        for (edge, &kept) in found.iter_mut().zip(stated).filter(|(edge, _)| edge.is_none()) {
            let broken = replicas.iter().filter(|r| !r.keeps(kept, shift, at));
            *edge = broken.map(|r| r.edge(kept, shift, before, at)).min_by(f64::total_cmp);
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

/// One replica as planned, with what it has to keep.
struct Replica {
    station: Station,
    batch: u32,
    rate_per_s: f64,
    objectives: Objectives,
}

impl Replica {
    fn limit(&self, kept: Kept) -> Option<f64> {
        let o = &self.objectives;
        match kept {
            Kept::Itl => o.itl.map(|o| o.limit_ms),
            Kept::Ttft => o.ttft.map(|o| o.limit_ms),
            Kept::Wait => o.wait.map(|o| o.limit_ms),
            Kept::E2e => o.e2e.map(|o| o.limit_ms),
            Kept::Loss => self.station.queue_limit.filter(|_| o.max_loss < 1.0).map(|_| o.max_loss),
            Kept::Steady => {
                Some(STEADY * if o.tokens_per_s.is_some() { TOKENS_RESERVE } else { 1.0 })
            }
            Kept::Stable => Some(1.0),
        }
    }

    /// What is limited, with `shift` off by `factor`; `inf` where there is no steady state.
    fn value(&self, kept: Kept, shift: Shift, factor: f64) -> f64 {
        let (service, rate_per_s) = shift.apply(self.station.service, self.rate_per_s, factor);
        let station = Station { service, ..self.station };
        if matches!(kept, Kept::Steady | Kept::Stable) {
            // Sizing seeks no rate below a thousandth of `mu(1)`, and a replica may always get that.
            let most = station.service_rate_per_s(self.batch);
            return rate_per_s / most.max(0.001 * station.service_rate_per_s(1) / STEADY);
        }
        let Ok(a) = station.analyze(self.batch, rate_per_s) else { return f64::INFINITY };
        let (metric, objective) = match kept {
            Kept::Itl => (Metric::Itl, self.objectives.itl),
            Kept::Ttft => (Metric::Ttft, self.objectives.ttft),
            Kept::Wait => (Metric::Wait, self.objectives.wait),
            Kept::E2e => (Metric::E2e, self.objectives.e2e),
            _ => (Metric::Loss, None),
        };
        a.limited(&self.objectives, metric, objective.and_then(|o| o.percentile))
    }

    fn keeps(&self, kept: Kept, shift: Shift, factor: f64) -> bool {
        let value = self.value(kept, shift, factor);
        match (kept, self.limit(kept)) {
            (Kept::Stable, _) => value < 1.0,
            (_, Some(limit)) => value <= limit * (1.0 + ROUNDING),
            (_, None) => true,
        }
    }

    /// Where it breaks between a factor that it stands (or 1) and one that it does not.
    fn edge(&self, kept: Kept, shift: Shift, mut low: f64, mut high: f64) -> f64 {
        if !self.keeps(kept, shift, low) {
            return low;
        }
        while high - low > WIDTH * low {
            let mid = f64::midpoint(low, high);
            if self.keeps(kept, shift, mid) { low = mid } else { high = mid }
        }
        high
    }
}

/// Factors on loads and service times that a plan is made with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Margin {
    /// On every arrival rate, and on the tokens per second that are asked of a server in its place.
    pub load: f64,
    /// On every parameter of the service times.
    pub service: f64,
}

impl Default for Margin {
    fn default() -> Self {
        Self { load: 1.0, service: 1.0 }
    }
}

impl Margin {
    /// Whether it changes nothing.
    pub fn is_none(&self) -> bool {
        self.load == 1.0 && self.service == 1.0
    }

    /// The scenario to plan: `scenario` with its loads and service times up by the margin.
    pub fn apply(&self, scenario: &Scenario, reading: Reading) -> Scenario {
        let mut up = scenario.clone();
        for server in &mut up.servers {
            server.scale_load(self.load);
        }
        let targets = up.classes.iter_mut().flat_map(|class| class.targets.iter_mut().flatten());
        for target in targets.filter(|_| reading == Reading::Reference) {
            target.tokens_per_s.iter_mut().for_each(|rate| rate.per_s *= self.load);
        }
        for profile in &mut up.profiles {
            profile.service = profile.service.scaled(&Factors::of_times(self.service));
        }
        up
    }

    /// A plan of [`Margin::apply`]'s scenario as it runs under the loads and service times of
    /// `scenario` itself: the same replicas, each with its share of the stated load.
    pub fn relax(&self, scenario: &Scenario, sizing: &SizingOptions, plan: &Plan) -> Plan {
        let mut plan = plan.clone();
        for (server, placement) in scenario.servers.iter().zip(&mut plan.placements) {
            // A floor of tokens is no forecast: the margin is not on it.
            let stated_per_s = demand_per_s(scenario, server, sizing.reading);
            let share = if placement.demand_per_s > 0.0 {
                stated_per_s / placement.demand_per_s
            } else {
                1.0
            };
            placement.demand_per_s *= share;
            for part in &mut placement.parts {
                part.rate_per_s *= share;
                let profile = profile_of(scenario, server.model, part);
                part.predicted = profile.filter(|_| part.rate_per_s > 0.0).and_then(|profile| {
                    station(server, profile, sizing).analyze(part.batch, part.rate_per_s).ok()
                });
                let accelerator = &scenario.accelerators[part.accelerator];
                let units = part.cards as f64 / f64::from(accelerator.multiplicity);
                let utilisation = part.predicted.as_ref().map_or(0.0, |a| a.utilisation);
                part.watts = units * accelerator.power.watts(utilisation);
            }
        }
        plan
    }
}
