//! One replica of a plan, and what it has to keep.
//!
//! ```text
//! ITL, TTFT, wait, E2E   <= the server's limits, less what those who share it or send KV cache need
//! lost                   <= the share that a finite queue may turn away
//! rate / mu(N)           <= 0.999, or 0.9 of that where tokens per second are asked of the server
//! rate                   <= the prompts that its link carries, in a pool
//! ```

use super::{Kept, Shift};
use crate::candidates::{SizingOptions, held, station};
use crate::disaggregation::Transfer;
use crate::plan::Part;
use crate::queue::{
    Analysis, HIGHEST, LOWEST, Metric, Objectives, QueueError, Station, TOKENS_RESERVE, excess,
};
use crate::scenario::{Profile, Scenario, Server};

/// Relative rounding that a limit is allowed, as the checker allows it.
const ROUNDING: f64 = 1e-9;
/// Relative width at which a breaking factor is known well enough.
const WIDTH: f64 = 1e-9;

/// The profile that a part of a server's placement runs by.
pub(super) fn profile_of<'a>(
    scenario: &'a Scenario,
    model: usize,
    part: &Part,
) -> Option<&'a Profile> {
    let is_of = |p: &&Profile| p.model == model && p.accelerator == part.accelerator;
    scenario.profiles.iter().find(is_of)
}

/// One replica as planned, with what it has to keep.
#[derive(Debug, Clone, Copy)]
pub(super) struct Replica {
    pub station: Station,
    pub batch: u32,
    pub rate_per_s: f64,
    pub objectives: Objectives,
    /// Prompts/s that its link carries.
    pub link_per_s: f64,
}

impl Replica {
    /// A replica of a part of `server`'s placement; `None` of one without load.
    pub fn of(
        scenario: &Scenario,
        sizing: &SizingOptions,
        server: &Server,
        part: &Part,
    ) -> Option<Self> {
        if part.rate_per_s <= 0.0 {
            return None;
        }
        let profile = profile_of(scenario, server.model, part)?;
        let station = station(server, profile, sizing);
        let held = held(scenario, server, part.accelerator, &station, sizing.reading);
        Some(Self {
            station,
            batch: part.batch,
            // While others of it are taken away, those that are left get more.
            rate_per_s: part.rate_per_s / scenario.accelerators[part.accelerator].availability,
            objectives: Objectives { max_loss: sizing.max_loss, ..held },
            link_per_s: Transfer::of(scenario, server, profile)
                .unwrap_or(Transfer::NONE)
                .most_per_s,
        })
    }

    /// The limit on what has to be kept; `None` where it has none.
    pub fn limit(&self, kept: Kept) -> Option<f64> {
        let o = &self.objectives;
        match kept {
            Kept::Itl => o.itl.map(|o| o.limit_ms),
            Kept::Ttft => o.ttft.map(|o| o.limit_ms),
            Kept::Wait => o.wait.map(|o| o.limit_ms),
            Kept::E2e => o.e2e.map(|o| o.limit_ms),
            Kept::Loss => self.station.queue_limit.filter(|_| o.max_loss < 1.0).map(|_| o.max_loss),
            Kept::Link => Some(1.0).filter(|_| self.link_per_s.is_finite()),
            Kept::Steady => Some(self.steady()),
            Kept::Stable => Some(1.0),
        }
    }

    /// Share of the service rate at a full batch up to which it is credited with its throughput.
    fn steady(&self) -> f64 {
        HIGHEST * if self.objectives.tokens_per_s.is_some() { TOKENS_RESERVE } else { 1.0 }
    }

    /// What it does with `shift` off by `factor`.
    pub fn under(&self, shift: Shift, factor: f64) -> Under<'_> {
        let (service, rate_per_s) = shift.apply(self.station.service, self.rate_per_s, factor);
        self.at(Station { service, ..self.station }, rate_per_s)
    }

    /// What it does at a rate.
    pub fn at_rate(&self, rate_per_s: f64) -> Under<'_> {
        self.at(self.station, rate_per_s)
    }

    fn at(&self, station: Station, rate_per_s: f64) -> Under<'_> {
        let analysis = station.analyze(self.batch, rate_per_s);
        Under { replica: self, station, rate_per_s, analysis }
    }

    /// Where it breaks between a factor that it stands (or 1) and one that it does not.
    pub fn edge(&self, kept: Kept, shift: Shift, mut low: f64, mut high: f64) -> f64 {
        if !self.under(shift, low).keeps(kept) {
            return low;
        }
        while high - low > WIDTH * low {
            let mid = f64::midpoint(low, high);
            if self.under(shift, mid).keeps(kept) { low = mid } else { high = mid }
        }
        high
    }
}

/// A replica under a rate and service times.
pub(super) struct Under<'a> {
    replica: &'a Replica,
    station: Station,
    rate_per_s: f64,
    analysis: Result<Analysis, QueueError>,
}

impl Under<'_> {
    /// What is limited: ms, or a share; `inf` where there is no steady state.
    pub fn value(&self, kept: Kept) -> f64 {
        let objectives = &self.replica.objectives;
        let (metric, objective) = match kept {
            Kept::Itl => (Metric::Itl, objectives.itl),
            Kept::Ttft => (Metric::Ttft, objectives.ttft),
            Kept::Wait => (Metric::Wait, objectives.wait),
            Kept::E2e => (Metric::E2e, objectives.e2e),
            Kept::Loss => (Metric::Loss, None),
            Kept::Link => return self.rate_per_s / self.replica.link_per_s,
            Kept::Steady | Kept::Stable => return self.rate_per_s / self.capacity_per_s(),
        };
        let Ok(analysis) = &self.analysis else { return f64::INFINITY };
        analysis.limited(objectives, metric, objective.and_then(|o| o.percentile))
    }

    /// The service rate at a full batch. Sizing seeks no rate below a thousandth of `mu(1)`, and a replica
    /// may always get that.
    fn capacity_per_s(&self) -> f64 {
        let most = match &self.analysis {
            Ok(analysis) => analysis.capacity_per_s,
            Err(QueueError::Unstable { capacity_per_s, .. }) => *capacity_per_s,
            Err(_) => 0.0,
        };
        most.max(LOWEST * self.station.service_rate_per_s(1) / self.replica.steady())
    }

    /// Whether it is kept.
    pub fn keeps(&self, kept: Kept) -> bool {
        let value = self.value(kept);
        match (kept, self.replica.limit(kept)) {
            (Kept::Stable, _) => value < 1.0,
            (_, Some(limit)) => value <= limit * (1.0 + ROUNDING),
            (_, None) => true,
        }
    }

    /// How far what is kept worst is above its limit, at most 0 where all is kept, and what that is. Stability
    /// ends after what is steady.
    pub fn worst(&self) -> (f64, Kept) {
        let limited = Kept::ALL.into_iter().filter(|kept| *kept != Kept::Stable);
        let mut worst = (f64::NEG_INFINITY, Kept::Steady);
        for (kept, limit) in limited.filter_map(|kept| Some((kept, self.replica.limit(kept)?))) {
            // Half of what is allowed: the other half is for who works with a rounded factor.
            let excess = excess(self.value(kept), limit * (1.0 + 0.5 * ROUNDING));
            if excess > worst.0 {
                worst = (excess, kept);
            }
        }
        worst
    }
}
