//! What is known of a solve so far: bound, incumbent, and when to stop.

use std::time::Duration;

use isocost_model::plan::{Approach, Choice, Method, OPTIMAL_GAP, Status, relative_gap};
use isocost_solver::{Backend, SolveOptions};

use super::clock::Clock;
use super::column::Pattern;
use super::dual::{Dual, Part};
use super::space::Space;
use super::{Devices, pricing};

/// What is known so far.
pub(super) struct State<'a> {
    pub space: &'a Space<'a>,
    pub backend: &'a dyn Backend,
    pub clock: &'a Clock,
    pub devices: Devices,
    /// No plan is cheaper, cents/h.
    pub bound: f64,
    /// The cheapest plan so far: its cost, and a pattern for each server.
    pub incumbent: Option<(f64, Vec<Pattern>)>,
    /// A gap at which a search by totals is known to take too much, cents/h.
    pub too_wide: f64,
    /// Remarks for the user.
    pub notes: Vec<String>,
}

impl<'a> State<'a> {
    pub(super) fn new(
        space: &'a Space<'a>,
        backend: &'a dyn Backend,
        clock: &'a Clock,
        devices: Devices,
    ) -> Self {
        let bound = f64::NEG_INFINITY;
        let too_wide = f64::INFINITY;
        Self { space, backend, clock, devices, bound, incumbent: None, too_wide, notes: Vec::new() }
    }

    pub(super) fn cost(&self) -> f64 {
        self.incumbent.as_ref().map_or(f64::INFINITY, |i| i.0)
    }

    pub(super) fn is_proven(&self) -> bool {
        let wanted = self.clock.options.relative_gap.max(0.0);
        self.incumbent.is_some() && self.cost() - self.bound <= wanted * self.cost().abs()
    }

    /// A bound that misses the incumbent by rounding alone is met: costs near nothing, as of a change,
    /// have no gap to speak of.
    pub(super) fn settle(&mut self) {
        let Some((cost, patterns)) = &self.incumbent else { return };
        let scale: f64 = patterns.iter().map(|p| p.cost.abs()).sum();
        if cost - self.bound <= 1e-9 * scale.max(1.0) {
            self.bound = self.bound.max(*cost);
        }
    }

    /// What costs are multiples of; 0 if unknown.
    pub(super) fn step(&self) -> f64 {
        if self.devices.step { self.space.grain() } else { 0.0 }
    }

    /// Options for a core over all servers, which proves nothing above `most_bound`. What it reports
    /// counts for the whole; a choice of its does where it keeps every limit, `complete`.
    pub(super) fn watched(&self, most: Duration, most_bound: f64, complete: bool) -> SolveOptions {
        let mut options = self.clock.within(most);
        let Some(listener) = self.clock.options.progress.clone() else { return options };
        let (start, cost, bound) = (self.clock.start, self.cost(), self.bound);
        options.progress = Some(std::sync::Arc::new(move |core: &isocost_solver::Progress| {
            let found = core.incumbent.filter(|_| complete).unwrap_or(f64::INFINITY).min(cost);
            listener(&isocost_solver::Progress {
                seconds: start.elapsed().as_secs_f64(),
                incumbent: found.is_finite().then_some(found),
                bound: core.bound.min(most_bound).min(found).max(bound),
            });
        }));
        options
    }

    pub(super) fn report(&self) {
        if let Some(progress) = &self.clock.options.progress {
            progress(&isocost_solver::Progress {
                seconds: self.clock.start.elapsed().as_secs_f64(),
                incumbent: self.incumbent.as_ref().map(|i| i.0),
                bound: self.bound,
            });
        }
    }

    /// Takes a choice of patterns for all servers if it keeps every limit and is cheaper.
    pub(super) fn offer(&mut self, patterns: Vec<Pattern>) {
        let cost = patterns.iter().map(|p| p.cost).sum();
        if self.overused(&patterns).is_none() && cost < self.cost() {
            self.incumbent = Some((cost, patterns));
        }
    }

    /// Whether the limits cannot be kept: at some prices even the patterns that take least are
    /// worth more than there is.
    pub(super) fn cannot_fit(&self, part: &Part, dual: &Dual) -> bool {
        let free = self.space.free();
        let least: f64 = part
            .servers
            .iter()
            .filter_map(|&s| pricing::cheapest(&free, s, &dual.lambda))
            .map(|priced| priced.bound)
            .sum();
        let there: f64 = part.capacity.iter().zip(&dual.lambda).map(|(c, l)| c * l).sum();
        least > there * (1.0 + 1e-9)
    }

    pub(super) fn status(&self) -> Status {
        if self.incumbent.is_none() {
            let excluded = self.bound == f64::INFINITY;
            return if excluded { Status::Infeasible } else { Status::Unknown };
        }
        let gap = relative_gap(self.cost(), self.bound);
        if gap <= OPTIMAL_GAP { Status::Optimal } else { Status::Feasible }
    }

    /// A limit that the choice breaks.
    pub(super) fn overused(&self, patterns: &[Pattern]) -> Option<usize> {
        self.space.capacity.iter().enumerate().find_map(|(k, capacity)| {
            let used: f64 = patterns.iter().map(|p| p.uses[k]).sum();
            (used > capacity * (1.0 + 1e-12)).then_some(k)
        })
    }

    pub(super) fn choice(&self, status: Status) -> Choice {
        let shares = self.incumbent.as_ref().map(|(_, patterns)| {
            let of_server = |(s, pattern): (usize, &Pattern)| {
                let items = self.space.items(s);
                let share = |&(j, n): &(u32, u32)| (items[j as usize].candidate, u64::from(n));
                pattern.shares.iter().map(share).collect()
            };
            patterns.iter().enumerate().map(of_server).collect()
        });
        Choice {
            status,
            shares: shares.unwrap_or_default(),
            objective: self.cost(),
            bound: if status == Status::Infeasible { f64::INFINITY } else { self.bound },
            approach: Approach::new(self.space.shape, Method::Patterns),
            backend: self.backend.name().to_owned(),
            notes: self.notes.clone(),
        }
    }
}
