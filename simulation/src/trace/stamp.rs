//! Time stamps: seconds, or dates with and without a zone.

use jiff::Timestamp;
use jiff::civil::DateTime;

/// Seconds, and whether they are those since 1970 of a date; a date without a zone is taken as UTC.
pub(super) fn stamp(text: &str) -> Option<(f64, bool)> {
    if let Ok(seconds) = text.parse::<f64>() {
        return seconds.is_finite().then_some((seconds, false));
    }
    let zoned = text.get(19..).is_some_and(|rest| rest.contains(['Z', 'z', '+', '-']));
    let at = match zoned {
        true => text.parse::<Timestamp>().ok()?,
        false => {
            let date = text.parse::<DateTime>().ok()?;
            jiff::tz::Offset::UTC.to_timestamp(date).ok()?
        }
    };
    Some((at.as_second() as f64 + f64::from(at.subsec_nanosecond()) * 1e-9, true))
}

#[cfg(test)]
mod tests {
    use super::stamp;

    #[test]
    fn every_form_of_a_stamp() {
        for (text, wanted) in [
            ("3", Some((3.0, false))),
            ("1.5e2", Some((150.0, false))),
            ("1970-01-01 00:00:01.5000000", Some((1.5, true))),
            ("1970-01-01 00:00:03+00:00", Some((3.0, true))),
            ("1970-01-01T02:00:03.25+02:00", Some((3.25, true))),
            ("1970-01-01T00:00:03Z", Some((3.0, true))),
            ("2023-11-16 08:00:00", Some((1_700_121_600.0, true))),
            ("2023-13-16 08:00:00", None),
            ("yesterday", None),
            ("NaN", None),
            ("", None),
        ] {
            assert_eq!(stamp(text), wanted, "{text}");
        }
    }
}
