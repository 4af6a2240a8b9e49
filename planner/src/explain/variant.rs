//! Variants of a problem: the same with one thing changed.

use isocost_formulations::problem::{Item, Problem};

/// The problem with more (or less) of limit `k`.
pub fn with_capacity(problem: &Problem, k: usize, capacity: f64) -> Problem {
    let mut variant = problem.clone();
    variant.limits[k].capacity = capacity;
    variant
}

/// The problem without the servers that `kept` does not keep: they ask for nothing.
pub fn with_servers(problem: &Problem, kept: &[bool]) -> Problem {
    let mut variant = problem.clone();
    for (needs, _) in variant.servers.iter_mut().zip(kept).filter(|(_, kept)| !**kept) {
        needs.demand = 0.0;
        needs.min_replicas = 0;
        needs.min_types = 0;
        needs.current = None;
    }
    variant
}

/// The problem without the limits that `kept` does not keep.
pub fn with_limits(problem: &Problem, kept: &[bool]) -> Problem {
    let mut variant = problem.clone();
    let mut index = vec![None; kept.len()];
    let mut next = 0;
    for (k, place) in index.iter_mut().enumerate().filter(|(k, _)| kept[*k]) {
        *place = Some(next);
        variant.limits[next] = problem.limits[k].clone();
        next += 1;
    }
    variant.limits.truncate(next);
    for item in variant.groups.iter_mut().flatten() {
        let uses = item.uses.iter().filter_map(|&(k, amount)| Some((index[k]?, amount)));
        item.uses = uses.collect();
    }
    for sold in &mut variant.sold {
        let takes = sold.takes.iter().filter_map(|&(k, amount)| Some((index[k]?, amount)));
        sold.takes = takes.collect();
        sold.spends = sold.spends.iter().filter_map(|&k| index[k]).collect();
    }
    variant
}

/// The problem in which server `s` chooses from other items.
pub fn with_items(problem: &Problem, s: usize, items: Vec<Item>) -> Problem {
    let mut variant = problem.clone();
    variant.servers[s].group = variant.groups.len();
    variant.groups.push(items);
    variant
}

/// The problem in which server `s` may use an accelerator only if `keep` does.
pub fn with_accelerators(problem: &Problem, s: usize, keep: impl Fn(usize) -> bool) -> Problem {
    let items = problem.items(s).iter().filter(|item| keep(item.accelerator)).cloned().collect();
    with_items(problem, s, items)
}
