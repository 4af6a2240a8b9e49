//! How numbers are written: `1,500` is 1500 to one reader and 1.5 to another.
//!
//! A cell may say by itself which mark ends its whole part: `0,5` and `1.234,5` can only have a decimal comma,
//! `1,234,567` and `1,234.5` only a decimal point. `1,500` says nothing: what the rest of its column says holds,
//! and where that says nothing either, whoever wrote it is asked, with both numbers.

/// The mark that ends the whole part of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decimal {
    /// `1234.5` and `1,234.5`.
    Point,
    /// `1234,5` and `1.234,5`.
    Comma,
}

impl Decimal {
    const ALL: [Self; 2] = [Self::Point, Self::Comma];

    /// The mark, and the one that sets groups of thousands apart beside it.
    fn marks(self) -> (char, char) {
        match self {
            Self::Point => ('.', ','),
            Self::Comma => (',', '.'),
        }
    }

    /// The number that `cell` is in this notation, plainly written.
    fn plain(self, cell: &str) -> Option<String> {
        let (mark, group) = self.marks();
        let digits = cell.trim_start_matches(['+', '-']);
        let sign = if cell.starts_with('-') { "-" } else { "" };
        let (whole, fraction) = match digits.split_once(mark) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (digits, None),
        };
        let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let parts: Vec<&str> = whole.split(group).collect();
        let (first, groups) = parts.split_first()?;
        let is_grouped = groups.is_empty()
            || (1..=3).contains(&first.len())
                && !first.starts_with('0')
                && groups.iter().all(|g| g.len() == 3);
        let is_sound = is_grouped && parts.iter().copied().chain(fraction).all(is_digits);
        let has_digits = !whole.is_empty() || fraction.is_some_and(|f| !f.is_empty());
        let fraction = fraction.map(|f| format!(".{f}")).unwrap_or_default();
        (is_sound && has_digits).then(|| format!("{sign}{}{fraction}", parts.concat()))
    }

    /// The number that `cell` is in this notation.
    pub fn number(self, cell: &str) -> Option<f64> {
        self.plain(cell)?.parse().ok()
    }

    /// What the cells of a column say, if they agree and one of them has a comma.
    pub fn of_column<'a>(cells: impl Iterator<Item = &'a str> + Clone) -> Option<Self> {
        if !cells.clone().any(|cell| cell.contains(',')) {
            return None;
        }
        let mut said = cells.filter_map(told);
        let first = said.next()?;
        said.all(|other| other == first).then_some(first)
    }
}

/// What a cell says by itself.
fn told(cell: &str) -> Option<Decimal> {
    if !cell.contains(['.', ',']) {
        return None;
    }
    let [point, comma] = Decimal::ALL.map(|decimal| decimal.plain(cell).is_some());
    match (point, comma) {
        (true, false) => Some(Decimal::Point),
        (false, true) => Some(Decimal::Comma),
        _ => None,
    }
}

/// What to do about a cell that is no number, where a comma in it makes it one, or one of two.
pub fn comma_remedy(cell: &str) -> Option<String> {
    if !cell.contains(',') {
        return None;
    }
    let [point, comma] = Decimal::ALL.map(|decimal| decimal.plain(cell));
    let short = |number: String| match number.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|b| b == b'0') => whole.to_owned(),
        Some(_) => number.trim_end_matches('0').to_owned(),
        None => number,
    };
    match (point.map(short), comma.map(short)) {
        (Some(whole), Some(fraction)) => {
            Some(format!("write {whole} or {fraction}, whichever of the two is meant"))
        }
        (Some(whole), None) => Some(format!("write it without commas: {whole}")),
        (None, Some(fraction)) => Some(format!("write it with a point: {fraction}")),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_is_asked_about_where_it_may_mean_two_things() {
        for (cell, wanted) in [
            ("1,500", "write 1500 or 1.5, whichever of the two is meant"),
            ("-12,345", "write -12345 or -12.345, whichever of the two is meant"),
            ("1,000", "write 1000 or 1, whichever of the two is meant"),
            ("0,500", "write it with a point: 0.5"),
            ("0,5", "write it with a point: 0.5"),
            ("1500,25", "write it with a point: 1500.25"),
            ("1.000,5", "write it with a point: 1000.5"),
            ("1,234,567", "write it without commas: 1234567"),
            ("1,234.5", "write it without commas: 1234.5"),
        ] {
            assert_eq!(comma_remedy(cell).as_deref(), Some(wanted), "{cell}");
        }
        for cell in ["", "x", "1,2,3", ",", "1,,5", "1500", "a,b", "1.2.3,4"] {
            assert_eq!(comma_remedy(cell), None, "{cell}");
        }
    }

    #[test]
    fn a_column_says_what_its_cells_agree_on() {
        let of = |cells: &[&str]| Decimal::of_column(cells.iter().copied());
        assert_eq!(of(&["1,500", "0,25"]), Some(Decimal::Comma));
        assert_eq!(of(&["1,500", "1,234,567", "90"]), Some(Decimal::Point));
        assert_eq!(of(&["1,500", "12.5"]), Some(Decimal::Point));
        assert_eq!(of(&["1,500", "90"]), None, "nobody says");
        assert_eq!(of(&["1,5", "12.5"]), None, "they disagree");
        assert_eq!(of(&["1.5", "12.500"]), None, "there is nothing to ask");
        assert_eq!(Decimal::Comma.number("1.500"), Some(1500.0));
        assert_eq!(Decimal::Comma.number("1,500"), Some(1.5));
        assert_eq!(Decimal::Point.number("1,500"), Some(1500.0));
    }
}
