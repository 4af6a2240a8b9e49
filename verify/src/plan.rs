//! The plan: every load is covered, every limit kept, and the cost is summed anew.

use isocost_model::compare::{SavedPlan, SavedServer};
use rustc_hash::FxHashMap;

use crate::Refusal;
use crate::instance::Instance;
use crate::price::Priced;
use crate::whole::Numbers;

/// What a plan costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// In units of cost, rounded down.
    pub units: i128,
    /// Whether that is all of it.
    pub is_whole: bool,
    /// Cents/h.
    pub cents: f64,
}

impl Cost {
    /// That of `plan`, if it is one.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn of(instance: &Instance, plan: &SavedPlan, numbers: &Numbers) -> Result<Self, Refusal> {
        let broken = |text: String| Err(Refusal::Plan(text));
        let by_name: FxHashMap<&str, &SavedServer> =
            plan.servers.iter().map(|server| (server.name.as_str(), server)).collect();
        let (mut cost, mut used) =
            (Self { units: 0, is_whole: true, cents: 0.0 }, vec![0; numbers.capacity.len()]);
        let nothing = vec![0; numbers.capacity.len()];
        instance.is_placed(plan)?;
        let purchases = instance.purchases(plan)?;
        for (s, server) in instance.servers.iter().enumerate() {
            let mut mix: Vec<(usize, u64)> = Vec::new();
            for &(item, n) in purchases.get(&server.name).into_iter().flatten() {
                mix.push((item, n));
                cost.cents += server.items[item].cost * n as f64;
                for (sum, taken) in used.iter_mut().zip(&numbers.sites[s].replicas[item].uses) {
                    *sum += taken * i128::from(n);
                }
            }
            for part in by_name.get(server.name.as_str()).iter().flat_map(|saved| &saved.parts) {
                let item = server.items.iter().position(|item| item.name == part.accelerator);
                let Some(item) = item else {
                    return broken(format!(
                        "`{}` cannot serve `{}`",
                        part.accelerator, server.name
                    ));
                };
                mix.push((item, part.replicas));
                cost.cents += server.items[item].cost * part.replicas as f64;
                for (sum, taken) in used.iter_mut().zip(&numbers.sites[s].replicas[item].uses) {
                    *sum += taken * i128::from(part.replicas);
                }
            }
            if instance.asked.single && mix.len() > 1 {
                return broken(format!("`{}` runs on {} accelerators", server.name, mix.len()));
            }
            let priced = Priced::new((numbers, server, s), (&nothing, 0, false), None);
            let Some(units) = priced.price(&mix) else {
                return broken(format!("`{}` does not get what it needs", server.name));
            };
            cost.units += units;
            let whole = |share: &(usize, u64)| numbers.sites[s].replicas[share.0].is_whole;
            cost.is_whole &= numbers.sites[s].is_whole && mix.iter().all(whole);
            let off = mix.iter().any(|share| share.1 > 0 && server.now() != Some(share.0));
            if let Some(k) = priced.moves.filter(|_| off) {
                used[k] += 1;
            }
        }
        let over = |(k, (name, there)): (usize, &(String, f64))| {
            (used[k] > numbers.capacity[k])
                .then(|| format!("it takes more than {there} of `{name}`"))
        };
        match instance.limits.iter().enumerate().find_map(over) {
            Some(text) => broken(text),
            None => Ok(cost),
        }
    }
}
