//! In full or not at all, by patterns: exact at a scale that the stages' own program does not reach.
//!
//! Each server that may be left out has more items, all of which leave it out. Without a floor it is
//! one, `unserved`: a replica of it covers the whole load, takes no card and costs nothing. With a
//! floor there is one for each item `j`, `kept` on `j`: `m_s` replicas of it cover the whole load, and
//! each takes and costs what one of `j` does. A stage is then an ordinary problem over patterns:
//!
//! ```text
//! whole(q)    minimise the load of priority q that is left out, those of lower priority asking for
//!             nothing
//! limits      C_k as before; for each stage before, no more of its load is left out than it reached
//! cost        minimise the cost, the load being free
//! ```
//!
//! All floors are held in it. Where that is not possible it has no plan, and says nothing of the
//! rest; nor does it state a server that is to be spread, or that is capped, or, of those that mix,
//! one with a floor of several replicas: some of them might be kept, and others serve.

use isocost_model::plan::{Choice, Status};
use isocost_solver::{Backend, Deadline, SolveOptions, SolverError};

use super::{Shares, up_to};
use crate::pattern::{self, Ablation, Shape, Space};
use crate::problem::{Item, Limit, Needs, Problem, ProblemOptions};

/// The first candidate that stands for leaving a server out: that and `j` keep its floor on item `j`.
const KEEPS: usize = usize::MAX / 2;
/// The candidate that stands for leaving a server out altogether.
const UNSERVED: usize = usize::MAX;

/// What the stages reached.
pub struct Whole {
    /// What each server gets in the last stage.
    pub shares: Shares,
    /// For each priority the most load that can be served in full of those that may be left out,
    /// requests/s.
    pub most: Vec<(u32, f64)>,
    /// The stage of the cost, if it came to it.
    pub last: Option<Choice>,
}

/// The stages in turn.
pub struct Stages<'a> {
    /// The problem, with items that leave servers out after those that serve.
    open: Problem,
    problem: &'a Problem,
    shape: Shape,
    backend: &'a dyn Backend,
    /// Priorities of which some may be left out.
    priorities: Vec<u32>,
}

impl<'a> Stages<'a> {
    /// The stages of `problem` as far as the servers' own rules allow, which is `reach`; those of the
    /// priorities `full` are served in any case. `None` where patterns do not state it.
    pub fn new(
        problem: &'a Problem,
        reach: &Problem,
        shape: Shape,
        full: &[u32],
        backend: &'a dyn Backend,
    ) -> Option<Self> {
        let mut open = reach.clone();
        open.groups = Vec::with_capacity(open.servers.len());
        let mut priorities = Vec::new();
        for (s, needs) in open.servers.iter_mut().enumerate() {
            let mut items = problem.items(s).to_vec();
            if !needs.is_idle() && !full.contains(&needs.priority) {
                priorities.push(needs.priority);
                if needs.demand > 0.0 {
                    if !is_stated(&problem.servers[s], needs, shape) {
                        return None;
                    }
                    items.extend(left_out(needs, &items));
                }
            }
            (needs.group, needs.current) = (s, None);
            open.groups.push(items);
        }
        priorities.sort_unstable();
        priorities.dedup();
        Some(Self { open, problem, shape, backend, priorities })
    }

    /// Solves the stages, and that of the cost if it is asked for; `None` where the first one found
    /// nothing.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn solve(mut self, cost: bool, clock: &Deadline) -> Result<Option<Whole>, SolverError> {
        let mut whole: Option<Whole> = None;
        let mut most = Vec::new();
        let stages = self.priorities.len() + usize::from(cost);
        for (i, q) in self.priorities.clone().into_iter().enumerate() {
            self.price(Some(q));
            let Some(choice) = self.stage(&up_to(&self.open, q), clock, stages - i)? else {
                return Ok(whole);
            };
            let left_out = self.left_out(&choice, q);
            let is_proven = choice.status == Status::Optimal;
            let least = if is_proven { left_out } else { choice.bound.clamp(0.0, left_out) };
            most.push((q, self.wanted(q) - least));
            if self.wanted(q) > 0.0 {
                self.keep(q, left_out);
            }
            whole = Some(Whole { shares: self.shares(&choice), most: most.clone(), last: None });
        }
        if cost {
            self.price(None);
            if let Some(choice) = self.stage(&self.open, clock, 1)? {
                whole = Some(Whole { shares: self.shares(&choice), most, last: Some(choice) });
            }
        }
        Ok(whole)
    }

    fn stage(
        &self,
        problem: &Problem,
        clock: &Deadline,
        stages: usize,
    ) -> Result<Option<Choice>, SolverError> {
        let time_limit = clock.left().map(|left| left.div_f64(stages as f64));
        let options = SolveOptions { time_limit, progress: None, ..clock.options.clone() };
        let ablation = Ablation { ties: false, ..Ablation::default() };
        let space = Space::new(problem, self.shape, &ProblemOptions::default());
        let choice = pattern::solve(&space, self.backend, &options, &ablation)?;
        Ok((!choice.shares.is_empty()).then_some(choice))
    }

    /// Sets what items cost: the load of priority `q` that a replica leaves out, or, in the last
    /// stage, their own cost.
    fn price(&mut self, q: Option<u32>) {
        for (s, items) in self.open.groups.iter_mut().enumerate() {
            let (needs, from) = (&self.open.servers[s], self.problem.items(s));
            for (j, item) in items.iter_mut().enumerate() {
                let own = match item.candidate {
                    UNSERVED => 0.0,
                    KEEPS.. => from[item.candidate - KEEPS].cost,
                    _ => from[j].cost,
                };
                let is_out = item.candidate >= KEEPS && q == Some(needs.priority);
                item.cost = match q {
                    None => own,
                    Some(_) if is_out => load(needs),
                    Some(_) => 0.0,
                };
            }
        }
    }

    /// From now on no more of priority `q` is left out than `most`, requests/s.
    fn keep(&mut self, q: u32, most: f64) {
        let (k, wanted) = (self.open.limits.len(), self.wanted(q));
        let capacity = most / wanted + 1e-12;
        self.open.limits.push(Limit { name: format!("left out {q}"), capacity });
        for (needs, items) in self.open.servers.iter().zip(&mut self.open.groups) {
            for item in items.iter_mut().filter(|item| item.candidate >= KEEPS) {
                if needs.priority == q {
                    item.uses.push((k, load(needs) / wanted));
                }
            }
        }
    }

    fn left_out(&self, choice: &Choice, q: u32) -> f64 {
        let mut all = 0.0;
        for (needs, share) in self.open.servers.iter().zip(&choice.shares) {
            if needs.priority == q && share.iter().any(|n| n.0 >= KEEPS) {
                all += needs.demand;
            }
        }
        all
    }

    fn wanted(&self, q: u32) -> f64 {
        self.open.servers.iter().filter(|n| n.priority == q).map(|n| n.demand).sum()
    }

    /// What a choice gives, in candidates of the problem.
    fn shares(&self, choice: &Choice) -> Shares {
        let mut shares = Vec::with_capacity(choice.shares.len());
        for (s, share) in choice.shares.iter().enumerate() {
            let mut own = Vec::with_capacity(share.len());
            // Who is left out has its floor alone, and no replica beside it that costs nothing.
            let is_out = share.iter().any(|n| n.0 >= KEEPS);
            for &(candidate, n) in share {
                if candidate == UNSERVED || (is_out && candidate < KEEPS) {
                    continue;
                }
                let kept = candidate.checked_sub(KEEPS);
                own.push((kept.map_or(candidate, |j| self.problem.items(s)[j].candidate), n));
            }
            shares.push(own);
        }
        shares
    }
}

/// Whether patterns state a server that may be left out: what it `needs` as it stands, and as far as
/// its own rules allow.
fn is_stated(needs: &Needs, reach: &Needs, shape: Shape) -> bool {
    let is_capped = reach.demand < needs.demand;
    let is_simple = match shape {
        // On one item it is of one type, if it has any replica.
        Shape::Single => needs.min_types <= 1 || reach.min_replicas > 0,
        Shape::Mixed => needs.min_types <= 1 && reach.min_replicas <= 1,
    };
    is_simple && !is_capped
}

/// The items that leave a server out, with its floor kept.
fn left_out(needs: &Needs, items: &[Item]) -> Vec<Item> {
    if needs.min_replicas == 0 {
        return vec![Item {
            candidate: UNSERVED,
            rate: needs.demand,
            cost: 0.0,
            uses: Vec::new(),
            cards: 0,
            accelerator: UNSERVED,
            card_type: UNSERVED,
        }];
    }
    let kept = items.iter().enumerate();
    kept.map(|(j, item)| Item { candidate: KEEPS + j, rate: load(needs), ..item.clone() }).collect()
}

/// Load that one replica of such an item stands for: as many are chosen as the floor asks for.
fn load(needs: &Needs) -> f64 {
    needs.demand / needs.min_replicas.max(1) as f64
}
