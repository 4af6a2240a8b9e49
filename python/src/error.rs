//! Exceptions of the package, which carry every problem with its place.

use isocost::{Failure, exit};
use isocost_model::input::{InputError, Problem};
use pyo3::prelude::*;

use crate::options::in_python;

/// The exception of a command that ended early.
pub fn failed(py: Python<'_>, failure: &Failure) -> PyErr {
    raised(py, &failure.text, failure.problems.clone(), failure.code == exit::INPUT)
}

/// The exception of an input that cannot be used.
pub fn input(py: Python<'_>, error: &InputError) -> PyErr {
    raised(py, &error.to_string(), error.problems.clone(), true)
}

/// An exception with its problems: `InputError` where the input is to blame, else `SolveError`. Where nothing is known by place, each line
/// of the text is a problem.
pub fn raised(py: Python<'_>, text: &str, problems: Vec<Problem>, by_input: bool) -> PyErr {
    let text = in_python(text);
    let mut problems: Vec<[String; 4]> = problems
        .into_iter()
        .map(|p| [p.place, p.entity, in_python(&p.what), in_python(&p.remedy)])
        .collect();
    if problems.is_empty() {
        let whole = |line: &str| [String::new(), String::new(), line.to_owned(), String::new()];
        problems = text.lines().filter(|line| !line.is_empty()).map(whole).collect();
    }
    let class = if by_input { "InputError" } else { "SolveError" };
    let made = py
        .import("isocost._errors")
        .and_then(|errors| errors.getattr(class))
        .and_then(|class| class.call1((text, problems)));
    match made {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}
