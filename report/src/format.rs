//! Numbers as people write them, each quantity its own way.

/// Thousands apart, at most `decimals` of them and no zeros at the end.
pub(crate) fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = String::new();
    if value < 0.0 && text.chars().any(|c| c.is_ascii_digit() && c != '0') {
        out.push('−');
    }
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    let part = part.trim_end_matches('0');
    if !part.is_empty() {
        out.push('.');
        out.push_str(part);
    }
    out
}

/// Cents per hour, without the unit.
pub(crate) fn cents(value: f64) -> String {
    grouped(value, 2)
}

pub(crate) fn count(value: u64) -> String {
    grouped(value as f64, 0)
}

/// Milliseconds, without the unit.
pub(crate) fn ms(value: f64) -> String {
    grouped(value, if value.abs() < 10.0 { 2 } else { 1 })
}

/// A share of 1 as a percentage, without the sign.
pub(crate) fn percent(share: f64) -> String {
    grouped(share * 100.0, 1)
}

/// Requests per second, without the unit.
pub(crate) fn rate(value: f64) -> String {
    isocost_charts::number(value)
}

/// A relative gap.
pub(crate) fn gap(value: f64) -> String {
    if value == 0.0 { "0".into() } else { format!("{value:.1e}") }
}

/// `1 server`, `2 servers`.
pub(crate) fn plural(value: u64, one: &str) -> String {
    format!("{} {one}{}", count(value), if value == 1 { "" } else { "s" })
}

/// A percentile's name: `P95`, `P99.9`.
pub(crate) fn percentile(percentile: Option<f64>) -> String {
    percentile.map_or("mean".into(), |p| format!("P{p}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_read_as_people_write_them() {
        assert_eq!(cents(22_343.5), "22,343.5");
        assert_eq!(cents(-0.001), "0");
        assert_eq!(cents(-1234.0), "−1,234");
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!((ms(3.456), ms(345.67)), ("3.46".into(), "345.7".into()));
        assert_eq!(percent(0.999_9), "100");
        assert_eq!((plural(1, "server"), plural(0, "card")), ("1 server".into(), "0 cards".into()));
        assert_eq!((percentile(None), percentile(Some(99.9))), ("mean".into(), "P99.9".into()));
    }
}
