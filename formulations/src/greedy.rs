//! **greedy**: the reference optimizer's heuristic, kept as a baseline to compare with.
//!
//! ```text
//! v_sj        value of running s on j alone, as in `single`; J(s) in the order of v_sj
//! regret(s)   v of the next option less v of the present one; infinite for the last one
//!
//! order the servers by priority, then by regret (largest first), then by value (largest first);
//! take the first: if its present option fits into what is left of the limits, it gets it;
//! else it moves on to its next option and is put back in order, or is left out after the last
//! ```
//!
//! It proves nothing: what it costs more than `single`, and whom it leaves out though all would have
//! fitted, is what exactness is worth.

use isocost_model::plan::{Choice, Status};

use crate::problem::{Item, Problem};

/// What the heuristic chooses, and the servers that it leaves out.
#[derive(Debug, Clone, PartialEq)]
pub struct Greedy {
    /// The choice; feasible if no server is left out.
    pub choice: Choice,
    /// Indices of the servers that got nothing.
    pub left_out: Vec<usize>,
}

/// Runs the heuristic on `problem`.
pub fn greedy(problem: &Problem) -> Greedy {
    let mut left: Vec<f64> = problem.limits.iter().map(|l| l.capacity).collect();
    let mut shares = vec![Vec::new(); problem.servers.len()];
    let (mut objective, mut left_out) = (0.0, Vec::new());
    let mut queue: Vec<Waiting> = Vec::new();
    for s in 0..problem.servers.len() {
        let needs = &problem.servers[s];
        if needs.is_idle() {
            objective -= needs.current.map_or(0.0, |(_, old)| old);
            continue;
        }
        match Waiting::new(problem, s) {
            Some(waiting) => queue.push(waiting),
            None => left_out.push(s),
        }
    }
    // The first is at the end.
    queue.sort_by(Waiting::order);
    while let Some(mut first) = queue.pop() {
        let option = first.options[first.at];
        let item = &problem.items(first.server)[option.item];
        if fits(item, option.replicas, &left) {
            take(item, option.replicas, &mut left);
            objective += option.value;
            shares[first.server] = vec![(item.candidate, option.replicas)];
        } else if first.at + 1 < first.options.len() {
            first.at += 1;
            let place = queue.partition_point(|w| w.order(&first).is_lt());
            queue.insert(place, first);
        } else {
            left_out.push(first.server);
        }
    }
    left_out.sort_unstable();
    let status = if left_out.is_empty() { Status::Feasible } else { Status::Unknown };
    let choice = Choice {
        status,
        shares,
        objective,
        bound: f64::NEG_INFINITY,
        formulation: "greedy".to_owned(),
        backend: "no solver".to_owned(),
        notes: Vec::new(),
    };
    Greedy { choice, left_out }
}

/// A server on one of its items.
#[derive(Debug, Clone, Copy)]
struct Chance {
    item: usize,
    replicas: u64,
    value: f64,
}

/// A server that waits for its turn.
struct Waiting {
    server: usize,
    priority: u32,
    options: Vec<Chance>,
    at: usize,
}

impl Waiting {
    /// `None` where the server has no option.
    fn new(problem: &Problem, server: usize) -> Option<Self> {
        let needs = &problem.servers[server];
        let chance = |(item, i): (usize, &Item)| {
            let replicas = needs.replicas(i)?;
            let value = needs.change_value(i.accelerator, i.cost * replicas as f64);
            Some(Chance { item, replicas, value })
        };
        let mut options: Vec<Chance> =
            problem.items(server).iter().enumerate().filter_map(chance).collect();
        options.sort_by(|a, b| a.value.total_cmp(&b.value));
        let priority = needs.priority;
        (!options.is_empty()).then_some(Self { server, priority, options, at: 0 })
    }

    fn regret(&self) -> f64 {
        let next = self.options.get(self.at + 1);
        next.map_or(f64::INFINITY, |next| next.value - self.options[self.at].value)
    }

    /// Later turns before earlier ones: the queue is taken from its end.
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let value = |w: &Self| w.options[w.at].value;
        (other.priority.cmp(&self.priority))
            .then_with(|| self.regret().total_cmp(&other.regret()))
            .then_with(|| value(self).total_cmp(&value(other)))
            .then_with(|| other.server.cmp(&self.server))
    }
}

fn fits(item: &Item, replicas: u64, left: &[f64]) -> bool {
    item.uses.iter().all(|&(k, amount)| amount * replicas as f64 <= left[k])
}

fn take(item: &Item, replicas: u64, left: &mut [f64]) {
    item.uses.iter().for_each(|&(k, amount)| left[k] -= amount * replicas as f64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{Limit, Needs};

    fn problem(capacity: f64) -> Problem {
        let item = |j: usize, cost: f64, uses: Vec<(usize, f64)>| Item {
            candidate: j,
            rate: 1.0,
            cost,
            uses,
            cards: 1,
            accelerator: j,
            card_type: j,
        };
        let needs = |group: usize, priority: u32| Needs {
            group,
            demand: 1.0,
            min_replicas: 0,
            max_replicas: None,
            min_types: 0,
            current: None,
            priority,
        };
        // One cheap scarce card for both; without it the first pays 9, the second 3.
        let group = |other: f64| vec![item(0, 1.0, vec![(0, 1.0)]), item(1, other, vec![(1, 1.0)])];
        let limit = |capacity: f64| Limit { name: String::new(), capacity };
        Problem {
            limits: vec![limit(1.0), limit(capacity)],
            groups: vec![group(9.0), group(3.0)],
            servers: vec![needs(0, 2), needs(1, 2)],
        }
    }

    #[test]
    fn the_larger_regret_goes_first() {
        let found = greedy(&problem(1.0));
        assert_eq!(found.choice.shares, [[(0, 1)], [(1, 1)]]);
        assert_eq!((found.choice.objective, found.left_out.len()), (4.0, 0));
    }

    #[test]
    fn priority_comes_before_regret() {
        let mut problem = problem(1.0);
        problem.servers[1].priority = 1;
        assert_eq!(greedy(&problem).choice.objective, 10.0);
    }

    #[test]
    fn who_does_not_fit_is_left_out() {
        let found = greedy(&problem(0.0));
        assert_eq!((found.left_out, found.choice.status), (vec![1], Status::Unknown));
    }
}
