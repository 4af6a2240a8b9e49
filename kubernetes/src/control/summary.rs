//! Why a cycle did what it did, on one line.
//!
//! Five hundred changes that fail for one reason are one reason; what each of them was is in the cycle log.

use std::collections::BTreeMap;

use super::record::Record;
use crate::cluster::one_line;

/// Reasons that are told.
const TOLD: usize = 3;

/// Errors and warnings, the most frequent first; empty where there are none.
pub fn summary(record: &Record) -> String {
    let failed = record.applied.iter().filter_map(|applied| applied.error.as_deref());
    let failed: Vec<&str> = failed.collect();
    // Errors of changes end with the change's own.
    let of_change = |error: &&String| failed.iter().any(|own| error.ends_with(own));
    let of_cycle = record.errors.iter().filter(|error| !of_change(error)).map(String::as_str);
    let mut reasons: Vec<String> = of_cycle.map(one_line).collect();
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in &failed {
        *counted.entry(reason).or_default() += 1;
    }
    let mut counted: Vec<(&str, usize)> = counted.into_iter().collect();
    counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    reasons.extend(counted.into_iter().map(|(reason, count)| match count {
        1 => format!("a change failed: {}", one_line(reason)),
        _ => format!("{count} changes failed: {}", one_line(reason)),
    }));
    reasons.extend(record.warnings.iter().map(|warning| one_line(warning)));
    let more = reasons.len().saturating_sub(TOLD);
    reasons.truncate(TOLD);
    if more > 0 {
        reasons.push(format!("and {more} more in the cycle log"));
    }
    reasons.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Applied;

    fn failed(server: usize, error: &str) -> Applied {
        let error = Some(error.to_owned());
        Applied { server: format!("s{server}"), outcome: "failed", error }
    }

    #[test]
    fn hundreds_of_equal_failures_are_one_reason_on_one_line() {
        let mut record = Record::default();
        for i in 0..495 {
            record.applied.push(failed(i, "refused: no\nentry"));
            record.errors.push(format!("n/s{i}: refused: no\nentry"));
        }
        record.applied.push(failed(495, "gone"));
        record.errors.push("n/s495: gone".to_owned());
        record.errors.insert(0, "Prometheus:\nsilent".to_owned());
        record.warnings = vec!["one".to_owned(), "two".to_owned()];
        assert_eq!(
            summary(&record),
            "Prometheus: silent; 495 changes failed: refused: no entry; a change failed: gone; \
             and 2 more in the cycle log"
        );
        assert_eq!(summary(&Record::default()), "");
    }
}
