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

/// `T_i`.
pub type Table = FxHashMap<u64, f64>;

/// Entries of all tables, and sums that are formed for them, at most.
const ENTRIES: usize = 1_000_000;
const SUMS: u64 = 40_000_000;

/// `T_0, T_1, ..` for servers with the given (count, reduced cost) of each class of patterns; `None`
/// where they grow too large, or `is_over`.
pub fn tables(
    counter: &Counter,
    lambda: &[f64],
    servers: &[Vec<(u64, f64)>],
    delta: f64,
    is_over: &dyn Fn() -> bool,
) -> Option<Vec<Table>> {
    let mut tables = vec![unused(counter, lambda, delta)?];
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
fn unused(counter: &Counter, lambda: &[f64], delta: f64) -> Option<Table> {
    let mut table = Table::from_iter([(0, 0.0)]);
    for i in 0..counter.limits.len() {
        let (worth, there) = (counter.worth(i, lambda), counter.part(counter.capacity, i));
        let most = ((delta / worth) as u64).min(there);
        if (most as usize).saturating_mul(table.len()) > ENTRIES {
            return None;
        }
        let more = |(&t, &price): (&u64, &f64)| {
            let with = move |n: u64| (t + n * counter.one(i), price + n as f64 * worth);
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
    classes: &[(u64, f64)],
    delta: f64,
    sums: &mut u64,
) -> Option<Table> {
    let mut next = Table::default();
    for (&t, &price) in table {
        let within = classes.iter().take_while(|class| price + class.1 <= delta);
        for &(count, reduced) in within {
            *sums += 1;
            if counter.less(counter.capacity, t + count).is_some() {
                let entry = next.entry(t + count).or_insert(f64::INFINITY);
                *entry = entry.min(price + reduced);
            }
        }
        if *sums > SUMS || next.len() > ENTRIES {
            return None;
        }
    }
    Some(next)
}
