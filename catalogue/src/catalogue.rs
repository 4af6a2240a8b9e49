//! The catalogue: cards and models by name.
//!
//! The tables of `data/catalogue` are part of the program; a directory of the same files (any of
//! `cards.csv` with `prices.csv`, `models.json`) takes their place.

use std::path::Path;

use isocost_model::input::InputError;
use isocost_model::input::reading::{Report, nearest, parse, read_text};

use crate::card::{self, Card};
use crate::model::{self, Model};
use crate::names::ModelName;

const CARDS: &str = include_str!("../../data/catalogue/cards.csv");
const PRICES: &str = include_str!("../../data/catalogue/prices.csv");
/// What 100 cents of the catalogue's prices are.
pub const CURRENCY: &str = "USD";
const MODELS: &str = include_str!("../../data/catalogue/models.json");

/// Cards and models.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    /// Cards, as they are listed.
    pub cards: Vec<Card>,
    /// Models, as they are listed.
    pub models: Vec<Model>,
}

impl Catalogue {
    /// What is compiled in.
    pub fn builtin() -> Self {
        let mut report = Report::default();
        let cards = card::read(("cards.csv", CARDS), ("prices.csv", PRICES), &mut report);
        let models = model::read(("models.json", MODELS), &mut report);
        // A test holds that the tables have no problem.
        debug_assert!(report.problems.is_empty(), "{:?}", report.problems);
        Self { cards, models }
    }

    /// What is compiled in, but for the tables that `directory` has.
    ///
    /// # Errors
    /// Every problem of its files; that it has none of them.
    pub fn load(directory: &Path) -> Result<Self, InputError> {
        let mut report = Report::default();
        let mut catalogue = Self::builtin();
        let path = |name: &str| directory.join(name);
        let [cards, prices, models] = ["cards.csv", "prices.csv", "models.json"].map(path);
        if !cards.is_file() && !models.is_file() {
            let what = "holds no catalogue: neither cards.csv nor models.json".to_owned();
            report.problem_in(&directory.display().to_string(), what, "give the directory of one");
        }
        if cards.is_file() {
            let texts = (text(&cards, &mut report), text_or_none(&prices, &mut report));
            let names = (cards.display().to_string(), prices.display().to_string());
            let (cards, prices) = ((names.0.as_str(), &*texts.0), (names.1.as_str(), &*texts.1));
            catalogue.cards = card::read(cards, prices, &mut report);
        }
        if models.is_file() {
            let text = text(&models, &mut report);
            catalogue.models = model::read((&models.display().to_string(), &text), &mut report);
        }
        if report.problems.is_empty() {
            return Ok(catalogue);
        }
        Err(InputError { problems: report.problems })
    }

    /// The card of a name, in any of the ways in which it is written.
    ///
    /// # Errors
    /// What to do about an unknown name.
    pub fn card(&self, name: &str) -> Result<&Card, String> {
        let exact = self.cards.iter().find(|card| card.is_called(name));
        let found = exact.or_else(|| self.cards.iter().find(|card| card.is_meant(name)));
        found.ok_or_else(|| unknown("card", name, self.cards.iter().map(|card| &card.name)))
    }

    /// The model of a name, or of the `config.json` at a path.
    ///
    /// # Errors
    /// What to do about an unknown name, or what is wrong with the file.
    pub fn model(&self, name: &str) -> Result<Model, String> {
        if let Some(model) = self.known_model(name) {
            return Ok(model);
        }
        let path = Path::new(name);
        if path.is_dir() && path.join("config.json").is_file() {
            return of_file(&path.join("config.json"));
        }
        if path.is_file() || name.ends_with(".json") {
            return of_file(path);
        }
        let unknown = unknown("model", name, self.models.iter().map(|model| &model.name));
        Err(format!("{unknown} One that is not there is given by the path of its config.json"))
    }

    /// The model of a name, in any of the ways in which it is written; one of the same sizes keeps its own name,
    /// and weights that the name says to be stored otherwise are so.
    pub fn known_model(&self, name: &str) -> Option<Model> {
        let name = ModelName::new(name);
        self.models.iter().find_map(|model| model.called(&name))
    }
}

/// What to do about an unknown name.
fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a String> + Clone) -> String {
    match nearest(name, known.map(String::as_str)) {
        Some(near) => format!("unknown {what} `{name}`; did you mean `{near}`?"),
        None => format!("unknown {what} `{name}`; take one that `isocost profile --list` shows."),
    }
}

/// A model by its config; it is called as the file, or as the directory where the file is
/// `config.json`.
fn of_file(path: &Path) -> Result<Model, String> {
    let file = path.display().to_string();
    let text = read_text(path).map_err(|what| format!("{file}: {what}"))?;
    let mut report = Report::default();
    let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or("model");
    let parent = path.parent().and_then(|p| p.file_name()).and_then(|p| p.to_str());
    let name = if stem == "config" { parent.unwrap_or("model") } else { stem };
    let node = parse(&file, &text, &mut report);
    let model = node.and_then(|node| Model::of_config(name, &file, &node, &mut report));
    match model {
        Some(model) if report.problems.is_empty() => Ok(model),
        _ => Err(InputError { problems: report.problems }.to_string()),
    }
}

fn text(path: &Path, report: &mut Report) -> String {
    read_text(path).unwrap_or_else(|what| {
        report.problem_in(&path.display().to_string(), what, "give a readable file");
        String::new()
    })
}

fn text_or_none(path: &Path, report: &mut Report) -> String {
    if path.is_file() { text(path, report) } else { String::new() }
}
