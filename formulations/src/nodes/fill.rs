//! Fills: replicas by size that one node holds together.

use super::bin::{Bin, Weights};

/// Replicas by size, in the order of the sizes.
pub type Fill = Vec<u64>;

/// Fills of a kind of node that are listed, at most.
const FILLS: usize = 4_000;

/// The most that replicas weigh whose cards sum up to `cards` at most, any number of each.
pub fn heaviest(cards: u64, weights: &Weights) -> u64 {
    let cards = cards as usize;
    let mut best = vec![0_u64; cards + 1];
    for room in 1..=cards {
        let with = weights.iter().filter(|w| w.0 as usize <= room);
        best[room] = with.map(|w| w.1 + best[room - w.0 as usize]).fold(best[room - 1], u64::max);
    }
    best[cards]
}

/// The largest fills of a node, every other being part of one; `None` where there are too many to list.
pub fn largest(bin: &Bin, sizes: &[u64]) -> Option<Vec<Fill>> {
    let mut fills = Vec::new();
    if bin.geometries.is_empty() {
        let mut fill = vec![0; sizes.len()];
        return grow(bin.cards, sizes, sizes.len(), &mut fill, &mut fills).then_some(fills);
    }
    for cut in &bin.geometries {
        let count = |size: &u64| cut.iter().filter(|&&g| u64::from(g) == *size).count() as u64;
        fills.push(sizes.iter().map(count).collect());
    }
    fills.sort_unstable();
    fills.dedup();
    Some(fills)
}

/// Lists the fills of `room` by the first `left` sizes that leave no room for another of the smallest; false
/// once there are too many.
fn grow(room: u64, sizes: &[u64], left: usize, fill: &mut Fill, fills: &mut Vec<Fill>) -> bool {
    if left == 0 {
        // Whatever is left over holds none of the sizes.
        if sizes.first().is_none_or(|&least| room < least) && fill.iter().any(|n| *n > 0) {
            fills.push(fill.clone());
        }
        return fills.len() <= FILLS;
    }
    let at = left - 1;
    let most = room / sizes[at];
    let least = if at == 0 { most } else { 0 };
    for n in (least..=most).rev() {
        fill[at] = n;
        if !grow(room - n * sizes[at], sizes, at, fill, fills) {
            return false;
        }
    }
    fill[at] = 0;
    true
}

/// What a node takes of `open` replicas where the largest are put in first.
pub fn greedy(bin: &Bin, sizes: &[u64], open: &[u64]) -> Fill {
    let cards = |fill: &Fill| fill.iter().zip(sizes).map(|(n, u)| n * u).sum::<u64>();
    if bin.geometries.is_empty() {
        let mut room = bin.cards;
        let mut fill = vec![0; sizes.len()];
        for at in (0..sizes.len()).rev() {
            fill[at] = open[at].min(room / sizes[at]);
            room -= fill[at] * sizes[at];
        }
        return fill;
    }
    let of_cut = |cut: &Vec<u32>| -> Fill {
        let count = |size: u64| cut.iter().filter(|&&g| u64::from(g) == size).count() as u64;
        sizes.iter().zip(open).map(|(&size, &n)| n.min(count(size))).collect()
    };
    let best = bin.geometries.iter().map(of_cut).max_by_key(cards);
    best.unwrap_or_else(|| vec![0; sizes.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_are_those_that_leave_no_room() {
        let bin = Bin { node: 0, cards: 8, there: 1, geometries: Vec::new() };
        let mut fills = largest(&bin, &[3, 5]).unwrap();
        fills.sort_unstable();
        assert_eq!(fills, [vec![1, 1], vec![2, 0]]);
        assert_eq!(heaviest(8, &vec![(3, 2), (5, 3)]), 5);
        assert_eq!(greedy(&bin, &[3, 5], &[4, 1]), [1, 1]);
    }
}
