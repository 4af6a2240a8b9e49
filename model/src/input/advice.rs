//! What to do about a value that is no number where one is expected.

use super::figure::figure;
use super::node::Value;
use super::notation::comma_remedy;

/// Marks of money, of which a number in cents is meant.
const MONEY: [(&str, f64); 4] = [("$", 100.0), ("€", 100.0), ("£", 100.0), ("¢", 1.0)];

/// The remedy for a value where a number is expected; `expected` are its range and its unit, in words.
pub(super) fn number_remedy(value: &Value, expected: &str) -> String {
    let Value::Text(text) = value else { return format!("expected {expected}") };
    let text = text.trim();
    let is_finite = |number: &f64| number.is_finite();
    if text.parse::<f64>().ok().filter(is_finite).is_some() {
        return "write it without quotes".to_owned();
    }
    if let Some(remedy) = comma_remedy(text) {
        return remedy;
    }
    if expected.contains("cents")
        && let Some(cents) = money(text)
    {
        return format!("write it in cents, without a sign: {}", figure(cents));
    }
    match leading(text) {
        Some(number) => format!("write the number alone, {number}: expected {expected}"),
        None => format!("expected {expected}"),
    }
}

/// Cents of a text such as `$6.88`.
fn money(text: &str) -> Option<f64> {
    MONEY.iter().find_map(|(sign, cents)| {
        let amount = text.strip_prefix(sign).or_else(|| text.strip_suffix(sign))?;
        amount.trim().parse::<f64>().ok().filter(|n| n.is_finite()).map(|n| n * cents)
    })
}

/// The number in a text such as `p95` or `80GB`, in which it stands alone among letters.
fn leading(text: &str) -> Option<&str> {
    let number = text.trim_matches(|c: char| !c.is_ascii_digit() && c != '.');
    number.parse::<f64>().is_ok().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remedy_is_of_the_fault() {
        let remedy = |text: &str| number_remedy(&Value::Text(text.to_owned()), "0 to 1e9 cents/h");
        assert_eq!(remedy("688"), "write it without quotes");
        assert_eq!(remedy("$6.88"), "write it in cents, without a sign: 688");
        assert_eq!(remedy("1,900"), "write 1900 or 1.9, whichever of the two is meant");
        assert_eq!(remedy("p95"), "write the number alone, 95: expected 0 to 1e9 cents/h");
        assert_eq!(remedy("80 GB"), "write the number alone, 80: expected 0 to 1e9 cents/h");
        for text in ["four", "high", ".nan", "NaN", "-.inf", ""] {
            assert_eq!(remedy(text), "expected 0 to 1e9 cents/h", "{text}");
        }
        assert_eq!(number_remedy(&Value::Bool(true), "1 to 2 ms"), "expected 1 to 2 ms");
    }
}
