//! **relax**: the smallest relaxation of one server's latency objectives that is enough.
//!
//! Latency objectives are scaled by a factor, ITL or TTFT alone or both together, and the server is
//! sized anew. A larger limit never lowers a replica's rate, so that whether the factor is enough
//! rises from no to yes once, and bisection finds the place: the factor given is enough, and one
//! smaller by [`WIDTH`] is not.

use isocost_model::Scenario;
use isocost_model::candidates::{Candidates, SizingOptions, targets};
use isocost_model::queue::Objective;
use isocost_solver::SolverError;
use serde::Serialize;

use super::probe::Probe;
use super::variant::with_items;
use isocost_formulations::problem::{Item, Problem};

/// Relative width of the bracket that a factor is found in.
pub const WIDTH: f64 = 1e-4;

/// Factors above this are no relaxation that anybody would grant.
const LARGEST: f64 = 1e4;

/// A latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Latency {
    /// Inter-token latency.
    Itl,
    /// Time to first token.
    Ttft,
}

/// Relaxed objectives of one server.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Relaxation {
    /// The server.
    pub server: String,
    /// What is relaxed; of two, both by the same factor.
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
    pub latency: Latency,
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
    /// Items of server `s` with its latency objectives scaled, ITL and TTFT; infinite ones dropped.
    fn items(&self, probe: &Probe<'_>, s: usize, itl: f64, ttft: f64) -> Vec<Item> {
        let mut scenario =
            Scenario { servers: vec![self.scenario.servers[s].clone()], ..self.scenario.clone() };
        let scaled = |objective: Option<Objective>, factor: f64| {
            let objective = objective.filter(|_| factor.is_finite())?;
            Some(Objective { limit_ms: objective.limit_ms * factor, ..objective })
        };
        let server = &scenario.servers[0];
        let (class, model) = (server.class, server.model);
        let mut target = targets(&scenario, server);
        target.itl = scaled(target.itl, itl);
        target.ttft = scaled(target.ttft, ttft);
        scenario.classes[class].targets[model] = Some(target);
        let candidates = Candidates::build(&scenario, self.sizing);
        Problem::new(&scenario, &candidates, probe.asked()).groups.swap_remove(0)
    }

    /// The ways to relax that server `s` has: each latency alone, then both.
    fn ways(&self, s: usize) -> Vec<Vec<Latency>> {
        let target = targets(self.scenario, &self.scenario.servers[s]);
        let itl = target.itl.map(|_| vec![Latency::Itl]);
        let ttft = target.ttft.map(|_| vec![Latency::Ttft]);
        let both = (itl.is_some() && ttft.is_some()).then(|| vec![Latency::Itl, Latency::Ttft]);
        [itl, ttft, both].into_iter().flatten().collect()
    }

    /// The smallest relaxations of server `s` at which `enough` of its items; both latencies are
    /// relaxed only where neither alone helps.
    fn smallest(
        &self,
        probe: &Probe<'_>,
        s: usize,
        enough: impl Fn(Vec<Item>) -> Result<Option<bool>, SolverError>,
    ) -> Result<Vec<Relaxation>, SolverError> {
        let mut found = Vec::new();
        for way in self.ways(s) {
            if way.len() == 2 && !found.is_empty() {
                break;
            }
            let at = |factor: f64| {
                let of = |latency| if way.contains(&latency) { factor } else { 1.0 };
                enough(self.items(probe, s, of(Latency::Itl), of(Latency::Ttft)))
            };
            if let Some((not_enough, factor)) = bisect(probe, at)? {
                found.push(self.relaxation(s, &way, factor, not_enough));
            }
        }
        Ok(found)
    }

    fn relaxation(&self, s: usize, way: &[Latency], factor: f64, not_enough: f64) -> Relaxation {
        let server = &self.scenario.servers[s];
        let target = targets(self.scenario, server);
        let limit = |&latency: &Latency| {
            let objective = match latency {
                Latency::Itl => target.itl,
                Latency::Ttft => target.ttft,
            }?;
            Some(RelaxedLimit {
                latency,
                percentile: objective.percentile,
                from_ms: objective.limit_ms,
                to_ms: objective.limit_ms * factor,
            })
        };
        let limits = way.iter().filter_map(limit).collect();
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
