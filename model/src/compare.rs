//! Two plans side by side.
//!
//! Plans are compared as they were written down, by the servers' names: they may come from different
//! scenarios, from another run, or from the inferno optimizer. A server that is in both has *moved* if
//! it runs on other accelerators, else *scaled* if a number of replicas differs, else changed its
//! *batch* size, else its *price* if only the cost differs.

use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::disaggregation::Division;

/// A plan as it was written down.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedPlan {
    /// Where it was read from.
    pub name: String,
    /// Its status, where it says one.
    pub status: Option<String>,
    /// Servers that run, in the order of the file.
    pub servers: Vec<SavedServer>,
    /// Cards in use by type; empty where the plan does not say.
    pub usage: Vec<SavedUsage>,
    /// The nodes that hold the replicas; empty where the plan does not say.
    pub nodes: Vec<SavedFilling>,
    /// Sum of the servers' costs, cents/h.
    pub cost: f64,
}

/// Nodes that are filled alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedFilling {
    /// Their kind.
    pub node: String,
    /// How many of them, or, where a replica spans several, how many times it does.
    pub times: u64,
    /// Nodes that hold it together.
    pub span: u64,
    /// What they hold.
    pub holds: Vec<SavedHeld>,
}

/// Replicas of a server in a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedHeld {
    /// The server.
    pub server: String,
    /// The accelerator.
    pub accelerator: String,
    /// Replicas.
    pub replicas: u64,
}

/// A server of a saved plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedServer {
    /// Its name.
    #[serde(skip)]
    pub name: String,
    /// Replicas by accelerator.
    pub parts: Vec<SavedPart>,
    /// Cost, cents/h.
    pub cost: f64,
    /// The load that it was planned for, where the plan says.
    pub load: Option<SavedLoad>,
    /// Share of the load that is served, in [0, 1].
    pub served: f64,
    /// Servers that share its replicas; none where it stands alone.
    #[serde(skip)]
    pub members: Vec<String>,
    /// Which pool of which server it is, if it is one.
    #[serde(skip)]
    pub pool: Option<SavedPool>,
}

/// A pool of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedPool {
    /// The server.
    pub of: String,
    /// `prefill` or `decode`.
    pub role: String,
    /// Percent of the limits up to the first token that the decode pool gets.
    pub first: u8,
    /// Percent of that up to the last token that the prefill pool gets.
    pub last: u8,
}

impl SavedPool {
    /// How limits are divided.
    pub fn division(&self) -> Division {
        Division { first: self.first, last: self.last }
    }
}

/// Replicas on one accelerator.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedPart {
    /// The accelerator.
    pub accelerator: String,
    /// Replicas.
    pub replicas: u64,
    /// Batch size; 0 where the plan does not say.
    pub batch: u32,
    /// Cost, cents/h.
    pub cost: f64,
}

/// A load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedLoad {
    /// Requests per minute.
    pub arrival_rate: f64,
    /// Mean tokens of a prompt.
    pub input_tokens: f64,
    /// Mean tokens of an answer.
    pub output_tokens: f64,
}

/// Cards in use of one type.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedUsage {
    /// The type.
    pub card_type: String,
    /// Cards in use.
    pub cards: u64,
    /// Cards that there are; `None` without a limit.
    pub available: Option<u64>,
    /// Cost of the replicas on them, cents/h.
    pub cost: f64,
}

/// What became of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// It runs on other accelerators.
    Moved,
    /// It has more or fewer replicas.
    Scaled,
    /// It has another batch size.
    Batch,
    /// It costs another price.
    Price,
    /// It runs in the second plan alone.
    Added,
    /// It runs in the first plan alone.
    Removed,
    /// Nothing.
    Same,
}

impl Change {
    /// Every change, in the order of reports.
    pub const ALL: [Self; 7] = [
        Self::Moved,
        Self::Scaled,
        Self::Batch,
        Self::Price,
        Self::Added,
        Self::Removed,
        Self::Same,
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::Scaled => "scaled",
            Self::Batch => "batch",
            Self::Price => "price",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Same => "same",
        }
    }
}

/// A server in both plans.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerDifference {
    /// The server.
    pub server: String,
    /// What became of it.
    pub change: Change,
    /// In the first plan.
    pub before: Option<SavedServer>,
    /// In the second.
    pub after: Option<SavedServer>,
    /// Its cost in the second less that in the first, cents/h.
    pub cost_change: f64,
}

/// Cards of a type in both plans.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TypeDifference {
    /// The type.
    pub r#type: String,
    /// Cards in use in the first plan.
    pub cards_before: u64,
    /// In the second.
    pub cards_after: u64,
    /// Cards that there are in the second; `None` without a limit.
    pub available: Option<u64>,
    /// Cost on them in the first plan, cents/h.
    pub cost_before: f64,
    /// In the second.
    pub cost_after: f64,
}

/// Replicas on an accelerator in both plans.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AcceleratorDifference {
    /// The accelerator.
    pub accelerator: String,
    /// Replicas on it in the first plan.
    pub replicas_before: u64,
    /// In the second.
    pub replicas_after: u64,
    /// Cost on it in the first plan, cents/h.
    pub cost_before: f64,
    /// In the second.
    pub cost_after: f64,
}

/// How many servers underwent a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Count {
    /// The change.
    pub change: Change,
    /// Servers.
    pub servers: usize,
}

/// Two plans side by side.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Where the first plan comes from.
    pub before: String,
    /// Where the second comes from.
    pub after: String,
    /// Cost of the first, cents/h.
    pub cost_before: f64,
    /// Cost of the second, cents/h.
    pub cost_after: f64,
    /// Cost of the second less that of the first, cents/h.
    pub cost_change: f64,
    /// How many servers underwent each change.
    pub counts: Vec<Count>,
    /// Every server of either plan, in the order of the first, then of the second.
    pub servers: Vec<ServerDifference>,
    /// Card types; empty where one of the plans does not say.
    pub types: Vec<TypeDifference>,
    /// Accelerators that either plan uses.
    pub accelerators: Vec<AcceleratorDifference>,
}

/// Puts two plans side by side.
pub fn compare(before: &SavedPlan, after: &SavedPlan) -> Difference {
    let index = |plan: &SavedPlan| -> FxHashMap<String, SavedServer> {
        plan.servers.iter().map(|s| (s.name.clone(), s.clone())).collect()
    };
    let (mut first, mut second) = (index(before), index(after));
    let names = before.servers.iter().chain(&after.servers).map(|s| s.name.as_str());
    let servers: Vec<ServerDifference> = names
        .filter_map(|name| match (first.remove(name), second.remove(name)) {
            // Seen already among those of the first plan.
            (None, None) => None,
            (before, after) => Some(server(name, before, after)),
        })
        .collect();
    let counts = Change::ALL.map(|change| Count {
        change,
        servers: servers.iter().filter(|s| s.change == change).count(),
    });
    Difference {
        before: before.name.clone(),
        after: after.name.clone(),
        cost_before: before.cost,
        cost_after: after.cost,
        cost_change: after.cost - before.cost,
        counts: counts.into_iter().filter(|c| c.servers > 0).collect(),
        types: types(before, after),
        accelerators: accelerators(before, after),
        servers,
    }
}

fn server(name: &str, before: Option<SavedServer>, after: Option<SavedServer>) -> ServerDifference {
    let cost = |s: &Option<SavedServer>| s.as_ref().map_or(0.0, |s| s.cost);
    let cost_change = cost(&after) - cost(&before);
    let change = match (&before, &after) {
        (Some(before), Some(after)) => change(before, after),
        (None, _) => Change::Added,
        (_, None) => Change::Removed,
    };
    ServerDifference { server: name.to_owned(), change, before, after, cost_change }
}

fn change(before: &SavedServer, after: &SavedServer) -> Change {
    let sorted = |s: &SavedServer, of: &dyn Fn(&SavedPart) -> (String, u64)| {
        let mut each: Vec<(String, u64)> = s.parts.iter().map(of).collect();
        each.sort();
        each
    };
    let differ = |of: &dyn Fn(&SavedPart) -> (String, u64)| sorted(before, of) != sorted(after, of);
    if differ(&|p| (p.accelerator.clone(), 0)) {
        Change::Moved
    } else if differ(&|p| (p.accelerator.clone(), p.replicas)) {
        Change::Scaled
    } else if differ(&|p| (p.accelerator.clone(), u64::from(p.batch))) {
        Change::Batch
    } else if (before.cost - after.cost).abs() > 1e-9 * before.cost.abs().max(after.cost.abs()) {
        Change::Price
    } else {
        Change::Same
    }
}

fn types(before: &SavedPlan, after: &SavedPlan) -> Vec<TypeDifference> {
    if before.usage.is_empty() || after.usage.is_empty() {
        return Vec::new();
    }
    let find = |plan: &SavedPlan, name: &str| {
        plan.usage
            .iter()
            .find(|u| u.card_type == name)
            .map_or((0, None, 0.0), |u| (u.cards, u.available, u.cost))
    };
    let names = union(before.usage.iter().chain(&after.usage).map(|u| u.card_type.as_str()));
    let each = names.into_iter().map(|name| {
        let ((cards_before, _, cost_before), (cards_after, available, cost_after)) =
            (find(before, name), find(after, name));
        let r#type = name.to_owned();
        TypeDifference { r#type, cards_before, cards_after, available, cost_before, cost_after }
    });
    each.collect()
}

fn accelerators(before: &SavedPlan, after: &SavedPlan) -> Vec<AcceleratorDifference> {
    let sum = |plan: &SavedPlan, name: &str| {
        let parts = plan.servers.iter().flat_map(|s| &s.parts).filter(|p| p.accelerator == name);
        parts.fold((0, 0.0), |sum, p| (sum.0 + p.replicas, sum.1 + p.cost))
    };
    let all = before.servers.iter().chain(&after.servers).flat_map(|s| &s.parts);
    let each = union(all.map(|p| p.accelerator.as_str())).into_iter().map(|name| {
        let ((replicas_before, cost_before), (replicas_after, cost_after)) =
            (sum(before, name), sum(after, name));
        AcceleratorDifference {
            accelerator: name.to_owned(),
            replicas_before,
            replicas_after,
            cost_before,
            cost_after,
        }
    });
    each.collect()
}

/// Each name once, in the order of their first appearance.
fn union<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}
