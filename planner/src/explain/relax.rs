//! **relax**: the smallest relaxation of one server's latency objectives that is enough.
//!
//! Latency objectives are scaled by a factor, each alone or all together, and the server is
//! sized anew. A larger limit never lowers a replica's rate, so that whether the factor is enough
//! rises from no to yes once, and bisection finds the place: the factor given is enough, and one
//! smaller by [`WIDTH`] is not.

use isocost_model::Scenario;
use isocost_model::candidates::{Candidates, SizingOptions, targets};
use isocost_model::queue::Metric;
use isocost_solver::SolverError;
use serde::Serialize;

use super::probe::Probe;
use super::variant::with_items;
use isocost_formulations::problem::{Item, Problem};

/// Relative width of the bracket that a factor is found in.
pub const WIDTH: f64 = 1e-4;

/// Factors above this are no relaxation that anybody would grant.
const LARGEST: f64 = 1e4;

/// Relaxed objectives of one server.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Relaxation {
    /// The server.
    pub server: String,
    /// What is relaxed; of several, all by the same factor.
    pub limits: Vec<RelaxedLimit>,
    /// New limits over old ones: proven to be enough.
    pub factor: f64,
    /// A factor proven not to be enough, smaller by at most [`WIDTH`] of it.
    pub not_enough: f64,
}

/// A relaxed limit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RelaxedLimit {
    /// Which latency.
    pub latency: Metric,
    /// Percentile that it holds for; the mean if `None`.
    pub percentile: Option<f64>,
    /// The limit now, ms.
    pub from_ms: f64,
    /// The limit that is enough, ms.
    pub to_ms: f64,
}

/// A scenario and how it is sized, for one server to be sized anew.
pub struct Sizer<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// How replicas are sized.
    pub sizing: &'a SizingOptions,
}

impl Sizer<'_> {
    /// Items of server `s` with limits of `way` times `factor`; without them where it is infinite.
    fn items(&self, probe: &Probe<'_>, s: usize, way: &[Metric], factor: f64) -> Vec<Item> {
        let mut scenario =
            Scenario { servers: vec![self.scenario.servers[s].clone()], ..self.scenario.clone() };
        let server = &scenario.servers[0];
        let (class, model) = (server.class, server.model);
        let target = targets(&scenario, server, self.sizing.reading);
        let relaxed = target.relaxed(|m| if way.contains(&m) { factor } else { 1.0 });
        scenario.classes[class].targets[model] = Some(relaxed);
        let candidates = Candidates::build(&scenario, self.sizing);
        Problem::new(&scenario, &candidates, probe.asked()).groups.swap_remove(0)
    }

    /// The ways to relax that server `s` has: each latency alone, then all.
    fn ways(&self, s: usize) -> Vec<Vec<Metric>> {
        let target = targets(self.scenario, &self.scenario.servers[s], self.sizing.reading);
        let all: Vec<Metric> = target.latencies().map(|(metric, _)| metric).collect();
        let mut ways: Vec<Vec<Metric>> = all.iter().map(|&metric| vec![metric]).collect();
        ways.extend((all.len() > 1).then_some(all));
        ways
    }

    /// The smallest relaxations of server `s` at which `enough` of its items; all latencies are
    /// relaxed only where none alone helps.
    fn smallest(
        &self,
        probe: &Probe<'_>,
        s: usize,
        enough: impl Fn(Vec<Item>) -> Result<Option<bool>, SolverError>,
    ) -> Result<Vec<Relaxation>, SolverError> {
        let mut found = Vec::new();
        for way in self.ways(s) {
            if way.len() > 1 && !found.is_empty() {
                break;
            }
            let at = |factor: f64| enough(self.items(probe, s, &way, factor));
            if let Some((not_enough, factor)) = bisect(probe, at)? {
                found.push(self.relaxation(s, &way, factor, not_enough));
            }
        }
        Ok(found)
    }

    fn relaxation(&self, s: usize, way: &[Metric], factor: f64, not_enough: f64) -> Relaxation {
        let server = &self.scenario.servers[s];
        let target = targets(self.scenario, server, self.sizing.reading);
        let limited = target.latencies().filter(|(latency, _)| way.contains(latency));
        let limits = limited.map(|(latency, objective)| RelaxedLimit {
            latency,
            percentile: objective.percentile,
            from_ms: objective.limit_ms,
            to_ms: objective.limit_ms * factor,
        });
        let limits = limits.collect();
        Relaxation { server: server.name.clone(), limits, factor, not_enough }
    }
}

/// A factor that is enough and one close below that is not; `None` where dropping the objective is
/// not enough either, a probe does not tell, or the time is over.
fn bisect(
    probe: &Probe<'_>,
    at: impl Fn(f64) -> Result<Option<bool>, SolverError>,
) -> Result<Option<(f64, f64)>, SolverError> {
    if at(f64::INFINITY)? != Some(true) {
        return Ok(None);
    }
    let (mut low, mut high) = (1.0, 2.0);
    loop {
        match at(high)? {
            Some(true) => break,
            Some(false) if high < LARGEST => (low, high) = (high, high * 2.0),
            _ => return Ok(None),
        }
    }
    while high > low * (1.0 + WIDTH) {
        if probe.is_over() {
            return Ok(None);
        }
        let middle = f64::midpoint(low, high);
        match at(middle)? {
            Some(true) => high = middle,
            Some(false) => low = middle,
            None => return Ok(None),
        }
    }
    Ok(Some((low, high)))
}

/// The smallest relaxations at which some accelerator serves server `s`.
///
/// # Errors
/// A failure of the backend.
pub fn to_be_served(
    sizer: &Sizer<'_>,
    probe: &Probe<'_>,
    problem: &Problem,
    s: usize,
) -> Result<Vec<Relaxation>, SolverError> {
    let needs = &problem.servers[s];
    let served = |items: Vec<Item>| Ok(Some(items.iter().any(|i| needs.replicas(i).is_some())));
    sizer.smallest(probe, s, served)
}

/// The smallest relaxations of server `s` at which all servers of `problem` fit.
///
/// # Errors
/// A failure of the backend.
pub fn to_fit(
    sizer: &Sizer<'_>,
    probe: &Probe<'_>,
    problem: &Problem,
    s: usize,
) -> Result<Vec<Relaxation>, SolverError> {
    let moves = probe.asked().max_moves;
    sizer.smallest(probe, s, |items| probe.fits(&with_items(problem, s, items), moves))
}
