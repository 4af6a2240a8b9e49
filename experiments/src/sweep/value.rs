//! Values along an axis: `a,b,c`, `lo..hi/n` (evenly spaced) and `log:lo..hi/n` (evenly in ratio).

use std::fmt;

use isocost_planner::Formulation;

use super::problem::AxisError;

/// One value of an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A factor, count, share or percentile.
    Number(f64),
    /// The mean instead of a percentile.
    Mean,
    /// A batch choice: the largest, or the least that is nearly the best.
    Largest(bool),
    /// A formulation.
    Formulation(Formulation),
}

impl Value {
    /// The number, if it is one.
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Mean => write!(f, "mean"),
            Self::Largest(true) => write!(f, "max"),
            Self::Largest(false) => write!(f, "best"),
            Self::Formulation(chosen) => {
                let named = Formulation::NAMED.iter().find(|f| f.1 == *chosen);
                write!(f, "{}", named.map_or("auto", |f| f.0))
            }
        }
    }
}

/// What values an axis takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Domain {
    /// A factor of at least 0.
    Factor,
    /// A factor above 0.
    PositiveFactor,
    /// A whole number of at least 0.
    Count,
    /// A mean number of tokens, at least 1.
    Tokens,
    /// A share, in [0, 1).
    Share,
    /// An amount of at least 0.
    Amount,
    /// A percentile from 1 to 99.999, or `mean`.
    Percentile,
    /// `best` or `max`.
    Batch,
    /// A formulation's name.
    Formulation,
}

/// No axis goes beyond this: it is a slip, not a fleet.
const MOST: f64 = 1e9;
/// Values along one axis.
const MOST_VALUES: usize = 100_000;

impl Domain {
    fn expected(self) -> &'static str {
        match self {
            Self::Factor => "a factor of at least 0",
            Self::PositiveFactor => "a factor above 0",
            Self::Count => "a whole number of at least 0",
            Self::Tokens => "tokens, from 1 to 1e8",
            Self::Share => "a share of at least 0 and below 1",
            Self::Amount => "an amount of at least 0",
            Self::Percentile => "a percentile from 1 to 99.999, or mean",
            Self::Batch => "best or max",
            Self::Formulation => "one of auto, single, mixed, compact, greedy",
        }
    }

    fn is_numeric(self) -> bool {
        !matches!(self, Self::Batch | Self::Formulation)
    }

    fn holds(self, number: f64) -> bool {
        match self {
            Self::Factor | Self::Amount => (0.0..=MOST).contains(&number),
            Self::PositiveFactor => number > 0.0 && number <= MOST,
            Self::Count => (0.0..=MOST).contains(&number) && number.fract() == 0.0,
            Self::Tokens => (1.0..=1e8).contains(&number),
            Self::Share => (0.0..1.0).contains(&number),
            Self::Percentile => (1.0..=99.999).contains(&number),
            Self::Batch | Self::Formulation => false,
        }
    }

    /// Reads one value.
    ///
    /// # Errors
    /// [`AxisError::Value`].
    pub fn value(self, text: &str) -> Result<Value, AxisError> {
        let lower = text.to_ascii_lowercase();
        let word = match (self, lower.as_str()) {
            (Self::Percentile, "mean") => Some(Value::Mean),
            (Self::Batch, "max") => Some(Value::Largest(true)),
            (Self::Batch, "best") => Some(Value::Largest(false)),
            (Self::Formulation, name) => Formulation::named(name).map(Value::Formulation),
            _ => None,
        };
        let number = || text.parse().ok().filter(|n| self.holds(*n)).map(Value::Number);
        word.or_else(number)
            .ok_or_else(|| AxisError::Value { value: text.to_owned(), expected: self.expected() })
    }

    /// Reads values: single ones and ranges, with commas between.
    ///
    /// # Errors
    /// Every one that is wrong.
    pub fn values(self, text: &str) -> Result<Vec<Value>, Vec<AxisError>> {
        let (mut values, mut wrong) = (Vec::new(), Vec::new());
        for item in text.split(',').map(str::trim) {
            match self.item(item) {
                Ok(some) => values.extend(some),
                Err(error) => wrong.push(error),
            }
        }
        if values.len() > MOST_VALUES {
            wrong.push(AxisError::TooManyValues { values: values.len(), most: MOST_VALUES });
        }
        if wrong.is_empty() { Ok(values) } else { Err(wrong) }
    }

    fn item(self, text: &str) -> Result<Vec<Value>, AxisError> {
        let (range, even_ratio) = match text.strip_prefix("log:") {
            Some(range) => (range, true),
            None => (text, false),
        };
        let wrong = |why: &'static str| AxisError::Range { range: text.to_owned(), why };
        let Some((low, rest)) = range.split_once("..").filter(|_| self.is_numeric()) else {
            let is_dashed = |(low, high): (&str, &str)| {
                [low, high].iter().all(|end| end.trim().parse::<f64>().is_ok())
            };
            if self.is_numeric() && range.split_once('-').is_some_and(is_dashed) {
                return Err(wrong("is no range; write lo..hi/n with n points, such as 0.5..2/16"));
            }
            return self.value(text).map(|value| vec![value]);
        };
        let Some((high, steps)) = rest.split_once('/') else {
            return Err(wrong("has no number of points; write lo..hi/n, such as 0.5..2/16"));
        };
        let ends = [self.value(low.trim())?, self.value(high.trim())?];
        let [Some(low), Some(high)] = ends.map(Value::number) else {
            return Err(wrong("has an end that is no number"));
        };
        let steps = steps.trim().parse::<usize>().ok();
        let steps = steps.filter(|n| (2..=MOST_VALUES).contains(n));
        let steps = steps.ok_or_else(|| wrong("needs a number of points from 2 to 100000"))?;
        if low >= high {
            return Err(wrong("has to rise; put the smaller end first"));
        }
        if even_ratio && low <= 0.0 {
            return Err(wrong("cannot start at 0 in ratios; start above 0, or leave out log:"));
        }
        let at = |i: usize| {
            let t = i as f64 / (steps - 1) as f64;
            match i {
                0 => low,
                _ if i == steps - 1 => high,
                _ if even_ratio => (low.ln() + (high.ln() - low.ln()) * t).exp(),
                _ => low + (high - low) * t,
            }
        };
        let value = |i: usize| {
            let number = rounded(at(i));
            match self.holds(number) {
                true => Ok(Value::Number(number)),
                false => Err(wrong("steps over values that are not whole; choose n to match")),
            }
        };
        (0..steps).map(value).collect()
    }
}

/// To ten digits: a range's points read as people write them (0.6, not 0.6000000000000001).
fn rounded(value: f64) -> f64 {
    format!("{value:.9e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(domain: Domain, text: &str) -> Vec<String> {
        let values = domain.values(text).expect("sound");
        values.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn lists_and_ranges() {
        assert_eq!(texts(Domain::Factor, "1,0.5, 2"), ["1", "0.5", "2"]);
        assert_eq!(texts(Domain::Factor, "0.5..1/6"), ["0.5", "0.6", "0.7", "0.8", "0.9", "1"]);
        assert_eq!(texts(Domain::Factor, "log:0.25..4/5"), ["0.25", "0.5", "1", "2", "4"]);
        assert_eq!(texts(Domain::Factor, "0..1/2,3"), ["0", "1", "3"]);
        assert_eq!(texts(Domain::Count, "0..20/3"), ["0", "10", "20"]);
        assert_eq!(texts(Domain::Percentile, "mean,95..99/2"), ["mean", "95", "99"]);
        assert_eq!(texts(Domain::Formulation, "single,MIXED"), ["single", "mixed"]);
        assert_eq!(texts(Domain::Batch, "best,max"), ["best", "max"]);
    }

    #[test]
    fn what_is_wrong_is_said_all_at_once() {
        let wrong = Domain::Factor.values("-1,x,nan,inf,2..1/3,0..1,log:0..1/3,0..1/1").err();
        let wrong = wrong.expect("eight problems");
        assert_eq!(wrong.len(), 8, "{wrong:?}");
        for (domain, text) in [
            (Domain::Count, "1.5"),
            (Domain::Count, "0..1/3"),
            (Domain::Share, "1"),
            (Domain::Percentile, "100"),
            (Domain::Percentile, "mean..99/3"),
            (Domain::Batch, "least"),
            (Domain::Formulation, "single..mixed/2"),
            (Domain::PositiveFactor, "0"),
            (Domain::Factor, ""),
        ] {
            assert!(domain.values(text).is_err(), "{domain:?} {text}");
        }
    }
}
