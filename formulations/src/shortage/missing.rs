//! What a plan under shortage lacks of what servers were promised, in words.

use isocost_model::Scenario;

use super::goal::held;
use crate::problem::Problem;

/// Servers that a note names; of more it says how many.
const NAMED: usize = 20;

/// Notes on `shares`, (index of candidate, replicas) by server: whose fewest replicas or card types
/// are not held, and whose most replicas are too few for their load.
pub fn missing(
    scenario: &Scenario,
    problem: &Problem,
    shares: &[Vec<(usize, u64)>],
) -> Vec<String> {
    let (mut floors, mut spreads, mut ceilings) = (Vec::new(), Vec::new(), Vec::new());
    for (s, held) in held(problem, shares).into_iter().enumerate() {
        let (needs, items) = (&problem.servers[s], problem.items(s));
        let name = &scenario.servers[s].name;
        let (floor, types) = (needs.min_replicas, u64::from(needs.min_types));
        if held.replicas < floor {
            floors.push(format!("`{name}` {} of {floor}", held.replicas));
        }
        if types > 1 && held.types < types && !needs.is_idle() {
            spreads.push(format!("`{name}` {} of {types}", held.types));
        }
        let needed = items.iter().map(|item| needs.cover(item)).min();
        if let (Some(needed), Some(most)) = (needed, needs.max_replicas)
            && needs.is_capped(items)
        {
            ceilings.push(format!("`{name}` needs {needed}, {most} allowed"));
        }
    }
    let notes = [
        ("fewest replicas not held (minNumReplicas)", floors),
        ("card types not held (minTypes)", spreads),
        ("most replicas too few for the load (maxNumReplicas)", ceilings),
    ];
    let notes = notes.into_iter().filter(|(_, servers)| !servers.is_empty());
    notes.map(|(what, servers)| format!("{what}: {}", list(&servers))).collect()
}

fn list(servers: &[String]) -> String {
    let named = servers.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
    match servers.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}
