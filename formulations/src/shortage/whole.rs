//! In full or not at all, by patterns: exact at a scale that the stages' own program does not reach.
//!
//! Each server that may be left out gets one more item, `unserved`: a replica of it covers the whole
//! load, takes no card and costs nothing. A stage is then an ordinary problem over patterns:
//!
//! ```text
//! whole(q)    minimise the unserved load of priority q
//! limits      C_k as before; for each stage before, its unserved load is no more than it reached
//! cost        minimise the cost, unserved load being free
//! ```

use isocost_model::plan::{Choice, Status};
use isocost_solver::{Backend, Deadline, SolveOptions, SolverError};

use super::KEPT;
use crate::pattern::{self, Ablation, Shape, Space};
use crate::problem::{Item, Limit, Problem, ProblemOptions};

/// The candidate that stands for leaving a server out.
const UNSERVED: usize = usize::MAX;

/// What the stages reached.
pub struct Whole {
    /// (index of candidate, replicas) by server.
    pub shares: Vec<Vec<(usize, u64)>>,
    /// For each priority the load served in full, and the most that is possible, requests/s.
    pub reached: Vec<(u32, f64, f64)>,
    /// Cost of the last stage, or of the last that was begun, with its bound and status.
    pub last: Choice,
}

/// The stages in turn.
pub struct Stages<'a> {
    /// The problem with its `unserved` items, which are the last of each group.
    open: Problem,
    problem: &'a Problem,
    shape: Shape,
    backend: &'a dyn Backend,
    /// Whether a server may be left out.
    loose: Vec<bool>,
}

impl<'a> Stages<'a> {
    /// `full` are the priorities that are served in full in any case.
    pub fn new(problem: &'a Problem, shape: Shape, full: &[u32], backend: &'a dyn Backend) -> Self {
        let mut open = problem.clone();
        open.groups = Vec::with_capacity(open.servers.len());
        let mut loose = Vec::with_capacity(open.servers.len());
        for (s, needs) in open.servers.iter_mut().enumerate() {
            let mut items = problem.items(s).to_vec();
            let is_loose = needs.demand > 0.0 && !full.contains(&needs.priority);
            if is_loose {
                items.push(unserved(needs.demand));
            }
            if needs.demand <= 0.0 {
                needs.min_replicas = 0;
            }
            (needs.group, needs.min_types, needs.current) = (s, 0, None);
            open.groups.push(items);
            loose.push(is_loose);
        }
        Self { open, problem, shape, backend, loose }
    }

    /// Solves the stages of `priorities`, and the cost's if `cost` is asked for; `None` where the
    /// first one found nothing in its time.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn solve(
        mut self,
        priorities: &[u32],
        cost: bool,
        clock: &Deadline,
    ) -> Result<Option<Whole>, SolverError> {
        let mut whole: Option<Whole> = None;
        let mut reached = Vec::new();
        let stages = priorities.len() + usize::from(cost);
        for (i, &q) in priorities.iter().enumerate() {
            self.price(|priority, unserved| f64::from(unserved && priority == q), false);
            let Some(choice) = self.stage(clock, stages - i)? else { break };
            let left_out = self.left_out(&choice, q);
            let wanted = self.wanted(q);
            let most = if choice.status == Status::Optimal { left_out } else { choice.bound };
            reached.push((q, wanted - left_out, wanted - most.clamp(0.0, left_out)));
            self.keep(q, left_out);
            whole = Some(self.whole(&choice, &reached));
        }
        if cost && (whole.is_some() || priorities.is_empty()) {
            self.price(|_, unserved| if unserved { 0.0 } else { 1.0 }, true);
            if let Some(choice) = self.stage(clock, 1)? {
                whole = Some(self.whole(&choice, &reached));
            }
        }
        Ok(whole)
    }

    fn stage(&self, clock: &Deadline, stages: usize) -> Result<Option<Choice>, SolverError> {
        let time_limit = clock.left().map(|left| left.div_f64(stages as f64));
        let options = SolveOptions { time_limit, progress: None, ..clock.options.clone() };
        let ablation = Ablation { ties: false, ..Ablation::default() };
        let space = Space::new(&self.open, self.shape, &ProblemOptions::default());
        let choice = pattern::solve(&space, self.backend, &options, &ablation)?;
        Ok(matches!(choice.status, Status::Optimal | Status::Feasible).then_some(choice))
    }

    /// Sets what items cost: their own cost, or the load that they leave unserved, times `weight`
    /// of (priority, whether it is the unserved item).
    fn price(&mut self, weight: impl Fn(u32, bool) -> f64, own: bool) {
        for (s, items) in self.open.groups.iter_mut().enumerate() {
            let (needs, from) = (&self.open.servers[s], self.problem.items(s));
            for (j, item) in items.iter_mut().enumerate() {
                let value = match (own, from.get(j)) {
                    (true, Some(item)) => item.cost,
                    (true, None) => 0.0,
                    (false, _) => load(needs),
                };
                item.cost = value * weight(needs.priority, item.candidate == UNSERVED);
            }
        }
    }

    /// From now on no more of priority `q` is left out than `most`, requests/s.
    fn keep(&mut self, q: u32, most: f64) {
        let k = self.open.limits.len();
        let capacity = most + KEPT * most.max(1.0);
        self.open.limits.push(Limit { name: format!("unserved {q}"), capacity });
        for (needs, items) in self.open.servers.iter().zip(&mut self.open.groups) {
            if let Some(item) = items.last_mut().filter(|item| item.candidate == UNSERVED)
                && needs.priority == q
            {
                item.uses.push((k, load(needs)));
            }
        }
    }

    fn left_out(&self, choice: &Choice, q: u32) -> f64 {
        let is_out = |s: &usize| choice.shares[*s].iter().any(|share| share.0 == UNSERVED);
        let of_q = |s: &usize| self.problem.servers[*s].priority == q;
        let out = (0..self.loose.len()).filter(|s| self.loose[*s] && of_q(s) && is_out(s));
        out.map(|s| self.problem.servers[s].demand).sum()
    }

    fn wanted(&self, q: u32) -> f64 {
        self.problem.servers.iter().filter(|n| n.priority == q).map(|n| n.demand).sum()
    }

    fn whole(&self, choice: &Choice, reached: &[(u32, f64, f64)]) -> Whole {
        let served = |share: &Vec<(usize, u64)>| match share.iter().any(|n| n.0 == UNSERVED) {
            true => Vec::new(),
            false => share.clone(),
        };
        let shares = choice.shares.iter().map(served).collect();
        Whole { shares, reached: reached.to_vec(), last: choice.clone() }
    }
}

fn unserved(demand: f64) -> Item {
    Item {
        candidate: UNSERVED,
        rate: demand,
        cost: 0.0,
        uses: Vec::new(),
        cards: 0,
        accelerator: UNSERVED,
        card_type: UNSERVED,
    }
}

/// Load that one replica of the unserved item stands for: as many are chosen as replicas are asked
/// for, at least one.
fn load(needs: &crate::problem::Needs) -> f64 {
    needs.demand / needs.min_replicas.max(1) as f64
}
