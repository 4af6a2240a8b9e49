//! Reference lines, each with a label that covers nothing: no mark, no other line, no other label.
//!
//! A label stands beside its line, above the plot where marks lie. Places are tried in the order in
//! which a reader looks for them; a label that finds none goes into the legend.

use crate::area::Area;
use crate::chart::{Chart, Rule};
use crate::clip;
use crate::font;
use crate::frame::crisp;
use crate::scene::{Dash, Ink, Item, Paint, Point, Scene, Shape, Text};
use crate::view::Plot;

/// Distance between two places that are tried along a line, pixels.
const STRIDE: f64 = 14.0;
/// What is fainter can be written on.
const FAINT: f64 = 0.5;

/// Draws the lines, and the labels of those that are not `keyed`, by their place in the chart;
/// returns which of the labels found no place.
pub(crate) fn draw(scene: &mut Scene, chart: &Chart, plot: &Plot, keyed: &[usize]) -> Vec<usize> {
    let shown = |rule: &Rule| {
        let map = if rule.vertical { &plot.x } else { &plot.y };
        map.holds(rule.at).then(|| crisp(map.pixel(rule.at)))
    };
    let lines: Vec<(usize, &Rule, f64)> = chart
        .rules
        .iter()
        .enumerate()
        .filter_map(|(i, rule)| Some((i, rule, shown(rule)?)))
        .collect();
    for &(_, rule, pixel) in &lines {
        let ends = if rule.vertical {
            vec![(pixel, plot.top), (pixel, plot.bottom)]
        } else {
            vec![(plot.left, pixel), (plot.right, pixel)]
        };
        let paint = Paint::Stroke { ink: Ink::Rule, width: 1.5, dash: Dash::Dashed };
        scene.push_with_tip(Shape::Polyline(ends), paint, rule.label.clone());
    }
    let mut crowded = Vec::new();
    for (i, rule, pixel) in lines {
        if rule.label.is_empty() || keyed.contains(&i) {
            continue;
        }
        let room = (plot.right - plot.left) * 0.6;
        let label = font::shorten(&rule.label, room, 12.0, false);
        let width = font::width(&label, 12.0, false);
        let places =
            if rule.vertical { beside(plot, pixel, width) } else { along(plot, pixel, width) };
        let mut texts = places.into_iter().map(|at| Text::new(at, label.as_str()).halo());
        match texts.find(|text| is_free(scene, text)) {
            Some(text) => scene.text(text, Ink::Rule),
            None => crowded.push(i),
        }
    }
    crowded
}

/// Where a label may start beside a vertical line at `x`.
fn beside(plot: &Plot, x: f64, width: f64) -> Vec<Point> {
    let (right, left) = (x + 6.0, x - 6.0 - width);
    let sides: Vec<f64> = [right, left]
        .into_iter()
        .filter(|&start| start >= plot.left && start + width <= plot.right)
        .collect();
    // Lying marks start right below the edge; above it is free.
    let above = plot.lying.then_some(plot.top - 4.0);
    let levels = ((plot.bottom - plot.top - 18.0) / STRIDE).max(0.0) as usize;
    let inside = (0..=levels).map(|level| plot.top + 12.0 + STRIDE * level as f64);
    let heights = above.into_iter().chain(inside);
    heights.flat_map(|y| sides.iter().map(move |&start| (start, y))).collect()
}

/// Where a label may start above or below a horizontal line at `y`, the right end first.
fn along(plot: &Plot, y: f64, width: f64) -> Vec<Point> {
    let (first, last) = (plot.right - width - 4.0, plot.left + 6.0);
    let levels = [y - 5.0, y + 14.0];
    let fits = |&level: &f64| level - 11.0 >= plot.top - 4.0 && level + 4.0 <= plot.bottom;
    let levels: Vec<f64> = levels.into_iter().filter(fits).collect();
    let steps = ((first - last) / STRIDE).max(0.0) as usize;
    let starts = (0..=steps).map(|step| first - STRIDE * step as f64).filter(|&x| x >= last - 1.0);
    starts.flat_map(|x| levels.iter().map(move |&level| (x, level))).collect()
}

/// Whether a label would cover nothing that was drawn.
fn is_free(scene: &Scene, label: &Text) -> bool {
    let area = Area::of(label);
    area.right <= scene.width && scene.items.iter().all(|item| is_apart(item, area))
}

fn is_apart(item: &Item, area: Area) -> bool {
    match item.paint {
        // Lines of the grid and of the axes lie behind all text.
        Paint::Stroke { ink: Ink::Grid | Ink::Muted, .. } => return true,
        Paint::Fill(_, opacity) if opacity < FAINT => return true,
        _ => {}
    }
    let covered = match &item.shape {
        Shape::Polyline(path) => {
            let area = match item.paint {
                Paint::Stroke { width, .. } => area.grown(width / 2.0),
                Paint::Fill(..) => area,
            };
            return path.windows(2).all(|pair| clip::segment(pair[0], pair[1], area).is_none());
        }
        Shape::Polygon(path) => Area::around(path),
        Shape::Dot { at, radius, .. } => Area::around(&[*at]).grown(radius * 1.25),
        Shape::Rect { at, size } => Area::around(&[*at, (at.0 + size.0, at.1 + size.1)]),
        Shape::Text(text) => Area::of(text),
    };
    !area.meets(covered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{Axis, Series};
    use crate::layout;

    /// Whether what is drawn of a chart leaves all labels of rules free; a label is red, has a rim, and
    /// stands in the plot.
    fn check(chart: &Chart) {
        let scene = layout::draw(chart);
        let is_label = |item: &&Item| {
            matches!(&item.shape, Shape::Text(text) if text.halo)
                && item.paint == Paint::Fill(Ink::Rule, 1.0)
        };
        for label in scene.items.iter().filter(is_label) {
            let Shape::Text(text) = &label.shape else { continue };
            for other in scene.items.iter().filter(|other| *other != label) {
                let apart = is_apart(other, Area::of(text));
                assert!(apart, "{}: {:?} under {:?}", chart.title, other.shape, text);
            }
        }
        for rule in &chart.rules {
            let said = scene.items.iter().any(|item| match &item.shape {
                Shape::Text(text) => rule.label.starts_with(text.content.trim_end_matches('…')),
                _ => false,
            });
            assert!(said, "{}: `{}` is nowhere", chart.title, rule.label);
        }
    }

    /// A wait that grows without bound towards the rate 4.
    fn wait(scale: f64, rate: f64) -> f64 {
        60.0 + scale / (4.02 - rate)
    }

    #[test]
    fn labels_cover_no_curve_whatever_its_shape() {
        let curve = |scale| (1..=40).map(|i| f64::from(i) / 10.0).map(move |r| (r, wait(scale, r)));
        for size in [(345, 250), (372, 270), (720, 400)] {
            for limit in (1..40).map(|i| 10.0 * f64::from(i)) {
                let chart = Chart::new(
                    format!("limit {limit} at {size:?}"),
                    Axis::linear("Rate", "req/s").range(0.0, 4.0),
                    Axis::linear("Wait", "ms").range(0.0, 400.0),
                )
                .with(Series::line("mean", curve(20.0).collect()))
                .with(Series::line("P95", curve(90.0).collect()).dashed())
                .with(Series::points("planned", vec![(3.5, wait(90.0, 3.5))]))
                .rule(Rule::y(limit, format!("P95 ≤ {limit} ms")))
                .rule(Rule::y(limit + 3.0, "mean ≤ another"))
                .rule(Rule::x(limit / 100.0, "sized for"))
                .size(size.0, size.1);
                check(&chart);
            }
        }
    }

    #[test]
    fn labels_cover_no_column_and_no_bar() {
        for peak in 0..20 {
            let height = |i: i32| 100.0 / (1.0 + f64::from((i - peak).pow(2)) / 9.0);
            let columns = (0..20).map(|i| (f64::from(i), f64::from(i + 1), height(i)));
            let chart = Chart::new("in service", Axis::counts("n", ""), Axis::linear("share", "%"))
                .with(Series::columns("", columns.collect()))
                .rule(Rule::x(f64::from(peak), format!("mean {peak}")))
                .size(345, 260);
            check(&chart);
            let names = (0..12).map(|i| format!("server {i}"));
            let lying = Chart::new("shares", Axis::linear("%", ""), Axis::categories("", names))
                .with(Series::bars("", (0..12).map(height).collect()))
                .rule(Rule::x(f64::from(peak) * 5.0, "limit"));
            check(&lying);
        }
    }

    #[test]
    fn a_label_without_a_place_is_in_the_legend() {
        // Columns fill the plot; nothing in it is free.
        let full = (0..50).map(|i| (f64::from(i), f64::from(i + 1), 10.0)).collect();
        let chart = Chart::new("t", Axis::linear("x", ""), Axis::linear("y", "").range(0.0, 10.0))
            .with(Series::columns("", full))
            .rule(Rule::x(25.0, "the mean"));
        check(&chart);
        let scene = layout::draw(&chart);
        let label = scene.items.iter().find_map(|item| match &item.shape {
            Shape::Text(text) if text.content == "the mean" => Some(text),
            _ => None,
        });
        assert!(label.is_some_and(|text| !text.halo && text.at.1 < 80.0), "{label:?}");
    }
}
