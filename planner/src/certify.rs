//! **certify**: a plan whose every replica keeps its objectives in simulation.
//!
//! The queueing model says what rate a replica may be given; the simulation, which shares no formula with
//! it, is the second witness. In rounds:
//!
//! ```text
//! plan
//! for each distinct (kind of server, accelerator) of the plan not simulated at such a rate yet:
//!     simulate it at the largest rate that the plan gives a replica of it
//!     where an objective is missed: the largest rate that holds takes the place of the model's
//! until nothing was corrected
//! ```
//!
//! A rate only ever falls, and a plan has finitely many options, so that it ends. The bound of the last
//! plan holds for every certified plan whose options the model does not underrate: an option that was
//! not corrected keeps the model's rate, though simulation might grant it a larger one.

use std::collections::BTreeMap;

use isocost_model::candidates::{self, SizingOptions};
use isocost_model::plan::Plan;
use isocost_model::queue::{Objectives, Station};
use isocost_simulation::{
    Binding, CertifiedRate, Claim, Replica, Search, Stopped, Traffic, Watch, largest_rate,
};
use rayon::prelude::*;

use crate::{Fleet, PlanError, Planner};

/// A plan that holds in simulation, and what it took.
#[derive(Debug, Clone)]
pub struct Certified {
    /// The plan; its notes say what was corrected.
    pub plan: Plan,
    /// The fleet with the corrected rates.
    pub fleet: Fleet,
    /// Cost of the plan by the model's rates alone, cents/h; `None` where there was none.
    pub uncorrected_cost: Option<f64>,
    /// Rates that were corrected, in the order of servers.
    pub corrections: Vec<Correction>,
    /// Plans made.
    pub rounds: u32,
    /// Distinct (kind of server, accelerator) that were simulated.
    pub simulated: usize,
    /// Requests simulated in all.
    pub requests: u64,
}

/// A rate that simulation did not grant.
#[derive(Debug, Clone)]
pub struct Correction {
    /// The first server that the option is of.
    pub server: String,
    /// How many servers share it.
    pub servers: usize,
    /// Name of the accelerator.
    pub accelerator: String,
    /// Batch size.
    pub batch: u32,
    /// What the model credits a replica with, requests/s.
    pub model_rate_per_s: f64,
    /// What simulation grants.
    pub found: CertifiedRate,
}

/// A plan that was not certified.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CertifyError {
    /// Planning failed.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The simulation was stopped.
    #[error("stopped before every replica of the plan was simulated")]
    Stopped,
}

/// Hears of the round, the options simulated in it so far, and how many there are.
pub type Listener<'a> = &'a (dyn Fn(u32, usize, usize) + Sync);

/// A kind of server on an accelerator: (group of candidates, accelerator).
type Key = (usize, usize);

/// An option as the plan uses it.
struct Used {
    station: Station,
    batch: u32,
    /// The largest rate that a replica gets, requests/s.
    rate_per_s: f64,
    objectives: Objectives,
    /// The first server on it, and how many there are.
    server: usize,
    servers: usize,
}

impl Planner {
    /// Plans, simulates what was planned, and plans anew with the rates that simulation grants where
    /// they are below the model's, until every objective of the plan holds. The same fleet and search
    /// give the same result on every machine.
    ///
    /// # Errors
    /// [`CertifyError`].
    pub fn certify(
        &self,
        mut fleet: Fleet,
        search: &Search,
        listen: Listener<'_>,
    ) -> Result<Certified, CertifyError> {
        let search = &Search { upwards: false, ..*search };
        let mut plan = self.plan(&fleet)?;
        let uncorrected_cost = plan.has_plan().then_some(plan.total_cost);
        let mut held: BTreeMap<Key, f64> = BTreeMap::new();
        let (mut corrections, mut rounds, mut requests) = (Vec::new(), 1, 0);
        loop {
            let open = open(&fleet, &plan, &held, &self.sizing);
            let found = self.simulate(&open, search, &|done| listen(rounds, done, open.len()))?;
            let before = corrections.len();
            for ((&(group, accelerator), used), found) in open.iter().zip(found) {
                requests += found.requests;
                if found.start_holds {
                    held.insert((group, accelerator), used.rate_per_s);
                    continue;
                }
                held.insert((group, accelerator), found.rate_per_s);
                let unit = &fleet.scenario.accelerators[accelerator];
                let (name, there) = (unit.name.clone(), unit.availability);
                let granted = found.rate_per_s * there * fleet.margin.load;
                let model = fleet.candidates.grant(group, accelerator, granted);
                corrections.push(Correction {
                    server: fleet.scenario.servers[used.server].name.clone(),
                    servers: used.servers,
                    accelerator: name,
                    batch: used.batch,
                    model_rate_per_s: model / there / fleet.margin.load,
                    found,
                });
            }
            if corrections.len() == before {
                break;
            }
            rounds += 1;
            plan = self.plan(&fleet)?;
        }
        let mut certified = Certified {
            plan,
            fleet,
            uncorrected_cost,
            corrections,
            rounds,
            simulated: held.len(),
            requests,
        };
        let notes = certified.notes();
        certified.plan.notes.extend(notes);
        Ok(certified)
    }

    fn simulate(
        &self,
        open: &BTreeMap<Key, Used>,
        search: &Search,
        listen: &(dyn Fn(usize) + Sync),
    ) -> Result<Vec<CertifiedRate>, CertifyError> {
        let interrupt = &self.request.solve.interrupt;
        let watch = Watch { stop: &|| interrupt.is_raised(), arrived: &|_| {} };
        let done = std::sync::atomic::AtomicUsize::new(0);
        let one = |(option, used): (&Key, &Used)| {
            let found = largest_rate(&used.claim(*option), search, &watch);
            listen(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1);
            found.map_err(|Stopped| CertifyError::Stopped)
        };
        listen(0);
        open.par_iter().map(one).collect()
    }
}

/// Options of the plan that were not simulated at such a rate yet.
fn open(
    fleet: &Fleet,
    plan: &Plan,
    held: &BTreeMap<Key, f64>,
    sizing: &SizingOptions,
) -> BTreeMap<Key, Used> {
    let mut open: BTreeMap<Key, Used> = BTreeMap::new();
    for (s, placement) in plan.placements.iter().enumerate() {
        for part in placement.parts.iter().filter(|part| part.rate_per_s > 0.0) {
            let Some(predicted) = part.predicted else { continue };
            let (scenario, server) = (&fleet.scenario, &fleet.scenario.servers[s]);
            let (station, reading) = (&predicted.station, sizing.reading);
            let objectives = candidates::held(scenario, server, part.accelerator, station, reading);
            let used = open
                .entry((fleet.candidates.demands[s].group, part.accelerator))
                .or_insert_with(|| Used {
                    station: predicted.station,
                    batch: part.batch,
                    rate_per_s: 0.0,
                    objectives: Objectives { max_loss: sizing.max_loss, ..objectives },
                    server: s,
                    servers: 0,
                });
            // While others of it are taken away, those that are left get more.
            let there = scenario.accelerators[part.accelerator].availability;
            used.rate_per_s = used.rate_per_s.max(part.rate_per_s / there);
            used.servers += 1;
        }
    }
    open.retain(|option, used| {
        held.get(option).is_none_or(|rate| used.rate_per_s > rate * (1.0 + 1e-9))
    });
    open
}

impl Used {
    fn claim(&self, (group, accelerator): Key) -> Claim {
        Claim {
            replica: Replica::of(&self.station, self.batch),
            traffic: Traffic::of(&self.station, self.rate_per_s),
            objectives: self.objectives,
            unit: (group as u32) << 8 | accelerator as u32 & 0xff,
        }
    }
}

impl Certified {
    /// What was corrected, what certainty costs, and what the bound is worth, a line each.
    fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.corrections.iter().map(Correction::line).collect();
        let (simulated, rounds) = (self.simulated, self.rounds);
        if !self.plan.has_plan() {
            notes.push(format!("no plan is left after {rounds} rounds of simulation"));
            return notes;
        }
        let extra = self.plan.total_cost - self.uncorrected_cost.unwrap_or(self.plan.total_cost);
        notes.push(format!(
            "certified: each of {simulated} (kind of server, accelerator) keeps its objectives in \
             simulation; {} of the model's rates were corrected in {rounds} rounds, and certainty \
             costs {extra:+} cents/h",
            self.corrections.len()
        ));
        notes.push(
            "the bound is one on every certified plan as far as simulation grants no option more \
             than the model does"
                .to_owned(),
        );
        notes
    }
}

impl Correction {
    fn line(&self) -> String {
        let Self { server, accelerator, batch, found, .. } = self;
        let others = match self.servers {
            0 | 1 => String::new(),
            n => format!(" and {} like it", n - 1),
        };
        let (granted, model) = (60.0 * found.rate_per_s, 60.0 * self.model_rate_per_s);
        let less = 100.0 * (1.0 - granted / model);
        let what = match found.binding {
            Binding::Itl => "ITL",
            Binding::Ttft => "TTFT",
            Binding::Wait => "wait",
            Binding::E2e => "E2E",
            Binding::Loss => "loss",
            Binding::Capacity | Binding::Start => "capacity",
        };
        format!(
            "corrected: `{server}`{others} on {accelerator} at batch {batch}: simulation grants a \
             replica {granted:.1} requests/min, not {model:.1} ({less:.1}% less; {what} binds)"
        )
    }
}
