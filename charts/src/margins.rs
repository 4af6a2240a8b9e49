//! Where the plot stands, so that the labels of both axes fit around it.

use crate::chart::{Axis, Chart, Scale};
use crate::domain::{Domain, Range};
use crate::frame::Labels;
use crate::layout::{PAD, Setting};
use crate::number::number;
use crate::view::{Map, Plot};
use crate::{font, marks, ticks};

/// Widest name that is set in full below a category, pixels.
const LONGEST_NAME: f64 = 130.0;

/// About how many ticks of y fit between the top of the plot and the end of the picture.
pub(crate) fn rows(height: f64) -> usize {
    ((height - 50.0) / 38.0).clamp(2.0, 10.0) as usize
}

pub(crate) fn plan(chart: &Chart, setting: &Setting, domain: &Domain, top: f64) -> (Plot, Labels) {
    let y = labels(&chart.y, &domain.y, rows(setting.height - top));
    let left = PAD + widest(&y).min((setting.width - 2.0 * PAD) * 0.38) + 8.0;
    let right = right_of(chart, setting, domain).max(left + 10.0);
    let x = x_labels(chart, &domain.x, right - left);
    let slot = (right - left) / x.len().max(1) as f64;
    let x_turned = chart.x.names().is_some() && widest(&x) + 8.0 > slot;
    // Turned names reach to the left of the first category.
    let left = if x_turned { left.max(PAD + 48.0) } else { left };
    let x_height = if x_turned { widest(&x).min(LONGEST_NAME) * 0.65 + 18.0 } else { 20.0 };
    let caption = if chart.x.caption().is_empty() { 0.0 } else { 20.0 };
    let remark = if domain.skipped > 0 { 18.0 } else { 0.0 };
    let bottom = (setting.height - PAD + 4.0 - x_height - caption - remark).max(top + 10.0);
    let upward = if chart.y.names().is_some() { (top, bottom) } else { (bottom, top) };
    let plot = Plot {
        x: map(&domain.x, (left, right)),
        y: map(&domain.y, upward),
        left,
        right,
        top,
        bottom,
        lying: domain.lying,
    };
    (plot, Labels { x, y, x_turned, x_height })
}

fn map(range: &Range, pixels: (f64, f64)) -> Map {
    Map { log: range.log, low: range.low, high: range.high, pixels }
}

fn widest(labels: &[(f64, String)]) -> f64 {
    labels.iter().map(|l| font::width(&l.1, 12.0, false)).fold(0.0, f64::max)
}

/// Leaves room for what is written at the ends of lying bars, or for half of the last label.
fn right_of(chart: &Chart, setting: &Setting, domain: &Domain) -> f64 {
    let totals = marks::totals(chart, domain.lying);
    let written = totals.iter().map(|t| font::width(&number(*t), 12.0, false) + 6.0);
    let half = if chart.x.names().is_some() { 0.0 } else { 10.0 };
    setting.width - PAD - written.fold(half, f64::max)
}

/// As many labels of x as fit side by side; all names.
fn x_labels(chart: &Chart, range: &Range, room: f64) -> Vec<(f64, String)> {
    let mut count = (room / 60.0) as usize;
    loop {
        let x = labels(&chart.x, range, count);
        let fits = (widest(&x) + 12.0) * x.len() as f64 <= room;
        if fits && x.len() > 1 || chart.x.names().is_some() {
            return x;
        }
        // An axis of one tick has no scale: its ends say what it spans.
        if count <= 1 {
            return [range.low, range.high].map(|end| (end, number(end))).to_vec();
        }
        count -= 1;
    }
}

fn labels(axis: &Axis, range: &Range, count: usize) -> Vec<(f64, String)> {
    let count = count.clamp(1, 10);
    match &axis.scale {
        Scale::Categories(names) => {
            names.iter().enumerate().map(|(i, n)| (i as f64, n.clone())).collect()
        }
        _ if range.log => ticks::log(range.low, range.high, count),
        _ => ticks::linear(range.low, range.high, count, axis.steps),
    }
}
