//! Numbers in messages: six digits at most, whatever was computed or given.

/// Longer than this a number is not repeated as it is written.
const LONG: usize = 12;

/// `x` to six significant digits.
///
/// ```
/// use isocost_model::input::reading::figure;
///
/// assert_eq!(figure(0.16194823333333333), "0.161948");
/// assert_eq!(figure(1e9), "1000000000");
/// assert_eq!(figure(f64::MIN_POSITIVE), "2.22507e-308");
/// ```
pub fn figure(x: f64) -> String {
    let size = x.abs();
    if size != 0.0 && !(1e-4..1e10).contains(&size) {
        let text = format!("{x:.5e}");
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        return match x.is_finite() {
            true => format!("{}e{power}", trimmed(digits)),
            false => x.to_string(),
        };
    }
    let whole = size.max(1.0).log10().floor() as usize + 1;
    let below = if size < 1.0 { (-size.max(1e-4).log10()).floor() as usize } else { 0 };
    let digits = (6 + below).saturating_sub(if size < 1.0 { 0 } else { whole });
    trimmed(&format!("{x:.digits$}")).to_owned()
}

/// A number as it is written, or its figure where that is long.
pub fn as_written(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(x) if text.len() > LONG => figure(x),
        _ => text.to_owned(),
    }
}

/// What lies between two limits, in words; the least positive number stands for what is above 0.
pub fn between(low: f64, high: f64) -> String {
    match low == f64::MIN_POSITIVE {
        true => format!("above 0, to {}", figure(high)),
        false => format!("{} to {}", figure(low), figure(high)),
    }
}

/// Without zeros at the end of a fraction.
fn trimmed(text: &str) -> &str {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_digits_and_no_more() {
        for (x, wanted) in [
            (0.0, "0"),
            (1.0, "1"),
            (-3.0, "-3"),
            (0.1 + 0.2, "0.3"),
            (123_456.789, "123457"),
            (99_999_999.0, "99999999"),
            (0.000_123_456_78, "0.000123457"),
            (14.899_999_99, "14.9"),
            (1e300, "1e300"),
            (-2.5e-12, "-2.5e-12"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(figure(x), wanted);
        }
    }

    #[test]
    fn limits_and_long_texts_are_words() {
        assert_eq!(between(f64::MIN_POSITIVE, 1e9), "above 0, to 1000000000");
        assert_eq!(between(1.0, 100.0), "1 to 100");
        assert_eq!(as_written("-0.5"), "-0.5");
        assert_eq!(as_written("-0.16194823333333333"), "-0.161948");
        assert_eq!(as_written("many"), "many");
    }
}
