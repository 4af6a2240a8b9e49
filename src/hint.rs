//! What may be meant by arguments that are none.

use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Commands that not every build has, and the feature of the build that has them.
const FEATURES: [(&str, &str); 6] = [
    ("serve", "serve"),
    ("control", "kubernetes"),
    ("collect", "kubernetes"),
    ("actuate", "kubernetes"),
    ("emulate-load", "kubernetes"),
    ("emulate-server", "kubernetes"),
];

/// Commands that are elsewhere now.
const MOVED: [(&str, &str); 1] = [("buckets", "experiment buckets")];

/// How names of scenarios' files end.
const SCENARIOS: [&str; 5] = ["yaml", "yml", "json", "xlsx", "xlsm"];

/// What to say beside what clap says of arguments that it does not know.
pub fn of(args: &[OsString], error: &clap::Error) -> Option<String> {
    let value = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand => command(value(ContextKind::InvalidSubcommand)?),
        ErrorKind::UnknownArgument => {
            let given = value(ContextKind::InvalidArg)?;
            let is_format = ["--json", "--csv"].contains(&given) && args.len() > 2;
            is_format.then(|| format!("write --format {}", given.trim_start_matches('-')))
        }
        _ => None,
    }
}

/// What is meant by a word where a command is expected.
fn command(word: &str) -> Option<String> {
    if let Some((_, feature)) = FEATURES.iter().find(|(name, _)| *name == word) {
        return Some(format!(
            "this build has no `{word}`: build with `--features {feature}`, or `--features service` for all of them"
        ));
    }
    if let Some((_, now)) = MOVED.iter().find(|(name, _)| *name == word) {
        return Some(format!("`{word}` is an experiment: isocost {now}"));
    }
    let path = Path::new(word);
    let is_named =
        path.extension().is_some_and(|e| SCENARIOS.iter().any(|s| e.eq_ignore_ascii_case(s)));
    (is_named || path.exists()).then(|| format!("to plan a scenario: isocost plan {word}"))
}
