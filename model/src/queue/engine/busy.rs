//! First tokens that wait for the prompts which others bring meanwhile.
//!
//! Where prompts go first, a first token that is decoded waits until none is left (`whole.rs`): for those that came in
//! the pass of one's own prompt, and for what each of them brings. How many they are depends on that pass alone, so
//! that times alike in it are gathered in one before those counts are added to it: cells are a 64th of their
//! place wide, and each is taken at its mean.

use rustc_hash::FxHashMap;

use super::times::Mixture;
use super::whole::Prompts;
use super::work::Work;

/// A time that is uniform over `length` from `from` on, ms, with its probability.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub from: f64,
    pub length: f64,
    pub mass: f64,
}

/// Takes times to the first token.
pub(super) trait Pieces {
    /// Adds one, of which one's own prompt was in a pass of `prompt_ms` where more of them go first.
    fn add(&mut self, piece: Piece, prompt_ms: f64);
}

/// Times of which nothing else is known to follow.
pub(super) struct Straight<'a, M>(pub &'a mut M);

impl<M: Mixture> Pieces for Straight<'_, M> {
    fn add(&mut self, Piece { from, length, mass }: Piece, _: f64) {
        self.0.add(from, length, mass);
    }
}

/// Probability of the counts that one may stand for.
const RARE: f64 = 1e-8;

/// Times by what they are like.
#[derive(Default)]
pub(super) struct Cells(FxHashMap<[u32; 3], Cell>);

/// Sums over what is in a cell, each weighted by its probability.
#[derive(Default)]
struct Cell {
    mass: f64,
    from: f64,
    length: f64,
    prompt_ms: f64,
}

impl Pieces for Cells {
    fn add(&mut self, Piece { from, length, mass }: Piece, prompt_ms: f64) {
        if mass <= 0.0 {
            return;
        }
        let cell = self.0.entry([from + length / 2.0, length, prompt_ms].map(place)).or_default();
        cell.mass += mass;
        cell.from += mass * from;
        cell.length += mass * length;
        cell.prompt_ms += mass * prompt_ms;
    }
}

impl Cells {
    /// The mean of each cell.
    pub fn means(self) -> impl Iterator<Item = (Piece, f64)> {
        self.0.into_values().map(|Cell { mass, from, length, prompt_ms }| {
            (Piece { from: from / mass, length: length / mass, mass }, prompt_ms / mass)
        })
    }
}

/// The cell of a time: its exponent and the first six binary digits of it.
fn place(ms: f64) -> u32 {
    (ms.max(0.0).to_bits() >> 46) as u32
}

/// Puts the times that were gathered into the mixture, with what follows them where prompts go first.
pub(super) fn spill(
    cells: Cells,
    cycle: Prompts,
    rate_per_ms: f64,
    work: &Work,
    into: &mut impl Mixture,
) {
    for (Piece { from, length, mass }, prompt_ms) in cells.means() {
        if prompt_ms <= 0.0 {
            into.add(from, length, mass);
            continue;
        }
        for (ms, share) in cycle.since(rate_per_ms, prompt_ms).few_times(work, RARE / mass) {
            into.add(from + ms, length, mass * share);
        }
    }
}
