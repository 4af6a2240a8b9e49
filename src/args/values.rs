//! Values of arguments: each parser says what it expected.

use std::time::Duration;

/// A finite number that `fits`.
fn number(text: &str, fits: impl Fn(f64) -> bool, expected: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|v| v.is_finite() && fits(*v));
    value.ok_or_else(|| format!("expected {expected}"))
}

/// A number above 0.
pub fn positive(text: &str) -> Result<f64, String> {
    number(text, |v| v > 0.0, "a number above 0")
}

/// A factor from 1 to 64.
pub fn factor(text: &str) -> Result<f64, String> {
    number(text, |v| (1.0..=64.0).contains(&v), "a factor from 1 to 64")
}

/// A share of time above 0.
pub fn availability(text: &str) -> Result<f64, String> {
    number(text, |v| (0.01..=1.0).contains(&v), "a number from 0.01 to 1")
}

/// A number of at least 0.
pub fn amount(text: &str) -> Result<f64, String> {
    number(text, |v| v >= 0.0, "a number of at least 0")
}

/// A number from 0 to 1.
pub fn share(text: &str) -> Result<f64, String> {
    number(text, |v| (0.0..=1.0).contains(&v), "a number from 0 to 1")
}

/// A price over another one.
pub fn ratio(text: &str) -> Result<f64, String> {
    number(text, |v| (0.0..=10.0).contains(&v), "a ratio to the scenario's price, such as 0.6")
}

/// A percentile.
pub fn percentile(text: &str) -> Result<f64, String> {
    number(text, |v| (1.0..=99.999).contains(&v), "a number from 1 to 99.999")
}

/// A time in seconds.
pub fn seconds(text: &str) -> Result<Duration, String> {
    number(text, |v| (0.0..=1e9).contains(&v), "seconds").map(Duration::from_secs_f64)
}

/// Units of a length of time, in seconds.
const UNITS: [(&str, f64); 9] = [
    ("", 1.0),
    ("s", 1.0),
    ("sec", 1.0),
    ("m", 60.0),
    ("min", 60.0),
    ("h", 3600.0),
    ("hour", 3600.0),
    ("d", 86_400.0),
    ("day", 86_400.0),
];

/// A length of time such as `1h`, `15min` or `1d`, in seconds.
pub fn period(text: &str) -> Result<f64, String> {
    let end = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    let (amount, unit) = text.split_at(end);
    let scale = UNITS.iter().find(|(name, _)| *name == unit.trim()).map(|(_, seconds)| *seconds);
    let seconds =
        amount.trim().parse::<f64>().ok().zip(scale).map(|(amount, scale)| amount * scale);
    let seconds = seconds.filter(|s| (1.0..=366.0 * 86_400.0).contains(s));
    seconds.ok_or_else(|| "expected a length of time such as 1h, 15min or 1d".to_owned())
}
