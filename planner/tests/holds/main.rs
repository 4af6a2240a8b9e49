//! Plans that hold: random fleets planned by the defaults, their objectives in simulation, and what the
//! cheapest plan that simulation corrects costs beside them.
//!
//! `ISOCOST_FLEETS=100 cargo test --workspace --features microlp,service --test holds -- --nocapture` prints the figures of a
//! hundred fleets.

mod draw;

use isocost_model::candidates::targets;
use isocost_model::plan::Plan;
use isocost_model::queue::{Objective, Objectives};
use isocost_planner::{Fleet, Planner};
use isocost_simulation::{Effort, Latency, Replica, Report, Search, Traffic, Watch, simulate};
use isocost_solver::default_backend;

/// What simulation says of plans.
#[derive(Debug, Default)]
struct Figures {
    objectives: u32,
    /// Whole intervals within the limit, and beyond it.
    hold: u32,
    missed: u32,
    /// Replicas whose queue grows.
    grow: u32,
    /// Cost of the plans, and of the certified ones, cents/h.
    cost: f64,
    certified: f64,
    /// What was missed, and what certification corrected.
    misses: Vec<String>,
    corrected: Vec<String>,
}

/// Fleets that are planned: `ISOCOST_FLEETS`, or so many.
fn fleets(default: u64) -> u64 {
    let Ok(text) = std::env::var("ISOCOST_FLEETS") else { return default };
    text.parse().unwrap_or_else(|_| panic!("ISOCOST_FLEETS is a whole number, not `{text}`"))
}

#[test]
fn the_objectives_of_random_fleets_hold() {
    let mut figures = Figures::default();
    for seed in 1..=fleets(8) {
        figures.count(seed, 1_000);
    }
    println!("{figures:#?}");
    assert!(figures.objectives > 60, "{figures:#?}");
    assert_eq!(figures.grow, 0, "{figures:#?}");
    let missed = f64::from(figures.missed) / f64::from(figures.objectives);
    assert!(missed <= 0.01, "{figures:#?}");
    assert!(figures.cost <= 1.02 * figures.certified, "{figures:#?}");
}

impl Figures {
    /// Adds those of the fleet of `seed`.
    fn count(&mut self, seed: u64, requests: u64) {
        let planner = Planner::new(default_backend().expect("one is built"));
        let effort = Effort { requests, seed, ..Effort::default() };
        let Some((fleet, plan)) = planned(&planner, seed) else { return };
        simulated(&planner, &fleet, &plan, &effort, seed, self);
        let search = Search { effort, ..Search::default() };
        let certified = planner.certify(fleet, &search, &|_, _, _| {}).expect("nobody stops it");
        if certified.plan.has_plan() {
            self.cost += plan.total_cost;
            self.certified += certified.plan.total_cost;
        }
        let notes = certified.plan.notes.into_iter();
        let corrected = notes.filter(|note| note.starts_with("corrected"));
        self.corrected.extend(corrected.map(|note| format!("seed {seed}: {note}")));
    }
}

/// The plan of a fleet without the servers that no card serves.
fn planned(planner: &Planner, seed: u64) -> Option<(Fleet, Plan)> {
    let mut scenario = draw::fleet(seed);
    let fleet = planner.fleet(scenario.clone());
    let served: Vec<bool> =
        (0..scenario.servers.len()).map(|s| !fleet.candidates.options(s).is_empty()).collect();
    let mut served = served.into_iter();
    scenario.servers.retain(|_| served.next() == Some(true));
    let fleet = planner.fleet(scenario);
    let plan = planner.plan(&fleet).expect("it keeps the rules");
    plan.has_plan().then_some((fleet, plan))
}

fn simulated(
    planner: &Planner,
    fleet: &Fleet,
    plan: &Plan,
    effort: &Effort,
    seed: u64,
    figures: &mut Figures,
) {
    for (s, placement) in plan.placements.iter().enumerate() {
        let server = &fleet.scenario.servers[s];
        let objectives = targets(&fleet.scenario, server, planner.sizing.reading);
        for part in &placement.parts {
            let station = part.predicted.expect("it has a load").station;
            let (replica, traffic) =
                (Replica::of(&station, part.batch), Traffic::of(&station, part.rate_per_s));
            let report =
                simulate(&replica, &traffic, effort, s as u32, &Watch::NONE).expect("nobody stops");
            figures.grow += u32::from(!report.is_steady());
            let place = format!("seed {seed}, {} on {}", server.name, part.accelerator);
            judge(&report, &objectives, &place, figures);
        }
    }
}

fn judge(report: &Report, objectives: &Objectives, place: &str, figures: &mut Figures) {
    let itl = Latency::of_itl(objectives);
    for (latency, objective) in [(itl, objectives.itl), (Latency::Ttft, objectives.ttft)] {
        let objective: Objective = objective.expect("both are drawn");
        figures.objectives += 1;
        let Some(used) = report.used(latency, objective) else { continue };
        figures.hold += u32::from(used.value + used.half_width <= 1.0);
        if used.value - used.half_width > 1.0 {
            figures.missed += 1;
            figures.misses.push(format!("{place}: {latency:?} {objective:?} uses {used:?}"));
        }
    }
}
