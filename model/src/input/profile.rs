//! Loads over time, from CSV files.
//!
//! One row a period and server: `period,hours,server`, and what the server's load is then:
//! `arrival_rate_per_min`, or `factor` on the scenario's own rate; `input_tokens`, `output_tokens`,
//! `arrival_scv`, `input_scv`, `token_scv` and `prefix_hit_share` where they differ. A name that ends in `*` stands for every server that begins so. Servers without a
//! row in a period keep the scenario's load.

use std::path::Path;

use rustc_hash::{FxHashMap, FxHashSet};

use super::InputError;
use super::fields::ABSURD;
use super::loads::complete;
use super::problem::{Problem, Report, known_names};
use super::sheet::{Row, Sheet, csv_file};
use crate::horizon::{Period, Profile};
use crate::scenario::{Load, Scenario, rate_or_none};

const COLUMNS: [&str; 11] = [
    "period",
    "hours",
    "server",
    "arrival_rate_per_min",
    "factor",
    "input_tokens",
    "output_tokens",
    "arrival_scv",
    "input_scv",
    "token_scv",
    "prefix_hit_share",
];

/// No horizon has more hours: ten years.
const MOST_HOURS: f64 = 87_600.0;

/// Reads a profile for `scenario`, and how many cards exist in which period from `cards`
/// (`period,type,count`), where given. Returns what is odd about them beside it.
///
/// # Errors
/// Every problem of the files, each with its line.
pub fn profile(
    scenario: &Scenario,
    path: &Path,
    cards: Option<&Path>,
) -> Result<(Profile, Vec<Problem>), InputError> {
    let mut report = Report::default();
    let texts = [Some(path), cards].map(|path| path.and_then(|path| csv_file(path, &mut report)));
    let [text, cards] = texts.each_ref().map(|t| t.as_ref().map(|t| (&*t.0, &*t.1)));
    match text.filter(|_| report.problems.is_empty()) {
        Some(text) => profile_text(scenario, text, cards),
        None => Err(InputError { problems: report.problems }),
    }
}

/// The same for texts, each after the name that stands for its file in messages.
///
/// # Errors
/// As [`profile`].
pub fn profile_text(
    scenario: &Scenario,
    (file, text): (&str, &str),
    cards: Option<(&str, &str)>,
) -> Result<(Profile, Vec<Problem>), InputError> {
    let mut report = Report::default();
    let mut profile = Profile { periods: Vec::new() };
    let needed = ["period", "server"];
    if let Some(sheet) = Sheet::read(file, text, &COLUMNS, &needed, &mut report) {
        read(scenario, &sheet, &mut profile, &mut report);
        if profile.periods.is_empty() && report.problems.is_empty() {
            let remedy = "add a row for each period and server";
            report.problem_in(&sheet.file, "there is no period".to_owned(), remedy);
        }
    }
    if let Some((file, text)) = cards {
        counts(scenario, file, text, &mut profile, &mut report);
    }
    match report.problems.is_empty() {
        true => Ok((profile, report.warnings)),
        false => Err(InputError { problems: report.problems }),
    }
}

fn read(scenario: &Scenario, sheet: &Sheet, profile: &mut Profile, report: &mut Report) {
    let mut index: FxHashMap<&str, usize> = FxHashMap::default();
    let mut stated: FxHashMap<usize, f64> = FxHashMap::default();
    let mut seen: FxHashSet<(usize, usize)> = FxHashSet::default();
    let names = scenario.servers.iter().map(|s| s.name.as_str()).zip(0..).collect();
    for row in &sheet.rows {
        let name = sheet.text(row, "period");
        if name.is_empty() {
            sheet.problem(row.line, "the period has no name".to_owned(), "name it", report);
            continue;
        }
        let next = profile.periods.len();
        let h = *index.entry(name).or_insert(next);
        if h == next {
            profile.periods.push(period(scenario, name));
        }
        if let Some(hours) = sheet.number(row, "hours", 0.0, MOST_HOURS, report) {
            let before = *stated.entry(h).or_insert(hours);
            if hours <= 0.0 || before != hours {
                let what = match hours <= 0.0 {
                    true => format!("period `{name}` lasts {hours} hours"),
                    false => format!("period `{name}` lasts {hours} hours, above {before}"),
                };
                sheet.problem(row.line, what, "expected the same number above 0", report);
            }
            profile.periods[h].hours = hours;
        }
        for s in servers(scenario, &names, sheet, row, report) {
            if !seen.insert((h, s)) {
                let server = &scenario.servers[s].name;
                let what = format!("server `{server}` has two loads in period `{name}`");
                sheet.problem(row.line, what, "keep one of them", report);
                continue;
            }
            load(sheet, row, &mut profile.periods[h].loads[s], report);
        }
    }
    let hours = profile.hours();
    if hours > MOST_HOURS {
        let what = format!("the periods last {hours} hours");
        report.problem_in(&sheet.file, what, &format!("expected at most {MOST_HOURS}"));
    }
}

fn period(scenario: &Scenario, name: &str) -> Period {
    Period {
        name: name.to_owned(),
        hours: 1.0,
        loads: scenario.servers.iter().map(|s| s.load).collect(),
        counts: scenario.card_types.iter().map(|c| c.count).collect(),
    }
}

/// Servers that a row is about.
fn servers(
    scenario: &Scenario,
    names: &FxHashMap<&str, usize>,
    sheet: &Sheet,
    row: &Row,
    report: &mut Report,
) -> Vec<usize> {
    let name = sheet.text(row, "server");
    let found: Vec<usize> = match name.strip_suffix('*') {
        Some(start) => {
            let all = scenario.servers.iter().enumerate();
            all.filter(|(_, s)| s.name.starts_with(start)).map(|(i, _)| i).collect()
        }
        None => names.get(name).copied().into_iter().collect(),
    };
    if found.is_empty() {
        let remedy = report.known_names(name, scenario.servers.iter().map(|s| s.name.as_str()));
        sheet.problem(row.line, format!("unknown server `{name}`"), &remedy, report);
    }
    found
}

fn load(sheet: &Sheet, row: &Row, load: &mut Load, report: &mut Report) {
    let rate = sheet.number(row, "arrival_rate_per_min", 0.0, ABSURD, report);
    let factor = sheet.number(row, "factor", 0.0, ABSURD, report);
    if rate.is_some() && factor.is_some() {
        let what = "both arrival_rate_per_min and factor are given".to_owned();
        sheet.problem(row.line, what, "keep one of them", report);
    }
    if let Some(rate) = rate.or(factor.map(|f| f * load.arrival_rate_per_min)) {
        load.arrival_rate_per_min = rate_or_none(rate);
    }
    complete(sheet, row, load, report);
}

/// Cards that exist in a period.
fn counts(scenario: &Scenario, file: &str, text: &str, profile: &mut Profile, report: &mut Report) {
    let columns = ["period", "type", "count"];
    let Some(sheet) = Sheet::read(file, text, &columns, &columns, report) else { return };
    let mut seen: FxHashSet<(usize, usize)> = FxHashSet::default();
    let names: Vec<String> = profile.periods.iter().map(|p| p.name.clone()).collect();
    let index: FxHashMap<&str, usize> = names.iter().map(String::as_str).zip(0..).collect();
    for row in &sheet.rows {
        let (name, card) = (sheet.text(row, "period"), sheet.text(row, "type"));
        let h = index.get(name).copied();
        let t = scenario.card_types.iter().position(|c| c.name == card);
        if h.is_none() {
            let remedy = report.known_names(name, names.iter().map(String::as_str));
            sheet.problem(row.line, format!("unknown period `{name}`"), &remedy, report);
        }
        if t.is_none() {
            let remedy = known_names(card, scenario.card_types.iter().map(|c| c.name.as_str()));
            sheet.problem(row.line, format!("unknown card type `{card}`"), &remedy, report);
        }
        let count = sheet.whole(row, "count", 1_000_000_000, report);
        let (Some(h), Some(t)) = (h, t) else { continue };
        if !seen.insert((h, t)) {
            let what = format!("`{card}` has two counts in period `{name}`");
            sheet.problem(row.line, what, "keep one of them", report);
        }
        profile.periods[h].counts[t] = count;
    }
}
