//! The report's charts as files.

use isocost_charts::Theme;

use crate::Input;
use crate::content::{Block, Figure};

/// A chart of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plot {
    /// Name of its files, without extension.
    pub name: String,
    /// On white.
    pub svg: String,
    /// On white, two dots a pixel.
    pub png: Vec<u8>,
}

/// Every chart of the report, in its order.
pub fn plots(input: &Input<'_>) -> impl Iterator<Item = Plot> {
    let blocks = crate::sections(input).into_iter().flat_map(|s| s.blocks);
    let figures = blocks.flat_map(|block| match block {
        Block::Figures(figures) => figures.figures,
        _ => Vec::new(),
    });
    figures.map(|Figure { name, chart, .. }| {
        let theme = Theme::light();
        Plot { name, svg: chart.svg(&theme), png: chart.png(&theme, 2.0) }
    })
}
