//! Numbers as people write them.

/// Four digits or the whole part, thousands apart, no zeros at the end: `12,332`, `0.125`, `1.5M`.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return if value.is_nan() { "–".into() } else { signed(value, "∞".into()) };
    }
    if size != 0.0 && !(1e-4..1e15).contains(&size) {
        return scientific(value);
    }
    let (unit, suffix) = unit(size);
    let scaled = size / unit;
    let magnitude = if scaled > 0.0 { scaled.log10().floor() as i32 } else { 0 };
    let decimals = (3 - magnitude).clamp(0, 8) as usize;
    signed(value, format!("{}{suffix}", trimmed(fixed(scaled, decimals))))
}

/// With as many decimals as `step` needs, in units that suit `largest`.
pub(crate) fn stepped(value: f64, step: f64, largest: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    if largest >= 1e15 || step < 1e-6 {
        return scientific(value);
    }
    let (unit, suffix) = unit(largest);
    let step = step / unit;
    let whole = |d: &usize| {
        let scaled = step * 10f64.powi(*d as i32);
        (scaled - scaled.round()).abs() < 1e-6 * scaled
    };
    let decimals = (0..9).find(whole).unwrap_or(9);
    signed(value, format!("{}{suffix}", fixed(value.abs() / unit, decimals)))
}

fn unit(size: f64) -> (f64, &'static str) {
    match size {
        s if s >= 1e12 => (1e12, "T"),
        s if s >= 1e9 => (1e9, "B"),
        s if s >= 1e6 => (1e6, "M"),
        _ => (1.0, ""),
    }
}

fn scientific(value: f64) -> String {
    let text = format!("{:.2e}", value.abs());
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    signed(value, format!("{}e{exponent}", trimmed(digits.to_owned())).replace("e-", "e−"))
}

fn signed(value: f64, text: String) -> String {
    if value < 0.0 { format!("−{text}") } else { text }
}

fn trimmed(text: String) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Thousands apart.
fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let whole = text.find('.').unwrap_or(text.len());
    let mut out = String::with_capacity(text.len() + whole / 3);
    for (i, c) in text.char_indices() {
        if i > 0 && i < whole && (whole - i) % 3 == 0 {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        let cases = [
            (0.0, "0"),
            (12_332.0, "12,332"),
            (22_343.5, "22,344"),
            (343.5, "343.5"),
            (0.125, "0.125"),
            (0.001_234_56, "0.001235"),
            (1_500_000.0, "1.5M"),
            (-3.0, "−3"),
            (2.0e-7, "2e−7"),
            (1.0e300, "1e300"),
            (f64::NAN, "–"),
            (f64::NEG_INFINITY, "−∞"),
            (999.99, "1,000"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text, "{value}");
        }
    }

    #[test]
    fn ticks_share_their_decimals() {
        assert_eq!(stepped(0.5, 0.25, 1.0), "0.50");
        assert_eq!(stepped(1000.0, 500.0, 1500.0), "1,000");
        assert_eq!(stepped(1_500_000.0, 500_000.0, 2e6), "1.5M");
        assert_eq!(stepped(-20.0, 10.0, 20.0), "−20");
    }
}
