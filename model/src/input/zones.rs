//! Zones: where accelerators stand, and how far a server's users are from them.
//!
//! A server that names zones (`zones: {eu: 12, us: 95}`) may run in these alone; the time on the way, there and
//! back, is part of its time to the first token and to the last.

use super::fields::Fields;
use super::node::Value;
use super::problem::{Report, known_names};
use crate::scenario::Accelerator;

/// The longest way that makes sense, ms.
const FARTHEST_MS: f64 = 1e5;

/// Time on the way to each accelerator, ms: none where the server names no zone. Those that stand in no zone it names
/// are added to `deny`.
pub(super) fn network(
    fields: &mut Fields<'_>,
    accelerators: &[Accelerator],
    deny: &mut Vec<usize>,
    report: &mut Report,
) -> Vec<f64> {
    let Some(ways) = named(fields, accelerators, report) else { return Vec::new() };
    let way = |accelerator: &Accelerator| {
        let zone = accelerator.zone.as_ref()?;
        ways.iter().find(|(name, _)| name.eq_ignore_ascii_case(zone)).map(|(_, ms)| *ms)
    };
    let found: Vec<Option<f64>> = accelerators.iter().map(way).collect();
    deny.extend((0..found.len()).filter(|&a| found[a].is_none()));
    deny.sort_unstable();
    deny.dedup();
    found.into_iter().map(|ms| ms.unwrap_or(0.0)).collect()
}

/// Zones that the server names, with the time on the way.
fn named(
    fields: &mut Fields<'_>,
    accelerators: &[Accelerator],
    report: &mut Report,
) -> Option<Vec<(String, f64)>> {
    let node = fields.node("zones")?;
    let remedy = "write it as { eu: 12, us: 95 }: zones it may run in, with the time on the way there and back, ms";
    let Value::Object(entries) = &node.value else {
        let what = format!("expected an object, found {}", node.value.kind());
        fields.problem("zones", what, remedy, report);
        return None;
    };
    let mut known: Vec<&str> = accelerators.iter().filter_map(|a| a.zone.as_deref()).collect();
    known.sort_unstable();
    known.dedup();
    let mut ways = Vec::new();
    for (name, value) in entries {
        if !known.iter().any(|zone| zone.eq_ignore_ascii_case(name)) {
            let what = format!("no accelerator stands in zone `{name}`");
            fields.problem("zones", what, &known_names(name, known.iter().copied()), report);
        }
        let ms = match &value.value {
            Value::Number(text) => text.parse::<f64>().ok(),
            _ => None,
        };
        match ms.filter(|ms| (0.0..=FARTHEST_MS).contains(ms)) {
            Some(ms) => ways.push((name.clone(), ms)),
            None => {
                let what =
                    format!("the way to zone `{name}` is no number from 0 to {FARTHEST_MS} ms");
                fields.problem("zones", what, remedy, report);
            }
        }
    }
    if entries.is_empty() {
        fields.problem("zones", "it names no zone".to_owned(), remedy, report);
    }
    Some(ways)
}
