//! **IIS**: an irreducible infeasible subsystem of servers and limits, which cannot go together while
//! none of them can be spared.
//!
//! A set of servers and limits (card types, budgets, the number of moves) is *infeasible* if these
//! servers cannot all be served within these limits, and *irreducible* if it fits without any one of
//! its members. Servers come first, all limits standing, then limits:
//!
//! 1. An infeasible set that keeps the least movable servers, by halving (QuickXplain, Junker 2004):
//!    servers that need the largest share of what they can use come first.
//! 2. The fewest servers: any infeasible set shares a server with every set of servers whose leaving
//!    makes the rest fit. A least set that hits all such sets known either is infeasible, and then one of
//!    the fewest servers, or fits, and what has to leave beside it is the next set (Ignatiev, Previti,
//!    Liffiton and Marques-Silva 2015).
//! 3. Limits are spared one after the other as long as the set stays infeasible. Sparing limits only
//!    makes room, so that no server becomes dispensable by it.
//! 4. Every member is taken out once more, and the rest must be proven to fit.

use isocost_solver::SolverError;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::probe::Probe;
use super::variant::{with_limits, with_servers};
use isocost_formulations::feasibility::Give;
use isocost_formulations::pattern::Shape;
use isocost_formulations::problem::Problem;

/// The members of an IIS.
#[derive(Debug, Clone, PartialEq)]
pub struct Members {
    /// Indices of servers.
    pub servers: Vec<usize>,
    /// Indices of limits.
    pub limits: Vec<usize>,
    /// Whether the number of moves is a member: without it all would fit.
    pub moves: bool,
    /// Whether it is proven that the rest fits without any one member.
    pub irreducible: bool,
    /// Whether it is proven that no IIS has fewer servers.
    pub fewest_servers: bool,
}

/// Rounds of the search for the fewest servers.
const ROUNDS: usize = 60;

/// An IIS of `problem`, which is infeasible while every server alone would fit without
/// limits. `None` where the time did not suffice to prove one.
///
/// # Errors
/// A failure of the backend.
pub fn find(probe: &Probe<'_>, problem: &Problem) -> Result<Option<Members>, SolverError> {
    // A fleet that does not fit with any number of moves has an IIS without them.
    let moves = probe.asked().max_moves;
    let moves =
        if moves.is_some() && probe.fits(problem, None)? == Some(true) { moves } else { None };
    let mut search = Search { probe, problem, moves, known: FxHashMap::default() };
    let everyone: Vec<usize> =
        (0..problem.servers.len()).filter(|&s| !problem.servers[s].is_idle()).collect();
    let all: Vec<usize> = (0..problem.limits.len()).collect();
    if search.fits(&everyone, &all)? != Some(false) {
        return Ok(None);
    }
    let order = by_room(probe.shape, problem, &everyone);
    let found = search.quick(&order, &all)?;
    let (servers, fewest_servers) = search.fewest(found, &everyone, &all)?;
    let limits = search.spare(&servers, all)?;
    let irreducible = search.proves(&servers, &limits)?;
    Ok(Some(Members { servers, limits, moves: moves.is_some(), irreducible, fewest_servers }))
}

struct Search<'a> {
    probe: &'a Probe<'a>,
    problem: &'a Problem,
    moves: Option<u64>,
    known: FxHashMap<(Vec<usize>, Vec<usize>), Option<bool>>,
}

impl Search<'_> {
    fn variant(&self, servers: &[usize], limits: &[usize]) -> Problem {
        let kept = |all: usize, some: &[usize]| {
            let mut kept = vec![false; all];
            some.iter().for_each(|&i| kept[i] = true);
            kept
        };
        let variant = with_servers(self.problem, &kept(self.problem.servers.len(), servers));
        with_limits(&variant, &kept(self.problem.limits.len(), limits))
    }

    fn fits(&mut self, servers: &[usize], limits: &[usize]) -> Result<Option<bool>, SolverError> {
        let mut key = (servers.to_vec(), limits.to_vec());
        key.0.sort_unstable();
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        if self.probe.is_over() {
            return Ok(None);
        }
        let fits = self.probe.fits(&self.variant(servers, limits), self.moves)?;
        self.known.insert(key, fits);
        Ok(fits)
    }

    /// Servers of an infeasible set, those early in `order` preferred. Where a probe does not tell, a
    /// server is kept: the result is infeasible all the same.
    fn quick(&mut self, order: &[usize], limits: &[usize]) -> Result<Vec<usize>, SolverError> {
        self.halve(&[], false, order, limits)
    }

    fn halve(
        &mut self,
        background: &[usize],
        grown: bool,
        order: &[usize],
        limits: &[usize],
    ) -> Result<Vec<usize>, SolverError> {
        if grown && self.fits(background, limits)? == Some(false) {
            return Ok(Vec::new());
        }
        if order.len() <= 1 {
            return Ok(order.to_vec());
        }
        let (first, second) = order.split_at(order.len() / 2);
        let late = self.halve(&[background, first].concat(), true, second, limits)?;
        let early = self.halve(&[background, &late].concat(), !late.is_empty(), first, limits)?;
        Ok([early, late].concat())
    }

    /// An infeasible set of no more servers than `found`, and whether there is none of fewer.
    fn fewest(
        &mut self,
        found: Vec<usize>,
        everyone: &[usize],
        limits: &[usize],
    ) -> Result<(Vec<usize>, bool), SolverError> {
        let mut sets: Vec<Vec<usize>> = Vec::new();
        for _ in 0..ROUNDS {
            if self.probe.is_over() {
                break;
            }
            let Some(hitting) = self.hit(&sets, everyone)? else { break };
            if hitting.len() >= found.len() {
                return Ok((found, true));
            }
            match self.fits(&hitting, limits)? {
                Some(false) => return Ok((hitting, true)),
                None => break,
                Some(true) => {}
            }
            let Some(leaving) = self.leaving(&hitting, everyone, limits)? else { break };
            sets.push(leaving);
        }
        Ok((found, false))
    }

    /// A smallest set that shares a server with each of `sets`.
    fn hit(
        &self,
        sets: &[Vec<usize>],
        everyone: &[usize],
    ) -> Result<Option<Vec<usize>>, SolverError> {
        use isocost_solver::{Column, Milp, Row};
        let mut milp = Milp { name: "hitting set".to_owned(), ..Milp::default() };
        let place: FxHashMap<usize, usize> =
            everyone.iter().enumerate().map(|(i, &s)| (s, i)).collect();
        for s in everyone {
            milp.add_column(Column::integer(format!("h_{s}"), 1.0, 0.0, 1.0));
        }
        for (i, set) in sets.iter().enumerate() {
            let terms = set.iter().map(|s| (place[s], 1.0)).collect();
            milp.add_row(Row::at_least(format!("hit_{i}"), 1.0, terms));
        }
        let solution = self.probe.plain(&milp)?;
        Ok(solution.map(|values| {
            everyone.iter().zip(values).filter(|(_, v)| *v > 0.5).map(|(&s, _)| s).collect()
        }))
    }

    /// The fewest servers that have to leave beside `staying`.
    fn leaving(
        &self,
        staying: &[usize],
        everyone: &[usize],
        limits: &[usize],
    ) -> Result<Option<Vec<usize>>, SolverError> {
        let variant = self.variant(everyone, limits);
        let mut give = Give::nothing(&variant);
        for &s in everyone.iter().filter(|s| !staying.contains(s)) {
            give.out[s] = Some(1.0);
        }
        let given = self.probe.feasibility(&variant, self.moves, &give)?;
        Ok((!given.out.is_empty()).then_some(given.out))
    }

    /// Limits that the set needs to be infeasible.
    fn spare(
        &mut self,
        servers: &[usize],
        mut limits: Vec<usize>,
    ) -> Result<Vec<usize>, SolverError> {
        for k in limits.clone() {
            let rest: Vec<usize> = limits.iter().copied().filter(|&l| l != k).collect();
            if self.fits(servers, &rest)? == Some(false) {
                limits = rest;
            }
        }
        Ok(limits)
    }

    /// Whether the rest is proven to fit without any one member.
    fn proves(&self, servers: &[usize], limits: &[usize]) -> Result<bool, SolverError> {
        let without = |all: &[usize], one: usize| -> Vec<usize> {
            all.iter().copied().filter(|&i| i != one).collect()
        };
        let variants: Vec<(Vec<usize>, Vec<usize>)> = servers
            .iter()
            .map(|&s| (without(servers, s), limits.to_vec()))
            .chain(limits.iter().map(|&k| (servers.to_vec(), without(limits, k))))
            .collect();
        let fits: Result<Vec<bool>, SolverError> = variants
            .par_iter()
            .map(|(servers, limits)| {
                Ok(self.probe.fits(&self.variant(servers, limits), self.moves)? == Some(true))
            })
            .collect();
        Ok(fits?.into_iter().all(|fits| fits))
    }
}

/// Servers with the least room first: the largest share that they need, at best, of any one limit
/// that they can use.
fn by_room(shape: Shape, problem: &Problem, servers: &[usize]) -> Vec<usize> {
    let share = |s: usize| {
        let needs = &problem.servers[s];
        let of_item = |item: &isocost_formulations::problem::Item| {
            let n = match shape {
                Shape::Single => needs.replicas(item)? as f64,
                Shape::Mixed => (needs.demand / item.rate).max(1.0),
            };
            let most = item.uses.iter().map(|&(k, u)| u * n / problem.limits[k].capacity.max(0.5));
            Some(most.fold(0.0, f64::max))
        };
        // What is left over of everything that it could use, as a share of a fleet.
        let ways: f64 =
            problem.items(s).iter().filter_map(of_item).map(|share| 1.0 / share.max(1e-9)).sum();
        1.0 / ways.max(1e-9)
    };
    let mut order: Vec<(f64, usize)> = servers.iter().map(|&s| (share(s), s)).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    order.into_iter().map(|(_, s)| s).collect()
}
