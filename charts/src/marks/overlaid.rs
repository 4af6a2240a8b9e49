//! Lines that run on top of each other: along a stretch that several share, each is drawn in dashes that
//! leave room for the others', so that all of their colours show.

use std::collections::HashMap;

use crate::scene::{Dash, Point};

/// A stretch of a line, in whole pixels.
type Stretch = ((i64, i64), (i64, i64));

/// Which lines run along which stretch, by their place among the lines.
#[derive(Debug, Default)]
pub(super) struct Shared(HashMap<Stretch, Vec<usize>>);

/// A part of a line along which the same lines run, with how it is dashed for them.
pub(super) type Piece = (Vec<Point>, Option<Dash>);

impl Shared {
    /// Of the paths of all lines.
    pub fn of(lines: &[Vec<Vec<Point>>]) -> Self {
        let mut along: HashMap<Stretch, Vec<usize>> = HashMap::new();
        for (line, paths) in lines.iter().enumerate() {
            for pair in paths.iter().flat_map(|path| path.windows(2)) {
                let lines = along.entry(stretch(pair)).or_default();
                if lines.last() != Some(&line) {
                    lines.push(line);
                }
            }
        }
        along.retain(|_, lines| lines.len() > 1);
        Self(along)
    }

    /// Cuts a path of a line where the lines that run along it change.
    pub fn pieces(&self, line: usize, path: &[Point]) -> Vec<Piece> {
        if path.len() < 2 {
            return vec![(path.to_vec(), None)];
        }
        let mut pieces: Vec<Piece> = Vec::new();
        let mut before: Option<Option<&Vec<usize>>> = None;
        for pair in path.windows(2) {
            let along = self.0.get(&stretch(pair));
            match pieces.last_mut().filter(|_| before == Some(along)) {
                Some((piece, _)) => piece.push(pair[1]),
                None => pieces.push((pair.to_vec(), along.map(|lines| dash(lines, line)))),
            }
            before = Some(along);
        }
        pieces
    }
}

fn dash(lines: &[usize], line: usize) -> Dash {
    let nth = lines.iter().position(|other| *other == line).unwrap_or(0);
    Dash::Shared { nth, of: lines.len() }
}

fn stretch(pair: &[Point]) -> Stretch {
    let whole = |(x, y): Point| (x.round() as i64, y.round() as i64);
    (whole(pair[0]), whole(pair[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_lines_share_is_dashed_and_the_rest_is_not() {
        let fork = |end: f64| vec![vec![(0.0, 0.0), (10.0, 10.0), (20.0, 10.0), (30.0, end)]];
        let lines = [fork(50.0), fork(50.0), fork(0.0)];
        let shared = Shared::of(&lines);
        let pieces = shared.pieces(2, &lines[2][0]);
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[0].1, Some(Dash::Shared { nth: 2, of: 3 }));
        assert_eq!(pieces[1], (vec![(20.0, 10.0), (30.0, 0.0)], None));
        let first = shared.pieces(0, &lines[0][0]);
        assert_eq!(first[1].1, Some(Dash::Shared { nth: 0, of: 2 }));
        assert_eq!(Shared::default().pieces(0, &[(1.0, 1.0)]), [(vec![(1.0, 1.0)], None)]);
    }
}
