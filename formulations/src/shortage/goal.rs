//! The stages of a policy, and what a plan reaches in each.

use super::{Effort, KEPT, Policy};
use crate::problem::Problem;
use crate::server_rows::card_types;

/// A stage, over some servers.
pub struct Goal {
    /// The servers.
    pub servers: Vec<usize>,
    /// Priority that the servers share, if they are of one.
    pub priority: Option<u32>,
    /// What is maximised over them.
    pub kind: Kind,
}

/// What a stage maximises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The replicas held of the fewest that are asked for.
    Floor,
    /// The card types held of the fewest that are asked for.
    Types,
    /// The load of those served in full.
    Whole,
    /// The load served.
    Most,
    /// The load served of those whose ceiling is below what their load needs.
    Capped,
    /// The sum of this many smallest shares, each over its server's weight.
    Fair(usize),
}

/// What a plan gives a server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    /// Share of its load that is served, in [0, 1]; 1 without load.
    pub share: f64,
    /// Replicas on all items.
    pub replicas: u64,
    /// Card types in use.
    pub types: u64,
}

/// What `shares`, (index of candidate, replicas) by server, give each.
pub fn held(problem: &Problem, shares: &[Vec<(usize, u64)>]) -> Vec<Held> {
    let mut all = Vec::with_capacity(shares.len());
    for (s, share) in shares.iter().enumerate() {
        let (mut rate, mut replicas, mut on) = (0.0, 0, Vec::new());
        for item in problem.items(s) {
            let n: u64 = share.iter().filter(|n| n.0 == item.candidate).map(|n| n.1).sum();
            if n > 0 {
                rate += item.rate * n as f64;
                replicas += n;
                on.push(item);
            }
        }
        let demand = problem.servers[s].demand;
        let share = if demand > 0.0 { (rate / demand).min(1.0) } else { 1.0 };
        all.push(Held { share, replicas, types: card_types(on).len() as u64 });
    }
    all
}

impl Goal {
    /// What a plan reaches that gives servers what is `held`.
    pub fn value(&self, problem: &Problem, held: &[Held]) -> f64 {
        let sum = |of: &dyn Fn(usize) -> f64| self.servers.iter().map(|&s| of(s)).sum::<f64>();
        let needs = &problem.servers;
        let reached = match self.kind {
            Kind::Floor => sum(&|s| held[s].replicas.min(needs[s].min_replicas) as f64),
            Kind::Types => sum(&|s| held[s].types.min(u64::from(needs[s].min_types)) as f64),
            Kind::Whole => {
                sum(&|s| if held[s].share >= 1.0 - KEPT { needs[s].demand } else { 0.0 })
            }
            Kind::Most | Kind::Capped => sum(&|s| needs[s].demand * held[s].share),
            Kind::Fair(k) => {
                least(k, self.servers.iter().map(|&s| self.level(problem, s, held[s].share)))
            }
        };
        // A sum of nothing is -0.
        reached + 0.0
    }

    /// No plan reaches more, as the servers' own rules are; `reach` asks for just that.
    pub fn most(&self, problem: &Problem, reach: &Problem) -> f64 {
        let (needs, most) = (&problem.servers, &reach.servers);
        let sum = |of: &dyn Fn(usize) -> f64| self.servers.iter().map(|&s| of(s)).sum::<f64>();
        match self.kind {
            Kind::Floor => sum(&|s| most[s].min_replicas as f64),
            Kind::Types => sum(&|s| f64::from(most[s].min_types)),
            Kind::Whole => {
                sum(&|s| if most[s].demand < needs[s].demand { 0.0 } else { needs[s].demand })
            }
            Kind::Most | Kind::Capped => sum(&|s| most[s].demand),
            Kind::Fair(k) => {
                let level = |s: usize| self.level(problem, s, most[s].demand / needs[s].demand);
                least(k, self.servers.iter().map(|&s| level(s)))
            }
        }
    }

    /// A server's share over its weight, that of the lightest being 1: at most 1.
    pub fn level(&self, problem: &Problem, s: usize, share: f64) -> f64 {
        share * self.lightest(problem) / problem.servers[s].weight
    }

    fn lightest(&self, problem: &Problem) -> f64 {
        self.servers.iter().map(|&s| problem.servers[s].weight).fold(f64::INFINITY, f64::min)
    }

    /// The most that it can reach at a bound of `most`: what it counts is whole.
    pub fn rounded(&self, most: f64) -> f64 {
        match self.kind {
            Kind::Floor | Kind::Types => (most + 1e-6).floor(),
            _ => most,
        }
    }

    /// Whether each server has the most of it that its own rules allow.
    pub fn is_met(&self, problem: &Problem, reach: &Problem, held: &[Held]) -> bool {
        if let Kind::Fair(_) = self.kind {
            return self.value(problem, held) >= self.most(problem, reach) - KEPT;
        }
        self.servers.iter().all(|&s| {
            let (needs, most, held) = (&problem.servers[s], &reach.servers[s], held[s]);
            match self.kind {
                Kind::Floor => held.replicas >= most.min_replicas,
                Kind::Types => held.types >= u64::from(most.min_types),
                Kind::Whole => most.demand < needs.demand || held.share >= 1.0 - KEPT,
                _ => needs.demand * held.share >= most.demand * (1.0 - KEPT),
            }
        })
    }

    /// What it `reached`, in words, and what at most was possible where that is not proven.
    pub fn note(&self, problem: &Problem, reached: f64, most: Option<f64>) -> Option<String> {
        let who = self.priority.map_or("all servers".to_owned(), |q| format!("priority {q}"));
        let of = match self.kind {
            Kind::Floor => self.sum(problem, |needs| needs.min_replicas as f64),
            Kind::Types => self.sum(problem, |needs| f64::from(needs.min_types)),
            Kind::Fair(k) if k > 1 && k < self.servers.len() => return None,
            _ => self.unit(problem),
        };
        // What is missing of promises is told server by server.
        if matches!(self.kind, Kind::Floor | Kind::Types) && most.is_none() {
            return None;
        }
        let percent = |value: f64| format!("{:.2}%", 100.0 * value / of);
        let open =
            most.map_or(String::new(), |most| format!(" (not proven: at most {})", percent(most)));
        let share = percent(reached);
        Some(match self.kind {
            Kind::Floor => format!("{who}: {share} of the fewest replicas are held{open}"),
            Kind::Types => format!("{who}: {share} of the fewest card types are held{open}"),
            Kind::Whole => format!("{who}: {share} of the load is served in full{open}"),
            Kind::Most => format!("{who}: {share} of the load is served{open}"),
            Kind::Capped => {
                format!("{who}: {share} of the load of servers at their ceiling is served{open}")
            }
            Kind::Fair(k) => {
                let weighs = |s: &usize| problem.servers[*s].weight != self.lightest(problem);
                let by = if self.servers.iter().any(weighs) {
                    format!(", times its weight over {}", self.lightest(problem))
                } else {
                    String::new()
                };
                match k {
                    1 => format!("{who}: every server gets at least {share} of its load{by}{open}"),
                    _ => {
                        format!("{who}: {share} of a server's load is served on the mean{by}{open}")
                    }
                }
            }
        })
    }

    /// What the program counts it in: ones, or the load that is wanted, so that no stage is larger
    /// than a solver's tolerance is made for.
    pub fn unit(&self, problem: &Problem) -> f64 {
        match self.kind {
            Kind::Floor | Kind::Types => 1.0,
            Kind::Whole | Kind::Most | Kind::Capped => self.sum(problem, |needs| needs.demand),
            Kind::Fair(k) => k as f64,
        }
    }

    fn sum(&self, problem: &Problem, of: impl Fn(&crate::problem::Needs) -> f64) -> f64 {
        self.servers.iter().map(|&s| of(&problem.servers[s])).sum()
    }
}

/// The sum of the `k` least values.
fn least(k: usize, values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.iter().take(k).sum()
}

/// The stages of a policy, in order; none without servers.
pub fn goals(problem: &Problem, policy: Policy) -> Vec<Goal> {
    let asking = problem.servers.iter().filter(|needs| !needs.is_idle());
    let mut priorities: Vec<u32> = asking.map(|needs| needs.priority).collect();
    priorities.sort_unstable();
    priorities.dedup();
    let mut stages = Stages { problem, goals: Vec::new() };
    for &q in &priorities {
        stages.promises(q);
        if policy.delayed || policy.effort == Effort::Whole {
            stages.loaded(Kind::Whole, q);
        }
        if policy.effort == Effort::Whole || !policy.delayed {
            stages.best_effort(policy.effort, q);
        }
    }
    if policy.delayed && policy.effort != Effort::Whole {
        priorities.iter().for_each(|&q| stages.best_effort(policy.effort, q));
    }
    if policy.effort == Effort::RoundRobin {
        stages.fair(None);
    }
    stages.goals
}

/// The stages as they are listed.
struct Stages<'a> {
    problem: &'a Problem,
    goals: Vec<Goal>,
}

impl Stages<'_> {
    fn add(&mut self, kind: Kind, priority: Option<u32>, is_meant: impl Fn(usize) -> bool) {
        let of_priority = |s: usize| priority.is_none_or(|q| self.problem.servers[s].priority == q);
        let all = 0..self.problem.servers.len();
        let servers: Vec<usize> = all.filter(|&s| of_priority(s) && is_meant(s)).collect();
        if !servers.is_empty() {
            self.goals.push(Goal { servers, priority, kind });
        }
    }

    fn promises(&mut self, q: u32) {
        let needs = &self.problem.servers;
        self.add(Kind::Floor, Some(q), |s| needs[s].min_replicas > 0);
        self.add(Kind::Types, Some(q), |s| !needs[s].is_idle() && needs[s].min_types > 1);
    }

    fn loaded(&mut self, kind: Kind, q: u32) {
        let needs = &self.problem.servers;
        self.add(kind, Some(q), |s| needs[s].demand > 0.0);
    }

    fn best_effort(&mut self, effort: Effort, q: u32) {
        let problem = self.problem;
        match effort {
            Effort::Whole => self.add(Kind::Capped, Some(q), |s| {
                problem.servers[s].demand > 0.0 && problem.servers[s].is_capped(problem.items(s))
            }),
            Effort::Exhaustive => self.loaded(Kind::Most, q),
            Effort::PriorityRoundRobin => self.fair(Some(q)),
            Effort::RoundRobin => {}
        }
    }

    /// Fair stages over those that some accelerator serves, each over twice as many.
    fn fair(&mut self, priority: Option<u32>) {
        let problem = self.problem;
        let is_meant = |s: usize| problem.servers[s].demand > 0.0 && !problem.items(s).is_empty();
        let before = self.goals.len();
        self.add(Kind::Fair(1), priority, is_meant);
        let all = self.goals.get(before).map_or(0, |goal| goal.servers.len());
        let mut k = 2;
        while k < 2 * all {
            self.add(Kind::Fair(k.min(all)), priority, is_meant);
            k *= 2;
        }
    }
}
