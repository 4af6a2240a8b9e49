//! What can be wrong with the axes of a sweep, worded as advice.

use std::fmt;

/// One thing that is wrong with an axis or a point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AxisError {
    /// No `=` in it.
    #[error("expected AXIS=VALUES, such as load=0.5..2/16")]
    Form,
    /// No axis of that name.
    #[error("unknown axis `{axis}`; {known}")]
    Axis {
        /// What was written.
        axis: String,
        /// What may be meant.
        known: String,
    },
    /// A name that the scenario does not have.
    #[error("the scenario has no {kind} `{name}`; {known}")]
    Name {
        /// Kind of entity.
        kind: &'static str,
        /// What was written.
        name: String,
        /// What may be meant.
        known: String,
    },
    /// A name is needed.
    #[error("`{axis}` is of one {kind}; write {axis}:NAME")]
    NeedsName {
        /// The axis.
        axis: String,
        /// Kind of entity.
        kind: &'static str,
    },
    /// A name is not taken.
    #[error("`{axis}` is of the whole run; leave `:{name}` out")]
    NoName {
        /// The axis.
        axis: String,
        /// What was written.
        name: String,
    },
    /// A value out of its domain.
    #[error("`{value}` is not a value of this axis; expected {expected}")]
    Value {
        /// What was written.
        value: String,
        /// What is taken.
        expected: &'static str,
    },
    /// A range that makes no values.
    #[error("the range `{range}` {why}")]
    Range {
        /// What was written.
        range: String,
        /// What is wrong, and the remedy.
        why: &'static str,
    },
    /// The same axis twice.
    #[error("the axis `{axis}` is there twice; give its values in one list")]
    Twice {
        /// The axis.
        axis: String,
    },
    /// An axis that changes nothing.
    #[error("`{axis}` changes nothing: {why}")]
    NoEffect {
        /// The axis.
        axis: String,
        /// Why, and the remedy.
        why: &'static str,
    },
    /// Too many values along one axis.
    #[error("{values} values, at most {most}; take fewer")]
    TooManyValues {
        /// How many.
        values: usize,
        /// How many are taken.
        most: usize,
    },
    /// Too many points in all.
    #[error("the grid has {points} points, at most {most}; take fewer values or split the sweep")]
    TooManyPoints {
        /// How many, as text: it may be beyond any integer.
        points: String,
        /// How many are taken.
        most: usize,
    },
    /// A file of points that cannot be read.
    #[error("{0}; give a CSV file with a column for each axis")]
    Unreadable(String),
    /// A file without points.
    #[error("has no points; give a header with the axes and a row for each point")]
    Empty,
}

/// A problem and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The argument, or file, line and column.
    pub place: String,
    /// What is wrong, and what to do.
    pub what: AxisError,
}

/// Everything that is wrong with the axes of a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

/// More problems than this are counted, not printed.
const SHOWN: usize = 50;

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.0.len();
        for (i, Problem { place, what }) in self.0.iter().take(SHOWN).enumerate() {
            let end = if i + 1 < all { "\n" } else { "" };
            write!(f, "{place}: {what}{end}")?;
        }
        if all > SHOWN { write!(f, "... {} more", all - SHOWN) } else { Ok(()) }
    }
}

impl std::error::Error for Problems {}
