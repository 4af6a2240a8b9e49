//! `isocost import`: from other tools' files to a scenario, or to requests by size.

use isocost_model::export::write_file;
use isocost_model::import::import;

use crate::args::ImportArgs;
use crate::output::print;
use crate::output::style::{assumption, warning};
use crate::{Failure, exit};

/// Runs the command; returns its exit code.
pub fn run(args: &ImportArgs) -> Result<u8, Failure> {
    let imported = import(&args.files, &args.assume()).map_err(Failure::input)?;
    imported.warnings.iter().for_each(|odd| warning(&odd.to_string()));
    imported.assumed.iter().for_each(|sentence| assumption(sentence));
    match &args.out {
        Some(path) => write_file(path, imported.text.as_bytes()).map_err(Failure::failed)?,
        None => print(imported.text.as_bytes())?,
    }
    Ok(exit::OK)
}
