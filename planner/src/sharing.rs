//! Who shares replicas, and whose prompts and answers are in pools of their own: from servers that say they may to the
//! scenario in which those who should, do.
//!
//! ```text
//! groups of the scenario -> blocks ([`universe`]), each a server that stands for its members
//! servers that may be apart -> blocks of two pools in their place
//!                        -> the search over who is served how (isocost_formulations::sharing)
//!                        -> the scenario in which servers are served as decided
//! ```

mod universe;

use isocost_formulations::Problem;
use isocost_formulations::sharing::{Block, Found, Search, Unit};
use isocost_model::Scenario;
use isocost_model::candidates::{Candidates, Reading};
use isocost_model::compare::{SavedPlan, SavedServer};
use isocost_model::disaggregation::{Role, may_be_apart};
use isocost_model::plan::{
    Choice, Method, OPTIMAL_GAP, Plan, Sharing, Status, relative_gap, served_shares,
};
use isocost_model::scenario::Server;
use isocost_model::sharing::{self, Decision, Served};
use isocost_solver::{SolveOptions, SolverError};

use crate::{Fleet, GivenError, Planner};
use universe::Universe;

/// What was decided of who is served how.
#[derive(Debug, Clone, PartialEq)]
pub struct Shared {
    /// The scenario as it is stated, everyone apart.
    pub stated: Scenario,
    /// Who shares, and who has pools.
    pub decision: Decision,
    /// No decision that was looked at has a cheaper plan, cents/h; `-inf` where it was given.
    pub bound: f64,
    /// What the best plan costs in which everyone has replicas of its own for all it does, cents/h; `inf` where there is none, NaN where it
    /// is not known.
    pub apart: f64,
    /// Names of groups of which not every partition was looked at.
    pub coarse: Vec<String>,
    /// Servers that may share.
    pub servers: usize,
    /// Servers that may have pools.
    pub poolable: usize,
    /// Decisions that were planned for or bounded one by one.
    pub looked_at: usize,
}

impl Planner {
    /// Decides who is served how in `scenario`, the one that is planned for; `None` where there is no choice.
    ///
    /// # Errors
    /// A failure of the backend.
    pub(crate) fn share(&self, scenario: &Scenario) -> Result<Option<Shared>, SolverError> {
        let groups = sharing::groups(scenario);
        let poolable = self.poolable(scenario);
        if (groups.is_empty() && poolable == 0) || self.sizing.reading == Reading::Reference {
            return Ok(None);
        }
        let options = self.request.options(scenario);
        let shape = self.request.formulation.shape(scenario);
        let charged = options.transition || options.max_moves.is_some();
        let universe = Universe::new(scenario, &groups, shape, !charged);
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

    /// Servers that may have pools: a queue that turns requests away is one replica's.
    fn poolable(&self, scenario: &Scenario) -> usize {
        let may = |server: &&Server| self.sizing.max_queue.is_none() && may_be_apart(server);
        scenario.servers.iter().filter(may).count()
    }

    /// The fleet in which servers are served as decided.
    pub(crate) fn fleet_of(&self, stated: Scenario, shared: Shared) -> Fleet {
        let merged = sharing::shared(&stated, &shared.decision);
        // What was decided on can be done.
        let mut fleet = self.apart(merged.unwrap_or_else(|_| stated.clone()));
        fleet.shared = Some(Shared { stated, ..shared });
        fleet
    }

    /// The fleet in which servers are served as they are in a saved plan.
    ///
    /// # Errors
    /// What of it cannot be, one line each.
    pub fn fleet_as(&self, stated: Scenario, saved: &SavedPlan) -> Result<Fleet, GivenError> {
        let (mut decision, mut problems) = (Decision::new(), Vec::new());
        for server in &saved.servers {
            match served_as(&stated, server) {
                Ok(served) => decision.extend(served),
                Err(problem) => problems.push(problem),
            }
        }
        if decision.is_empty() && problems.is_empty() {
            return Ok(self.apart(stated));
        }
        let groups = sharing::groups(&stated);
        for Served { members, division } in &decision {
            let names: Vec<&str> =
                members.iter().map(|&s| stated.servers[s].name.as_str()).collect();
            let may = |&s: &usize| may_be_apart(&stated.servers[s]);
            if division.is_some() && !members.iter().all(may) {
                problems.push(format!(
                    "`{}` has pools for prompts and answers, and may not (`disaggregate`, or --disaggregate)",
                    names.join("`, `")
                ));
            }
            let group = |group: &Vec<usize>| members.iter().all(|s| group.contains(s));
            if members.len() > 1 && !groups.iter().any(group) {
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
            poolable: self.poolable(&stated),
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
            poolable: self.poolable(scenario),
            looked_at,
        })
    }

    /// Of decisions under shortage, nobody sharing among them, the one that serves the most, priority by priority, and
    /// then costs the least. Nobody has pools then: what is short would have to be short in both alike.
    fn least_short(
        &self,
        scenario: &Scenario,
        likely: impl Iterator<Item = Decision>,
    ) -> Result<Decision, SolverError> {
        let mut best: Option<(Vec<f64>, Decision)> = None;
        let without_pools = |mut decision: Decision| {
            decision.iter_mut().for_each(|served| served.division = None);
            decision.retain(|served| served.members.len() > 1);
            decision
        };
        for decision in std::iter::once(Decision::new()).chain(likely.map(without_pools)) {
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
        // Under shortage not every decision was looked at.
        Status::Optimal => choice.status = Status::Feasible,
        _ => {}
    }
    choice
}

/// Who is served as `server` of a saved plan is, where that is not one on replicas of its own; of two pools the first
/// tells.
fn served_as(stated: &Scenario, server: &SavedServer) -> Result<Option<Served>, String> {
    let known = |name: &String| {
        let found = stated.servers.iter().position(|server| server.name == *name);
        found.ok_or_else(|| format!("server `{}`: there is no `{name}`", server.name))
    };
    let (members, division) = match &server.pool {
        Some(pool) if pool.role == Role::Decode.word() => return Ok(None),
        Some(pool) if server.members.is_empty() => {
            (std::slice::from_ref(&pool.of), Some(pool.division()))
        }
        Some(pool) => (&server.members[..], Some(pool.division())),
        None if server.members.is_empty() => return Ok(None),
        None => (&server.members[..], None),
    };
    let members: Result<Vec<usize>, String> = members.iter().map(known).collect();
    Ok(Some(Served { members: members?, division }))
}

/// What sharing and pools come to, where somebody may share or have some.
pub(crate) fn told(fleet: &Fleet, plan: &Plan) -> Option<Sharing> {
    let shared = fleet.shared.as_ref()?;
    let sets = || shared.decision.iter().filter(|served| served.members.len() > 1);
    let pooled = shared.decision.iter().filter(|served| served.division.is_some());
    Some(Sharing {
        may: shared.servers,
        sharing: sets().map(|served| served.members.len()).sum(),
        sets: sets().count(),
        may_disaggregate: shared.poolable,
        disaggregated: pooled.map(|served| served.members.len()).sum(),
        apart: (shared.apart.is_finite() && plan.serves_all()).then_some(shared.apart),
    })
}

/// The same in sentences.
pub(crate) fn notes(fleet: &Fleet, plan: &Plan) -> Vec<String> {
    let (Some(shared), Some(told)) = (&fleet.shared, plan.sharing) else { return Vec::new() };
    let mut notes = Vec::new();
    if plan.has_plan() {
        notes.push(who(shared, &told, plan.objective));
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

/// Who shares and who has pools, and what that saves.
fn who(shared: &Shared, told: &Sharing, cost: f64) -> String {
    let mut who = Vec::new();
    if told.may > 0 {
        who.push(match told.sharing {
            0 => format!("sharing: none of the {} servers that may share replicas does", told.may),
            n => format!(
                "sharing: {n} of the {} servers that may share do, {} sets of replicas",
                told.may, told.sets
            ),
        });
    }
    if told.may_disaggregate > 0 {
        let may = told.may_disaggregate;
        who.push(match told.disaggregated {
            0 => format!("disaggregation: none of the {may} servers that may have prefill and decode apart does"),
            n => format!("disaggregation: {n} of the {may} servers that may have prefill and decode apart do"),
        });
    }
    let who = who.join("; ");
    let is_decided = told.sharing + told.disaggregated > 0;
    match told.apart.filter(|_| is_decided) {
        Some(apart) => {
            let saved = apart - cost;
            let percent = 100.0 * saved / apart.abs().max(f64::MIN_POSITIVE);
            format!(
                "{who}; {saved:.2} cents/h less than the {apart:.2} of everyone on replicas of its own ({percent:.1}%)"
            )
        }
        None if is_decided && shared.apart == f64::INFINITY => {
            format!("{who}; with everyone on replicas of its own there is no plan")
        }
        None => who,
    }
}

/// Requests/s that a choice serves, the highest priority first, and its cost below zero.
fn worth(fleet: &Fleet, problem: &Problem, choice: &Choice) -> Vec<f64> {
    let scenario = fleet.planned_for();
    let share = |s: usize| {
        let options = fleet.candidates.options(s);
        let shares = choice.shares.get(s).into_iter().flatten();
        let credited: f64 = shares.map(|&(o, n)| options[o].rate_per_s * n as f64).sum();
        let demand = problem.servers[s].demand;
        if demand > 0.0 { (credited / demand).min(1.0) } else { 0.0 }
    };
    let mut served = vec![0.0; 101];
    for (server, share) in served_shares(scenario, share) {
        let priority = scenario.classes[server.class].priority;
        served[priority.min(100) as usize] += share * server.load.rate_per_s();
    }
    served.push(-choice.objective);
    served
}

/// Whether the first number that differs, by more than rounding, is the larger in `a`.
fn is_more(a: &[f64], b: &[f64]) -> bool {
    let differ = a.iter().zip(b).find(|(a, b)| (*a - *b).abs() > 1e-9 * a.abs().max(b.abs()));
    differ.is_some_and(|(a, b)| a > b)
}
