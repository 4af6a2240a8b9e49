//! Servers that wait for their turn, and the order of turns: priority, regret, value.

use super::Run;

/// A server on one of its items.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chance {
    pub item: usize,
    /// Replicas that serve it in full, or as many as it may have.
    pub replicas: u64,
    pub in_full: bool,
    pub value: f64,
}

/// A server that waits for its turn.
pub(super) struct Waiting {
    pub server: usize,
    pub priority: u32,
    pub options: Vec<Chance>,
    pub at: usize,
}

impl Waiting {
    /// `None` where the server has no option.
    pub fn new(run: &Run<'_>, server: usize) -> Option<Self> {
        let (needs, items) = (&run.problem.servers[server], run.problem.items(server));
        let mut options = Vec::new();
        for (item, i) in items.iter().enumerate() {
            // It places a server on one accelerator, which is one type.
            let full = needs.replicas(i).filter(|_| needs.min_types <= 1 || run.policy.is_some());
            let part = (run.policy.is_some() && needs.most(i) > 0).then(|| needs.most(i));
            let Some(replicas) = full.or(part) else { continue };
            let cost = i.cost * replicas as f64;
            let value = if run.transition { needs.change_value(i.accelerator, cost) } else { cost };
            options.push(Chance { item, replicas, in_full: full.is_some(), value });
        }
        // Those that serve in full first, the cheapest before others; else those that serve most.
        let most =
            |o: &Chance| if o.in_full { 0.0 } else { items[o.item].rate * o.replicas as f64 };
        options.sort_by(|a, b| {
            let part = a.in_full.cmp(&b.in_full).reverse().then(most(b).total_cmp(&most(a)));
            part.then(a.value.total_cmp(&b.value))
        });
        let priority = needs.priority;
        (!options.is_empty()).then_some(Self { server, priority, options, at: 0 })
    }

    fn regret(&self) -> f64 {
        let next = self.options.get(self.at + 1);
        next.map_or(f64::INFINITY, |next| next.value - self.options[self.at].value)
    }

    /// Later turns before earlier ones: the queue is taken from its end.
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        let value = |w: &Self| w.options[w.at].value;
        (other.priority.cmp(&self.priority))
            .then_with(|| self.regret().total_cmp(&other.regret()))
            .then_with(|| value(self).total_cmp(&value(other)))
            .then_with(|| other.server.cmp(&self.server))
    }
}
