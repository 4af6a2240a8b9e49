//! The marks of each series.

mod bars;
mod heat;
mod overlaid;

use crate::chart::{Chart, Mark, Series};
use crate::clip;
use crate::heading::Colors;
use crate::number::number;
use crate::scene::{Dash, Ink, Marker, Paint, Point, Scene, Shape};
use crate::view::Plot;

use overlaid::Shared;

pub(crate) use bars::totals;

/// Marks of one series that say their value when pointed at, at most.
const TIPS: usize = 500;
/// Solid lines of at most so many points show each of them.
const DOTTED: usize = 24;

/// How opaque a band is unless it says so itself.
pub(crate) const BAND: f64 = 0.2;
/// Radius of the dots of a line.
const DOT: f64 = 3.5;

/// Draws all series: what is filled first, then lines, then dots.
pub(crate) fn draw(scene: &mut Scene, chart: &Chart, plot: &Plot, colors: &Colors) {
    let mut pen = Pen { scene, chart, plot };
    let series = || chart.series.iter().map(|s| (s, colors.place(s)));
    for (series, place) in series() {
        match &series.mark {
            Mark::Heat(rows) => heat::draw(&mut pen, rows, place),
            Mark::Band(ranges) => pen.band(ranges, place, series.opacity.unwrap_or(BAND)),
            Mark::Columns(bins) => bars::columns(&mut pen, series, bins, place),
            _ => {}
        }
    }
    bars::draw(&mut pen, colors);
    pen.lines(&series().collect::<Vec<_>>());
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
    fn lines(&mut self, series: &[(&Series, usize)]) {
        let paths: Vec<Vec<Vec<Point>>> = series.iter().map(|(s, _)| self.paths(&s.mark)).collect();
        // A dashed line says so by its dashes.
        let solid = |(paths, (series, _)): (&Vec<Vec<Point>>, &(&Series, usize))| {
            if series.dashed { Vec::new() } else { paths.clone() }
        };
        let shared = Shared::of(&paths.iter().zip(series).map(solid).collect::<Vec<_>>());
        for (line, (paths, &(series, place))) in paths.iter().zip(series).enumerate() {
            let dash = match (series.dashed, place < 8) {
                (true, _) => Dash::Dashed,
                (false, true) => Dash::Solid,
                (false, false) => Dash::Dotted,
            };
            for (piece, among) in paths.iter().flat_map(|path| shared.pieces(line, path)) {
                let among = among.filter(|_| !series.dashed);
                self.stroke(&piece, place, among.unwrap_or(dash));
            }
            if let Mark::Line(points) = &series.mark
                && points.len() <= DOTTED
                && !series.dashed
            {
                self.dots(series, points, place, DOT);
            }
        }
    }

    /// The stretches of a line between values that have no place; none of what is no line.
    fn paths(&self, mark: &Mark) -> Vec<Vec<Point>> {
        match mark {
            Mark::Line(points) => runs(points.iter().map(|p| self.plot.point(*p))),
            Mark::Steps(points) => {
                let corner = |pair: &[Point]| [(pair[1].0, pair[0].1), pair[1]];
                let stairs = |run: Vec<Point>| {
                    let first = run.first().copied();
                    first.into_iter().chain(run.windows(2).flat_map(corner)).collect()
                };
                let runs = runs(points.iter().map(|p| self.plot.point(*p)));
                runs.into_iter().map(stairs).collect()
            }
            _ => Vec::new(),
        }
    }

    fn stroke(&mut self, path: &[Point], place: usize, dash: Dash) {
        let ink = Ink::Series(place);
        for piece in clip::line(path, self.plot) {
            if let [at] = piece[..] {
                let shape = Shape::Dot { at, radius: DOT, marker: Marker::of(place) };
                self.scene.push(shape, Paint::Fill(ink, 1.0));
            } else {
                let paint = Paint::Stroke { ink, width: 2.0, dash };
                self.scene.push(Shape::Polyline(piece), paint);
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

    fn band(&mut self, ranges: &[(f64, f64, f64)], place: usize, opacity: f64) {
        let plot = self.plot;
        let edge = |&(x, low, high): &(f64, f64, f64)| {
            let inside = plot.x.holds(x) && plot.y.placeable(low) && plot.y.placeable(high);
            inside.then(|| (plot.x.pixel(x), (plot.y.nearest(low), plot.y.nearest(high))))
        };
        for run in runs(ranges.iter().map(edge)) {
            let lower = run.iter().map(|&(x, (low, _))| (x, low));
            let upper = run.iter().rev().map(|&(x, (_, high))| (x, high));
            let paint = Paint::Fill(Ink::Series(place), opacity);
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
