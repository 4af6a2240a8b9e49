//! What is to be changed: the cheapest plan, and only as much of it as is worth a change.
//!
//! ```text
//! needy     servers short of what their load needs, or whose accelerator cannot serve them
//! cooling   servers that were changed a moment ago and are not needy: held where they are
//!
//! 1  plan all but the cooling ones; where that does not serve all, plan all
//! 2  while the changes of servers that are not needy save less than a share of what those servers
//!    cost: hold those whose own saving is too small, and plan the rest again
//! 3  where holding them leaves somebody short, the plan before is carried out: room has to be made
//! 4  where no plan serves all, the partial one is carried out if it serves more than what runs; if it
//!    does not, those that are short are held, and the others planned
//! ```
//!
//! What is decided of a server is no more than the bound lets a cycle do: see `bound`.
//!
//! A server is held by a plan in which it has its present replicas where they are, no more, no fewer;
//! so cards are counted rightly whoever is held.
//!
//! **It comes to rest.** Let `x` be the plan that is carried out, chosen from `A` to minimise
//! `c(x) + p(A, x)`, with `p` the charge for moves. If nothing changes, no `y` is better from `x`: `p` keeps
//! the triangle inequality, so `c(y) + p(x, y) < c(x)` would make `c(y) + p(A, y) < c(x) + p(A, x)`.

use std::collections::BTreeSet;

use isocost_formulations::problem::MOVE_PENALTY;
use isocost_model::Scenario;
use isocost_model::scenario::Server;

use super::bound::bound;
use super::entry::Entry;
use super::fleet::Fleet;
use super::memory::Stability;
use super::optimizer::{OptimizeError, Placed, Solution};
use crate::actuate::{Allocation, Change, Marks};
use crate::collect::LeftAlone;

/// Plans again at most so often.
const ROUNDS: usize = 4;

/// What a cycle decided.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decision {
    /// What is to be changed: those that free cards first, then by priority.
    pub changes: Vec<Change>,
    /// Servers that are left as they are against what one might expect, with the reason.
    pub held: Vec<LeftAlone>,
    /// What is known of the plan: optimal, feasible, infeasible, unknown.
    pub status: String,
    /// Absolute gap between the plan's value and its proven bound, cents per hour.
    pub gap: Option<f64>,
    /// What the fleet costs, cents per hour.
    pub cost_before: f64,
    /// What it will cost.
    pub cost_after: f64,
    /// What the cheapest plan would cost, were every saving worth a change.
    pub cost_of_plan: f64,
    /// Remarks: why not all are served, what had to make room.
    pub notes: Vec<String>,
}

/// Asks the optimizer.
pub type Solve<'a> = dyn FnMut(Scenario) -> Result<Solution, OptimizeError> + 'a;

/// Decides. `cooling` are indices of entries that were changed a moment ago.
///
/// # Errors
/// An optimizer that fails: nothing is changed then.
pub fn decide(
    fleet: &Fleet,
    cooling: &BTreeSet<usize>,
    stability: &Stability,
    solve: &mut Solve<'_>,
) -> Result<Decision, OptimizeError> {
    let entries = &fleet.entries;
    let movable = movable_but(entries, &BTreeSet::new());
    let needy: BTreeSet<usize> =
        movable.iter().copied().filter(|i| entries[*i].is_short()).collect();
    let whole = Whole { fleet, cooling, needy: &needy, stability };
    if movable.is_empty() {
        let cost = entries.iter().map(|e| e.cost).sum();
        return Ok(whole.decision(Solution::default(), cost, Vec::new()));
    }
    let warm: BTreeSet<usize> =
        movable.iter().copied().filter(|i| needy.contains(i) || !cooling.contains(i)).collect();
    let mut round = Round { fleet, solve };
    let mut notes = Vec::new();

    let mut free = warm;
    let mut plan = round.plan(&free)?;
    if !plan.serves_all && free != movable {
        notes.push("servers that were changed a moment ago have to make room".to_owned());
        plan = round.plan(&movable)?;
        free = movable;
    }
    let cost_of_plan = entries.iter().map(|e| target_cost(e, &plan)).sum();
    notes.extend(plan.reasons.iter().cloned());
    let plan = if plan.serves_all {
        steady(&mut round, free, &needy, stability.saving, plan, &mut notes)?
    } else if serves_more(fleet, &plan) {
        plan
    } else {
        notes.push("no plan serves more than what runs".to_owned());
        let rest = movable_but(entries, &needy);
        let without = round.plan(&rest)?;
        // Those that are short are held at what they have; the others need not stand still for it.
        let rested = if without.serves_all {
            steady(&mut round, rest, &BTreeSet::new(), stability.saving, without, &mut notes)?
        } else {
            Solution::default()
        };
        Solution { status: plan.status, ..rested }
    };
    Ok(whole.decision(plan, cost_of_plan, notes))
}

/// Servers that can be served at all, but for some.
fn movable_but(entries: &[Entry], held: &BTreeSet<usize>) -> BTreeSet<usize> {
    let movable = |i: &usize| entries[*i].held.is_none() && !held.contains(i);
    (0..entries.len()).filter(movable).collect()
}

/// Plans with some servers free and the others held.
struct Round<'a, 'b> {
    fleet: &'a Fleet,
    solve: &'a mut Solve<'b>,
}

impl Round<'_, '_> {
    fn plan(&mut self, free: &BTreeSet<usize>) -> Result<Solution, OptimizeError> {
        let mut servers: Vec<Server> = Vec::with_capacity(self.fleet.entries.len());
        for (i, entry) in self.fleet.entries.iter().enumerate() {
            let pinned = || entry.pinned();
            servers.extend(if free.contains(&i) { Some(entry.server.clone()) } else { pinned() });
        }
        if servers.is_empty() {
            return Ok(Solution { serves_all: true, ..Solution::default() });
        }
        let asked: Vec<(String, u32, bool)> = servers.iter().map(wants).collect();
        let mut solution = (self.solve)(Scenario { servers, ..self.fleet.scenario.clone() })?;
        // Whoever is left out, or was to be held and is not, shows that it does not fit.
        solution.serves_all &= asked.iter().all(|(name, least, loaded)| {
            let replicas = solution.placed.get(name).map_or(0, |placed| placed.replicas);
            replicas >= *least && (!loaded || replicas > 0)
        });
        Ok(solution)
    }
}

/// A server's name, its fewest replicas, and whether it has a load.
fn wants(server: &Server) -> (String, u32, bool) {
    (server.name.clone(), server.min_replicas, server.load.arrival_rate_per_min > 0.0)
}

/// Cuts a plan that serves all down to the changes that are worth it.
fn steady(
    round: &mut Round<'_, '_>,
    mut free: BTreeSet<usize>,
    needy: &BTreeSet<usize>,
    saving: f64,
    mut plan: Solution,
    notes: &mut Vec<String>,
) -> Result<Solution, OptimizeError> {
    for last in (0..ROUNDS).rev() {
        let entries = &round.fleet.entries;
        let moved: Vec<usize> = free
            .iter()
            .copied()
            .filter(|i| !needy.contains(i) && is_moved(&entries[*i], &plan))
            .collect();
        let worth = |i: usize| gain(&entries[i], &plan) >= saving * entries[i].cost;
        let gained: f64 = moved.iter().map(|&i| gain(&entries[i], &plan)).sum();
        let cost: f64 = moved.iter().map(|&i| entries[i].cost).sum();
        if moved.is_empty() || gained >= saving * cost && gained > 0.0 {
            return Ok(plan);
        }
        let held: BTreeSet<usize> = match last {
            0 => needy.clone(),
            _ => free.iter().copied().filter(|i| !moved.contains(i) || worth(*i)).collect(),
        };
        let lean = round.plan(&held)?;
        if !lean.serves_all {
            notes.push("servers change that save little, to make room for others".to_owned());
            return Ok(plan);
        }
        (free, plan) = (held, lean);
    }
    Ok(plan)
}

fn target<'a>(entry: &Entry, plan: &'a Solution) -> Option<&'a Placed> {
    plan.placed.get(&entry.observation.managed.server)
}

/// Where a server is to run by a plan; where it is, if the plan does not say.
fn allocation(entry: &Entry, plan: &Solution) -> Allocation {
    let now = Allocation::from(&entry.observation.managed);
    match target(entry, plan) {
        None => now,
        Some(placed) => Allocation {
            accelerator: placed.accelerator.clone().or_else(|| now.accelerator.clone()),
            replicas: placed.replicas,
            max_batch: now.max_batch,
        },
    }
}

fn same_accelerator(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        (a, b) => a == b,
    }
}

fn is_moved(entry: &Entry, plan: &Solution) -> bool {
    let (now, then) = (Allocation::from(&entry.observation.managed), allocation(entry, plan));
    now.replicas != then.replicas
        || !same_accelerator(now.accelerator.as_deref(), then.accelerator.as_deref())
}

fn target_cost(entry: &Entry, plan: &Solution) -> f64 {
    let then = allocation(entry, plan);
    let footprint = entry.footprint(then.accelerator.as_deref());
    footprint.map_or(0.0, |f| f.cost * f64::from(then.replicas))
}

/// What a change saves, less what the move is charged, cents per hour.
fn gain(entry: &Entry, plan: &Solution) -> f64 {
    let (now, then) = (&entry.observation.managed, allocation(entry, plan));
    let cost = target_cost(entry, plan);
    let stays = same_accelerator(now.accelerator.as_deref(), then.accelerator.as_deref());
    let current = entry.server.current.as_ref().map_or(0.0, |c| c.cost_cents_per_h);
    let charge = if stays { 0.0 } else { MOVE_PENALTY * (current + cost) };
    entry.cost - cost - charge
}

/// Whether a plan serves more than what runs: of the highest priority first, and by more than a
/// hundredth of the load. Of replicas on cards of which more are in use than there are, those count that
/// are ready: a count that falls takes nothing away from what serves.
fn serves_more(fleet: &Fleet, plan: &Solution) -> bool {
    if plan.placed.is_empty() {
        return false;
    }
    let priorities: BTreeSet<u32> = fleet.entries.iter().map(|e| e.priority).collect();
    for priority in priorities {
        let of = fleet.entries.iter().filter(|e| e.priority == priority && e.held.is_none());
        let (mut now, mut then, mut all) = (0.0, 0.0, 0.0);
        for entry in of {
            let running = running(fleet, entry);
            let served = target(entry, plan).map_or(running, |placed| placed.served);
            now += entry.demand_per_s * running;
            then += entry.demand_per_s * served;
            all += entry.demand_per_s;
        }
        if (then - now).abs() > 0.01 * all {
            return then > now;
        }
    }
    false
}

/// Share of its demand that a server covers by replicas that have cards.
fn running(fleet: &Fleet, entry: &Entry) -> f64 {
    let overdrawn =
        entry.cards.as_ref().is_some_and(|cards| fleet.ledger.is_overdrawn(&cards.card_type));
    let managed = &entry.observation.managed;
    entry.covered_by(if overdrawn { entry.ready() } else { managed.replicas })
}

/// What a plan is made into a decision with.
struct Whole<'a> {
    fleet: &'a Fleet,
    cooling: &'a BTreeSet<usize>,
    needy: &'a BTreeSet<usize>,
    stability: &'a Stability,
}

impl Whole<'_> {
    fn decision(&self, plan: Solution, cost_of_plan: f64, notes: Vec<String>) -> Decision {
        let mut decision = Decision { status: plan.status.clone(), ..Decision::default() };
        let mut changes: Vec<(u32, Change)> = Vec::new();
        for (i, entry) in self.fleet.entries.iter().enumerate() {
            let managed = &entry.observation.managed;
            let held = |reason: String| LeftAlone { name: managed.server.clone(), reason };
            decision.held.extend(self.held(i, entry, &plan).map(held));
            let (to, slowed) = self.target(i, entry, &plan);
            decision.held.extend(slowed.map(held));
            decision.cost_before += entry.cost;
            let footprint = entry.footprint(to.accelerator.as_deref());
            decision.cost_after += footprint.map_or(0.0, |f| f.cost * f64::from(to.replicas));
            let from = Allocation::from(managed);
            if from == to || entry.held.is_some() {
                continue;
            }
            let change = Change {
                server: managed.server.clone(),
                key: managed.key.clone(),
                uid: managed.uid.clone(),
                reason: reason(entry, &plan, &to, self.needy.contains(&i)),
                planned_for: Some(entry.load),
                frees: entry.cards.clone(),
                takes: entry.cards_of(to.accelerator.as_deref(), to.replicas),
                marks: Marks { measured: entry.measured, ..Marks::from(managed) },
                from,
                to,
            };
            changes.push((entry.priority, change));
        }
        changes.sort_by_key(|(priority, change)| (change.kind(), *priority));
        decision.changes = changes.into_iter().map(|(_, change)| change).collect();
        Decision { gap: plan.gap, cost_of_plan, notes, ..decision }
    }

    /// Where a server is to run after this cycle, and why that is less than the plan wants.
    fn target(&self, i: usize, entry: &Entry, plan: &Solution) -> (Allocation, Option<String>) {
        let (mut to, slowed) = bound(entry, allocation(entry, plan), self.stability);
        let moved = is_moved(entry, plan);
        let batch = match (moved, target(entry, plan)) {
            (true, Some(placed)) if placed.max_batch > 0 && slowed.is_none() => {
                Some(placed.max_batch)
            }
            (false, _) if entry.demand_per_s > 0.0 && !self.cooling.contains(&i) => {
                entry.here.map(|here| here.batch)
            }
            _ => None,
        };
        to.max_batch = batch.or(to.max_batch);
        (to, slowed)
    }

    /// Why a server is left as it is against what one might expect.
    fn held(&self, i: usize, entry: &Entry, plan: &Solution) -> Option<String> {
        if let Some(why) = entry.held.as_ref().or(entry.capped.as_ref()) {
            return Some(why.clone());
        }
        let rests = !is_moved(entry, plan) && !self.needy.contains(&i);
        if let Some(broken) = entry.broken.as_ref().filter(|_| rests) {
            let what = "what it has is enough by the queueing model";
            return Some(format!("{broken}, and {what}: calibrate the model"));
        }
        entry.doubt.clone()
    }
}

/// Why a server is changed.
fn reason(entry: &Entry, plan: &Solution, to: &Allocation, needy: bool) -> String {
    let managed = &entry.observation.managed;
    let rpm = entry.load.rpm;
    if !is_moved(entry, plan) {
        return format!("answers of {:.0} tokens batch best so", entry.load.out_tokens);
    }
    let served = target(entry, plan).map_or(1.0, |placed| placed.served);
    if served < 1.0 - 1e-9 {
        return format!("cards are short: {:.0}% of {rpm:.1} requests/min served", served * 100.0);
    }
    let why = match (needy, entry.here) {
        (true, None) if managed.accelerator.is_none() => "it is new".to_owned(),
        (true, None) => "its objectives are out of reach where it runs".to_owned(),
        (true, Some(_)) => match managed.replicas {
            0 => format!("{rpm:.1} requests/min arrive, and no replica is there"),
            1 => format!("1 replica is too few for {rpm:.1} requests/min"),
            n => format!("{n} replicas are too few for {rpm:.1} requests/min"),
        },
        (false, _) => {
            let saved = entry.cost - target_cost(entry, plan);
            if saved > 0.0 {
                format!("saves {saved:.1} cents/h at {rpm:.1} requests/min")
            } else {
                format!("makes room on {}", managed.accelerator.as_deref().unwrap_or("-"))
            }
        }
    };
    why + if to.replicas == 0 { "; nothing is left running" } else { "" }
}
