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
//! Those left out get nothing, or by a shortage policy what is left: `Exhaustive` the most replicas
//! that fit, one server after the other; the round robins one replica each in turn (within a
//! priority, or over all). Best effort follows each priority, or all of them where it is delayed.
//!
//! It proves nothing: what it costs more than `single`, and whom it leaves out though all would have
//! fitted, is what exactness is worth.

use isocost_model::plan::{Approach, Choice, Method, Shape, Status};

use crate::problem::{Item, Problem};
use crate::shortage::{Effort, Policy};

/// What the heuristic chooses, and the servers that it does not serve in full.
#[derive(Debug, Clone, PartialEq)]
pub struct Greedy {
    /// The choice; feasible if no server is left out, or a policy says what those get.
    pub choice: Choice,
    /// Indices of the servers that are not served in full.
    pub left_out: Vec<usize>,
}

/// Runs the heuristic on `problem`; with a policy, those left out get what it gives them.
pub fn greedy(problem: &Problem, policy: Option<Policy>) -> Greedy {
    let mut run = Run {
        problem,
        left: problem.limits.iter().map(|l| l.capacity).collect(),
        shares: vec![Vec::new(); problem.servers.len()],
        objective: 0.0,
        left_out: Vec::new(),
    };
    let mut queue = run.waiting();
    // The first is at the end.
    queue.sort_by(Waiting::order);
    let delayed = policy.is_none_or(|p| p.delayed || p.effort == Effort::RoundRobin);
    let mut unserved = Vec::new();
    while let Some(&Waiting { priority, .. }) = queue.last() {
        let of_turn = |w: &Waiting| delayed || w.priority == priority;
        let turn = queue.split_off(queue.partition_point(|w| !of_turn(w)));
        let missed = run.serve(turn);
        match policy {
            Some(policy) if !delayed => run.best_effort(missed, policy.effort),
            _ => unserved.extend(missed),
        }
    }
    run.best_effort(unserved, policy.map_or(Effort::Whole, |p| p.effort));
    run.finish(policy.is_some())
}

/// The heuristic on its way.
struct Run<'a> {
    problem: &'a Problem,
    left: Vec<f64>,
    shares: Vec<Vec<(usize, u64)>>,
    objective: f64,
    left_out: Vec<usize>,
}

impl Run<'_> {
    /// Servers that need something and have an option.
    fn waiting(&mut self) -> Vec<Waiting> {
        let mut queue = Vec::new();
        for (s, needs) in self.problem.servers.iter().enumerate() {
            if needs.is_idle() {
                self.objective -= needs.current.map_or(0.0, |(_, old)| old);
                continue;
            }
            match Waiting::new(self.problem, s) {
                Some(waiting) => queue.push(waiting),
                None => self.left_out.push(s),
            }
        }
        queue
    }

    /// Serves in full whom it can, in order from the end; returns the others, in that order.
    fn serve(&mut self, mut queue: Vec<Waiting>) -> Vec<Waiting> {
        let mut missed = Vec::new();
        while let Some(mut first) = queue.pop() {
            let option = first.options[first.at];
            let item = &self.problem.items(first.server)[option.item];
            if fits(item, option.replicas, &self.left) {
                self.give(first.server, option.item, option.replicas);
                self.objective += option.value;
            } else if first.at + 1 < first.options.len() {
                first.at += 1;
                let place = queue.partition_point(|w| w.order(&first).is_lt());
                queue.insert(place, first);
            } else {
                missed.push(first);
            }
        }
        missed
    }

    /// Gives `missed` what is left, as the policy says.
    fn best_effort(&mut self, missed: Vec<Waiting>, effort: Effort) {
        self.left_out.extend(missed.iter().map(|w| w.server));
        match effort {
            Effort::Whole => {}
            Effort::Exhaustive => missed.iter().for_each(|w| self.give_most(w)),
            Effort::RoundRobin => self.give_in_turn(&missed),
            Effort::PriorityRoundRobin => {
                let mut rest = &missed[..];
                while let Some(first) = rest.first() {
                    let n = rest.iter().take_while(|w| w.priority == first.priority).count();
                    let (group, others) = rest.split_at(n);
                    self.give_in_turn(group);
                    rest = others;
                }
            }
        }
    }

    /// As many replicas as fit, on the first option of which any fits.
    fn give_most(&mut self, waiting: &Waiting) {
        let items = self.problem.items(waiting.server);
        let most = |c: &Chance| {
            (1..=c.replicas)
                .rev()
                .find(|&n| fits(&items[c.item], n, &self.left))
                .map(|n| (c.item, n))
        };
        if let Some((item, n)) = waiting.options.iter().find_map(most) {
            self.give(waiting.server, item, n);
            self.objective += items[item].cost * n as f64;
        }
    }

    /// One replica each in turn, on the option that had room at the first turn, until none fits.
    fn give_in_turn(&mut self, missed: &[Waiting]) {
        let mut chosen: Vec<Option<Chance>> = vec![None; missed.len()];
        let mut given = vec![0; missed.len()];
        let mut open: Vec<usize> = (0..missed.len()).collect();
        while !open.is_empty() {
            open.retain(|&i| {
                let items = self.problem.items(missed[i].server);
                let room = |c: &&Chance| fits(&items[c.item], 1, &self.left);
                let option = chosen[i].or_else(|| missed[i].options.iter().find(room).copied());
                let Some(option) = option.filter(|o| room(&o) && given[i] < o.replicas) else {
                    return false;
                };
                chosen[i] = Some(option);
                given[i] += 1;
                self.give(missed[i].server, option.item, 1);
                self.objective += items[option.item].cost;
                true
            });
        }
    }

    fn give(&mut self, s: usize, item: usize, replicas: u64) {
        let item = &self.problem.items(s)[item];
        take(item, replicas, &mut self.left);
        match self.shares[s].iter_mut().find(|(candidate, _)| *candidate == item.candidate) {
            Some((_, n)) => *n += replicas,
            None => self.shares[s].push((item.candidate, replicas)),
        }
    }

    fn finish(mut self, best_effort: bool) -> Greedy {
        self.left_out.sort_unstable();
        let whole = self.left_out.is_empty() || best_effort;
        let choice = Choice {
            status: if whole { Status::Feasible } else { Status::Unknown },
            shares: self.shares,
            objective: self.objective,
            bound: f64::NEG_INFINITY,
            approach: Approach::new(Shape::Single, Method::Greedy),
            backend: "no solver".to_owned(),
            notes: Vec::new(),
        };
        Greedy { choice, left_out: self.left_out }
    }
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
            // It places a server on one accelerator, which is one type.
            let replicas = needs.replicas(i).filter(|_| needs.min_types <= 1)?;
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
        let found = greedy(&problem(1.0), None);
        assert_eq!(found.choice.shares, [[(0, 1)], [(1, 1)]]);
        assert_eq!((found.choice.objective, found.left_out.len()), (4.0, 0));
    }

    #[test]
    fn priority_comes_before_regret() {
        let mut problem = problem(1.0);
        problem.servers[1].priority = 1;
        assert_eq!(greedy(&problem, None).choice.objective, 10.0);
    }

    #[test]
    fn who_has_to_be_spread_is_left_out() {
        let mut problem = problem(10.0);
        problem.servers[0].min_types = 2;
        assert_eq!(greedy(&problem, None).left_out, [0]);
    }

    #[test]
    fn who_does_not_fit_is_left_out() {
        let found = greedy(&problem(0.0), None);
        assert_eq!((found.left_out, found.choice.status), (vec![1], Status::Unknown));
    }
}
