//! `--plots`, as every command has it that draws several charts.

use std::path::PathBuf;

use crate::Failure;
use crate::output::picture::{self, Picture};

/// Where charts go.
#[derive(Debug, clap::Args)]
pub struct PlotsArgs {
    /// Directory for the charts, each as SVG and as PNG
    #[arg(long, value_name = "DIR")]
    pub plots: Option<PathBuf>,
}

impl PlotsArgs {
    /// Draws what `charts` makes, where that is asked for.
    pub fn draw<P: Picture>(
        &self,
        charts: impl FnOnce() -> Vec<(String, P)>,
    ) -> Result<(), Failure> {
        match &self.plots {
            Some(dir) => picture::write_all(dir, charts()),
            None => Ok(()),
        }
    }
}
