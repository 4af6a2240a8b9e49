//! The problem in the order of names, so that the order of the input's lists decides nothing.
//!
//! Solvers and ties go by index; here servers are sorted by name, the items of each by accelerator,
//! and limits by name. The choice is put back into the order of the input.

use isocost_model::Scenario;
use isocost_model::plan::{Choice, Shape};

use crate::problem::Problem;

/// A problem in the order of names.
#[derive(Debug, Clone)]
pub struct ByName {
    /// The problem.
    pub problem: Problem,
    /// For each of its servers the index in the input.
    order: Vec<usize>,
}

impl ByName {
    /// Sorts `problem`, which was made from `scenario`.
    pub fn new(scenario: &Scenario, problem: &Problem) -> Self {
        let mut order: Vec<usize> = (0..problem.servers.len()).collect();
        order.sort_by(|&a, &b| scenario.servers[a].name.cmp(&scenario.servers[b].name));
        let mut limits: Vec<usize> = (0..problem.limits.len()).collect();
        limits.sort_by(|&a, &b| problem.limits[a].name.cmp(&problem.limits[b].name));
        let mut place = vec![0; limits.len()];
        limits.iter().enumerate().for_each(|(new, &old)| place[old] = new);

        let mut sorted = Problem { groups: Vec::new(), ..problem.clone() };
        sorted.limits = limits.iter().map(|&k| problem.limits[k].clone()).collect();
        let mut number = vec![None; problem.groups.len()];
        let name = |accelerator: usize| &scenario.accelerators[accelerator].name;
        sorted.servers = Vec::with_capacity(order.len());
        for &s in &order {
            let mut needs = problem.servers[s].clone();
            needs.group = *number[needs.group].get_or_insert_with(|| {
                let mut items = problem.groups[needs.group].clone();
                items.sort_by(|a, b| name(a.accelerator).cmp(name(b.accelerator)));
                for item in &mut items {
                    item.uses.iter_mut().for_each(|(k, _)| *k = place[*k]);
                    item.uses.sort_by_key(|u| u.0);
                }
                sorted.groups.push(items);
                sorted.groups.len() - 1
            });
            sorted.servers.push(needs);
        }
        for sold in &mut sorted.sold {
            sold.takes.iter_mut().for_each(|(k, _)| *k = place[*k]);
            sold.spends.iter_mut().for_each(|k| *k = place[*k]);
        }
        Self { problem: sorted, order }
    }

    /// A choice for the sorted problem, in the order of the input.
    pub fn back(&self, mut choice: Choice) -> Choice {
        if choice.shares.len() == self.order.len() {
            let mut shares = vec![Vec::new(); self.order.len()];
            for (share, &s) in choice.shares.into_iter().zip(&self.order) {
                shares[s] = share;
                shares[s].sort_unstable();
            }
            choice.shares = shares;
            let held = choice.nodes.iter_mut().flat_map(|filled| &mut filled.holds);
            held.for_each(|held| held.server = self.order[held.server]);
        }
        choice
    }

    /// The names of a server of the sorted problem and of the accelerator of one of its items; of nodes, where
    /// they follow as servers, their kind and whether they are bought.
    pub fn names(
        &self,
        scenario: &Scenario,
        shape: Shape,
        server: usize,
        item: u32,
    ) -> (String, String) {
        let Some(&of) = self.order.get(server) else {
            return self.problem.purchase_name(scenario, shape, server - self.order.len(), item);
        };
        let accelerator = self.problem.items(server)[item as usize].accelerator;
        let name = &scenario.accelerators[accelerator].name;
        (scenario.servers[of].name.clone(), name.clone())
    }
}
