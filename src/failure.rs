//! Why a command ends early.

use std::any::Any;

use isocost_model::input::{InputError, Problem};

use crate::exit;

/// Why a command ends early: its exit code, what to say, and, where the input is to blame, each problem of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What to say.
    pub text: String,
    /// The problems of the input, by place; none where they are known by the text alone.
    pub problems: Vec<Problem>,
}

impl Failure {
    /// The input or the arguments are wrong.
    pub(crate) fn input<T: ToString + Any>(what: T) -> Self {
        let known = (&what as &dyn Any).downcast_ref::<InputError>();
        let problems = known.map(|error| error.problems.clone()).unwrap_or_default();
        Self { code: exit::INPUT, text: what.to_string(), problems }
    }

    /// Something failed that the input is not to blame for.
    pub(crate) fn failed(what: impl ToString) -> Self {
        Self { code: exit::FAILED, text: what.to_string(), problems: Vec::new() }
    }
}
