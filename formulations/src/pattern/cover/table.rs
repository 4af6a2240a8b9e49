//! The cheapest cover by a table over prices, where a search would not come to an end.
//!
//! ```text
//! G(0) = 0,   G(c) = max_j (r_j + G(c - p_j)),  p_j <= c      the most that a price of c covers
//! ```
//!
//! The least `c` with `G(c) >= R` is the least price. Items whose rates follow their prices defeat every
//! bound by ratio; the table does not look at ratios. Prices that share a large divisor make it small.
//! Source: dynamic programming for the unbounded knapsack (Kellerer, Pferschy and Pisinger 2004, 8.3).

use super::{Cover, Mix};

/// Entries of a table, at most.
const ENTRIES: i64 = 1 << 21;
/// Sums that are formed for a table, at most.
const SUMS: i64 = 1 << 25;

/// The cheapest mix of a plain `cover`; `None` where it has rules of its own, or costs more than
/// `known`, the price of a mix, or the table would be too large.
pub fn cheapest(cover: &Cover, known: i64) -> Option<Mix> {
    let items: Vec<_> = cover.entries.iter().filter(|e| e.rate > 0 && e.most > 0).collect();
    if !cover.is_plain() || items.iter().any(|e| e.price <= 0) {
        return None;
    }
    let divisor = items.iter().fold(0, |g, e| gcd(g, e.price));
    let most = (known - cover.base).checked_div(divisor)?;
    if !(0..ENTRIES).contains(&most) || most.saturating_mul(items.len() as i64) > SUMS {
        return None;
    }
    let mut covered = vec![0_i64; most as usize + 1];
    let mut last = vec![u16::MAX; most as usize + 1];
    for c in 1..=most as usize {
        for (at, entry) in items.iter().enumerate() {
            let step = (entry.price / divisor) as usize;
            if step <= c && covered[c - step] + entry.rate > covered[c] {
                covered[c] = covered[c - step] + entry.rate;
                last[c] = at as u16;
            }
        }
        if covered[c] >= cover.need {
            let price = cover.base + c as i64 * divisor;
            let mut shares: Vec<(u32, u32)> = Vec::new();
            let mut rest = c;
            while last[rest] != u16::MAX {
                let entry = items[last[rest] as usize];
                match shares.iter_mut().find(|share| share.0 == entry.item) {
                    Some(share) => share.1 += 1,
                    None => shares.push((entry.item, 1)),
                }
                rest -= (entry.price / divisor) as usize;
            }
            return Some((price, shares));
        }
    }
    None
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
