//! Phases of a nominal rate: stretches of time over which it goes, in a straight line, from what it
//! was to a multiple of that.

use std::path::Path;
use std::time::Duration;

use isocost_model::input::InputError;
use isocost_model::input::reading::{Fields, Report, name_of, parse, read_text};
use jiff::SignedDuration;

/// One stretch of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Phase {
    /// How long it takes; the last one may take no time, and then says nothing.
    pub duration: Duration,
    /// The rate at its end, as a multiple of that at its start.
    pub ratio: f64,
}

/// Phases, one after the other; after the last the rate stays as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Phases(Vec<Phase>);

impl Phases {
    /// The phases in their order; those that take no time multiply the rate at once.
    pub fn new(phases: Vec<Phase>) -> Self {
        Self(phases)
    }

    /// The rate after `elapsed`, as a multiple of that at the start.
    pub fn multiple(&self, elapsed: Duration) -> f64 {
        let (mut multiple, mut began) = (1.0, Duration::ZERO);
        for phase in &self.0 {
            let within = elapsed.saturating_sub(began);
            if within < phase.duration {
                let share = within.as_secs_f64() / phase.duration.as_secs_f64();
                return multiple * (1.0 + share * (phase.ratio - 1.0));
            }
            multiple *= phase.ratio;
            began += phase.duration;
        }
        multiple
    }
}

/// Reads phases from a YAML or JSON file: a list `phases` of objects with `duration` (such as `90s`,
/// `5m`, `1h30m`) and `ratio`.
///
/// # Errors
/// Every problem of the file, each with its place.
pub fn phases(path: &Path) -> Result<Phases, InputError> {
    let name = name_of(path);
    match read_text(path) {
        Ok(text) => phases_text(&name, &text),
        Err(what) => {
            let mut report = Report::default();
            report.problem_in(&name, what, "give a YAML or JSON file of phases");
            Err(InputError { problems: report.problems })
        }
    }
}

/// The same from `text`; `name` stands for the file in messages.
///
/// # Errors
/// As [`phases`].
pub fn phases_text(name: &str, text: &str) -> Result<Phases, InputError> {
    let mut report = Report::default();
    let mut phases = Vec::new();
    let node = parse(name, text, &mut report);
    let fields = node.as_ref().and_then(|n| Fields::new(name, n, "phases", &mut report));
    if let Some(mut fields) = fields {
        let rows = fields.list("phases", &mut report);
        if rows.is_empty() && report.problems.is_empty() {
            let remedy = "give a list `phases` of objects with `duration` and `ratio`";
            fields.problem("phases", "there is no phase".to_owned(), remedy, &mut report);
        }
        let last = rows.len().saturating_sub(1);
        for (i, mut row) in rows.into_iter().enumerate() {
            row.entity = format!("phase {}", i + 1);
            phases.extend(phase(&mut row, i == last, &mut report));
            warned_of(row, &mut report);
        }
    }
    match report.problems.is_empty() {
        true => Ok(Phases(phases)),
        false => Err(InputError { problems: report.problems }),
    }
}

/// A field that is not known is a problem here: a misspelt ratio would be taken for none.
fn warned_of(row: Fields<'_>, report: &mut Report) {
    row.finish(report);
    report.problems.append(&mut report.warnings);
}

fn phase(row: &mut Fields<'_>, last: bool, report: &mut Report) -> Option<Phase> {
    let duration = duration(row, report);
    let ratio = row.number("ratio", 1e-3..=1e3, report);
    let duration = duration?;
    if duration.is_zero() {
        if !last {
            let what = "only the last phase may take no time".to_owned();
            row.problem("duration", what, "give it a duration, or put it last", report);
        }
        return Some(Phase { duration, ratio: 1.0 });
    }
    if ratio.is_none() && !row.has("ratio") {
        let remedy = "give the rate at its end as a multiple of that at its start; 1 holds it";
        row.problem("ratio", "`ratio` is missing".to_owned(), remedy, report);
    }
    Some(Phase { duration, ratio: ratio? })
}

fn duration(row: &mut Fields<'_>, report: &mut Report) -> Option<Duration> {
    const REMEDY: &str = "write it as 90s, 5m or 1h30m";
    let before = report.found();
    let Some(text) = row.text("duration", report) else {
        if report.found() == before {
            row.problem("duration", "`duration` is missing".to_owned(), REMEDY, report);
        }
        return None;
    };
    let read = text.parse::<SignedDuration>().ok().and_then(|d| Duration::try_from(d).ok());
    if read.is_none_or(|d| d > LONGEST) {
        let what = format!("`{text}` is no duration from 0s to 1000h");
        row.problem("duration", what, REMEDY, report);
        return None;
    }
    read
}

const LONGEST: Duration = Duration::from_secs(1_000 * 3_600);

#[cfg(test)]
mod tests {
    use super::*;

    const RISE_AND_FALL: &str = "\
phases:
  - {duration: 5m, ratio: 1.0}
  - {duration: 10m, ratio: 3.0}
  - {duration: 1h30m, ratio: 1}
  - {duration: 600s, ratio: 0.5}
  - {duration: 0s}
";

    #[test]
    fn a_rate_goes_in_straight_lines_from_phase_to_phase() {
        let phases = phases_text("phases.yaml", RISE_AND_FALL).expect("phases");
        let at = |minutes: u64| phases.multiple(Duration::from_secs(60 * minutes));
        let expected =
            [(0, 1.0), (4, 1.0), (10, 2.0), (15, 3.0), (60, 3.0), (110, 2.25), (115, 1.5)];
        for (minutes, multiple) in expected {
            assert!((at(minutes) - multiple).abs() < 1e-12, "{minutes} min: {}", at(minutes));
        }
        assert_eq!(at(100_000), 1.5);
    }

    #[test]
    fn without_phases_the_rate_stays() {
        assert_eq!(Phases::default().multiple(Duration::from_secs(7)), 1.0);
    }

    #[test]
    fn every_problem_is_named_with_its_place() {
        let text = "phases:\n- {duration: 5 parsecs, ratio: 1}\n- {ratio: 2}\n- {duration: 0s}\n\
                    - {duration: 1m, raito: 2}\n- {duration: 1m, ratio: -1}\n";
        let error = phases_text("p.yaml", text).expect_err("problems").to_string();
        let expected = [
            "p.yaml:2",
            "parsecs",
            "p.yaml:3",
            "`duration` is missing",
            "p.yaml:4",
            "no time",
            "p.yaml:5",
            "did you mean `ratio`",
            "`ratio` is missing",
            "p.yaml:6",
            "out of range",
        ];
        for part in expected {
            assert!(error.contains(part), "{part} is not in:\n{error}");
        }
        for text in ["", "phases: []", "[]", "phases: 3", "{"] {
            assert!(phases_text("p.yaml", text).is_err(), "{text}");
        }
    }
}
