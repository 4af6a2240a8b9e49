//! Makes a failing case small.

use super::case::Case;
use super::run::PANIC;

/// The smallest case found on the way from `case` by simpler ones that still fail, and how it does. A
/// panic stays one, and nothing else becomes one.
pub fn shrink(case: &Case, fails: impl Fn(&Case) -> Option<String>) -> (Case, String) {
    let mut least = case.clone();
    let mut how = fails(case).expect("it failed before");
    loop {
        let alike = |other: &String| other.starts_with(PANIC) == how.starts_with(PANIC);
        let failure = |case: Case| Some((fails(&case).filter(alike)?, case));
        let next = simpler(&least).into_iter().find_map(failure).map(|(how, case)| (case, how));
        let Some(next) = next else { return (least, how) };
        (least, how) = next;
    }
}

/// The case as it can be pasted into a test.
pub fn as_code(case: &Case) -> String {
    format!("{case:?}").replace('[', "vec![")
}

/// Cases with one thing less.
fn simpler(case: &Case) -> Vec<Case> {
    let mut found = Vec::new();
    let mut offer = |change: &dyn Fn(&mut Case)| {
        let mut changed = case.clone();
        change(&mut changed);
        if changed != *case {
            found.push(changed);
        }
    };
    for s in 0..case.servers.len() {
        if case.servers.len() > 1 {
            offer(&|c| {
                c.servers.remove(s);
            });
        }
    }
    for m in 0..case.models.len() {
        for j in 0..case.models[m].len() {
            offer(&|c| {
                c.models[m].remove(j);
            });
        }
    }
    for b in 0..case.budgets.len() {
        offer(&|c| {
            c.budgets.remove(b);
        });
        offer(&|c| c.budgets[b].cards = None);
        offer(&|c| c.budgets[b].watts = None);
    }
    for t in 0..case.cards.len() {
        offer(&|c| c.cards[t] = None);
    }
    for i in 0..case.nodes.len() {
        offer(&|c| {
            c.nodes.remove(i);
        });
        offer(&|c| c.nodes[i].cards.truncate(1));
        offer(&|c| c.nodes[i].cuts.clear());
        offer(&|c| {
            c.nodes[i].cuts.pop();
        });
    }
    offer(&|c| c.multi_node = false);
    offer(&|c| c.nodes.iter_mut().for_each(|kind| kind.price = None));
    offer(&|c| c.transition = false);
    offer(&|c| c.max_moves = None);
    offer(&|c| c.policy.1 = false);
    offer(&|c| c.without = 0);
    offer(&|c| (c.cents, c.per_min) = (1.0, 60.0));
    for s in 0..case.servers.len() {
        offer(&|c| c.servers[s].now = None);
        offer(&|c| c.servers[s].most = None);
        offer(&|c| c.servers[s].types = 0);
        offer(&|c| c.servers[s].priority = 1);
    }
    let mut numbers = case.clone();
    for (i, (number, least)) in all_numbers(&mut numbers).into_iter().enumerate() {
        for less in [least, *number / 2, number.saturating_sub(1)] {
            offer(&|c| *all_numbers(c)[i].0 = less.max(least));
        }
    }
    found.retain(|case| case.servers.iter().all(|s| s.most.is_none_or(|most| most >= s.least)));
    found
}

/// Every number of a case that may be smaller, and the least that it may be.
fn all_numbers(case: &mut Case) -> Vec<(&mut u64, u64)> {
    let mut all = Vec::new();
    for s in &mut case.servers {
        all.extend([(&mut s.load, 0), (&mut s.least, 0)]);
        all.extend(s.most.as_mut().map(|most| (most, 0)));
        all.extend(s.now.as_mut().map(|now| (&mut now.1, 0)));
    }
    for p in case.models.iter_mut().flatten() {
        all.extend([(&mut p.rate, 1), (&mut p.units, 1)]);
    }
    for a in &mut case.accelerators {
        all.extend([(&mut a.price, 0), (&mut a.watts, 0), (&mut a.multiplicity, 1)]);
    }
    for b in &mut case.budgets {
        all.extend(b.cards.as_mut().into_iter().chain(b.watts.as_mut()).map(|n| (n, 0)));
    }
    all.extend(case.cards.iter_mut().flatten().map(|n| (n, 0)));
    for kind in &mut case.nodes {
        all.extend(kind.price.as_mut().into_iter().chain(kind.count.as_mut()).map(|n| (n, 0)));
    }
    all
}
