//! `isocost reference`: every field of a scenario, for people and for editors.

use isocost_model::input::reference::{markdown, schema};

use crate::args::ReferenceArgs;
use crate::output::print;
use crate::{Failure, exit};

/// Prints the reference.
pub fn run(args: &ReferenceArgs) -> Result<u8, Failure> {
    let text = if args.schema { format!("{:#}\n", schema()) } else { markdown() };
    print(text.as_bytes())?;
    Ok(exit::OK)
}
