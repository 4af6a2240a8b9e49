//! Cells of CSV that a spreadsheet takes for what they are.
//!
//! A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@` as a formula, and names come from whoever writes the
//! input. Such a text gets an apostrophe in front, which spreadsheets take for "this is text"; numbers stay.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether cells are written to the letter, for programs: said once, for all that a process writes.
static EXACT: AtomicBool = AtomicBool::new(false);

/// From now on cells are written to the letter.
pub fn exact_cells() {
    EXACT.store(true, Ordering::Relaxed);
}

/// A cell as it is written.
pub fn cell(text: &str) -> Cow<'_, str> {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    match is_formula && text.parse::<f64>().is_err() && !EXACT.load(Ordering::Relaxed) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

/// A row of cells, for a writer.
pub fn cells<'a, T: AsRef<str> + 'a>(row: &'a [T]) -> impl Iterator<Item = String> + 'a {
    row.iter().map(|text| cell(text.as_ref()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_texts_and_numbers_stay() {
        for formula in ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1"] {
            assert_eq!(cell(formula), format!("'{formula}"));
        }
        for plain in ["", "-1.5", "+3", "1e-9", "-inf", "a=b", "premium-llama", "'=1"] {
            assert_eq!(cell(plain), plain);
        }
    }
}
