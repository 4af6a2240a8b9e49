//! Bars and columns, which all start at zero.

use super::{Pen, TIPS, tip};
use crate::chart::{BarMode, Chart, Mark, Series};
use crate::font;
use crate::heading::Colors;
use crate::number::number;
use crate::scene::{Anchor, Ink, Paint, Point, Shape, Text};

/// Share of a category's room that its bars take.
const FILLED: f64 = 0.72;

/// What is written at the end of each lying bar: nothing where bars stand side by side.
pub(crate) fn totals(chart: &Chart, lying: bool) -> Vec<f64> {
    if !lying { Vec::new() } else { written(chart) }
}

fn written(chart: &Chart) -> Vec<f64> {
    let bars: Vec<&Vec<f64>> = bars(chart).map(|(_, values)| values).collect();
    match (&bars[..], chart.bars) {
        ([], _) => Vec::new(),
        ([values], _) => values.to_vec(),
        (_, BarMode::Grouped) => Vec::new(),
        (_, BarMode::Stacked) => {
            let count = bars.iter().map(|v| v.len()).max().unwrap_or(0);
            let value = |v: &&Vec<f64>, i| v.get(i).copied().filter(|v: &f64| v.is_finite());
            (0..count).map(|i| bars.iter().filter_map(|v| value(v, i)).sum()).collect()
        }
    }
}

fn bars(chart: &Chart) -> impl Iterator<Item = (&Series, &Vec<f64>)> {
    chart.series.iter().filter_map(|s| match &s.mark {
        Mark::Bars(values) => Some((s, values)),
        _ => None,
    })
}

pub(super) fn draw(pen: &mut Pen<'_>, colors: &Colors) {
    let count = bars(pen.chart).count();
    let stacked = pen.chart.bars == BarMode::Stacked;
    let longest = bars(pen.chart).map(|(_, v)| v.len()).max().unwrap_or(0);
    let mut ends = vec![(0.0, 0.0); longest];
    let thick = FILLED / if stacked { 1.0 } else { count.max(1) as f64 };
    for (nth, (series, values)) in bars(pen.chart).enumerate() {
        let offset = if stacked { 0.0 } else { (nth as f64 - (count as f64 - 1.0) / 2.0) * thick };
        for (i, &value) in values.iter().enumerate() {
            if !pen.plot.value_and_place().0.placeable(value) {
                continue;
            }
            let end = if value < 0.0 { &mut ends[i].0 } else { &mut ends[i].1 };
            let from = if stacked { *end } else { 0.0 };
            *end = from + value;
            let middle = i as f64 + offset;
            bar(pen, series, i, (from, from + value), middle, thick, colors.place(series));
        }
    }
    let roomy = pen.plot.lying || longest <= 14;
    if roomy {
        write_totals(pen, stacked && count > 1, &ends);
    }
}

fn bar(
    pen: &mut Pen<'_>,
    series: &Series,
    category: usize,
    (from, to): (f64, f64),
    middle: f64,
    thick: f64,
    place: usize,
) {
    let plot = pen.plot;
    let (along, across) = plot.value_and_place();
    if !along.placeable(to) || !across.holds(category as f64) {
        return;
    }
    let sides = (across.pixel(middle - thick / 2.0), across.pixel(middle + thick / 2.0));
    let (near, far) = (along.nearest(from), along.nearest(to));
    let name = pen.value(!plot.lying, category as f64);
    let text = format!("{name}: {}", pen.value(plot.lying, to - from));
    let (a, b) = (plot.oriented(sides.0, near), plot.oriented(sides.1, far));
    let paint = Paint::Fill(Ink::Series(place), series.opacity.unwrap_or(1.0));
    rect(pen, a, b, paint, (category < TIPS).then(|| tip(&series.name, &text)));
}

/// A rectangle between two corners, with a hair of background to the next.
fn rect(pen: &mut Pen<'_>, a: Point, b: Point, paint: Paint, text: Option<String>) {
    let at = (a.0.min(b.0), a.1.min(b.1));
    let mut size = ((a.0 - b.0).abs(), (a.1 - b.1).abs());
    if size.0 <= 0.0 || size.1 <= 0.0 {
        return;
    }
    let gap = |length: f64| if length > 4.0 { length - 0.75 } else { length };
    size = (gap(size.0), gap(size.1));
    let shape = Shape::Rect { at, size };
    match text {
        Some(text) => pen.scene.push_with_tip(shape, paint, text),
        None => pen.scene.push(shape, paint),
    }
}

fn write_totals(pen: &mut Pen<'_>, pile: bool, ends: &[(f64, f64)]) {
    let plot = pen.plot;
    let (along, across) = plot.value_and_place();
    let slot = (across.pixel(1.0) - across.pixel(0.0)).abs();
    for (i, total) in written(pen.chart).into_iter().enumerate() {
        let end = if pile || total >= 0.0 { ends[i].1 } else { ends[i].0 };
        if !along.holds(end) || !across.holds(i as f64) || !total.is_finite() {
            continue;
        }
        let label = number(total);
        let (middle, tip) = (across.pixel(i as f64), along.pixel(end));
        let below = total < 0.0 && !pile;
        let text = match plot.lying {
            true if slot < 12.0 => continue,
            true if below => Text::new((tip - 5.0, middle + 4.0), label).anchor(Anchor::End),
            true => Text::new((tip + 5.0, middle + 4.0), label),
            false if font::width(&label, 12.0, false) > slot => continue,
            false => {
                let y = if below { tip + 14.0 } else { tip - 5.0 };
                Text::new((middle, y), label).anchor(Anchor::Middle)
            }
        };
        pen.scene.text(text.halo(), Ink::Text);
    }
}

pub(super) fn columns(pen: &mut Pen<'_>, series: &Series, bins: &[(f64, f64, f64)], place: usize) {
    let plot = pen.plot;
    for (i, &(from, to, height)) in bins.iter().enumerate() {
        let placeable = [from, to].iter().all(|&v| plot.x.placeable(v));
        let outside = from.max(to) < plot.x.low || from.min(to) > plot.x.high;
        if !placeable || !plot.y.placeable(height) || outside {
            continue;
        }
        let a = (plot.x.nearest(from), plot.y.nearest(0.0));
        let b = (plot.x.nearest(to), plot.y.nearest(height));
        let range = format!("{} to {}", number(from), pen.value(true, to));
        let text = format!("{range}: {}", pen.value(false, height));
        let paint = Paint::Fill(Ink::Series(place), 1.0);
        rect(pen, a, b, paint, (i < TIPS).then(|| tip(&series.name, &text)));
    }
}
