//! The marks of each series.

mod bars;
mod heat;

use crate::chart::{Chart, Mark, Series};
use crate::clip;
use crate::heading::Colors;
use crate::number::number;
use crate::scene::{Dash, Ink, Marker, Paint, Point, Scene, Shape};
use crate::view::Plot;

pub(crate) use bars::totals;

/// Marks of one series that say their value when pointed at, at most.
const TIPS: usize = 500;
/// Solid lines of at most so many points show each of them.
const DOTTED: usize = 24;

/// Draws all series: what is filled first, then lines, then dots.
pub(crate) fn draw(scene: &mut Scene, chart: &Chart, plot: &Plot, colors: &Colors) {
    let mut pen = Pen { scene, chart, plot };
    let series = || chart.series.iter().map(|s| (s, colors.place(s)));
    for (series, place) in series() {
        match &series.mark {
            Mark::Heat(rows) => heat::draw(&mut pen, rows, place),
            Mark::Band(ranges) => pen.band(ranges, place),
            Mark::Columns(bins) => bars::columns(&mut pen, series, bins, place),
            _ => {}
        }
    }
    bars::draw(&mut pen, colors);
    for (series, place) in series() {
        match &series.mark {
            Mark::Line(points) => pen.line(series, points, place),
            Mark::Steps(points) => pen.steps(series, points, place),
            _ => {}
        }
    }
    for (series, place) in series() {
        if let Mark::Points(points) = &series.mark {
            pen.dots(series, points, place, 4.0);
        }
    }
}

/// What every mark needs at hand.
struct Pen<'a> {
    scene: &'a mut Scene,
    chart: &'a Chart,
    plot: &'a Plot,
}

impl Pen<'_> {
    fn line(&mut self, series: &Series, points: &[(f64, f64)], place: usize) {
        for run in runs(points.iter().map(|p| self.plot.point(*p))) {
            self.stroke(series, &run, place);
        }
        if points.len() <= DOTTED && !series.dashed {
            self.dots(series, points, place, 3.5);
        }
    }

    fn steps(&mut self, series: &Series, points: &[(f64, f64)], place: usize) {
        for run in runs(points.iter().map(|p| self.plot.point(*p))) {
            let corner = |pair: &[Point]| [(pair[1].0, pair[0].1), pair[1]];
            let first = run.first().copied();
            let path: Vec<Point> =
                first.into_iter().chain(run.windows(2).flat_map(corner)).collect();
            self.stroke(series, &path, place);
        }
    }

    fn stroke(&mut self, series: &Series, path: &[Point], place: usize) {
        let dash = match (series.dashed, place < 8) {
            (true, _) => Dash::Dashed,
            (false, true) => Dash::Solid,
            (false, false) => Dash::Dotted,
        };
        let ink = Ink::Series(place);
        for piece in clip::line(path, self.plot) {
            if let [at] = piece[..] {
                let shape = Shape::Dot { at, radius: 3.5, marker: Marker::of(place) };
                self.scene.push(shape, Paint::Fill(ink, 1.0));
            } else {
                self.scene.push(Shape::Polyline(piece), Paint::Stroke { ink, width: 2.0, dash });
            }
        }
    }

    fn dots(&mut self, series: &Series, points: &[(f64, f64)], place: usize, radius: f64) {
        let many = points.len() > TIPS;
        for &(x, y) in points {
            let Some(at) = self.plot.point((x, y)).filter(|p| self.plot.contains(*p)) else {
                continue;
            };
            let shape = Shape::Dot { at, radius, marker: Marker::of(place) };
            let paint = Paint::Fill(Ink::Series(place), if many { 0.55 } else { 1.0 });
            if many {
                self.scene.push(shape, paint);
            } else {
                let (x, y) = (self.value(true, x), self.value(false, y));
                self.scene.push_with_tip(shape, paint, tip(&series.name, &format!("{x}, {y}")));
            }
        }
    }

    fn band(&mut self, ranges: &[(f64, f64, f64)], place: usize) {
        let plot = self.plot;
        let edge = |&(x, low, high): &(f64, f64, f64)| {
            let inside = plot.x.holds(x) && plot.y.placeable(low) && plot.y.placeable(high);
            inside.then(|| (plot.x.pixel(x), (plot.y.nearest(low), plot.y.nearest(high))))
        };
        for run in runs(ranges.iter().map(edge)) {
            let lower = run.iter().map(|&(x, (low, _))| (x, low));
            let upper = run.iter().rev().map(|&(x, (_, high))| (x, high));
            let paint = Paint::Fill(Ink::Series(place), 0.2);
            self.scene.push(Shape::Polygon(lower.chain(upper).collect()), paint);
        }
    }

    /// A value of x (`across`) or y as a reader says it, with its unit or its category's name.
    fn value(&self, across: bool, value: f64) -> String {
        let axis = if across { &self.chart.x } else { &self.chart.y };
        let name = axis.names().and_then(|names| names.get(value.max(0.0) as usize));
        match (name, axis.unit.as_str()) {
            (Some(name), _) => name.clone(),
            (None, "") => number(value),
            (None, unit) => format!("{} {unit}", number(value)),
        }
    }
}

fn tip(name: &str, text: &str) -> String {
    if name.is_empty() { text.to_owned() } else { format!("{name}: {text}") }
}

/// The stretches between values that have no place.
fn runs<T>(items: impl Iterator<Item = Option<T>>) -> Vec<Vec<T>> {
    let mut runs = vec![Vec::new()];
    for item in items {
        match (item, runs.last_mut()) {
            (Some(item), Some(run)) => run.push(item),
            _ => runs.push(Vec::new()),
        }
    }
    runs.retain(|r| !r.is_empty());
    runs
}
