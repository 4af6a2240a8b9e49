//! What was said on the way, and how to read the report.

use isocost_model::candidates::BatchChoice;

use crate::Input;
use crate::content::{Block, Section};
use crate::format::percent;

pub(crate) fn section(input: &Input<'_>) -> Section {
    let mut section = Section::new("remarks", "Remarks");
    if !input.plan.notes.is_empty() {
        section = section.with(Block::List(input.plan.notes.clone()));
    }
    if let Some(explanation) = input.explanation.filter(|e| !e.notes.is_empty()) {
        section = section.with(Block::List(explanation.notes.clone()));
    }
    section.with(Block::List(vec![
        sizing(input),
        "TTFT is the time to the first token, ITL the time between two tokens. P95 is what 95 of 100 \
         requests do not exceed: of ITL each by the mean of its own gaps, or 95 of 100 gaps where the \
         objective counts gaps. The few gaps that prompts stretch may lift a mean above that P95. \
         Utilisation is how full a batch is in the mean; headroom is the load up to which a placement \
         keeps every limit, as it is."
            .into(),
        "Optimal means a proven relative gap of at most 1e-6 between cost and bound. An independent \
         checker found every limit kept."
            .into(),
        format!(
            "Sizing took {} ms, solving {} ms.",
            isocost_charts::number(input.timing.sizing_s * 1e3),
            isocost_charts::number(input.timing.solving_s * 1e3)
        ),
    ]))
}

fn sizing(input: &Input<'_>) -> String {
    let queue = match input.sizing.max_queue {
        None => "unbounded".to_owned(),
        Some(limit) => format!("at most {limit} waiting"),
    };
    let batch = match input.sizing.batch {
        BatchChoice::Max => "the largest".to_owned(),
        BatchChoice::Least { tolerance } => {
            format!("the least within {}% of the best rate", percent(tolerance))
        }
    };
    format!("Queues where a server sets no limit: {queue}. Batch sizes: {batch}.")
}
