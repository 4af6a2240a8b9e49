//! The report of a plan: one HTML file that needs no network, and its charts.
//!
//! ```text
//! Input -> sections (text, tables, charts: plain data) -> page (templates/) -> HTML
//!                                                      -> plots             -> charts by name
//! ```
//!
//! Each section is one file. What is written comes from the plan, the scenario and the queueing
//! model; every name is escaped by the template engine.

mod cards;
mod choices;
mod comparison;
mod content;
mod cost;
mod format;
mod infeasible;
mod known;
mod objectives;
mod page;
mod palette;
mod placements;
mod plots;
mod queues;
mod remarks;
mod summary;
mod worth;

use isocost_model::candidates::{Candidates, SizingOptions};
use isocost_model::export::Timing;
use isocost_model::plan::Plan;
use isocost_model::scenario::Scenario;
use isocost_planner::explain::Explanation;

use content::Section;
use palette::Palette;

pub use comparison::comparison;
pub use known::said;
pub use page::html;
pub use plots::plots;

/// What is reported.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// What the reader knows the scenario by: its path.
    pub name: &'a str,
    /// The scenario.
    pub scenario: &'a Scenario,
    /// How its replicas were sized.
    pub sizing: &'a SizingOptions,
    /// Its candidates.
    pub candidates: &'a Candidates,
    /// The plan, or that there is none.
    pub plan: &'a Plan,
    /// Why the plan is as it is, or why there is none; `None` leaves those sections out.
    pub explanation: Option<&'a Explanation>,
    /// Seconds spent.
    pub timing: Timing,
}

impl Input<'_> {
    /// The colours of its types of cards.
    fn palette(&self) -> Palette {
        Palette::of(&self.plan.usage)
    }

    /// What costs are in, with the name of their currency where it is known.
    fn per_hour(&self) -> String {
        self.scenario.currency.per_hour()
    }

    /// The type of the cards of an accelerator.
    fn card_type(&self, accelerator: usize) -> usize {
        self.scenario.accelerators[accelerator].card_type
    }
}

/// Rows that a table shows at most; the exports hold all of them.
const ROWS: usize = 2_000;
/// Servers that a chart shows at most, the rest summed.
const BARS: usize = 20;
/// Placements whose queues are drawn at most.
const QUEUES: usize = 24;

fn sections(input: &Input<'_>) -> Vec<Section> {
    let mut sections = Vec::new();
    if !input.plan.has_plan() || summary::unserved(input.plan) > 0 {
        sections.push(infeasible::section(input));
    }
    if input.plan.has_plan() {
        sections.push(cost::section(input));
    }
    sections.push(cards::section(input));
    if input.plan.has_plan() {
        sections.push(placements::section(input));
        sections.extend(objectives::section(input));
        sections.extend(queues::section(input));
    }
    sections.extend(input.explanation.and_then(|e| worth::section(input, e)));
    sections.extend(input.explanation.and_then(choices::section));
    sections.push(remarks::section(input));
    sections
}
