//! **greedy**: the reference optimizer's heuristic, kept as a baseline to compare with.
//!
//! ```text
//! v_sj        value of running s on j alone, as in `single`; J(s) in the order of v_sj
//! regret(s)   v of the next option less v of the present one; infinite for the last one
//!
//! order the servers by priority, then by regret (largest first), then by value (largest first);
//! take the first: if its present option fits into what is left of the limits (the moves, where those
//! are limited, among them), it gets it;
//! else it moves on to its next option and is put back in order, or is left out after the last
//! ```
//!
//! Those left out get nothing. By a shortage policy each priority's fewest replicas are held before
//! any of its servers is served (of all priorities, for a round robin over all), and those left out
//! get what is left: `Exhaustive` the most replicas that fit, one server after the other; the round
//! robins one replica each in turn (within a priority, or over all); `Whole` keeps their fewest, save
//! for those whose ceiling is below what they need. Best effort follows each priority, or all of them
//! where it is delayed. Spread over types is not asked for then.
//!
//! It proves nothing: what it costs more than `single`, and whom it leaves out though all would have
//! fitted, is what exactness is worth.

mod waiting;

use isocost_model::plan::{Approach, Choice, Method, Shape, Status};

use waiting::{Chance, Waiting};

use crate::problem::{Item, Problem, ProblemOptions};
use crate::shortage::{Effort, Policy};

/// What the heuristic chooses, and the servers that it does not serve in full.
#[derive(Debug, Clone, PartialEq)]
pub struct Greedy {
    /// The choice; feasible if no server is left out, or a policy says what those get.
    pub choice: Choice,
    /// Indices of the servers that are not served in full.
    pub left_out: Vec<usize>,
}

/// Runs the heuristic on `problem`; with a policy, those left out get what it gives them. `options`
/// say what counts, and how many servers may leave their current accelerator.
pub fn greedy(problem: &Problem, policy: Option<Policy>, options: &ProblemOptions) -> Greedy {
    let mut run = Run::new(problem, policy, options);
    let queue = run.waiting();
    run.serve_all(queue);
    run.finish()
}

/// What servers that get nothing by `shares` can be given beside the rest, those shares included, or
/// `None` if nothing; a limit on moves holds for all of them together.
pub fn beside(
    problem: &Problem,
    policy: Policy,
    options: &ProblemOptions,
    shares: &[Vec<(usize, u64)>],
) -> Option<Vec<Vec<(usize, u64)>>> {
    let mut run = Run::new(problem, Some(policy), options);
    let mut waiting = run.waiting();
    waiting.retain(|w| shares[w.server].is_empty());
    let servers: Vec<usize> = waiting.iter().map(|w| w.server).collect();
    for (s, share) in shares.iter().enumerate() {
        run.restore(s, share.clone());
    }
    run.serve_all(waiting);
    let is_given = servers.iter().any(|&s| !run.shares[s].is_empty());
    is_given.then(|| {
        let mut filled = shares.to_vec();
        servers.iter().for_each(|&s| filled[s] = std::mem::take(&mut run.shares[s]));
        filled
    })
}

/// The heuristic on its way.
struct Run<'a> {
    problem: &'a Problem,
    policy: Option<Policy>,
    /// Whether the change's value counts, not the cost.
    transition: bool,
    left: Vec<f64>,
    /// Moves that are left, where they are limited.
    moves: Option<u64>,
    /// Servers that have moved.
    moved: Vec<bool>,
    shares: Vec<Vec<(usize, u64)>>,
    objective: f64,
    left_out: Vec<usize>,
}

impl<'a> Run<'a> {
    fn new(problem: &'a Problem, policy: Option<Policy>, options: &ProblemOptions) -> Self {
        Self {
            problem,
            policy,
            transition: options.transition,
            left: problem.limits.iter().map(|l| l.capacity).collect(),
            moves: options.max_moves,
            moved: vec![false; problem.servers.len()],
            shares: vec![Vec::new(); problem.servers.len()],
            objective: 0.0,
            left_out: Vec::new(),
        }
    }

    /// Servers that need something and have an option.
    fn waiting(&mut self) -> Vec<Waiting> {
        let mut queue = Vec::new();
        for (s, needs) in self.problem.servers.iter().enumerate() {
            if needs.is_idle() {
                let old = needs.current.filter(|_| self.transition);
                self.objective -= old.map_or(0.0, |(_, old)| old);
                continue;
            }
            match Waiting::new(self, s) {
                Some(waiting) => queue.push(waiting),
                None => self.left_out.push(s),
            }
        }
        queue
    }

    /// Serves whom it can in full, and the others as the policy says, in the policy's order.
    fn serve_all(&mut self, mut queue: Vec<Waiting>) {
        // The first is at the end.
        queue.sort_by(Waiting::order);
        let effort = self.policy.map_or(Effort::Whole, |p| p.effort);
        let delayed = self.policy.is_some_and(|p| p.delayed);
        let together = effort == Effort::RoundRobin && !delayed;
        let mut unserved = Vec::new();
        while let Some(&Waiting { priority, .. }) = queue.last() {
            let of_turn = |w: &Waiting| together || w.priority == priority;
            let turn = queue.split_off(queue.partition_point(|w| !of_turn(w)));
            if self.policy.is_some() {
                turn.iter().rev().for_each(|w| self.hold(w));
            }
            unserved.extend(self.serve(turn));
            if !delayed && !together {
                self.best_effort(std::mem::take(&mut unserved), effort);
            }
        }
        self.best_effort(unserved, effort);
    }

    /// As many of a server's fewest replicas as fit, on the option that holds the most of them.
    fn hold(&mut self, waiting: &Waiting) {
        let fewest = self.problem.servers[waiting.server].min_replicas;
        self.give_most(waiting, fewest);
    }

    /// Serves in full whom it can, in order from the end; returns the others, in that order.
    fn serve(&mut self, mut queue: Vec<Waiting>) -> Vec<Waiting> {
        let mut missed = Vec::new();
        while let Some(mut first) = queue.pop() {
            let option = first.options[first.at];
            let held = self.release(first.server);
            let item = &self.problem.items(first.server)[option.item];
            if option.in_full && self.takes(first.server, item, option.replicas) {
                self.give(first.server, option.item, option.replicas);
                self.objective += option.value - item.cost * option.replicas as f64;
                continue;
            }
            self.restore(first.server, held);
            if first.at + 1 < first.options.len() {
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
            Effort::Whole if self.policy.is_none() => {}
            Effort::Whole => {
                for waiting in missed {
                    let s = waiting.server;
                    if self.problem.servers[s].is_capped(self.problem.items(s)) {
                        self.give_most(&waiting, u64::MAX);
                    }
                }
            }
            Effort::Exhaustive => missed.iter().for_each(|w| self.give_most(w, u64::MAX)),
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

    /// As many replicas as fit, up to `most`, and no fewer than it holds: on the first option that
    /// takes them all, or the most of them.
    fn give_most(&mut self, waiting: &Waiting, most: u64) {
        let s = waiting.server;
        let held = self.release(s);
        let has = held.first().map_or(0, |h| h.1);
        let mut best: Option<(usize, u64)> = None;
        for option in &waiting.options {
            let item = &self.problem.items(s)[option.item];
            let n = self.room(s, item).min(option.replicas).min(most);
            let is_enough = n == option.replicas.min(most);
            if n > has.max(best.map_or(0, |b| b.1)) {
                best = Some((option.item, n));
            }
            if is_enough {
                break;
            }
        }
        match best {
            Some((item, n)) => self.give(s, item, n),
            None => self.restore(s, held),
        }
    }

    /// One replica each in turn, on the option that had room at the first turn, until none fits.
    fn give_in_turn(&mut self, missed: &[Waiting]) {
        let mut chosen: Vec<Option<Chance>> = vec![None; missed.len()];
        let mut open: Vec<usize> = (0..missed.len()).collect();
        while !open.is_empty() {
            open.retain(|&i| {
                let waiting = &missed[i];
                let items = self.problem.items(waiting.server);
                let held = self.shares[waiting.server].first().copied();
                let is_held = |o: &&Chance| held.is_none_or(|(c, _)| items[o.item].candidate == c);
                let room = |o: &&Chance| self.takes(waiting.server, &items[o.item], 1);
                let mut options = waiting.options.iter().filter(is_held).filter(room);
                let option = chosen[i].filter(|o| room(&o)).or_else(|| options.next().copied());
                let Some(option) = option.filter(|o| held.map_or(0, |h| h.1) < o.replicas) else {
                    return false;
                };
                chosen[i] = Some(option);
                self.give(waiting.server, option.item, 1);
                true
            });
        }
    }

    /// Whether server `s` may be on `item`: where it is, moved already, or with a move that is left.
    fn may_be_on(&self, s: usize, item: &Item) -> bool {
        self.moves != Some(0) || self.moved[s] || !self.problem.servers[s].is_off(item)
    }

    /// Whether server `s` can be given that many replicas of `item`.
    fn takes(&self, s: usize, item: &Item, replicas: u64) -> bool {
        self.may_be_on(s, item) && fits(item, replicas, &self.left)
    }

    /// Most replicas of `item` that server `s` can be given.
    fn room(&self, s: usize, item: &Item) -> u64 {
        if self.may_be_on(s, item) { room(item, &self.left) } else { 0 }
    }

    fn give(&mut self, s: usize, item: usize, replicas: u64) {
        let item = &self.problem.items(s)[item];
        take(item, replicas as f64, &mut self.left);
        self.objective += item.cost * replicas as f64;
        match self.shares[s].iter_mut().find(|(candidate, _)| *candidate == item.candidate) {
            Some((_, n)) => *n += replicas,
            None => self.shares[s].push((item.candidate, replicas)),
        }
        self.count_move(s);
    }

    /// Takes back what a server has.
    fn release(&mut self, s: usize) -> Vec<(usize, u64)> {
        let held = std::mem::take(&mut self.shares[s]);
        self.count(s, &held, -1.0);
        self.count_move(s);
        held
    }

    /// Gives back what was taken.
    fn restore(&mut self, s: usize, held: Vec<(usize, u64)>) {
        self.count(s, &held, 1.0);
        self.shares[s] = held;
        self.count_move(s);
    }

    /// Takes a move for a server that has left its accelerator, or gives it back.
    fn count_move(&mut self, s: usize) {
        let Some(moves) = &mut self.moves else { return };
        let needs = &self.problem.servers[s];
        let off = |i: &&Item| needs.is_off(i);
        let mut off = self.problem.items(s).iter().filter(off).map(|i| i.candidate);
        let has_moved =
            off.any(|candidate| self.shares[s].iter().any(|share| share.0 == candidate));
        match (self.moved[s], has_moved) {
            (false, true) => *moves = moves.saturating_sub(1),
            (true, false) => *moves += 1,
            _ => {}
        }
        self.moved[s] = has_moved;
    }

    fn count(&mut self, s: usize, held: &[(usize, u64)], sign: f64) {
        for item in self.problem.items(s) {
            for &(_, n) in held.iter().filter(|h| h.0 == item.candidate) {
                take(item, sign * n as f64, &mut self.left);
                self.objective += sign * item.cost * n as f64;
            }
        }
    }

    fn finish(mut self) -> Greedy {
        self.left_out.sort_unstable();
        let whole = self.left_out.is_empty() || self.policy.is_some();
        let choice = Choice {
            status: if whole { Status::Feasible } else { Status::Unknown },
            shares: self.shares,
            objective: self.objective,
            bound: f64::NEG_INFINITY,
            approach: Approach::new(Shape::Single, Method::Greedy),
            backend: "no solver".to_owned(),
            notes: Vec::new(),
            nodes: Vec::new(),
        };
        Greedy { choice, left_out: self.left_out }
    }
}

fn fits(item: &Item, replicas: u64, left: &[f64]) -> bool {
    item.uses.iter().all(|&(k, amount)| amount * replicas as f64 <= left[k])
}

/// Most replicas of an item that fit into what is left.
fn room(item: &Item, left: &[f64]) -> u64 {
    let most = item.uses.iter().map(|&(k, amount)| (left[k] / amount).floor().max(0.0));
    let most = most.fold(f64::INFINITY, f64::min) as u64;
    // A quotient may be rounded up to a whole number.
    if fits(item, most, left) { most } else { most.saturating_sub(1) }
}

fn take(item: &Item, replicas: f64, left: &mut [f64]) {
    item.uses.iter().for_each(|&(k, amount)| left[k] -= amount * replicas);
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
            weight: 1.0,
        };
        // One cheap scarce card for both; without it the first pays 9, the second 3.
        let group = |other: f64| vec![item(0, 1.0, vec![(0, 1.0)]), item(1, other, vec![(1, 1.0)])];
        let limit = |capacity: f64| Limit { name: String::new(), capacity };
        Problem {
            pools: Vec::new(),
            sold: Vec::new(),
            limits: vec![limit(1.0), limit(capacity)],
            groups: vec![group(9.0), group(3.0)],
            servers: vec![needs(0, 2), needs(1, 2)],
        }
    }

    #[test]
    fn the_larger_regret_goes_first() {
        let found = greedy(&problem(1.0), None, &ProblemOptions::default());
        assert_eq!(found.choice.shares, [[(0, 1)], [(1, 1)]]);
        assert_eq!((found.choice.objective, found.left_out.len()), (4.0, 0));
    }

    #[test]
    fn priority_comes_before_regret() {
        let mut problem = problem(1.0);
        problem.servers[1].priority = 1;
        assert_eq!(greedy(&problem, None, &ProblemOptions::default()).choice.objective, 10.0);
    }

    #[test]
    fn who_has_to_be_spread_is_left_out() {
        let mut problem = problem(10.0);
        problem.servers[0].min_types = 2;
        assert_eq!(greedy(&problem, None, &ProblemOptions::default()).left_out, [0]);
    }

    #[test]
    fn who_does_not_fit_is_left_out() {
        let found = greedy(&problem(0.0), None, &ProblemOptions::default());
        assert_eq!((found.left_out, found.choice.status), (vec![1], Status::Unknown));
    }

    #[test]
    fn no_more_servers_move_than_may() {
        let mut problem = problem(10.0);
        // Both run on the dear accelerator; the cheap one is worth most to the first.
        problem.limits[0].capacity = 10.0;
        problem.servers.iter_mut().for_each(|needs| needs.current = Some((1, 9.0)));
        // Moving saves 8 and is charged a tenth of 9 and 1; staying saves nothing and 6.
        let tries = [
            (None, [0, 0], 2.0, -14.0),
            (Some(1), [0, 1], 4.0, -13.0),
            (Some(0), [1, 1], 12.0, -6.0),
        ];
        for (max_moves, places, cost, change) in tries {
            for (transition, value) in [(false, cost), (true, change)] {
                let options = ProblemOptions { max_moves, transition, unlimited: false };
                let found = greedy(&problem, None, &options);
                assert_eq!(found.choice.shares, places.map(|j| [(j, 1)]), "{options:?}");
                assert_eq!((found.choice.objective, found.left_out.len()), (value, 0));
            }
        }
    }
}
