//! The whole way from a scenario's text to a checked plan, and what the checker says of plans that
//! were tampered with.

use isocost_formulations::nodes::refill;
use isocost_model::check::{CheckOptions, check};
use isocost_model::input;
use isocost_model::plan::{Choice, OPTIMAL_GAP, Plan, Status, relative_gap};
use isocost_model::scenario::Saturation;
use isocost_planner::{Fleet, Formulation, Planner, Shortage};
use isocost_solver::{Deadline, backend, backends};

use super::case::Case;
use super::nodes;
use super::problems::{in_cents, is_proven};
use super::proofs;
use super::rules;
use super::run::{self, Outcome};
use super::shortage::is_as_good;

#[test]
fn every_scenario_gets_its_best_plan_and_no_other_passes() {
    run::all("scenarios", run::cases(3000).div_ceil(4), |case| tried(case, false));
}

#[test]
fn every_scenario_is_served_by_its_policy_under_shortage() {
    run::all("scenarios under shortage", run::cases(3000).div_ceil(4), |case| tried(case, true));
}

/// A case as it is planned.
struct Site<'a> {
    case: &'a Case,
    planner: Planner,
    fleet: Fleet,
}

/// Tries one case: where all can be served, and what is said where not, or what its policy makes of it.
fn tried(case: &Case, short: bool) -> Result<Outcome, String> {
    if case.servers.iter().any(|s| case.models[s.model].is_empty()) {
        return Ok(Outcome::Skipped);
    }
    let held = |p: &super::case::Profile| {
        nodes::holds_one(case, nodes::size(&case.accelerators[p.accelerator], p))
    };
    if !case.models.iter().flatten().all(held) {
        return Ok(Outcome::Skipped);
    }
    let Ok(best) = rules::cheapest(case) else { return Ok(Outcome::Skipped) };
    let Ok(reached) = reached(case, short && best.is_none()) else { return Ok(Outcome::Skipped) };
    let by = match case.mixed {
        true => &[Formulation::MIXED, Formulation::COMPACT][..],
        false => &[Formulation::SINGLE],
    };
    for name in backends() {
        for &formulation in by {
            let site = Site::new(case, formulation, name)?;
            let tried = match (best, &reached) {
                (Some(_), _) if short => Ok(()),
                (Some(best), _) => site.is_optimum(best),
                (None, Some(reached)) => site.is_best_under_shortage(reached),
                (None, None) => site.is_infeasible(),
            };
            tried.map_err(|how| format!("{formulation:?}, {name}: {how}"))?;
        }
    }
    Ok(if best.is_some() { Outcome::Served } else { Outcome::Short })
}

fn reached(case: &Case, short: bool) -> Result<Option<Vec<f64>>, rules::TooLarge> {
    short.then(|| rules::best_under_shortage(case)).transpose()
}

impl<'a> Site<'a> {
    fn new(case: &'a Case, formulation: Formulation, name: &str) -> Result<Self, String> {
        let loaded = input::load_text("case.json", &case.scenario()).map_err(|e| e.to_string())?;
        let mut planner = Planner::new(backend(name).expect("it was built"));
        planner.request.formulation = formulation;
        planner.request.problem = case.options();
        let fleet = planner.fleet(loaded.scenario);
        let site = Self { case, planner, fleet };
        site.has_its_rates()?;
        Ok(site)
    }

    /// A replica is credited with the rate that the case says, but for rounding.
    fn has_its_rates(&self) -> Result<(), String> {
        for (s, server) in self.case.servers.iter().enumerate().filter(|(_, s)| s.load > 0) {
            for profile in &self.case.models[server.model] {
                let wanted = profile.rate as f64 * self.case.per_min / 60.0;
                let options = self.fleet.candidates.options(s).iter();
                let rate =
                    options.filter(|o| o.accelerator == profile.accelerator).map(|o| o.rate_per_s);
                if !rate.clone().all(|r| (r / wanted - 1.0).abs() < 1e-10) || rate.count() != 1 {
                    return Err(format!("server {s}: no rate of {wanted} requests/s is sized"));
                }
            }
        }
        Ok(())
    }

    /// The plan, with the case's policy where `short` is asked for.
    fn plan(&self, short: bool) -> Result<Plan, String> {
        self.by(short).plan(&self.fleet).map_err(|e| e.to_string())
    }

    fn by(&self, short: bool) -> Planner {
        let mut planner = self.planner.clone();
        let (policy, delayed) = self.case.policy;
        let saturation = match policy {
            0 => Saturation::None,
            1 => Saturation::PriorityExhaustive,
            2 => Saturation::PriorityRoundRobin,
            _ => Saturation::RoundRobin,
        };
        if short {
            planner.request.shortage = Shortage::By { saturation, delayed };
        }
        planner
    }

    /// Replicas on each profile that a plan places.
    fn replicas(&self, plan: &Plan) -> rules::Plan {
        let of_server = |(s, server): (usize, &super::case::Server)| {
            let on = |accelerator: usize| {
                let parts = plan.placements[s].parts.iter();
                parts.filter(|part| part.accelerator == accelerator).map(|part| part.replicas).sum()
            };
            self.case.models[server.model].iter().map(|profile| on(profile.accelerator)).collect()
        };
        self.case.servers.iter().enumerate().map(of_server).collect()
    }

    fn is_optimum(&self, best: i64) -> Result<(), String> {
        // A policy changes nothing where all can be served.
        for short in [true, false] {
            let plan = self.plan(short)?;
            if plan.status != Status::Optimal {
                return Err(format!("{} is the optimum, not {plan:?}", in_cents(self.case, best)));
            }
            let value = rules::value_of(self.case, &self.replicas(&plan))?;
            is_proven(self.case, (plan.objective, plan.bound), best, value)?;
            self.refuses_others(&plan, short)?;
        }
        proofs::holds(self.case, &self.planner, &self.fleet, Some(best))
    }

    fn is_infeasible(&self) -> Result<(), String> {
        let plan = self.plan(false)?;
        let right =
            plan.status == Status::Infeasible && plan.placements.iter().all(|p| p.parts.is_empty());
        if !right {
            return Err(format!("there is no plan, not {plan:?}"));
        }
        proofs::holds(self.case, &self.planner, &self.fleet, None)
    }

    fn is_best_under_shortage(&self, best: &[f64]) -> Result<(), String> {
        let plan = self.plan(true)?;
        let reached = rules::reached_by(self.case, &self.replicas(&plan))?;
        if self.case.nodes.iter().any(|kind| kind.price.is_some()) {
            // What nodes cost is not among the goals, and no more than feasible is said of them.
            let goals = best.len() - 1;
            return is_as_good(self.case, &reached[..goals], &best[..goals]);
        }
        is_as_good(self.case, &reached, best)?;
        if plan.status != Status::Optimal {
            return Err(format!("it is proven, not {}", plan.status.word()));
        }
        self.refuses_overdrawn(&plan)
    }

    /// The choice of other replicas under the status and the bound of `plan`.
    fn instead(&self, plan: &Plan, replicas: &rules::Plan, objective: f64) -> Choice {
        let share = |(s, n): (usize, &Vec<u64>)| -> Vec<(usize, u64)> {
            let options = self.fleet.candidates.options(s);
            let profiles = &self.case.models[self.case.servers[s].model];
            let used = n.iter().zip(profiles).filter(|(n, _)| **n > 0);
            let candidate =
                |accelerator: usize| options.iter().position(|o| o.accelerator == accelerator);
            used.filter_map(|(n, p)| Some((candidate(p.accelerator)?, *n))).collect()
        };
        let mut choice = Choice {
            status: plan.status,
            shares: replicas.iter().enumerate().map(share).collect(),
            objective,
            bound: plan.bound.min(objective),
            approach: plan.approach,
            backend: plan.backend.clone(),
            notes: Vec::new(),
            nodes: Vec::new(),
        };
        let planner = &self.planner;
        let (problem, clock) =
            (planner.problem(&self.fleet), Deadline::new(&planner.request.solve));
        refill(&problem, &mut choice, &*planner.backend, &clock).expect("it solves");
        Choice { objective, ..choice }
    }

    /// Whether a plan in which all are served passes.
    fn passes(&self, plan: &Plan) -> bool {
        let options = CheckOptions {
            unlimited: self.case.unlimited,
            partial: false,
            policy: None,
            transition: self.case.transition,
            max_moves: self.case.max_moves,
        };
        check(&self.fleet.scenario, &self.planner.sizing, &options, plan).is_empty()
    }

    /// The checker refuses what breaks a rule or is dearer, and sums that are not right.
    fn refuses_others(&self, plan: &Plan, short: bool) -> Result<(), String> {
        for replicas in neighbours(&self.replicas(plan)) {
            let value = rules::value_of(self.case, &replicas);
            let objective = value.as_ref().map_or(plan.objective, |v| in_cents(self.case, *v));
            let is_right = value.is_ok() && relative_gap(objective, plan.bound) <= OPTIMAL_GAP;
            // One accelerator a server is asked of the solver alone.
            let mixes = !self.case.mixed
                && replicas.iter().any(|n| n.iter().filter(|n| **n > 0).count() > 1);
            let choice = self.instead(plan, &replicas, objective);
            if !is_right && !mixes && self.by(short).checked(&self.fleet, choice).is_ok() {
                return Err(format!("the checker accepts {replicas:?}: {value:?}"));
            }
        }
        type Tamper = fn(&mut Plan);
        let sums: [(&str, Tamper); 5] = [
            ("a cheaper part", |p| {
                p.placements.iter_mut().flat_map(|p| &mut p.parts).for_each(|p| p.cost -= 1.0)
            }),
            ("a lower cost", |p| p.total_cost -= 1.0),
            ("a lower objective", |p| (p.objective, p.bound) = (p.objective - 1.0, p.bound - 1.0)),
            ("a bound above the objective", |p| {
                p.bound = p.objective + 1e-3 * (1.0 + p.total_cost)
            }),
            ("more cards in use", |p| p.usage.iter_mut().for_each(|u| u.cards += 1)),
        ];
        for (what, tamper) in sums {
            let mut tampered = plan.clone();
            tamper(&mut tampered);
            if tampered != *plan && self.passes(&tampered) {
                return Err(format!("the checker accepts {what}: {tampered:?}"));
            }
        }
        Ok(())
    }

    /// Under shortage the checker refuses what a limit, a ceiling or the moves do not allow.
    fn refuses_overdrawn(&self, plan: &Plan) -> Result<(), String> {
        for replicas in neighbours(&self.replicas(plan)) {
            let loose = Case { mixed: true, policy: (1, false), ..self.case.clone() };
            let Err(how) = rules::reached_by(&loose, &replicas) else { continue };
            let cost = in_cents(self.case, 10 * rules::cost_of(self.case, &replicas));
            let choice = self.instead(plan, &replicas, cost);
            let choice = Choice { bound: cost, ..choice };
            if self.by(true).checked(&self.fleet, choice).is_ok() {
                return Err(format!("the checker accepts {replicas:?}: {how}"));
            }
        }
        Ok(())
    }
}

/// Plans that differ in one replica more or less, or in where a server's replicas of an item are.
fn neighbours(plan: &rules::Plan) -> Vec<rules::Plan> {
    let mut all = Vec::new();
    for (s, n) in plan.iter().enumerate() {
        for j in 0..n.len() {
            let mut offer = |change: &dyn Fn(&mut Vec<u64>)| {
                let mut changed = plan.clone();
                change(&mut changed[s]);
                if changed != *plan {
                    all.push(changed);
                }
            };
            offer(&|n| n[j] += 1);
            offer(&|n| n[j] = n[j].saturating_sub(1));
            offer(&|n| n[j] = 0);
            for to in 0..n.len() {
                offer(&|n| {
                    let moved = std::mem::take(&mut n[j]);
                    n[to] += moved;
                });
            }
        }
    }
    all
}
