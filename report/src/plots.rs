//! The report's charts, each by its name.

use isocost_charts::Chart;

use crate::Input;
use crate::content::{Block, Figure};

/// Every chart of the report, in its order; names are unique and fit files.
pub fn plots(input: &Input<'_>) -> impl Iterator<Item = (String, Chart)> {
    let blocks = crate::sections(input).into_iter().flat_map(|s| s.blocks);
    let figures = blocks.flat_map(|block| match block {
        Block::Figures(figures) => figures.figures,
        _ => Vec::new(),
    });
    figures.map(|Figure { name, chart, .. }| (name, chart))
}
