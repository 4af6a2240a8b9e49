//! A plan from the root down: the patterns that the program weighs most are kept, and the rest priced anew.
//!
//! Source: diving in branch and price (Sadykov et al. 2019).

use super::{AllHeld, EXCLUDED, Tree};
use crate::pattern::exact::Held;
use crate::pattern::numbers::Prices;

/// Weight from which on a pattern counts as chosen.
const CHOSEN: f64 = 0.99;
/// Rounds of pricing between two steps.
const ROUNDS: usize = 4;

impl Tree<'_, '_> {
    /// Dives from the node of `held`; every choice on the way is offered.
    pub(super) fn dive(&mut self, held: &AllHeld, start: &Prices) {
        let servers = self.exact.space.problem.servers.len();
        let (mut held, mut prices, mut kept) = (held.clone(), start.clone(), vec![false; servers]);
        while kept.contains(&false) && !self.is_over() {
            let Some(node) = self.bounded(&held, &prices, ROUNDS, None) else { return };
            let Some(relaxed) = node.relaxed.filter(|_| node.bound < self.goal().min(EXCLUDED - 1))
            else {
                return;
            };
            let Some(heaviest) = self.master.heaviest(&relaxed) else { return };
            let open = (0..servers).filter(|&s| !kept[s]);
            let first = open.clone().max_by(|&a, &b| heaviest[a].0.total_cmp(&heaviest[b].0));
            for s in
                open.filter(|&s| heaviest[s].0 >= CHOSEN || Some(s) == first).collect::<Vec<_>>()
            {
                kept[s] = true;
                held.insert(s, exactly(&heaviest[s].1, self.exact.space.items(s).len()));
            }
            prices = node.prices;
        }
    }
}

/// A server held to one mix.
fn exactly(mix: &[(u32, u32)], items: usize) -> Vec<Held> {
    let held = |item: u32| {
        let n = mix.iter().find(|share| share.0 == item).map_or(0, |share| u64::from(share.1));
        Held { item, least: n, most: n }
    };
    (0..items as u32).map(held).collect()
}
