//! The stages of a policy, and what a plan reaches in each.

use super::{Effort, KEPT, Policy};
use crate::problem::Problem;

/// A stage, over some servers.
pub struct Goal {
    /// The servers.
    pub servers: Vec<usize>,
    /// Priority that the servers share, if they are of one.
    pub priority: Option<u32>,
    /// What is maximised over them.
    pub kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The load of those served in full.
    Whole,
    /// The load served.
    Most,
    /// The sum of this many smallest shares.
    Fair(usize),
}

impl Goal {
    /// Priorities of its servers.
    pub fn priorities(&self, problem: &Problem) -> Vec<u32> {
        self.servers.iter().map(|&s| problem.servers[s].priority).collect()
    }

    /// What `shares` reach.
    pub fn value(&self, shares: &[f64], problem: &Problem) -> f64 {
        let demand = |&&s: &&usize| problem.servers[s].demand;
        let reached: f64 = match self.kind {
            Kind::Whole => {
                self.servers.iter().filter(|&&s| shares[s] >= 1.0 - KEPT).map(|s| demand(&s)).sum()
            }
            Kind::Most => self.servers.iter().map(|s| demand(&s) * shares[*s]).sum(),
            Kind::Fair(k) => {
                let mut each: Vec<f64> = self.servers.iter().map(|&s| shares[s]).collect();
                each.sort_by(f64::total_cmp);
                each.iter().take(k).sum()
            }
        };
        // A sum of nothing is -0.
        reached + 0.0
    }

    /// What it `reached`, in words, and what at most was possible where that is not proven.
    pub fn note(&self, problem: &Problem, reached: f64, most: Option<f64>) -> Option<String> {
        let who = self.priority.map_or("all servers".to_owned(), |q| format!("priority {q}"));
        let (of, whole) = match self.kind {
            Kind::Whole | Kind::Most => (self.wanted(problem), ""),
            Kind::Fair(1) => (1.0, " at least"),
            Kind::Fair(k) if k == self.servers.len() => (k as f64, ""),
            Kind::Fair(_) => return None,
        };
        let percent = |value: f64| format!("{:.2}%", 100.0 * value / of);
        let open =
            most.map_or(String::new(), |most| format!(" (not proven: at most {})", percent(most)));
        let share = percent(reached);
        Some(match self.kind {
            Kind::Whole => format!("{who}: {share} of the load is served in full{open}"),
            Kind::Most => format!("{who}: {share} of the load is served{open}"),
            Kind::Fair(1) => format!("{who}: every server gets{whole} {share} of its load{open}"),
            Kind::Fair(_) => {
                format!("{who}: {share} of a server's load is served on the mean{open}")
            }
        })
    }

    /// What it reaches where all are served in full.
    pub fn most(&self, problem: &Problem) -> f64 {
        match self.kind {
            Kind::Whole | Kind::Most => self.wanted(problem),
            Kind::Fair(k) => k as f64,
        }
    }

    fn wanted(&self, problem: &Problem) -> f64 {
        self.servers.iter().map(|&s| problem.servers[s].demand).sum()
    }
}

/// The stages of a policy, in order.
pub fn goals(problem: &Problem, policy: Policy) -> Vec<Goal> {
    let loaded: Vec<usize> =
        (0..problem.servers.len()).filter(|&s| problem.servers[s].demand > 0.0).collect();
    let mut priorities: Vec<u32> = loaded.iter().map(|&s| problem.servers[s].priority).collect();
    priorities.sort_unstable();
    priorities.dedup();
    let of = |q: u32| -> Vec<usize> {
        loaded.iter().copied().filter(|&s| problem.servers[s].priority == q).collect()
    };
    let each = |kind: Kind| {
        priorities.iter().map(move |&q| Goal { servers: of(q), priority: Some(q), kind })
    };
    let fair = |servers: Vec<usize>, priority: Option<u32>| {
        let servers: Vec<usize> =
            servers.into_iter().filter(|&s| !problem.items(s).is_empty()).collect();
        let mut counts: Vec<usize> = std::iter::successors(Some(1), |k| Some(2 * k))
            .take_while(|k| *k < servers.len())
            .collect();
        counts.extend((!servers.is_empty()).then_some(servers.len()));
        let goal = move |k: usize| Goal { servers: servers.clone(), priority, kind: Kind::Fair(k) };
        counts.into_iter().map(goal).collect::<Vec<_>>()
    };
    let mut goals: Vec<Goal> = Vec::new();
    if policy.delayed || policy.effort == Effort::Whole {
        goals.extend(each(Kind::Whole));
    }
    match policy.effort {
        Effort::Whole => {}
        Effort::Exhaustive => goals.extend(each(Kind::Most)),
        Effort::PriorityRoundRobin => {
            goals.extend(priorities.iter().flat_map(|&q| fair(of(q), Some(q))));
        }
        Effort::RoundRobin => goals.extend(fair(loaded.clone(), None)),
    }
    goals
}
