//! Tables and numbers for summaries.

use crate::statistics::Spread;

/// A Markdown table; columns from the second on are numbers, to the right.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    aligned(header, |column| column > 0, rows)
}

/// A Markdown table; `numbers` says which columns stand to the right.
pub fn aligned(header: &[&str], numbers: impl Fn(usize) -> bool, rows: &[Vec<String>]) -> String {
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let cells: Vec<String> = cells.map(|c| c.replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut text = line(&mut header.iter().copied());
    let rule = header.iter().enumerate().map(|(i, _)| if numbers(i) { "---:" } else { "---" });
    text.push_str(&line(&mut rule.into_iter()));
    rows.iter().for_each(|row| text.push_str(&line(&mut row.iter().map(String::as_str))));
    text.push('\n');
    text
}

/// A number with thousands apart and as many decimals as it has, up to two.
pub fn cents(value: Option<f64>) -> String {
    let Some(value) = value else { return "-".to_owned() };
    let text = format!("{:.2}", value.abs());
    let text = text.trim_end_matches('0').trim_end_matches('.');
    let (whole, part) =
        text.split_once('.').map_or((text, String::new()), |(w, p)| (w, format!(".{p}")));
    let mut grouped = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{}{grouped}{part}", if value < 0.0 { "-" } else { "" })
}

/// Three digits of a number.
pub fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        v if v >= 0.1 => 3,
        _ => 4,
    };
    format!("{value:.decimals$}")
}

/// Seconds in the unit that suits them.
pub fn time(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{} s", digits(s)),
        s if s >= 1e-3 => format!("{} ms", digits(s * 1e3)),
        s => format!("{} µs", digits(s * 1e6)),
    }
}

/// Median and quartiles, each by `unit`, as `12 ms (11 ms to 15 ms)`; `-` without values.
pub fn spread(spread: Option<Spread>, unit: fn(f64) -> String) -> String {
    match spread {
        None => "-".to_owned(),
        Some(s) if s.count == 1 => unit(s.median),
        Some(s) => format!("{} ({} to {})", unit(s.median), unit(s.low), unit(s.high)),
    }
}

/// A share as per cent.
pub fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(cents(Some(20_653.5)), "20,653.5");
        assert_eq!(cents(Some(-1_000_000.0)), "-1,000,000");
        assert_eq!(cents(None), "-");
        assert_eq!([time(0.0123), time(12.3), time(2e-6)], ["12.3 ms", "12.3 s", "2.00 µs"]);
        let of = Spread::of([0.001, 0.002, 0.003]);
        assert_eq!(spread(of, time), "2.00 ms (1.50 ms to 2.50 ms)");
        assert_eq!(
            table(&["a", "b"], &[vec!["x|y".into(), "1".into()]]),
            "| a | b |\n| --- | ---: |\n| x\\|y | 1 |\n\n"
        );
    }
}
