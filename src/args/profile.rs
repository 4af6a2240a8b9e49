//! `isocost profile`.

use clap::ValueEnum;
use isocost_catalogue::Precision;

use super::LayoutArgs;

/// `isocost profile`.
#[derive(Debug, clap::Args)]
pub struct ProfileArgs {
    /// Model: a name of the catalogue, or the path of a Hugging Face config.json
    #[arg(required_unless_present = "list")]
    pub model: Option<String>,
    /// Card, by its name in the catalogue
    #[arg(long, value_name = "CARD", required_unless_present = "list")]
    pub on: Option<String>,
    /// Cards that share each layer (tensor parallelism) [default: the fewest that hold it]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub tp: Option<u32>,
    /// Cards over which whole experts are spread: 1, or all of the replica
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub ep: Option<u32>,
    /// Groups of cards in a replica that attend to requests of their own and share experts
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub dp: u32,
    /// How weights are stored: bf16, fp8, int8, fp4 or int4 [default: as they are published]
    #[arg(long, value_name = "PRECISION")]
    pub precision: Option<Precision>,
    #[command(flatten)]
    pub layout: LayoutArgs,
    /// Name of the model in the entry [default: the catalogue's]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// List cards and models, with where their figures come from
    #[arg(long)]
    pub list: bool,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = EntryFormat::Yaml)]
    pub format: EntryFormat,
}

/// What goes to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EntryFormat {
    /// YAML, with what limits the profile as comments
    Yaml,
    /// JSON
    Json,
}
