//! What is to be said of a plan.

use isocost_solver::SolverError;
use rayon::prelude::*;

use super::entry::{self, BreakEven};
use super::limits::{self, LimitValue};
use super::probe::{Base, Probe};
use super::regret::{self, Alternative, Chosen, ServerChoice};
use super::source::{Source, sources};
use super::{Explanation, Subject};
use isocost_formulations::pattern::pricing;
use isocost_formulations::problem::Problem;

/// Fills in what concerns a plan.
pub fn explain(
    probe: &Probe<'_>,
    subject: Subject<'_>,
    problem: &Problem,
    explanation: &mut Explanation,
) -> Result<(), SolverError> {
    explanation.others_fit = Some(true);
    probe.begin("prices of the limits");
    let dual = probe.dual(problem)?;
    let base = Base { probe, problem, cost: explanation.objective, dual };
    let at = Site { base, subject };
    probe.begin("what one card is worth");
    explanation.limits = at.limits()?;
    probe.begin("each server's options");
    explanation.choices = at.choices()?;
    probe.begin("prices of unused accelerators");
    if subject.request.problem.transition {
        explanation.notes.push(
            "no break-even prices: under --transition the objective is the change's value"
                .to_owned(),
        );
    } else {
        explanation.break_even = at.break_even()?;
    }
    Ok(())
}

struct Site<'a> {
    base: Base<'a>,
    subject: Subject<'a>,
}

impl Site<'_> {
    /// What the plan uses of each limit.
    fn used(&self) -> Vec<f64> {
        let Subject { plan, candidates, .. } = self.subject;
        let mut shares = vec![Vec::new(); plan.placements.len()];
        for (s, placement) in plan.placements.iter().enumerate() {
            for part in &placement.parts {
                let options = candidates.options(s);
                let index = options.iter().position(|c| c.accelerator == part.accelerator);
                shares[s].extend(index.map(|i| (i, part.replicas)));
            }
        }
        limits::uses(self.base.problem, &shares)
    }

    fn limits(&self) -> Result<Vec<LimitValue>, SolverError> {
        let Subject { scenario, request, .. } = self.subject;
        let sources = sources(scenario, self.base.problem, request.problem.unlimited);
        let limits = sources.into_iter().zip(self.used()).enumerate();
        let limits: Vec<(usize, (Source, f64))> = limits.collect();
        let value = |(k, (source, used))| limits::value(&self.base, source, k, used);
        limits.into_par_iter().map(value).collect()
    }

    fn choices(&self) -> Result<Vec<ServerChoice>, SolverError> {
        let placements = &self.subject.plan.placements;
        let with_parts: Vec<usize> =
            (0..placements.len()).filter(|&s| !placements[s].parts.is_empty()).collect();
        with_parts.into_par_iter().map(|s| self.choice(s)).collect()
    }

    fn choice(&self, s: usize) -> Result<ServerChoice, SolverError> {
        let Subject { scenario, candidates, plan, .. } = self.subject;
        let parts = &plan.placements[s].parts;
        let alone = if let [part] = &parts[..] { Some(part.accelerator) } else { None };
        let ranked = regret::options(&self.base, s, alone, self.base.probe.effort.options)?;
        let mut chosen = Vec::new();
        for part in parts {
            let a = part.accelerator;
            chosen.push(Chosen {
                accelerator: scenario.accelerators[a].name.clone(),
                replicas: part.replicas,
                batch: part.batch,
                cost: part.cost,
                exclusion_cost: regret::exclusion_cost(&self.base, s, a, &ranked)?,
            });
        }
        let mut options = Vec::new();
        for option in &ranked {
            let item = &self.base.problem.items(s)[option.item];
            options.push(Alternative {
                accelerator: scenario.accelerators[item.accelerator].name.clone(),
                replicas: option.replicas,
                batch: candidates.options(s)[item.candidate].batch,
                cost: option.cost,
                regret: option.regret,
            });
        }
        Ok(ServerChoice { server: scenario.servers[s].name.clone(), chosen, options })
    }

    fn break_even(&self) -> Result<Vec<BreakEven>, SolverError> {
        let accelerators = self.subject.scenario.accelerators.len();
        let mut used = vec![false; accelerators];
        let parts = self.subject.plan.placements.iter().flat_map(|p| &p.parts);
        parts.for_each(|part| used[part.accelerator] = true);
        let mut runs = vec![false; accelerators];
        for needs in &self.base.problem.servers {
            let items = &self.base.problem.groups[needs.group];
            items.iter().for_each(|item| runs[item.accelerator] = true);
        }
        let unused: Vec<usize> = (0..accelerators).filter(|&a| runs[a] && !used[a]).collect();
        unused.into_par_iter().map(|a| self.break_even_of(a)).collect()
    }

    fn break_even_of(&self, a: usize) -> Result<BreakEven, SolverError> {
        let scenario = self.subject.scenario;
        let (break_even_price, users) = entry::price(&self.base, scenario, a, self.start_price(a))?;
        Ok(BreakEven {
            accelerator: scenario.accelerators[a].name.clone(),
            price: scenario.accelerators[a].cost_cents_per_h,
            break_even_price,
            servers: users.iter().map(|&s| scenario.servers[s].name.clone()).collect(),
        })
    }

    /// The price at which some server's reduced cost on accelerator `a` alone is nothing.
    fn start_price(&self, a: usize) -> f64 {
        let Base { probe, problem, dual, .. } = &self.base;
        let Some(dual) = dual else { return 0.0 };
        let accelerator = &self.subject.scenario.accelerators[a];
        let mut best: f64 = 0.0;
        let space = probe.space(problem);
        for s in 0..problem.servers.len() {
            let items = problem.items(s);
            let Some(j) = items.iter().position(|item| item.accelerator == a) else { continue };
            let alone = regret::alone(&space, s, j);
            let least = pricing::cheapest(&space, s, &dual.lambda);
            let (Some(least), Some(alone)) = (least, alone) else { continue };
            let replicas: u32 = alone.shares.iter().map(|share| share.1).sum();
            let cards = items[j].cards as f64 * f64::from(replicas);
            let units = cards / f64::from(accelerator.multiplicity);
            if units > 0.0 {
                let reduced = alone.price(&dual.lambda) - least.bound;
                best = best.max(accelerator.cost_cents_per_h - reduced / units);
            }
        }
        best
    }
}
