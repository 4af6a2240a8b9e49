//! The ranges that the axes have to show.

use crate::chart::{Axis, BarMode, Chart, Mark, Scale};
use crate::ticks;
use crate::view::placeable;

/// What both axes show, and how many values have no place on them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Domain {
    pub x: Range,
    pub y: Range,
    pub skipped: usize,
    /// Whether bars lie.
    pub lying: bool,
}

/// What one axis shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    pub low: f64,
    pub high: f64,
    pub log: bool,
}

/// Gathers the values along one axis.
#[derive(Debug, Clone, Copy)]
struct Extent {
    low: f64,
    high: f64,
    log: bool,
    /// Leave some room at both ends.
    roomy: bool,
    /// Bars run along this axis: zero has to be on it.
    bars: bool,
}

impl Extent {
    fn of(axis: &Axis, bars: bool) -> Self {
        let log = axis.scale == Scale::Log && !bars;
        let mut extent =
            Self { low: f64::INFINITY, high: f64::NEG_INFINITY, log, roomy: false, bars };
        if (bars || axis.zero) && !log {
            extent.add(0.0);
        }
        extent
    }

    fn takes(&self, value: f64) -> bool {
        placeable(value, self.log)
    }

    fn add(&mut self, value: f64) {
        (self.low, self.high) = (self.low.min(value), self.high.max(value));
    }

    /// Settles the range: what the caller wants, else what the values need, to whole steps where
    /// `steps` says how many.
    fn range(mut self, axis: &Axis, steps: Option<usize>) -> Range {
        if let Some(names) = axis.names() {
            return Range { low: -0.5, high: names.len().max(1) as f64 - 0.5, log: false };
        }
        if let Some((low, high)) = axis.range
            && self.takes(low)
            && self.takes(high)
            && low < high
        {
            let (low, high) = if self.bars { (low.min(0.0), high.max(0.0)) } else { (low, high) };
            return Range { low, high, log: self.log };
        }
        self.settle();
        let Self { low, high, log, roomy, .. } = self;
        let (low, high) = match (steps, roomy) {
            (Some(_), _) if log => (low / 1.2, high * 1.2),
            (Some(count), _) => ticks::widened(low, high, count, axis.steps),
            (None, true) if log => (low / 1.1, high * 1.1),
            (None, true) => {
                let room = 0.03 * (high / 2.0 - low / 2.0) * 2.0;
                (if low >= 0.0 { (low - room).max(0.0) } else { low - room }, high + room)
            }
            (None, false) => (low, high),
        };
        Range { low, high, log }
    }

    /// A range where there was none, or a point.
    fn settle(&mut self) {
        if self.low > self.high {
            (self.low, self.high) = if self.log { (1.0, 10.0) } else { (0.0, 1.0) };
        }
        let (low, high) = (self.low, self.high);
        let same = (high - low).abs() <= 1e-12 * high.abs().max(low.abs());
        (self.low, self.high) = match (same, self.log) {
            (false, _) => return,
            (true, true) => (low / 3.0, high * 3.0),
            (true, false) if low == 0.0 => (0.0, 1.0),
            (true, false) => (low - low.abs() / 2.0, high + high.abs() / 2.0),
        };
    }
}

/// Reads all of a chart's values. `steps` is about how many ticks the axis of values gets.
pub(crate) fn domain(chart: &Chart, steps: usize) -> Domain {
    let lying = chart.y.names().is_some() && chart.x.names().is_none();
    let bars = chart.series.iter().any(|s| matches!(s.mark, Mark::Bars(_)));
    let columns = chart.series.iter().any(|s| matches!(s.mark, Mark::Columns(_)));
    let mut x = Extent::of(&chart.x, bars && lying);
    let mut y = Extent::of(&chart.y, bars && !lying || columns);
    let mut skipped = 0;
    for series in &chart.series {
        skipped += gather(&series.mark, lying, &mut x, &mut y);
    }
    if chart.bars == BarMode::Stacked {
        let along = if lying { &mut x } else { &mut y };
        stacks(chart).into_iter().for_each(|(low, high)| {
            along.add(low);
            along.add(high);
        });
    }
    for rule in &chart.rules {
        let axis = if rule.vertical { &mut x } else { &mut y };
        if axis.takes(rule.at) {
            axis.add(rule.at);
        }
    }
    let (x_steps, y_steps) =
        if lying { (Some(steps), None) } else { (columns.then_some(steps), Some(steps)) };
    Domain { x: x.range(&chart.x, x_steps), y: y.range(&chart.y, y_steps), skipped, lying }
}

/// Adds what can be placed; returns how many values cannot.
fn gather(mark: &Mark, lying: bool, x: &mut Extent, y: &mut Extent) -> usize {
    let mut skipped = 0;
    let mut put = |x: &mut Extent, y: &mut Extent, xs: &[f64], ys: &[f64]| {
        if xs.iter().all(|&v| x.takes(v)) && ys.iter().all(|&v| y.takes(v)) {
            xs.iter().for_each(|&v| x.add(v));
            ys.iter().for_each(|&v| y.add(v));
        } else {
            // What has no value has a place all the same: where it would stand.
            if ys.iter().all(|v| v.is_nan()) && xs.iter().all(|&v| x.takes(v)) {
                xs.iter().for_each(|&v| x.add(v));
            }
            skipped += 1;
        }
    };
    match mark {
        Mark::Points(points) => {
            x.roomy = true;
            points.iter().for_each(|p| put(x, y, &[p.0], &[p.1]));
        }
        Mark::Line(points) | Mark::Steps(points) => {
            points.iter().for_each(|p| put(x, y, &[p.0], &[p.1]));
        }
        Mark::Band(ranges) => ranges.iter().for_each(|r| put(x, y, &[r.0], &[r.1, r.2])),
        Mark::Bars(values) => {
            let (along, across) = if lying { (x, y) } else { (y, x) };
            across.add(-0.5);
            across.add(values.len().max(1) as f64 - 0.5);
            values.iter().for_each(|&v| put(along, across, &[v], &[0.0]));
        }
        Mark::Columns(bins) => bins.iter().for_each(|b| put(x, y, &[b.0, b.1], &[b.2])),
        Mark::Heat(rows) => skipped += rows.iter().flatten().filter(|v| v.is_infinite()).count(),
    }
    skipped
}

/// The lowest and highest end of the pile on each category.
fn stacks(chart: &Chart) -> Vec<(f64, f64)> {
    let mut piles: Vec<(f64, f64)> = Vec::new();
    for series in &chart.series {
        let Mark::Bars(values) = &series.mark else { continue };
        piles.resize(piles.len().max(values.len()), (0.0, 0.0));
        for (pile, &v) in piles.iter_mut().zip(values).filter(|(_, v)| placeable(**v, false)) {
            if v < 0.0 { pile.0 += v } else { pile.1 += v }
        }
    }
    piles.retain(|p| placeable(p.0, false) && placeable(p.1, false));
    piles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Series;

    fn chart(y: Axis) -> Chart {
        Chart::new("t", Axis::linear("x", ""), y)
    }

    #[test]
    fn values_without_a_place_are_counted_and_left_out() {
        let points = vec![(1.0, 1.0), (2.0, f64::NAN), (f64::INFINITY, 3.0), (3.0, -1.0)];
        let linear = chart(Axis::linear("y", "")).with(Series::line("a", points.clone()));
        assert_eq!(domain(&linear, 5).skipped, 2);
        let log = chart(Axis::log("y", "")).with(Series::line("a", points));
        let domain = domain(&log, 5);
        // The second has no value, but a place across.
        assert_eq!((domain.skipped, domain.x.low, domain.x.high), (3, 1.0, 2.0));
    }

    #[test]
    fn bars_start_at_zero_even_on_a_log_axis() {
        let names = Axis::categories("", ["a", "b"]);
        let bars = Chart::new("t", names, Axis::log("y", "").range(1.0, 50.0))
            .with(Series::bars("a", vec![40.0, 50.0]));
        let y = domain(&bars, 5).y;
        assert!(!y.log && y.low <= 0.0, "{y:?}");
        let stacked =
            Chart { bars: BarMode::Stacked, ..bars }.with(Series::bars("b", vec![40.0, -10.0]));
        let y = domain(&Chart { y: Axis::linear("", ""), ..stacked }, 5).y;
        assert!(y.low <= -10.0 && y.high >= 80.0, "{y:?}");
    }

    #[test]
    fn nothing_and_one_point_have_ranges() {
        for y in [Axis::linear("y", ""), Axis::log("y", "")] {
            for points in [vec![], vec![(5.0, 7.0)], vec![(0.0, 1e300)], vec![(1e-300, 1e-300)]] {
                let domain = domain(&chart(y.clone()).with(Series::points("", points)), 5);
                assert!(domain.x.low < domain.x.high && domain.y.low < domain.y.high, "{domain:?}");
            }
        }
    }
}
