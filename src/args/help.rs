//! How `--help` reads: options by what they are about, commands by what they are for.
//!
//! Options that many commands share stand in one table here, so that they stand under the same heading everywhere; what a command has for itself
//! stays under its own. `-h` shows those that a first plan needs, `--help` every one.

use std::ffi::OsString;
use std::fmt::Write;

use clap::builder::styling::Styles;
use clap::{Arg, Command, CommandFactory, FromArgMatches};

use super::Args;

/// Options under one heading.
struct Group {
    heading: &'static str,
    /// Those that `-h` shows.
    common: &'static [&'static str],
    /// Those that `--help` shows beside them.
    rare: &'static [&'static str],
}

const GROUPS: [Group; 7] = [
    Group {
        heading: "Load",
        common: &["loads", "margin", "growth", "vary"],
        rare: &["service_margin", "arrival_scv", "token_scv", "input_scv", "prefix_hit_share"],
    },
    Group {
        heading: "Limits",
        common: &["unlimited", "budget", "shortage", "max_moves"],
        rare: &["capacity_scale", "delayed_best_effort", "period_cards"],
    },
    Group {
        heading: "Replicas",
        common: &["share", "disaggregate"],
        rare: &[
            "reading",
            "max_queue",
            "max_loss",
            "batch",
            "batch_tolerance",
            "token_budget",
            "kv_tokens",
            "no_chunked_prefill",
        ],
    },
    Group { heading: "Objective", common: &[], rare: &["transition", "energy_price"] },
    Group {
        heading: "Solver",
        common: &["formulation", "time_limit"],
        rare: &["backend", "gap", "threads", "write_model", "read_solution", "no_cost_range"],
    },
    Group {
        heading: "Simulation",
        common: &["certify"],
        rare: &["seed", "requests", "duration", "replications", "warmup"],
    },
    Group {
        heading: "Output",
        common: &["out", "report", "plots", "format", "export", "proof"],
        rare: &["trace", "product", "currency", "exchange_rate", "wide", "exact_cells"],
    },
];

/// Commands by what they are for.
const COMMANDS: [(&str, &[&str]); 6] = [
    ("Plan", &["init", "import", "plan", "horizon", "sweep", "merge"]),
    ("Question a plan", &["explain", "stress", "simulate", "compare", "diff", "verify"]),
    ("Measure and size", &["profile", "fit", "analyze", "size", "demand"]),
    ("Run", &["serve", "control", "collect", "actuate", "emulate-server", "emulate-load"]),
    ("Research", &["experiment"]),
    ("About", &["reference", "completions", "man", "help"]),
];

/// The arguments of these words, the program's name first.
pub fn parse(
    words: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<Args, clap::Error> {
    let mut command = command();
    let mut matches = command.try_get_matches_from_mut(words)?;
    Args::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// The command line, as its help shows it.
pub fn command() -> Command {
    let command = grouped(Args::command());
    let commands = listed(&command);
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{commands}\nOptions:\n{{options}}{{after-help}}"
    ))
}

/// A command with its options, and those of the commands below it, under their headings.
fn grouped(command: Command) -> Command {
    command.mut_args(under_its_heading).mut_subcommands(grouped)
}

fn under_its_heading(option: Arg) -> Arg {
    let id = option.get_id().as_str();
    let is_rare = GROUPS.iter().any(|group| group.rare.contains(&id));
    let group = GROUPS.iter().find(|g| g.common.contains(&id) || g.rare.contains(&id));
    let Some(group) = group.filter(|_| !option.is_positional()) else {
        return option;
    };
    let has_its_own = option.get_help_heading().is_some();
    let option = if has_its_own { option } else { option.help_heading(group.heading) };
    option.hide_short_help(is_rare)
}

/// The commands by what they are for, each in a line.
fn listed(command: &Command) -> String {
    let (styles, mut text) = (Styles::styled(), String::new());
    let (header, literal) = (styles.get_header(), styles.get_literal());
    let widest = COMMANDS.iter().flat_map(|(_, names)| *names).map(|name| name.len()).max();
    let width = widest.unwrap_or(0);
    for (title, names) in COMMANDS {
        let about = |name: &&str| match *name {
            "help" => Some("What a command takes".to_owned()),
            name => command.find_subcommand(name)?.get_about().map(ToString::to_string),
        };
        let known: Vec<_> = names.iter().filter_map(|name| Some((name, about(name)?))).collect();
        if known.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n{header}{title}:{header:#}");
        for (name, about) in known {
            let _ = writeln!(text, "  {literal}{name:width$}{literal:#}  {about}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids of all options of a command and of those below it.
    fn ids(command: &Command) -> Vec<String> {
        let own = command.get_arguments().map(|option| option.get_id().to_string());
        own.chain(command.get_subcommands().flat_map(ids)).collect()
    }

    #[test]
    fn every_command_stands_under_one_title_and_in_one_line() {
        let command = Args::command();
        for known in command.get_subcommands() {
            let titles = COMMANDS.iter().filter(|(_, names)| names.contains(&known.get_name()));
            assert_eq!(titles.count(), 1, "{}", known.get_name());
        }
        let listed = listed(&command);
        for line in listed.lines().map(|line| anstream::adapter::strip_str(line).to_string()) {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }

    #[test]
    fn headings_name_options_that_there_are() {
        let (command, mut seen) = (Args::command(), Vec::new());
        let known = ids(&command);
        for group in &GROUPS {
            for id in group.common.iter().chain(group.rare) {
                assert!(known.iter().any(|option| option == id), "{id}");
                assert!(!seen.contains(id), "{id} stands twice");
                seen.push(id);
            }
        }
    }

    #[test]
    fn short_help_shows_what_a_first_plan_needs() {
        let mut command = command();
        command.build();
        let plan = command.find_subcommand_mut("plan").unwrap();
        let (short, long) = (plan.render_help().to_string(), plan.render_long_help().to_string());
        for option in ["--out", "--shortage", "--margin", "--report"] {
            assert!(short.contains(option) && long.contains(option), "{option}");
        }
        for option in ["--batch-tolerance", "--threads", "--warmup", "--exact-cells"] {
            assert!(!short.contains(option) && long.contains(option), "{option}");
        }
        for heading in ["Load:", "Limits:", "Replicas:", "Solver:", "Output:"] {
            assert!(short.contains(heading), "{heading}");
        }
    }
}
