//! What is to be said of a plan.

use isocost_model::plan::Placement;
use isocost_solver::SolverError;
use rayon::prelude::*;

use super::entry::{self, Entry};
use super::known::Known;
use super::limits::{self, LimitValue};
use super::probe::Probe;
use super::regret::{self, Alternative, Chosen, Ranked, ServerChoice};
use super::source::sources;
use super::{Explanation, Subject};
use isocost_formulations::pattern::dual::Dual;
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
    if dual.is_none() {
        explanation.notes.push(
            "no bounds by prices: patterns do not know moves, spread, or the change's value of a \
             mix"
            .to_owned(),
        );
    }
    let at = Site { probe, subject, problem, dual, base: explanation.objective };
    probe.begin("what one card is worth");
    explanation.limits = at.limits()?;
    probe.begin("each server's options");
    explanation.choices = at.choices()?;
    probe.begin("prices of unused accelerators");
    if subject.request.problem.transition {
        explanation.notes.push(
            "no entry prices: under --transition the objective is the change's value".to_owned(),
        );
    } else {
        explanation.entries = at.entries()?;
    }
    Ok(())
}

struct Site<'a> {
    probe: &'a Probe<'a>,
    subject: Subject<'a>,
    problem: &'a Problem,
    dual: Option<Dual>,
    base: Known,
}

impl Site<'_> {
    /// What the plan uses of each limit.
    fn used(&self) -> Vec<f64> {
        let candidates = self.subject.candidates;
        let shares = |(s, placement): (usize, &Placement)| {
            let index = |a: usize| candidates.options(s).iter().position(|c| c.accelerator == a);
            let parts = placement.parts.iter();
            parts.filter_map(|p| Some((index(p.accelerator)?, p.replicas))).collect()
        };
        let shares: Vec<Vec<(usize, u64)>> =
            self.subject.plan.placements.iter().enumerate().map(shares).collect();
        limits::uses(self.problem, &shares)
    }

    fn limits(&self) -> Result<Vec<LimitValue>, SolverError> {
        let sources = sources(self.subject.scenario, self.subject.request.problem.unlimited);
        let used = self.used();
        let of_limit = |k: usize| {
            let (probe, problem, base, step) =
                (self.probe, self.problem, &self.base, sources[k].step());
            let worth = if probe.is_over() {
                (Known::between(0.0, f64::INFINITY), Known::between(0.0, f64::INFINITY))
            } else {
                limits::worth(probe, problem, base, used[k], k, step)?
            };
            let enough = if probe.is_over() {
                None
            } else {
                limits::enough(probe, problem, base, used[k], k, step)?
            };
            let lambda = self.dual.as_ref().map(|dual| dual.lambda[k]);
            Ok(limits::describe(problem, sources[k], k, used[k], lambda, worth, enough))
        };
        (0..sources.len()).into_par_iter().map(of_limit).collect()
    }

    fn choices(&self) -> Result<Vec<ServerChoice>, SolverError> {
        let servers = 0..self.problem.servers.len();
        let with_parts =
            servers.into_par_iter().filter(|&s| !self.subject.plan.placements[s].parts.is_empty());
        with_parts.map(|s| self.choice(s)).collect()
    }

    fn choice(&self, s: usize) -> Result<ServerChoice, SolverError> {
        let Subject { scenario, candidates, plan, .. } = self.subject;
        let parts = &plan.placements[s].parts;
        let alone = if let [part] = &parts[..] { Some(part.accelerator) } else { None };
        let exact = self.probe.effort.options;
        let options = regret::options(
            self.probe,
            self.problem,
            self.dual.as_ref(),
            &self.base,
            s,
            alone,
            exact,
        )?;
        let name = |a: usize| scenario.accelerators[a].name.clone();
        let chosen: Result<Vec<Chosen>, SolverError> = parts
            .iter()
            .map(|part| {
                let a = part.accelerator;
                let off = regret::off(self.probe, self.problem, &self.base, s, a, &options)?;
                let (replicas, batch) = (part.replicas, part.batch);
                Ok(Chosen { accelerator: name(a), replicas, batch, cost: part.cost, off })
            })
            .collect();
        let alternative = |o: &Ranked| {
            let candidate = &candidates.options(s)[self.problem.items(s)[o.item].candidate];
            Alternative {
                accelerator: name(candidate.accelerator),
                replicas: o.replicas,
                batch: candidate.batch,
                cost: o.cost,
                regret: o.regret,
            }
        };
        Ok(ServerChoice {
            server: scenario.servers[s].name.clone(),
            chosen: chosen?,
            options: options.iter().map(alternative).collect(),
        })
    }

    fn entries(&self) -> Result<Vec<Entry>, SolverError> {
        let Subject { scenario, plan, .. } = self.subject;
        let parts = || plan.placements.iter().flat_map(|p| &p.parts);
        let unused = |&a: &usize| !parts().any(|part| part.accelerator == a);
        let runs = |&a: &usize| {
            let mut servers = 0..self.problem.servers.len();
            servers.any(|s| self.problem.items(s).iter().any(|item| item.accelerator == a))
        };
        let entry = |a: usize| {
            let start = self.start_price(a);
            let (enters_below, users) =
                entry::price(self.probe, scenario, self.problem, &self.base, a, start)?;
            let accelerator = &scenario.accelerators[a];
            Ok(Entry {
                accelerator: accelerator.name.clone(),
                price: accelerator.cost_cents_per_h,
                enters_below,
                servers: users.iter().map(|&s| scenario.servers[s].name.clone()).collect(),
            })
        };
        let each: Vec<usize> =
            (0..scenario.accelerators.len()).filter(unused).filter(runs).collect();
        each.into_par_iter().map(entry).collect()
    }

    /// The price at which some server's reduced cost on accelerator `a` alone is nothing.
    fn start_price(&self, a: usize) -> f64 {
        let Some(dual) = &self.dual else { return 0.0 };
        let accelerator = &self.subject.scenario.accelerators[a];
        let mut best: f64 = 0.0;
        let space = self.probe.space(self.problem);
        for (s, needs) in self.problem.servers.iter().enumerate() {
            let Some(item) = self.problem.items(s).iter().find(|item| item.accelerator == a) else {
                continue;
            };
            let least = isocost_formulations::pattern::pricing::cheapest(&space, s, &dual.lambda);
            let (Some(least), Some(n)) = (least, needs.replicas(item)) else { continue };
            let n = n as f64;
            let uses: f64 = item.uses.iter().map(|&(k, amount)| amount * dual.lambda[k]).sum();
            let units = n * item.cards as f64 / f64::from(accelerator.multiplicity);
            if units > 0.0 {
                let reduced = (item.cost + uses) * n - least.bound;
                best = best.max(accelerator.cost_cents_per_h - reduced / units);
            }
        }
        best
    }
}
