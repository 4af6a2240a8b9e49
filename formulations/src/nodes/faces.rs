//! Faces of small weights.
//!
//! ```text
//! w is a face of a node of b cards   w does not fall with the size, f(w) = D, and no single weight can be
//!                                    raised: max over fills of w p = D, of w p with any w_u + 1 more
//! ```
//!
//! All of them up to a `D` are listed, those that another beats in every weight left out; of what they leave
//! open, a plan that does not fit brings the face that it breaks.

use super::bin::{Bin, Pool, Weights};

/// Largest `D`.
const LARGEST: u64 = 4;
/// Weights that are tried for a node, at most.
const TRIED: usize = 20_000;

/// The faces of a pool, and its number of cards.
pub fn of(pool: &Pool) -> Vec<Weights> {
    let mut all: Vec<Weights> = Vec::new();
    let divisor = pool.sizes.iter().fold(0, |a, &b| gcd(a, b)).max(1);
    all.extend(
        (!pool.sizes.is_empty()).then(|| pool.sizes.iter().map(|&u| (u, u / divisor)).collect()),
    );
    for bin in &pool.bins {
        // The number of cards beats what tells sizes apart less well than it does.
        let counted = all.first().map(|cards| (bin.most(cards), cards.clone()));
        let mut own: Vec<(u64, Weights)> = counted.into_iter().filter(|c| c.0 > 0).collect();
        let mut tried = 0;
        for most in 1..=LARGEST {
            let mut weights = Vec::new();
            list(bin, &pool.sizes, most, &mut weights, &mut tried, &mut own);
        }
        let beaten = |(d, w): &(u64, Weights)| {
            let beats = |(e, v): &(u64, Weights)| {
                v.iter().zip(w).all(|(v, w)| v.1 * d >= w.1 * e)
                    && v.iter().zip(w).any(|(v, w)| v.1 * d > w.1 * e)
            };
            own.iter().any(beats)
        };
        let mut kept: Vec<Weights> =
            own.iter().filter(|face| !beaten(face)).map(|face| face.1.clone()).collect();
        all.append(&mut kept);
    }
    let mut seen: Vec<Weights> = Vec::new();
    seen.extend((!pool.spanning.is_empty()).then(Vec::new));
    for weights in all {
        let weights: Weights = weights.into_iter().filter(|w| w.1 > 0).collect();
        if !weights.is_empty() && !seen.contains(&weights) {
            seen.push(weights);
        }
    }
    seen
}

/// Lists the weights of `sizes` that begin with `weights` and have a heaviest fill of `most`.
fn list(
    bin: &Bin,
    sizes: &[u64],
    most: u64,
    weights: &mut Weights,
    tried: &mut usize,
    found: &mut Vec<(u64, Weights)>,
) {
    if *tried > TRIED {
        return;
    }
    if weights.len() == sizes.len() {
        *tried += 1;
        if is_face(bin, weights, most) {
            found.push((most, weights.clone()));
        }
        return;
    }
    let size = sizes[weights.len()];
    let least = weights.last().map_or(0, |w| w.1);
    for weight in least..=most {
        weights.push((size, weight));
        if bin.most(weights) <= most {
            list(bin, sizes, most, weights, tried, found);
        }
        weights.pop();
    }
}

fn is_face(bin: &Bin, weights: &Weights, most: u64) -> bool {
    let divisor = weights.iter().fold(most, |a, w| gcd(a, w.1));
    let raised = |at: usize| {
        let mut raised = weights.clone();
        raised[at].1 += 1;
        bin.most(&raised)
    };
    let fits = |at: &usize| weights[*at].0 <= bin.cards;
    divisor == 1
        && bin.most(weights) == most
        && (0..weights.len()).filter(fits).all(|at| raised(at) > most)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_a_node_are_a_face() {
        let bin = Bin { node: 0, cards: 8, there: 2, geometries: Vec::new() };
        let pool = Pool {
            card_type: 0,
            name: "H100".to_owned(),
            bins: vec![bin],
            sizes: vec![3, 5],
            spanning: Vec::new(),
        };
        let faces = of(&pool);
        assert!(faces.contains(&vec![(3, 1), (5, 1)]), "{faces:?}");
    }
}
