//! A solution as the reference's clients decode it: every server that was sent, in the fields of its types.

use serde_json::{Map, Value, json};

use super::shape::{ALLOCATION, LOAD, only};
use crate::http::Error;
use crate::json::{field, set, text};

/// What stands beside the allocations.
const BESIDE: [&str; 6] = ["status", "totalCost", "objective", "bound", "gap", "warnings"];

/// The solution of a plan's answer for the `servers` that were sent.
///
/// # Errors
/// Servers that nothing was found for, by their names, `lost` among them.
pub fn solution(plan: &Value, servers: &[Value], mut lost: Vec<String>) -> Result<Value, Error> {
    let mut allocations = Map::new();
    for server in servers {
        let name = text(server, "name");
        let Some(planned) = field(plan, "allocations").and_then(|all| all.get(name)) else {
            lost.push(name.to_owned());
            continue;
        };
        let mut allocation = only(planned, ALLOCATION);
        let sent = field(server, "currentAlloc").and_then(|current| field(current, "load"));
        set(&mut allocation, "load", only(sent.unwrap_or(&Value::Null), LOAD));
        allocations.insert(name.to_owned(), allocation);
    }
    if !lost.is_empty() {
        return Err(unplaced(lost, plan));
    }
    let mut solution = json!({"allocations": allocations});
    for key in BESIDE {
        if let Some(value) = plan.get(key) {
            set(&mut solution, key, value.clone());
        }
    }
    Ok(solution)
}

/// Its optimizer gives no part of a plan.
fn unplaced(mut lost: Vec<String>, plan: &Value) -> Error {
    lost.sort_unstable();
    lost.dedup();
    let mut message =
        format!("optimization error: no feasible allocation for servers: [{}]", lost.join(", "));
    for reason in plan.get("reasons").and_then(Value::as_array).into_iter().flatten() {
        message = format!("{message}; {}", reason.as_str().unwrap_or_default());
    }
    Error::not_found(message)
}
