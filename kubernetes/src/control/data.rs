//! The static data: accelerators, models, service classes, and how many cards there are.
//!
//! A directory with a scenario's files without its servers: those are the Deployments.

use std::path::{Path, PathBuf};

use isocost_model::Scenario;
use isocost_model::input::{self, Counted, InputError, Problem};
use isocost_model::scenario::Saturation;

use super::system::Sections;
use crate::cluster::Cards;

/// The static data, as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct StaticData {
    /// The scenario, with no servers.
    pub scenario: Scenario,
    /// Where its card counts come from.
    pub counts: Counts,
    /// What was read but may not be meant.
    pub warnings: Vec<Problem>,
    /// The files as they stand, where an optimizer elsewhere is to be sent them.
    pub sections: Option<Sections>,
    directory: PathBuf,
}

/// Where card counts come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counts {
    /// They were read with all the rest, or there are none: no type has a limit then.
    Data,
    /// The capacity file.
    File {
        /// Card types, by index, that it has no entry for: they stand at 0 cards.
        uncounted: Vec<usize>,
    },
    /// The nodes.
    Nodes,
}

/// Data that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    /// The files cannot be read.
    #[error("{0}\nmount the static data, or set INFERNO_DATA_PATH")]
    Input(InputError),
    /// The card counts cannot be read any more.
    #[error("{0}\nnothing is changed while nobody knows how many cards there are")]
    Counts(InputError),
    /// A file cannot be sent to an optimizer elsewhere.
    #[error("{}: {what}; an optimizer elsewhere is sent the files as they stand", .file.display())]
    Section {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The card counts went away.
    #[error(
        "{}: there is no capacity-data.json any more; put it back, or start anew to plan without limits on cards",
        .0.display()
    )]
    Gone(PathBuf),
}

impl StaticData {
    /// Reads a directory.
    ///
    /// # Errors
    /// Every problem of its files.
    pub fn read(directory: &Path) -> Result<Self, DataError> {
        let loaded = input::load_without_servers(directory).map_err(DataError::Input)?;
        let mut scenario = loaded.scenario;
        for_deployments(&mut scenario);
        let (directory, warnings) = (directory.to_owned(), loaded.warnings);
        let data = Self { scenario, counts: Counts::Data, warnings, sections: None, directory };
        Ok(data.recount().map_err(DataError::Input)?.unwrap_or(data))
    }

    /// The same with its files as they stand, for an optimizer elsewhere.
    ///
    /// # Errors
    /// A file that is missing or is neither JSON nor YAML.
    pub fn with_sections(self) -> Result<Self, DataError> {
        Ok(Self { sections: Some(Sections::read(&self.directory)?), ..self })
    }

    /// The same with the card counts read anew: cards come and go while the rest stays.
    ///
    /// # Errors
    /// The file with the counts, where it cannot be read any more.
    pub fn with_fresh_capacity(&self) -> Result<Self, DataError> {
        if self.counts == Counts::Data {
            return Ok(self.clone());
        }
        let fresh = self.recount().map_err(DataError::Counts)?;
        fresh.ok_or_else(|| DataError::Gone(self.directory.clone()))
    }

    /// With the counts of the capacity file; `None` where there is none.
    fn recount(&self) -> Result<Option<Self>, InputError> {
        let counted = input::with_capacity(self.scenario.clone(), &self.directory)?;
        Ok(counted.map(|Counted { scenario, uncounted, .. }| Self {
            scenario,
            counts: Counts::File { uncounted },
            ..self.clone()
        }))
    }

    /// The same with card counts as they were counted on the nodes: 0 of a type that was not seen.
    #[must_use]
    pub fn with_counted(&self, counted: &Cards) -> Self {
        let mut fresh = Self { counts: Counts::Nodes, ..self.clone() };
        for card in &mut fresh.scenario.card_types {
            let same = counted.iter().filter(|(t, _)| t.eq_ignore_ascii_case(&card.name));
            (card.count, card.spare) = (Some(same.map(|(_, n)| n).sum()), 0);
        }
        fresh
    }
}

/// What a control loop asks of the optimizer whatever the file says: a Deployment has one accelerator,
/// and where not all can be served, the most of the load is, by priority.
fn for_deployments(scenario: &mut Scenario) {
    let optimizer = &mut scenario.optimizer;
    optimizer.heterogeneous = false;
    if optimizer.saturation == Saturation::None {
        optimizer.saturation = Saturation::PriorityExhaustive;
    }
}
