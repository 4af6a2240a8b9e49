//! Ways to serve a unit: its members in blocks, each in one.
//!
//! ```text
//! f(m) = min over blocks b <= m with a member of the first kind that m has:  v_b + f(m - b),   f(0) = 0
//! ```
//!
//! over how many members of each kind are left, `m`. Blocks of a way are in the order of their indices, so
//! that each way is met once; ways come by their value, the lowest first, as the dynamic program's
//! values tell what is left at least.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Decided, Unit};

/// A unit's blocks with their values.
pub(super) struct Ways<'a> {
    unit: &'a Unit,
    /// By block; `None` where it cannot be served.
    values: Vec<Option<i64>>,
    /// `f` by how many members are left.
    least: Vec<Option<i64>>,
}

impl<'a> Ways<'a> {
    /// Ways of `unit` where servers come to `least` at the least.
    pub fn new(unit: &'a Unit, least: &[Option<i64>]) -> Self {
        let of_block = |servers: &Vec<usize>| {
            servers.iter().try_fold(0, |sum: i64, &s| Some(sum.saturating_add(least[s]?)))
        };
        let values: Vec<Option<i64>> = unit.blocks.iter().map(|b| of_block(&b.servers)).collect();
        let mut ways = Self { unit, values, least: vec![Some(0)] };
        let all: usize = unit.members.iter().map(|m| *m as usize + 1).product();
        for state in 1..all {
            let left = ways.left(state);
            let least = (0..unit.blocks.len())
                .filter_map(|b| ways.least[ways.after(&left, b)?]?.checked_add(ways.values[b]?))
                .min();
            ways.least.push(least);
        }
        ways
    }

    /// How many members of each kind a state has.
    fn left(&self, mut state: usize) -> Vec<u32> {
        let digit = |members: &u32| {
            let base = *members as usize + 1;
            let digit = (state % base) as u32;
            state /= base;
            digit
        };
        self.unit.members.iter().map(digit).collect()
    }

    fn state(&self, left: &[u32]) -> usize {
        let digits = self.unit.members.iter().zip(left).rev();
        digits.fold(0, |state, (members, left)| state * (*members as usize + 1) + *left as usize)
    }

    /// The state without block `b`, if that has a member of the first kind that is left.
    fn after(&self, left: &[u32], b: usize) -> Option<usize> {
        let takes = &self.unit.blocks[b].takes;
        let first = left.iter().position(|m| *m > 0)?;
        let fits = takes[first] > 0 && takes.iter().zip(left).all(|(takes, left)| takes <= left);
        let rest = || left.iter().zip(takes).map(|(left, takes)| left - takes).collect::<Vec<_>>();
        fits.then(|| self.state(&rest()))
    }

    /// The cheapest way, with its value.
    pub fn cheapest(&self) -> Option<Way> {
        self.ranked().next()
    }

    /// Every way that can be served, by its value.
    fn ranked(&self) -> RankedWays<'_> {
        let mut open = BinaryHeap::new();
        if let Some(least) = self.least.last().copied().flatten() {
            open.push(Reverse((least, 0, self.least.len() - 1, Vec::new())));
        }
        RankedWays { ways: self, open }
    }
}

/// Blocks with their value.
type Way = (i64, Vec<usize>);
/// Part of a way: what it comes to at least, what it comes to so far, the state that is left, blocks.
type Part = (i64, i64, usize, Vec<usize>);

/// Ways of a unit by their value.
struct RankedWays<'a> {
    ways: &'a Ways<'a>,
    open: BinaryHeap<Reverse<Part>>,
}

impl Iterator for RankedWays<'_> {
    type Item = Way;

    fn next(&mut self) -> Option<Self::Item> {
        let ways = self.ways;
        while let Some(Reverse((least, so_far, state, blocks))) = self.open.pop() {
            if state == 0 {
                return Some((least, blocks));
            }
            let left = ways.left(state);
            let first = left.iter().position(|m| *m > 0);
            for b in 0..ways.unit.blocks.len() {
                // Of blocks that begin with the same kind the later ones follow.
                let begins = |b: usize| ways.unit.blocks[b].takes.iter().position(|t| *t > 0);
                let is_back = blocks.last().is_some_and(|&last| b < last && begins(last) == first);
                let Some(after) = ways.after(&left, b).filter(|_| !is_back) else { continue };
                let (Some(value), Some(rest)) = (ways.values[b], ways.least[after]) else {
                    continue;
                };
                let (Some(so_far), Some(least)) = (
                    so_far.checked_add(value),
                    so_far.checked_add(value).and_then(|v| v.checked_add(rest)),
                ) else {
                    continue;
                };
                let with = blocks.iter().copied().chain([b]).collect();
                self.open.push(Reverse((least, so_far, after, with)));
            }
        }
        None
    }
}

/// Decisions over all units by their value, the lowest first.
pub(super) struct Ranked<'a> {
    /// By unit: ways that were met, and those to come.
    units: Vec<(Vec<Way>, RankedWays<'a>)>,
    /// Units with more than one way, and in the heap (value, place in each of them, from where on the
    /// places may rise).
    many: Vec<usize>,
    open: BinaryHeap<Reverse<(i128, Vec<usize>, usize)>>,
}

impl<'a> Ranked<'a> {
    pub fn new(ways: &'a [Ways<'a>]) -> Self {
        let mut units: Vec<_> = ways.iter().map(|ways| (Vec::new(), ways.ranked())).collect();
        let mut value = Some(0_i128);
        for (met, ways) in &mut units {
            let first = ways.next();
            value = value.zip(first.as_ref()).map(|(sum, first)| sum + i128::from(first.0));
            met.extend(first);
        }
        let many = (0..units.len()).filter(|&g| ways[g].unit.blocks.len() > 1).collect::<Vec<_>>();
        let start = value.map(|value| Reverse((value, vec![0; many.len()], 0)));
        Self { units, many, open: start.into_iter().collect() }
    }

    /// The way of unit `g` at a place in the order of values.
    fn way(&mut self, g: usize, place: usize) -> Option<&Way> {
        let (met, more) = &mut self.units[g];
        while met.len() <= place {
            met.push(more.next()?);
        }
        met.get(place)
    }
}

impl Iterator for Ranked<'_> {
    type Item = (i128, Decided);

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((value, places, from)) = self.open.pop()?;
        for i in from..places.len() {
            let g = self.many[i];
            let now = self.way(g, places[i]).map(|way| way.0)?;
            if let Some(next) = self.way(g, places[i] + 1).map(|way| way.0) {
                let mut raised = places.clone();
                raised[i] += 1;
                self.open.push(Reverse((value - i128::from(now) + i128::from(next), raised, i)));
            }
        }
        let mut decided: Decided = self.units.iter().map(|(met, _)| met[0].1.clone()).collect();
        for (&g, &place) in self.many.iter().zip(&places) {
            decided[g] = self.units[g].0[place].1.clone();
        }
        Some((value, decided))
    }
}
