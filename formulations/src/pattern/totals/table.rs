//! Tables of the least price at which a few servers take exactly so much of the counted limits.
//!
//! ```text
//! T_0(t) = sum_k lambda_k t_k                              what is left unused
//! T_i(t) = min_p (pi_p + T_{i-1}(t - u_p)),  p in P(i)     pi_p: reduced cost of p
//! ```
//!
//! Only entries of at most `delta` are kept: no plan within `delta` of the bound passes by another.

use rustc_hash::FxHashMap;

use super::counter::Counter;
use crate::pattern::numbers::Prices;

/// `T_i`.
pub type Table = FxHashMap<u64, i64>;

/// Entries of all tables, and sums that are formed for them, at most.
const ENTRIES: usize = 4_000_000;
const SUMS: u64 = 200_000_000;

/// `T_0, T_1, ..` for servers with the given (count, reduced cost) of each class of patterns; `None`
/// where they grow too large, or `is_over`. `delta` and prices are at least 0.
pub fn tables(
    counter: &Counter,
    prices: &Prices,
    servers: &[Vec<(u64, i64)>],
    delta: i64,
    is_over: &dyn Fn() -> bool,
) -> Option<Vec<Table>> {
    let mut tables = vec![unused(counter, prices, delta)?];
    let (mut entries, mut sums) = (0, 0);
    for classes in servers {
        let last = tables.last().expect("there is one from the start");
        let next = extended(counter, last, classes, delta, &mut sums)?;
        entries += next.len();
        if entries > ENTRIES || is_over() {
            return None;
        }
        tables.push(next);
    }
    Some(tables)
}

/// `T_0`.
fn unused(counter: &Counter, prices: &Prices, delta: i64) -> Option<Table> {
    let mut table = Table::from_iter([(0, 0)]);
    for i in 0..counter.limits.len() {
        let (worth, there) = (counter.worth(i, prices), counter.part(counter.capacity, i));
        let most = delta.checked_div(worth).map_or(there, |n| (n as u64).min(there));
        if (most as usize).saturating_mul(table.len()) > ENTRIES {
            return None;
        }
        let more = |(&t, &price): (&u64, &i64)| {
            let with = move |n: u64| (t + n * counter.one(i), price + n as i64 * worth);
            (0..=most).map(with).filter(|entry| entry.1 <= delta).collect::<Vec<_>>()
        };
        table = table.iter().flat_map(more).collect();
    }
    Some(table)
}

/// The table with one more server, its classes in the order of their reduced costs.
fn extended(
    counter: &Counter,
    table: &Table,
    classes: &[(u64, i64)],
    delta: i64,
    sums: &mut u64,
) -> Option<Table> {
    let mut next = Table::default();
    for (&t, &price) in table {
        let within = classes.iter().take_while(|class| price + class.1 <= delta);
        for &(count, reduced) in within {
            *sums += 1;
            if counter.less(counter.capacity, t + count).is_some() {
                let entry = next.entry(t + count).or_insert(i64::MAX);
                *entry = (*entry).min(price + reduced);
            }
        }
        if *sums > SUMS || next.len() > ENTRIES {
            return None;
        }
    }
    Some(next)
}
