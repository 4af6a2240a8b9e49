//! Plans to report, made from the project's own scenarios.

#![allow(dead_code)]

use std::path::{Path, PathBuf};

use isocost_model::Scenario;
use isocost_model::candidates::{Candidates, SizingOptions};
use isocost_model::export::Timing;
use isocost_model::plan::Plan;
use isocost_planner::explain::{Effort, Explanation};
use isocost_planner::{Fleet, Formulation, Planner};
use isocost_report::Input;

/// A plan with what it was made from.
pub struct Planned {
    pub scenario: Scenario,
    pub sizing: SizingOptions,
    pub candidates: Candidates,
    pub plan: Plan,
    pub explanation: Option<Explanation>,
}

impl Planned {
    pub fn input(&self) -> Input<'_> {
        let Self { scenario, sizing, candidates, plan, explanation } = self;
        let timing = Timing { sizing_s: 0.009, solving_s: 0.0016 };
        let explanation = explanation.as_ref();
        Input { name: "data/fleet-27", scenario, sizing, candidates, plan, explanation, timing }
    }

    pub fn html(&self) -> String {
        isocost_report::html(&self.input())
    }
}

pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data").join(name)
}

pub fn fleet() -> Scenario {
    isocost_model::input::load(&data("fleet-27")).expect("the example is sound").scenario
}

pub fn plan(scenario: Scenario, formulation: Formulation, unlimited: bool) -> Planned {
    let backend = isocost_solver::default_backend().expect("a backend is built in");
    let mut planner = Planner::new(backend);
    planner.request.formulation = formulation;
    planner.request.problem.unlimited = unlimited;
    let fleet = planner.fleet(scenario);
    let plan = planner.plan(&fleet).expect("the planner answers");
    let effort = Effort { options: 1, ..Effort::default() };
    let explanation = planner.explain(&fleet, &plan, effort).ok();
    let Fleet { scenario, candidates, .. } = fleet;
    Planned { scenario, sizing: planner.sizing, candidates, plan, explanation }
}

/// The example fleet, `copies` times over, without limits.
pub fn large(copies: usize) -> Planned {
    let mut scenario = fleet();
    let servers = scenario.servers.clone();
    scenario.servers = (0..copies)
        .flat_map(|i| {
            servers.iter().cloned().map(move |mut server| {
                server.name = format!("{}-{i}", server.name);
                server
            })
        })
        .collect();
    plan(scenario, Formulation::GREEDY, true)
}
