//! What servers can have at most by their own rules, if cards were no matter.

use crate::pattern::Shape;
use crate::problem::{Item, Needs, Problem};
use crate::server_rows::card_types;

/// The problem in which every server asks for the most that its own rules allow: the load that its
/// ceiling serves, no floor above its ceiling, no more card types than there are, and nothing where no
/// accelerator serves it. A plan for it reaches the most of every stage at once.
pub fn reachable(problem: &Problem, shape: Shape) -> Problem {
    let mut reach = problem.clone();
    for (s, needs) in reach.servers.iter_mut().enumerate() {
        *needs = of_server(&problem.servers[s], problem.items(s), shape);
    }
    reach
}

fn of_server(needs: &Needs, items: &[Item], shape: Shape) -> Needs {
    if items.is_empty() || needs.is_idle() {
        return Needs { demand: 0.0, min_replicas: 0, min_types: 0, ..needs.clone() };
    }
    let most = needs.max_replicas.unwrap_or(u64::MAX);
    let types = match shape {
        Shape::Single => 1,
        Shape::Mixed => card_types(items).len() as u32,
    };
    let fastest = items.iter().map(|item| item.rate).fold(0.0, f64::max);
    Needs {
        demand: if needs.is_capped(items) { fastest * most as f64 } else { needs.demand },
        min_replicas: needs.min_replicas.min(most),
        min_types: needs.min_types.min(types).min(u32::try_from(most).unwrap_or(u32::MAX)),
        ..needs.clone()
    }
}
