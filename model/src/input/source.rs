//! A scenario as it is written, held in memory.
//!
//! A [`Source`] is read once, from a directory, a file, standard input or a workbook, and is read to the same scenario wherever it is sent:
//! another process, another machine.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::node::Node;
use super::problem::{InputError, Report};
use super::sheets::{self, ScenarioSheet};
use super::text::{name_of, read_text};
use super::{
    EXTENSIONS, Loaded, OPTIONAL, SECTIONS, SERVERS, Section, finish, node, split, unwrap,
    with_loads_text,
};

/// A scenario as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Source {
    /// One document with all sections.
    Document(SourceFile),
    /// A document a section, by the section's index.
    Files(Vec<(usize, SourceFile)>),
    /// A table a section.
    Sheets(Vec<ScenarioSheet>),
}

/// A document, JSON or YAML.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// What messages call it.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

impl SourceFile {
    pub(super) fn node(&self, report: &mut Report) -> Option<Node> {
        node::parse_fleet(&self.name, &self.text, report)
    }

    /// The document as a section, out of its envelope.
    pub(super) fn section(&self, key: &str, report: &mut Report) -> Option<Section> {
        let node = unwrap(self.node(report)?, key);
        Some(Section { file: self.name.clone(), node })
    }
}

impl Source {
    /// Takes up what stands at `path`: a directory, a file, or `-` for standard input.
    ///
    /// # Errors
    /// What cannot be read, and sections that are missing.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        let mut report = Report::default();
        let source = read(path, &OPTIONAL, &mut report);
        match source.filter(|_| report.problems.is_empty()) {
            Some(source) => Ok(source),
            None => Err(InputError { problems: report.problems }),
        }
    }

    /// A document of all sections; `name` stands for its file in messages.
    pub fn text(name: &str, text: &str) -> Self {
        Self::Document(SourceFile { name: name.to_owned(), text: text.to_owned() })
    }

    /// Reads the scenario.
    ///
    /// # Errors
    /// Every problem of it.
    pub fn load(&self) -> Result<Loaded, InputError> {
        self.loaded(&OPTIONAL, Report::default())
    }

    /// The scenario of what was taken up with that report.
    pub(super) fn loaded(
        &self,
        optional: &[usize],
        mut report: Report,
    ) -> Result<Loaded, InputError> {
        let sections = self.sections(optional, &mut report);
        let mut loaded = finish(sections, optional, report)?;
        let sheets = match self {
            Self::Sheets(sheets) if !optional.contains(&SERVERS) => sheets.as_slice(),
            _ => &[],
        };
        for sheet in sheets.iter().filter(|sheet| ScenarioSheet::is_loads(&sheet.name)) {
            let changed = with_loads_text(loaded.scenario, &sheet.place, &sheet.csv())?;
            loaded.scenario = changed.scenario;
            loaded.warnings.extend(changed.warnings);
        }
        Ok(loaded)
    }

    /// The scenario as tables, one a section, as they are read back.
    pub fn sheets(&self) -> Vec<ScenarioSheet> {
        match self {
            Self::Sheets(sheets) => sheets.clone(),
            Self::Document(file) => sheets::of_document(file),
            Self::Files(files) => sheets::of_files(files),
        }
    }

    /// Sections by index; none at all where a document cannot be read.
    pub(super) fn sections(&self, optional: &[usize], report: &mut Report) -> Vec<Option<Section>> {
        match self {
            Self::Document(file) => file
                .node(report)
                .map(|node| split(&file.name, node, optional, report))
                .unwrap_or_default(),
            Self::Files(files) => {
                let mut sections: Vec<Option<Section>> = SECTIONS.iter().map(|_| None).collect();
                for (section, file) in files {
                    sections[*section] = file.section(SECTIONS[*section].1, report);
                }
                sections
            }
            Self::Sheets(sheets) => sheets::sections(sheets, optional, report),
        }
    }
}

/// What stands at `path`, as far as it can be read.
pub(super) fn read(path: &Path, optional: &[usize], report: &mut Report) -> Option<Source> {
    match path.is_dir() {
        true => read_directory(path, optional, report),
        false => read_file(path, report).map(Source::Document),
    }
}

/// The files of a directory, one a section, or `system-data` with all of them.
fn read_directory(path: &Path, optional: &[usize], report: &mut Report) -> Option<Source> {
    let files: Vec<Option<PathBuf>> = SECTIONS.iter().map(|s| find(path, s.0)).collect();
    let missing: Vec<usize> =
        (0..files.len()).filter(|i| !optional.contains(i) && files[*i].is_none()).collect();
    if !missing.is_empty() {
        if let Some(system) = find(path, "system-data") {
            return read_file(&system, report).map(Source::Document);
        }
        missing_files(&path.display().to_string(), &missing, report);
    }
    let files = files.into_iter().enumerate();
    let read = files.filter_map(|(i, file)| Some((i, read_file(&file?, report)?)));
    Some(Source::Files(read.collect()))
}

/// The file of a section in a directory.
pub(super) fn find(directory: &Path, stem: &str) -> Option<PathBuf> {
    EXTENSIONS.iter().map(|e| directory.join(format!("{stem}.{e}"))).find(|p| p.is_file())
}

fn missing_files(directory: &str, missing: &[usize], report: &mut Report) {
    if missing.len() == SECTIONS.len() - OPTIONAL.len() {
        let what = "holds no scenario: no accelerator-data.json, model-data.json, \
                    serviceclass-data.json and server-data.json, and no system-data.json";
        let remedy = "give the directory of a scenario, or one JSON or YAML file";
        return report.problem_in(directory, what.to_owned(), remedy);
    }
    for i in missing {
        let what = format!("there is no {}.json (or .yaml)", SECTIONS[*i].0);
        let remedy = "add it, or give all sections in system-data.json";
        report.problem_in(directory, what, remedy);
    }
}

/// The text of a file.
pub(super) fn read_file(path: &Path, report: &mut Report) -> Option<SourceFile> {
    let name = name_of(path);
    match read_text(path) {
        Ok(text) => Some(SourceFile { name, text }),
        Err(what) => {
            let remedy = "give the path of a scenario: a directory, or one JSON or YAML file";
            report.problem_in(&name, what, remedy);
            None
        }
    }
}
