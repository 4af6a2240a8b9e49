//! Who shares replicas: from servers that name a group to the scenario in which those who should, do.
//!
//! ```text
//! groups of the scenario -> blocks ([`universe`]), each a server that stands for its members
//!                        -> the search over who shares (isocost_formulations::sharing)
//!                        -> the scenario in which servers share as decided
//! ```

mod universe;

use isocost_formulations::Problem;
use isocost_formulations::sharing::{Block, Found, Search, Unit};
use isocost_model::Scenario;
use isocost_model::candidates::{Candidates, Reading};
use isocost_model::compare::SavedPlan;
use isocost_model::plan::{
    Choice, Method, OPTIMAL_GAP, Plan, Shape, Sharing, Status, relative_gap,
};
use isocost_model::sharing::{self, Decision};
use isocost_solver::{SolveOptions, SolverError};

use crate::{Fleet, GivenError, Planner};
use universe::Universe;

/// What was decided of who shares.
#[derive(Debug, Clone, PartialEq)]
pub struct Shared {
    /// The scenario as it is stated, everyone apart.
    pub stated: Scenario,
    /// Who shares.
    pub decision: Decision,
    /// No decision that was looked at has a cheaper plan, cents/h; `-inf` where it was given.
    pub bound: f64,
    /// What the best plan costs in which nobody shares, cents/h; `inf` where there is none, NaN where it
    /// is not known.
    pub apart: f64,
    /// Names of groups of which not every partition was looked at.
    pub coarse: Vec<String>,
    /// Servers that may share, and replicas' sets that they end up with.
    pub servers: usize,
    /// Decisions that were planned for or bounded one by one.
    pub looked_at: usize,
}

impl Planner {
    /// Decides who shares in `scenario`, the one that is planned for; `None` where nobody may.
    ///
    /// # Errors
    /// A failure of the backend.
    pub(crate) fn share(&self, scenario: &Scenario) -> Result<Option<Shared>, SolverError> {
        let groups = sharing::groups(scenario);
        if groups.is_empty() || self.sizing.reading == Reading::Reference {
            return Ok(None);
        }
        let options = self.request.options(scenario);
        let shape = self.request.formulation.shape(scenario);
        let charged = options.transition || options.max_moves.is_some();
        let universe = Universe::new(scenario, &groups, shape == Shape::Mixed && !charged);
        let candidates = Candidates::build_with(&universe.scenario, &self.sizing, &self.sizings);
        let problem = Problem::new(&universe.scenario, &candidates, &options);
        // Nodes that are bought are servers of their own, and share nothing.
        let servers = problem.servers.len();
        let problem = problem.with_purchases(shape);
        let bought = servers..problem.servers.len();
        let alone_unit =
            |s| Unit { members: vec![1], blocks: vec![Block { servers: vec![s], takes: vec![1] }] };
        let units =
            [&universe.units[..], &bought.clone().map(alone_unit).collect::<Vec<_>>()].concat();
        let mut alone = universe.alone.clone();
        alone.extend(bought.map(|_| vec![0]));
        let found = if self.request.formulation.method == Method::Greedy {
            None
        } else {
            let search = Search {
                problem: &problem,
                units: &units,
                shape,
                options: &options,
                ablation: &self.request.ablation,
            };
            // As much time again is for the plan itself.
            let time_limit = self.request.solve.time_limit.map(|limit| limit.div_f64(2.0));
            let solve = SolveOptions { time_limit, progress: None, ..self.request.solve.clone() };
            let mut found = search.run(&alone, &*self.backend, &solve)?;
            let decided = found.best.iter_mut().map(|best| &mut best.0).chain(&mut found.likely);
            decided.for_each(|decided| decided.truncate(universe.units.len()));
            Some(found)
        };
        Ok(Some(self.decided(scenario, &groups, &universe, found)?))
    }

    /// The fleet in which servers share as decided.
    pub(crate) fn fleet_of(&self, stated: Scenario, shared: Shared) -> Fleet {
        let merged = sharing::shared(&stated, &shared.decision);
        // What was decided on can be done.
        let mut fleet = self.apart(merged.unwrap_or_else(|_| stated.clone()));
        fleet.shared = Some(Shared { stated, ..shared });
        fleet
    }

    /// The fleet in which servers share as they do in a saved plan.
    ///
    /// # Errors
    /// What of it cannot be, one line each.
    pub fn fleet_as(&self, stated: Scenario, saved: &SavedPlan) -> Result<Fleet, GivenError> {
        let mut decision = Decision::new();
        let mut problems = Vec::new();
        for server in saved.servers.iter().filter(|server| !server.members.is_empty()) {
            let known = |name: &String| {
                let found = stated.servers.iter().position(|server| server.name == *name);
                found.ok_or_else(|| format!("server `{}`: there is no `{name}`", server.name))
            };
            let members: Result<Vec<usize>, String> = server.members.iter().map(known).collect();
            match members {
                Ok(members) => decision.push(members),
                Err(problem) => problems.push(problem),
            }
        }
        if decision.is_empty() && problems.is_empty() {
            return Ok(self.apart(stated));
        }
        let groups = sharing::groups(&stated);
        for members in &decision {
            if !groups.iter().any(|group| members.iter().all(|s| group.contains(s))) {
                let names: Vec<&str> =
                    members.iter().map(|&s| stated.servers[s].name.as_str()).collect();
                problems.push(format!(
                    "`{}` share replicas, and name no common group (`share`, or --share model)",
                    names.join("`, `")
                ));
            }
        }
        if let Err(apart) = sharing::shared(&stated, &decision) {
            problems.push(format!("servers that share replicas cannot: {apart}"));
        }
        if !problems.is_empty() {
            return Err(GivenError::Misfit(problems));
        }
        let shared = Shared {
            servers: groups.iter().map(Vec::len).sum(),
            stated: stated.clone(),
            decision,
            bound: f64::NEG_INFINITY,
            apart: f64::NAN,
            coarse: Vec::new(),
            looked_at: 0,
        };
        Ok(self.fleet_of(stated, shared))
    }

    /// What the search came to.
    fn decided(
        &self,
        scenario: &Scenario,
        groups: &[Vec<usize>],
        universe: &Universe,
        found: Option<Found>,
    ) -> Result<Shared, SolverError> {
        let (best, bound, apart, looked_at, likely) = match found {
            Some(found) => (found.best, found.bound, found.alone, found.looked_at, found.likely),
            None => (None, f64::NEG_INFINITY, f64::NAN, 0, Vec::new()),
        };
        let decision = match best {
            Some((decided, _)) => universe.decision(&decided),
            None if self.request.policy(scenario).is_some() => {
                let likely = likely.iter().map(|decided| universe.decision(decided));
                self.least_short(scenario, likely)?
            }
            None => Decision::new(),
        };
        Ok(Shared {
            stated: scenario.clone(),
            decision,
            bound,
            apart,
            coarse: universe.coarse.clone(),
            servers: groups.iter().map(Vec::len).sum(),
            looked_at,
        })
    }

    /// Of decisions under shortage, nobody sharing among them, the one that serves the most, priority by priority, and
    /// then costs the least.
    fn least_short(
        &self,
        scenario: &Scenario,
        likely: impl Iterator<Item = Decision>,
    ) -> Result<Decision, SolverError> {
        let mut best: Option<(Vec<f64>, Decision)> = None;
        for decision in std::iter::once(Decision::new()).chain(likely) {
            let Ok(shared) = sharing::shared(scenario, &decision) else { continue };
            let fleet = self.apart(shared);
            let problem = self.problem(&fleet);
            let choice = crate::choose::choose(&fleet, &problem, &self.request, &*self.backend)?;
            let worth = worth(&fleet, &problem, &choice);
            if best.as_ref().is_none_or(|best| is_more(&worth, &best.0)) {
                best = Some((worth, decision));
            }
        }
        Ok(best.map_or_else(Decision::new, |best| best.1))
    }
}

/// A choice of the decided fleet, with what is proven of it over all decisions.
pub(crate) fn over_decisions(fleet: &Fleet, mut choice: Choice) -> Choice {
    let Some(shared) = &fleet.shared else { return choice };
    match choice.status {
        Status::Infeasible if shared.bound < f64::INFINITY => choice.status = Status::Unknown,
        Status::Optimal | Status::Feasible if !choice.approach.shortage => {
            choice.bound = choice.bound.min(shared.bound);
            if relative_gap(choice.objective, choice.bound) > OPTIMAL_GAP {
                choice.status = Status::Feasible;
            }
        }
        Status::Optimal if shared.bound < f64::INFINITY => choice.status = Status::Feasible,
        _ => {}
    }
    choice
}

/// What sharing comes to, where somebody may share.
pub(crate) fn told(fleet: &Fleet, plan: &Plan) -> Option<Sharing> {
    let shared = fleet.shared.as_ref()?;
    let sharing: usize = shared.decision.iter().map(Vec::len).sum();
    Some(Sharing {
        may: shared.servers,
        sharing,
        sets: shared.decision.len(),
        apart: (shared.apart.is_finite() && plan.serves_all()).then_some(shared.apart),
    })
}

/// The same in sentences.
pub(crate) fn notes(fleet: &Fleet, plan: &Plan) -> Vec<String> {
    let (Some(shared), Some(told)) = (&fleet.shared, plan.sharing) else { return Vec::new() };
    let mut notes = Vec::new();
    if plan.has_plan() {
        let who = match told.sharing {
            0 => format!("sharing: none of the {} servers that may share replicas does", told.may),
            n => format!(
                "sharing: {n} of the {} servers that may share do, {} sets of replicas",
                told.may, told.sets
            ),
        };
        notes.push(match told.apart {
            Some(apart) if told.sharing > 0 => {
                let saved = apart - plan.objective;
                format!(
                    "{who}; {:.2} cents/h less than the {apart:.2} of everyone apart ({:.1}%)",
                    saved,
                    100.0 * saved / apart.abs().max(f64::MIN_POSITIVE)
                )
            }
            _ if told.sharing > 0 && shared.apart == f64::INFINITY => {
                format!("{who}; with everyone apart there is no plan")
            }
            _ => who,
        });
    }
    for server in &fleet.scenario.servers {
        let names: Vec<&str> = server.members.iter().map(|member| member.name.as_str()).collect();
        // Names that do not spell out who it is.
        if names.iter().any(|name| !server.name.contains(name)) {
            notes.push(format!("sharing: {} is {}", server.name, names.join(", ")));
        }
    }
    if !shared.coarse.is_empty() {
        notes.push(format!(
            "sharing: group {} has too many members with different needs to try every partition; tried were \
             those with the same needs together or apart{}",
            shared.coarse.join(", "),
            ", in any combination of up to six different needs, or all together beyond"
        ));
    }
    notes
}

/// Requests/s that a choice serves, the highest priority first, and its cost below zero.
fn worth(fleet: &Fleet, problem: &Problem, choice: &Choice) -> Vec<f64> {
    let mut served = vec![0.0; 101];
    for (s, needs) in problem.servers.iter().enumerate() {
        let options = fleet.candidates.options(s);
        let shares = choice.shares.get(s).into_iter().flatten();
        let credited: f64 = shares.map(|&(o, n)| options[o].rate_per_s * n as f64).sum();
        let members = &fleet.planned_for().servers[s].members;
        let share = if needs.demand > 0.0 { (credited / needs.demand).min(1.0) } else { 0.0 };
        if members.is_empty() {
            served[needs.priority.min(100) as usize] += share * needs.demand;
        }
        for member in members {
            let priority = fleet.planned_for().classes[member.class].priority;
            served[priority.min(100) as usize] += share * member.load.rate_per_s();
        }
    }
    served.push(-choice.objective);
    served
}

/// Whether the first number that differs, by more than rounding, is the larger in `a`.
fn is_more(a: &[f64], b: &[f64]) -> bool {
    let differ = a.iter().zip(b).find(|(a, b)| (*a - *b).abs() > 1e-9 * a.abs().max(b.abs()));
    differ.is_some_and(|(a, b)| a > b)
}
