//! Plans read back from `plan.json`, or from the inferno optimizer's `AllocationSolution`, of which
//! it is a superset.

use std::path::{Path, PathBuf};

use super::fields::{ABSURD, Fields};
use super::node::{self, Node, Value};
use super::problem::{InputError, Report};
use super::text::{name_of, read_text};
use crate::compare::{
    SavedFilling, SavedHeld, SavedLoad, SavedPart, SavedPlan, SavedPool, SavedServer, SavedUsage,
};

/// The file of a plan in the directory that `--out` wrote.
const FILE: &str = "plan.json";
/// Costs and counts above this are no plan.
const MOST: u32 = 1_000_000_000;
const REMEDY: &str = "give a plan.json, the --out directory that holds one, or a scenario";

/// Whether `path` is a saved plan and not a scenario: a directory with a `plan.json`, or a JSON file
/// with `allocations`.
pub fn is_plan(path: &Path) -> bool {
    if path.is_dir() {
        return path.join(FILE).is_file();
    }
    if !path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json")) {
        return false;
    }
    let text = read_text(path).ok();
    let root = text.and_then(|text| node::parse("", &text, &mut Report::default()));
    match root.map(|node| node.value) {
        Some(Value::Object(entries)) => {
            !entries.iter().any(|(key, _)| key.ends_with("data") || key == "system")
        }
        Some(_) => true,
        // What is wrong with it is said where it is read.
        None => path.is_file(),
    }
}

/// Reads the plan at `path`: a file, or a directory with a `plan.json`.
///
/// # Errors
/// Every problem found, if there is any.
pub fn load_plan(path: &Path) -> Result<SavedPlan, InputError> {
    let file: PathBuf = if path.is_dir() { path.join(FILE) } else { path.to_owned() };
    let name = name_of(&file);
    match read_text(&file) {
        Ok(text) => plan_text(&name, &text),
        Err(what) => {
            let mut report = Report::default();
            report.problem_in(&name, what, REMEDY);
            Err(InputError { problems: report.problems })
        }
    }
}

/// Reads the plan in `text`; `name` stands for the file in messages.
///
/// # Errors
/// Every problem found, if there is any.
pub fn plan_text(name: &str, text: &str) -> Result<SavedPlan, InputError> {
    let mut report = Report::default();
    // The keys of `allocations` are the servers' names.
    let plan = node::parse_names(name, text, 1, &mut report)
        .and_then(|node| plan(name, &node, &mut report));
    match plan.filter(|_| report.problems.is_empty()) {
        Some(plan) => Ok(plan),
        None => Err(InputError { problems: report.problems }),
    }
}

fn plan(file: &str, node: &Node, report: &mut Report) -> Option<SavedPlan> {
    let Value::Object(entries) = &node.value else {
        let what = format!("expected an object with `allocations`, found {}", node.value.kind());
        report.problem_at(file, node.at, "", what, REMEDY);
        return None;
    };
    let Some((_, allocations)) = entries.iter().find(|e| e.0 == "allocations") else {
        let what = "there is no `allocations`: this is no plan".to_owned();
        report.problem_at(file, node.at, "", what, REMEDY);
        return None;
    };
    let Value::Object(servers) = &allocations.value else {
        let what = format!("expected an object of servers, found {}", allocations.value.kind());
        report.problem_at(file, allocations.at, "allocations", what, REMEDY);
        return None;
    };
    let servers: Vec<SavedServer> =
        servers.iter().filter_map(|(name, node)| server(file, name, node, report)).collect();
    let mut fields = Fields::new(file, node, "plan", report)?;
    let status = fields.text("status", report).map(str::to_owned);
    let usage = if fields.has("usage") { usage(&mut fields, report) } else { Vec::new() };
    let cost = servers.iter().map(|s| s.cost).sum::<f64>() + 0.0;
    let nodes = if fields.has("nodes") { nodes(&mut fields, report) } else { Vec::new() };
    Some(SavedPlan { name: file.to_owned(), status, servers, usage, nodes, cost })
}

fn server(file: &str, name: &str, node: &Node, report: &mut Report) -> Option<SavedServer> {
    let mut fields = Fields::new(file, node, &format!("server `{name}`"), report)?;
    let cost = fields.number("cost", 0.0..=ABSURD, report);
    let load = fields.inner("load", report).map(|mut load| SavedLoad {
        arrival_rate: load.number("arrivalrate", 0.0..=ABSURD, report).unwrap_or(0.0),
        input_tokens: load.number("avgintokens", 0.0..=ABSURD, report).unwrap_or(0.0),
        output_tokens: load.number("avgouttokens", 0.0..=ABSURD, report).unwrap_or(0.0),
    });
    let served = fields.number("servedshare", 0.0..=1.0, report).unwrap_or(1.0);
    let parts: Vec<SavedPart> = match fields.has("parts") {
        true => {
            let parts = fields.list("parts", report);
            parts.into_iter().filter_map(|mut part| self::part(&mut part, report)).collect()
        }
        // The inferno optimizer has one accelerator a server, and an empty name for none.
        false => {
            let placed = fields.whole("numreplicas", 0..=MOST, report).unwrap_or(0) > 0;
            if placed { part(&mut fields, report).into_iter().collect() } else { Vec::new() }
        }
    };
    let cost = cost.unwrap_or_else(|| parts.iter().map(|p| p.cost).sum::<f64>() + 0.0);
    let members = fields.names("members", report).into_iter().map(str::to_owned).collect();
    let pool = fields.inner("pool", report).map(|mut pool| {
        let mut percent =
            |key| pool.whole(key, 1..=99, report).and_then(|p| u8::try_from(p).ok()).unwrap_or(50);
        let (first, last) = (percent("firstpercent"), percent("lastpercent"));
        let of = pool.name("of", report).to_owned();
        SavedPool { of, role: pool.name("role", report).to_owned(), first, last }
    });
    Some(SavedServer { name: name.to_owned(), parts, cost, load, served, members, pool })
}

fn part(fields: &mut Fields<'_>, report: &mut Report) -> Option<SavedPart> {
    let accelerator = fields.name("accelerator", report).to_owned();
    let missing = |fields: &Fields<'_>, key: &str, report: &mut Report| {
        fields.problem(key, format!("`{key}` is missing"), "write the plan anew", report);
    };
    for key in ["numreplicas", "cost"] {
        if !fields.has(key) {
            missing(fields, key, report);
        }
    }
    Some(SavedPart {
        accelerator,
        replicas: u64::from(fields.whole("numreplicas", 0..=MOST, report)?),
        batch: fields.whole("maxbatch", 0..=MOST, report).unwrap_or(0),
        cost: fields.number("cost", 0.0..=ABSURD, report)?,
    })
}

fn usage(fields: &mut Fields<'_>, report: &mut Report) -> Vec<SavedUsage> {
    let entry = |mut entry: Fields<'_>, report: &mut Report| {
        Some(SavedUsage {
            card_type: entry.name("type", report).to_owned(),
            cards: u64::from(entry.whole("cards", 0..=MOST, report)?),
            available: entry.whole("available", 0..=MOST, report).map(u64::from),
            cost: entry.number("cost", 0.0..=ABSURD, report).unwrap_or(0.0),
        })
    };
    let list = fields.list("usage", report);
    list.into_iter().filter_map(|fields| entry(fields, report)).collect()
}

fn nodes(fields: &mut Fields<'_>, report: &mut Report) -> Vec<SavedFilling> {
    let mut fillings = Vec::new();
    for mut kind in fields.list("nodes", report) {
        let node = kind.name("node", report).to_owned();
        for mut filled in kind.list("filled", report) {
            let count = |fields: &mut Fields<'_>, key, report: &mut Report| {
                u64::from(fields.whole(key, 0..=MOST, report).unwrap_or(0))
            };
            let (times, span) =
                (count(&mut filled, "times", report), count(&mut filled, "span", report));
            let held = filled.list("holds", report).into_iter().map(|mut held| SavedHeld {
                server: held.name("server", report).to_owned(),
                accelerator: held.name("accelerator", report).to_owned(),
                replicas: count(&mut held, "replicas", report),
            });
            let holds = held.collect();
            fillings.push(SavedFilling { node: node.clone(), times, span, holds });
        }
    }
    fillings
}
