//! What surrounds the marks: grid, axis lines, tick labels.

use crate::chart::Chart;
use crate::font;
use crate::scene::{Anchor, Ink, Scene, Text};
use crate::view::Plot;

/// Degrees by which names are turned where they do not fit side by side.
const TURN: f64 = -40.0;

/// The tick labels of both axes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Labels {
    pub x: Vec<(f64, String)>,
    pub y: Vec<(f64, String)>,
    /// Whether names along x are turned.
    pub x_turned: bool,
    /// Space below the plot that the labels of x take.
    pub x_height: f64,
}

/// The middle of a pixel, where a thin line is sharp.
pub(crate) fn crisp(pixel: f64) -> f64 {
    pixel.floor() + 0.5
}

/// Lines behind the marks, along the axes of numbers.
pub(crate) fn grid(scene: &mut Scene, chart: &Chart, plot: &Plot, labels: &Labels) {
    if chart.y.names().is_none() {
        for (value, _) in labels.y.iter().filter(|t| plot.y.holds(t.0)) {
            let y = crisp(plot.y.pixel(*value));
            scene.line((plot.left, y), (plot.right, y), Ink::Grid, 1.0);
        }
    }
    if chart.x.names().is_none() && (plot.lying || plot.x.log) {
        for (value, _) in labels.x.iter().filter(|t| plot.x.holds(t.0)) {
            let x = crisp(plot.x.pixel(*value));
            scene.line((x, plot.top), (x, plot.bottom), Ink::Grid, 1.0);
        }
    }
}

/// Axis lines, tick labels and the caption of x.
pub(crate) fn labels(scene: &mut Scene, chart: &Chart, plot: &Plot, labels: &Labels) {
    base_line(scene, chart, plot);
    y_labels(scene, chart, plot, labels);
    if labels.x_turned {
        turned_names(scene, plot, labels);
    } else {
        x_labels(scene, chart, plot, labels);
    }
    let caption = font::shorten(&chart.x.caption(), plot.right - plot.left, 12.0, false);
    if !caption.is_empty() {
        let at = ((plot.left + plot.right) / 2.0, plot.bottom + labels.x_height + 14.0);
        scene.text(Text::new(at, caption).anchor(Anchor::Middle), Ink::Muted);
    }
    let empty = chart.series.iter().all(|s| s.mark.is_empty());
    if empty {
        let at = ((plot.left + plot.right) / 2.0, (plot.top + plot.bottom) / 2.0);
        scene.text(Text::new(at, "No data").size(14.0).anchor(Anchor::Middle), Ink::Muted);
    }
}

fn base_line(scene: &mut Scene, chart: &Chart, plot: &Plot) {
    if chart.x.names().is_some() && chart.y.names().is_some() {
        return;
    }
    if plot.lying {
        let x = crisp(plot.x.nearest(if plot.x.log { plot.x.low } else { 0.0 }));
        scene.line((x, plot.top), (x, plot.bottom), Ink::Muted, 1.0);
    } else {
        let y = crisp(plot.y.nearest(if plot.y.log { plot.y.low } else { 0.0 }));
        scene.line((plot.left, y), (plot.right, y), Ink::Muted, 1.0);
    }
}

fn y_labels(scene: &mut Scene, chart: &Chart, plot: &Plot, labels: &Labels) {
    let room = plot.left - 8.0 - crate::layout::PAD;
    let every = match chart.y.names() {
        Some(names) => every(plot.bottom - plot.top, names.len(), 13.0),
        None => 1,
    };
    for (value, label) in labels.y.iter().step_by(every).filter(|t| plot.y.holds(t.0)) {
        let at = (plot.left - 8.0, plot.y.pixel(*value) + 4.0);
        let text = Text::new(at, font::shorten_middle(label, room + 0.5, 12.0));
        let ink = if plot.lying { Ink::Text } else { Ink::Muted };
        scene.text(text.anchor(Anchor::End), ink);
    }
}

fn x_labels(scene: &mut Scene, chart: &Chart, plot: &Plot, labels: &Labels) {
    for (value, label) in labels.x.iter().filter(|t| plot.x.holds(t.0)) {
        let x = plot.x.pixel(*value);
        if chart.x.names().is_none() && !plot.lying {
            let bottom = crisp(plot.bottom);
            scene.line((crisp(x), bottom), (crisp(x), bottom + 4.0), Ink::Muted, 1.0);
        }
        let half = font::width(label, 12.0, false) / 2.0;
        let x = x.min(scene.width - 2.0 - half);
        let ink = if chart.x.names().is_some() { Ink::Text } else { Ink::Muted };
        scene.text(Text::new((x, plot.bottom + 18.0), label).anchor(Anchor::Middle), ink);
    }
}

fn turned_names(scene: &mut Scene, plot: &Plot, labels: &Labels) {
    let every = every(plot.right - plot.left, labels.x.len(), 14.0);
    let room = (labels.x_height - 18.0) / TURN.to_radians().sin().abs() + 1.0;
    for (value, label) in labels.x.iter().step_by(every) {
        let x = plot.x.pixel(*value) + 4.0;
        let room = room.min((x - 4.0) / TURN.to_radians().cos());
        let text = Text::new((x, plot.bottom + 14.0), font::shorten_middle(label, room, 12.0));
        scene.text(text.anchor(Anchor::End).turn(TURN), Ink::Text);
    }
}

/// Every how many names one is shown.
fn every(room: f64, names: usize, size: f64) -> usize {
    (size * names as f64 / room.max(1.0)).ceil().max(1.0) as usize
}
