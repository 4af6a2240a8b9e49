//! What is asked of the planner.

use isocost_formulations::pattern::Ablation;
use isocost_formulations::problem::ProblemOptions;
use isocost_formulations::shortage::{Effort, Policy};
use isocost_model::Scenario;
use isocost_model::plan::{Method, Shape};
use isocost_model::scenario::Saturation;
use isocost_model::stress::Margin;
use isocost_solver::SolveOptions;

/// What is asked of the planner.
#[derive(Clone, Default)]
pub struct Request {
    /// How the problem is stated, and solved.
    pub formulation: Formulation,
    /// Limits and objective.
    pub problem: ProblemOptions,
    /// What to do when not every server can be served.
    pub shortage: Shortage,
    /// Factors on loads and service times that are planned for.
    pub margin: Margin,
    /// When to stop.
    pub solve: SolveOptions,
    /// Means of the pattern method that are switched off, to see what they are worth.
    pub ablation: Ablation,
}

/// How the problem is stated, and solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Formulation {
    /// Whether several accelerators may share a server's load; `None` as the scenario has it.
    pub shape: Option<Shape>,
    /// How it is solved.
    pub method: Method,
}

impl Formulation {
    /// By patterns, in the shape that the scenario asks for.
    pub const AUTO: Self = Self { shape: None, method: Method::Patterns };
    /// One accelerator type a server, by patterns.
    pub const SINGLE: Self = Self { shape: Some(Shape::Single), method: Method::Patterns };
    /// Several accelerator types may share a server's load, by patterns.
    pub const MIXED: Self = Self { shape: Some(Shape::Mixed), method: Method::Patterns };
    /// The same, stated compactly, as an outside solver would get it.
    pub const COMPACT: Self = Self { shape: Some(Shape::Mixed), method: Method::Compact };
    /// The heuristic.
    pub const GREEDY: Self = Self { shape: None, method: Method::Greedy };

    /// Each with the name that files and the command line give it.
    pub const NAMED: [(&str, Self); 5] = [
        ("auto", Self::AUTO),
        ("single", Self::SINGLE),
        ("mixed", Self::MIXED),
        ("compact", Self::COMPACT),
        ("greedy", Self::GREEDY),
    ];

    /// The formulation of a name in [`Formulation::NAMED`].
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|named| named.0 == name).map(|named| named.1)
    }

    /// The shape of the plans for `scenario`.
    pub fn shape(self, scenario: &Scenario) -> Shape {
        match self.shape {
            Some(shape) => shape,
            None if scenario.optimizer.heterogeneous && self.method != Method::Greedy => {
                Shape::Mixed
            }
            None => Shape::Single,
        }
    }
}

/// What to do when not every server can be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shortage {
    /// Say that it is infeasible.
    #[default]
    Say,
    /// Serve as the scenario's saturation policy has it.
    Scenario,
    /// Serve by this policy.
    By {
        /// What servers get that cannot be served in full.
        saturation: Saturation,
        /// Serve in full as many as can be, over all priorities, before any best effort.
        delayed: bool,
    },
}

impl Request {
    /// The policy under shortage for `scenario`, if there is one.
    pub fn policy(&self, scenario: &Scenario) -> Option<Policy> {
        let optimizer = &scenario.optimizer;
        let (saturation, delayed) = match self.shortage {
            Shortage::Say => return None,
            Shortage::Scenario => (optimizer.saturation, optimizer.delayed_best_effort),
            Shortage::By { saturation, delayed } => (saturation, delayed),
        };
        let effort = match saturation {
            Saturation::None => Effort::Whole,
            Saturation::PriorityExhaustive => Effort::Exhaustive,
            Saturation::PriorityRoundRobin => Effort::PriorityRoundRobin,
            Saturation::RoundRobin => Effort::RoundRobin,
        };
        let mixed = self.formulation.shape(scenario) == Shape::Mixed;
        Some(Policy { effort, delayed, mixed })
    }

    /// What is planned of `scenario` besides its numbers.
    pub fn options(&self, scenario: &Scenario) -> ProblemOptions {
        let unlimited = self.problem.unlimited || scenario.optimizer.unlimited;
        ProblemOptions { unlimited, ..self.problem }
    }
}
