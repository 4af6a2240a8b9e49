//! `isocost completions` and `isocost man`: what a shell and a reader of manuals want to know.

use crate::args::{CompletionsArgs, ManArgs, command};
use crate::output::print;
use crate::{Failure, exit};

/// Writes a shell's completion script to standard output.
pub fn completions(args: &CompletionsArgs) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "isocost", &mut script);
    print(&script)?;
    Ok(exit::OK)
}

/// Writes a page for `isocost` and one for each of its commands into a directory.
pub fn man(args: &ManArgs) -> Result<u8, Failure> {
    let failed = |e: std::io::Error| Failure::failed(format!("{}: {e}", args.dir.display()));
    std::fs::create_dir_all(&args.dir).map_err(failed)?;
    let command = command().disable_help_subcommand(true);
    clap_mangen::generate_to(command, &args.dir).map_err(failed)?;
    Ok(exit::OK)
}
