//! The checker: proves a plan anew, rule by rule, from the scenario alone.
//!
//! It shares nothing with the solver, the formulations or the candidate table: batch limits,
//! demands, cards and costs are derived a second time here, and the objectives are put to the
//! queueing model at the split that the plan carries out. One file a rule; plans for a horizon
//! ([`horizon`]) and spreads of buckets ([`mod@buckets`]) are held to the same rules and answer with
//! the same [`Violation`].

mod accelerators;
mod batches;
pub mod buckets;
mod budgets;
mod capacity;
mod cost;
mod cover;
pub mod horizon;
mod moves;
mod nodes;
mod objectives;
mod pools;
mod proof;
mod replicas;
mod shortage;
mod site;
mod split;
mod spread;

use std::fmt;

use crate::candidates::SizingOptions;
use crate::plan::Plan;
use crate::scenario::Scenario;
use site::Site;

/// Relative rounding that sums and limits are allowed.
const ROUNDING: f64 = 1e-9;

/// What a plan was made for.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CheckOptions {
    /// Card counts and budgets do not bind.
    pub unlimited: bool,
    /// Servers may be served in part (a plan under shortage).
    pub partial: bool,
    /// Under shortage, how servers share what there is; `None` where nobody may claim what is left.
    pub policy: Option<Sharing>,
    /// The objective is the change's value, not the cost.
    pub transition: bool,
    /// Most servers that may leave their current accelerator.
    pub max_moves: Option<u64>,
}

/// How servers share what there is when it is not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sharing {
    /// A server is served in full or, but for its floor, not at all.
    pub whole: bool,
    /// Several accelerators may serve a server.
    pub mixed: bool,
}

/// A rule that a plan has to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Every server has its placement, every period its plan, every bucket its row.
    Complete,
    /// The accelerator runs the model, and the server may use it.
    Accelerator,
    /// The batch size is within the pair's limit.
    Batch,
    /// Fewest and most replicas.
    Replicas,
    /// The replicas cover the load.
    Cover,
    /// The split over the replicas adds up to the load.
    Split,
    /// Every objective is met at the split.
    Objective,
    /// Cards are counted right.
    Cards,
    /// Costs are summed right.
    Cost,
    /// No type has more cards in use than exist.
    Capacity,
    /// Replicas are in nodes that hold them, and no more nodes are used than exist.
    Node,
    /// Budgets are kept.
    Budget,
    /// Replicas are spread over enough types.
    Spread,
    /// No more servers move than may.
    Moves,
    /// A prefill pool and a decode pool together keep what the server is held to.
    Pool,
    /// Status, bound and objective agree.
    Proof,
    /// Under shortage nobody goes without what is left over.
    Shortage,
}

/// A rule that a plan breaks.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// The server, card type, period or bucket.
    pub place: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}: {}", self.rule, self.place, self.what)
    }
}

/// Every rule that `plan` breaks; none if it may be carried out.
pub fn check(
    scenario: &Scenario,
    sizing: &SizingOptions,
    options: &CheckOptions,
    plan: &Plan,
) -> Vec<Violation> {
    let mut found = Found(Vec::new());
    proof::complete(scenario, plan, &mut found);
    proof::check(plan, options, &mut found);
    if plan.placements.len() != scenario.servers.len() || !plan.has_plan() {
        return found.0;
    }
    let sites: Vec<Site<'_>> = scenario
        .servers
        .iter()
        .zip(&plan.placements)
        .map(|(server, placement)| Site { scenario, sizing, options, server, placement })
        .collect();
    let borne = nodes::shares(scenario, plan);
    for (s, site) in sites.iter().enumerate() {
        accelerators::check(site, &mut found);
        batches::check(site, &mut found);
        replicas::check(site, &mut found);
        cover::check(site, &mut found);
        split::check(site, &mut found);
        objectives::check(site, &mut found);
        cost::check(site, |accelerator| borne.get(&(s, accelerator)).copied(), &mut found);
        spread::check(site, &mut found);
        pools::check(site, &sites, &mut found);
    }
    cost::total(plan, &mut found);
    capacity::check(scenario, options, plan, &mut found);
    nodes::check(scenario, options, plan, &mut found);
    budgets::check(scenario, options, plan, &mut found);
    moves::check(&sites, options, &mut found);
    moves::value(&sites, plan, &borne, &mut found);
    // What is left over is known of a plan that keeps every other rule alone.
    if found.0.is_empty() {
        shortage::check(&sites, options, plan, &mut found);
    }
    found.0
}

/// Violations as they are found.
struct Found(Vec<Violation>);

impl Found {
    fn unless(&mut self, kept: bool, rule: Rule, place: &str, what: impl FnOnce() -> String) {
        if !kept {
            self.0.push(Violation { rule, place: place.to_owned(), what: what() });
        }
    }
}

fn close(a: f64, b: f64) -> bool {
    a.is_finite() && b.is_finite() && (a - b).abs() <= ROUNDING * a.abs().max(b.abs()).max(1.0)
}
