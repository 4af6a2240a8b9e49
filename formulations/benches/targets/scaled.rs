//! Larger fleets from a small one, the same on every machine: for growth, not for realism.

use isocost_model::Scenario;

use super::twister::Twister;

/// Standard deviation of the logarithm of the copies' arrival rates.
const SPREAD: f64 = 0.7;

/// `copies` copies of every server of `base`, named `name#0`, `name#1` and so on, their arrival rates
/// multiplied by `exp(N(0, 0.7))`, and `copies` times as many cards of each type. Draws go over the
/// copies and, within a copy, over the servers in the order of their names; with `seed` 1 the result
/// is what `make_instances.py` of the reference data writes.
pub fn scaled(base: &Scenario, copies: u32, seed: u32) -> Scenario {
    let mut draws = Twister::new(seed);
    let mut sorted = base.servers.clone();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let mut fleet = base.clone();
    fleet.servers = Vec::with_capacity(sorted.len() * copies as usize);
    for copy in 0..copies {
        for server in &sorted {
            let mut server = server.clone();
            server.name = format!("{}#{copy}", server.name);
            server.load.arrival_rate_per_min *= (SPREAD * draws.normal()).exp();
            fleet.servers.push(server);
        }
    }
    for card in &mut fleet.card_types {
        card.count = card.count.map(|count| count * u64::from(copies));
    }
    fleet
}
