//! Lines cut at the edges of the plot, so that neither writer needs a mask.

use crate::area::Area;
use crate::scene::Point;
use crate::view::Plot;

/// The pieces of a line that lie in the plot. Points nearer than a third of a pixel to the one
/// before are left out.
pub(crate) fn line(points: &[Point], plot: &Plot) -> Vec<Vec<Point>> {
    let mut pieces: Vec<Vec<Point>> = Vec::new();
    if let [point] = points
        && plot.contains(*point)
    {
        return vec![vec![*point]];
    }
    let within = Area { left: plot.left, right: plot.right, top: plot.top, bottom: plot.bottom };
    let mut joined = false;
    for pair in points.windows(2) {
        let Some((from, to)) = segment(pair[0], pair[1], within) else {
            joined = false;
            continue;
        };
        match pieces.last_mut().filter(|_| joined && from == pair[0]) {
            Some(piece) => piece.push(to),
            None => pieces.push(vec![from, to]),
        }
        joined = to == pair[1];
    }
    pieces.iter_mut().for_each(thin);
    pieces
}

fn thin(points: &mut Vec<Point>) {
    let Some(&last) = points.last() else { return };
    let mut kept = points[0];
    let far = |p: &Point, q: Point| (p.0 - q.0).abs() + (p.1 - q.1).abs() > 0.33;
    let mut first = true;
    points.retain(|p| {
        let keep = std::mem::take(&mut first) || far(p, kept);
        if keep {
            kept = *p;
        }
        keep
    });
    if kept != last {
        points.push(last);
    }
}

/// What of a segment lies in an area: Liang and Barsky, "A New Concept and Method for Line Clipping", 1984.
pub(crate) fn segment(a: Point, b: Point, within: Area) -> Option<(Point, Point)> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let edges = [
        (-dx, a.0 - within.left),
        (dx, within.right - a.0),
        (-dy, a.1 - within.top),
        (dy, within.bottom - a.1),
    ];
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for (p, q) in edges {
        if p == 0.0 && q < 0.0 {
            return None;
        } else if p < 0.0 {
            enter = enter.max(q / p);
        } else if p > 0.0 {
            leave = leave.min(q / p);
        }
    }
    if enter > leave {
        return None;
    }
    let at = |t: f64| (a.0 + t * dx, a.1 + t * dy);
    let from = if enter == 0.0 { a } else { at(enter) };
    let to = if leave == 1.0 { b } else { at(leave) };
    Some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Map;

    fn plot() -> Plot {
        let map = Map { log: false, low: 0.0, high: 10.0, pixels: (0.0, 10.0) };
        Plot { x: map, y: map, left: 0.0, right: 10.0, top: 0.0, bottom: 10.0, lying: false }
    }

    #[test]
    fn lines_end_at_the_edges_and_come_back() {
        let pieces =
            line(&[(-5.0, 5.0), (5.0, 5.0), (5.0, 15.0), (8.0, 15.0), (8.0, 5.0)], &plot());
        assert_eq!(
            pieces,
            [vec![(0.0, 5.0), (5.0, 5.0), (5.0, 10.0)], vec![(8.0, 10.0), (8.0, 5.0)]]
        );
        assert!(line(&[(20.0, 0.0), (30.0, 5.0)], &plot()).is_empty());
        assert_eq!(line(&[(3.0, 3.0)], &plot()), [vec![(3.0, 3.0)]]);
    }

    #[test]
    fn points_too_near_to_see_are_left_out() {
        let points: Vec<Point> = (0..=10_000).map(|i| (f64::from(i) / 1000.0, 5.0)).collect();
        let pieces = line(&points, &plot());
        assert!(pieces[0].len() < 40, "{}", pieces[0].len());
        assert_eq!(pieces[0].last(), Some(&(10.0, 5.0)));
    }
}
