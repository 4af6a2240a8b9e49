//! Proven numbers in words.

use isocost_planner::explain::{Known, Relaxation, RelaxedLimit};

use crate::content::Cell;
use crate::format::{cents, count, percentile};

/// What is known of a number: `12`, `3 to 5`, `at least 3`; `none` where there is no such plan.
pub fn said(known: &Known, number: impl Fn(f64) -> String, none: &str) -> String {
    match *known {
        Known::Exact { value } => number(value),
        Known::Infeasible => none.to_owned(),
        Known::Between { at_least, at_most } => match (at_least > 0.0, at_most.is_finite()) {
            (true, true) => format!("{} to {}", number(at_least), number(at_most)),
            (true, false) => format!("at least {}", number(at_least)),
            (false, true) => format!("at most {}", number(at_most)),
            (false, false) => "not proven".to_owned(),
        },
    }
}

/// Cents per hour, sorted by what is proven at least.
pub(crate) fn money(known: &Known, none: &str) -> Cell {
    let value = Some(known.at_least()).filter(|v| v.is_finite());
    Cell { value, ..Cell::text(said(known, cents, none)) }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(names: &[String], last: &str) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// The same of the first dozen, with how many more there are.
pub(crate) fn dozen(names: &[String]) -> String {
    let more = names.len().saturating_sub(12);
    let mut first: Vec<String> = names.iter().take(12).cloned().collect();
    first.extend((more > 0).then(|| format!("{} more", count(more as u64))));
    list(&first, "and")
}

/// `mean ITL 45.1 ms instead of 40 and ...`: rounded up, so that it still is enough.
pub(crate) fn relaxed(relaxation: &Relaxation) -> String {
    let limit = |l: &RelaxedLimit| {
        let latency = l.latency.word();
        let to = cents((l.to_ms * 100.0).ceil() / 100.0);
        format!("{} {latency} {to} ms instead of {}", percentile(l.percentile), cents(l.from_ms))
    };
    list(&relaxation.limits.iter().map(limit).collect::<Vec<_>>(), "and")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_proven_is_not_said() {
        let open = Known::between(0.0, f64::INFINITY);
        let cases = [
            (Known::exact(1234.5), "1,234.5"),
            (Known::between(1.0, 2.0), "1 to 2"),
            (Known::between(3.0, f64::INFINITY), "at least 3"),
            (Known::between(0.0, 5.0), "at most 5"),
            (Known::Infeasible, "no plan"),
            (open, "not proven"),
        ];
        for (known, words) in cases {
            assert_eq!(said(&known, cents, "no plan"), words);
        }
        assert_eq!(money(&open, "").value, Some(0.0));
        assert_eq!(money(&Known::Infeasible, "none").value, None);
    }
}
