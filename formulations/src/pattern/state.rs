//! What is known of a solve so far: bound, incumbent, and when to stop.

use std::time::Duration;

use isocost_model::plan::{Approach, Choice, Method, OPTIMAL_GAP, Status, relative_gap};
use isocost_solver::{Backend, Deadline, SolveOptions, SolverError};

use super::Ablation;
use super::certificate::{Certificate, Node};
use super::column::Pattern;
use super::cover::DEAR;
use super::dual;
use super::exact::{Exact, Root};
use super::space::Space;

/// What is known so far.
pub(super) struct State<'a> {
    pub space: &'a Space<'a>,
    pub exact: Exact<'a>,
    pub backend: &'a dyn Backend,
    pub clock: &'a Deadline,
    pub ablation: Ablation,
    /// No plan is cheaper, in units of cost; [`EXCLUDED`] where there is none.
    pub bound: i64,
    /// What proves it.
    pub proof: Option<Node>,
    /// The cheapest plan so far.
    pub incumbent: Option<Incumbent>,
    /// A gap at which a search by totals is known to take too much, in the unit of the root's prices.
    pub too_wide: i64,
    /// Whether the backend, given every pattern, finds no plan: its word, not a proof.
    pub none_found: bool,
    /// Remarks for the user.
    pub notes: Vec<String>,
}

/// A plan.
#[derive(Debug, Clone)]
pub(super) struct Incumbent {
    /// In units of cost.
    pub units: i64,
    /// In cents/h.
    pub cost: f64,
    /// By server.
    pub patterns: Vec<Pattern>,
}

/// Servers up to which totals are tried before anything else.
const TOTALS_FIRST: usize = 2_000;

/// Servers up to which the tree is tried before the backend's own search, nodes of that trial, and of the last.
const TREE_FIRST: usize = 64;
const FIRST_NODES: usize = 200;
/// A gap above which a plan is not worth a tree yet.
const POOR: f64 = 5e-3;
const NODES: usize = 20_000;

/// Bits of the highest price where replicas are free of charge: only what prices are to each other counts then.
pub(super) const FREE_BITS: u32 = 40;

/// A bound that no plan meets.
pub(super) const EXCLUDED: i64 = i64::MAX;

impl<'a> State<'a> {
    pub(super) fn new(
        space: &'a Space<'a>,
        backend: &'a dyn Backend,
        clock: &'a Deadline,
        ablation: Ablation,
    ) -> Self {
        Self {
            space,
            exact: Exact::new(space),
            backend,
            clock,
            ablation,
            bound: i64::MIN,
            proof: None,
            incumbent: None,
            none_found: false,
            too_wide: i64::MAX,
            notes: Vec::new(),
        }
    }

    /// Cost of the incumbent, cents/h.
    pub(super) fn cost(&self) -> f64 {
        self.incumbent.as_ref().map_or(f64::INFINITY, |i| i.cost)
    }

    /// No plan is cheaper, cents/h, by exact arithmetic; never above the cost of the incumbent.
    pub(super) fn bound(&self) -> f64 {
        match (self.bound, &self.incumbent) {
            (i64::MIN, _) => f64::NEG_INFINITY,
            (EXCLUDED, _) => f64::INFINITY,
            (bound, Some(known)) if bound >= known.units && self.is_counted(known) => known.cost,
            (bound, _) => self.exact.numbers.cents(bound as f64).min(self.cost()),
        }
    }

    /// Whether a plan's units are its cost, neither rounded nor too many to count.
    fn is_counted(&self, plan: &Incumbent) -> bool {
        self.exact.numbers.is_exact && plan.units < DEAR
    }

    /// The bound that is enough, in units of cost: within the gap that was asked for, of the incumbent.
    pub(super) fn goal(&self) -> i64 {
        let Some(known) = &self.incumbent else { return EXCLUDED };
        // A little less than was asked for: what is counted in units is rounded in cents.
        let gap = 0.999 * self.clock.options.relative_gap.max(0.0) * (known.units as f64).abs();
        known.units - gap.min(known.units.unsigned_abs() as f64) as i64
    }

    pub(super) fn is_proven(&self) -> bool {
        self.bound >= self.goal()
    }

    /// Takes a bound that was proven, in units of cost, with what proves it.
    pub(super) fn raise(&mut self, bound: i64, node: impl FnOnce() -> Node) {
        if bound > self.bound {
            (self.bound, self.proof) = (bound, Some(node()));
            self.report();
        }
    }

    /// The bound at prices `lambda` of the limits, exactly; `None` where a server has no pattern.
    pub(super) fn root(&mut self, lambda: &[f64]) -> Option<Root> {
        let root = self.exact.root(lambda)?;
        self.raise(root.after(0), || Node::prices(&root.prices));
        if let Some(mixes) = &root.mixes {
            let mixes = mixes.iter().enumerate();
            self.offer(mixes.map(|(s, mix)| Pattern::new(self.space, s, mix.clone())).collect());
        }
        Some(root)
    }

    /// Finds a plan, and proves what can be proven of it.
    pub(super) fn solve(&mut self) -> Result<(), SolverError> {
        let everything = super::everything(self.space);
        let free = vec![0.0; self.space.capacity.len()];
        let dual = dual::bound(self.space, &everything, self.backend, self.clock)?;
        let lambda = dual.as_ref().map_or(&free, |dual| &dual.lambda);
        // At prices that are too dear to count with a pattern may seem none; free of charge it shows.
        let mut root = self.root(lambda);
        if root.is_none() {
            root = self.root(&free);
        }
        let Some(root) = root else {
            // A server has no pattern, at any prices.
            let prices = self.exact.numbers.prices(&free, 0);
            self.raise(EXCLUDED, || Node::Excluded(prices));
            return Ok(());
        };
        let Some(dual) = dual else { return Ok(()) };
        if !dual.feasible && self.is_excluded(&root) {
            return Ok(());
        }
        if self.space.problem.servers.len() <= TOTALS_FIRST {
            self.by_totals(&root);
        }
        if !self.is_proven() && self.space.problem.servers.len() <= TREE_FIRST {
            self.first_tree(&root)?;
        }
        if !self.is_proven() {
            self.guess(&everything, &dual)?;
        }
        if !self.is_proven() && !self.none_found && !self.clock.is_over() {
            self.by_replicas()?;
        }
        if !self.none_found {
            if self.incumbent.is_none() {
                self.dive(&everything, &dual)?;
            }
            self.improve(&everything, &dual)?;
            self.by_totals(&root);
        }
        self.by_tree(&root, NODES);
        if self.none_found && self.incumbent.is_none() && self.bound != EXCLUDED {
            self.notes.push(
                "that no plan fits is the solver's word: exact arithmetic did not get to prove it"
                    .to_owned(),
            );
        }
        if self.status() == Status::Optimal && self.ablation.ties {
            self.break_ties(&root);
        }
        Ok(())
    }

    /// A plan by a dive or the backend, and a small tree from there.
    fn first_tree(&mut self, root: &Root) -> Result<(), SolverError> {
        self.by_dive(root);
        if relative_gap(self.cost(), self.bound()) > POOR {
            self.by_replicas()?;
        }
        if self.incumbent.is_some() {
            self.by_tree(root, FIRST_NODES);
        }
        Ok(())
    }

    /// Whether the limits cannot be kept: at these prices even the patterns that take least are worth
    /// more than there is.
    fn is_excluded(&mut self, root: &Root) -> bool {
        let (free, prices) = (self.exact.free(), root.prices.within(FREE_BITS));
        let least = |s: usize| Some(i128::from(free.least(s, &prices, &[])?.bound));
        let least: Option<i128> = (0..root.least.len()).map(least).sum();
        let excluded = least.is_none_or(|least| least > free.there(&prices));
        if excluded {
            self.raise(EXCLUDED, || Node::Excluded(prices));
        }
        excluded
    }

    /// What costs are multiples of, cents/h.
    pub(super) fn step(&self) -> f64 {
        if self.ablation.step { self.space.grain() as f64 / 1000.0 } else { 0.0 }
    }

    /// Options for a core over all servers. Choices that it reports count where it keeps every limit,
    /// `complete`; its bounds never do.
    pub(super) fn watched(&self, most: Duration, complete: bool) -> SolveOptions {
        let mut options = self.clock.within(most);
        let Some(listener) = self.clock.options.progress.clone() else { return options };
        let (start, cost, bound) = (self.clock.start, self.cost(), self.bound());
        options.progress = Some(std::sync::Arc::new(move |core: &isocost_solver::Progress| {
            let found = core.incumbent.filter(|_| complete).unwrap_or(f64::INFINITY).min(cost);
            listener(&isocost_solver::Progress {
                seconds: start.elapsed().as_secs_f64(),
                incumbent: found.is_finite().then_some(found),
                bound: bound.min(found),
            });
        }));
        options
    }

    pub(super) fn report(&self) {
        if let Some(progress) = &self.clock.options.progress {
            progress(&isocost_solver::Progress {
                seconds: self.clock.start.elapsed().as_secs_f64(),
                incumbent: self.incumbent.as_ref().map(|i| i.cost),
                bound: self.bound(),
            });
        }
    }

    /// Takes a choice of patterns for all servers if it keeps every limit and is cheaper.
    pub(super) fn offer(&mut self, patterns: Vec<Pattern>) {
        let (units, cost) = (self.units(&patterns), patterns.iter().map(|p| p.cost).sum());
        let is_cheaper = self.incumbent.as_ref().is_none_or(|known| units < known.units);
        if is_cheaper && self.overused(&patterns).is_none() {
            self.incumbent = Some(Incumbent { units, cost, patterns });
            self.report();
        }
    }

    /// What a choice costs, in units.
    pub(super) fn units(&self, patterns: &[Pattern]) -> i64 {
        let cost = |(s, p): (usize, &Pattern)| self.exact.numbers.cost(self.space, s, &p.shares);
        patterns.iter().enumerate().map(cost).sum()
    }

    pub(super) fn status(&self) -> Status {
        if self.incumbent.is_none() {
            let excluded = self.bound == EXCLUDED || self.none_found;
            return if excluded { Status::Infeasible } else { Status::Unknown };
        }
        let gap = relative_gap(self.cost(), self.bound());
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
        let shares = self.incumbent.as_ref().map(|Incumbent { patterns, .. }| {
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
            bound: self.bound(),
            approach: Approach::new(self.space.shape, Method::Patterns),
            backend: self.backend.name().to_owned(),
            notes: self.notes.clone(),
            nodes: Vec::new(),
        }
    }

    /// What proves the bound.
    pub(super) fn certificate(self) -> Option<Certificate> {
        let (unit, amounts) = self.exact.numbers.units();
        let names = self.space.problem.limits.iter().map(|limit| limit.name.clone());
        let names = names.chain(["moves".to_owned()]);
        let bound = if self.bound == EXCLUDED { None } else { Some(self.bound) };
        Some(Certificate { unit, limits: names.zip(amounts).collect(), bound, root: self.proof? })
    }
}
