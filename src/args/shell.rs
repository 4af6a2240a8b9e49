//! `isocost reference`, `isocost completions` and `isocost man`: about isocost itself.

use std::path::PathBuf;

/// `isocost completions`.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// Shell to complete in
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `isocost man`.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Directory for the pages
    pub dir: PathBuf,
}

/// `isocost reference`.
#[derive(Debug, clap::Args)]
pub struct ReferenceArgs {
    /// As a JSON Schema, for completion and checks in an editor
    #[arg(long)]
    pub schema: bool,
}
