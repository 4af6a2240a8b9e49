//! Models: a name, where it comes from, and its sizes.

use isocost_model::input::reading::{Fields, Node, Report, Value, parse};

use crate::architecture::Architecture;
use crate::config::{Config, config};
use crate::quantization::Quantization;

/// A model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Name, e.g. `llama-3.1-8b`.
    pub name: String,
    /// Other names that mean it.
    pub aliases: Vec<String>,
    /// Where its weights are.
    pub repository: String,
    /// Its licence.
    pub licence: String,
    /// Parameters that its publisher states, 10^9; of a config those that were counted.
    pub parameters_billion: f64,
    /// Its sizes.
    pub architecture: Architecture,
    /// How the published weights are stored.
    pub quantization: Quantization,
    /// Tokens of the longest context, where it is stated.
    pub context: Option<f64>,
    /// Where its sizes were read.
    pub source: String,
    /// When they were compared with the source.
    pub checked: String,
}

impl Model {
    /// Whether `name` means it; case, `_` and an owner before it aside.
    pub fn is_called(&self, name: &str) -> bool {
        let name = name.rsplit('/').next().unwrap_or(name);
        let own = self.repository.rsplit('/').next().unwrap_or("");
        let mut names = self.aliases.iter().map(String::as_str).chain([self.name.as_str(), own]);
        names.any(|known| super::same_name(known, name))
    }

    /// The model of a `config.json`.
    pub(crate) fn of_config(
        name: &str,
        file: &str,
        node: &Node,
        report: &mut Report,
    ) -> Option<Self> {
        let Config { architecture, quantization, context } = config(file, node, report)?;
        Some(Self {
            name: name.to_owned(),
            aliases: Vec::new(),
            repository: String::new(),
            licence: String::new(),
            parameters_billion: architecture.parameters() / 1e9,
            architecture,
            quantization,
            context,
            source: file.to_owned(),
            checked: String::new(),
        })
    }
}

/// The models of a list.
pub(crate) fn read((file, text): (&str, &str), report: &mut Report) -> Vec<Model> {
    let Some(node) = parse(file, text, report) else { return Vec::new() };
    let Value::List(items) = &node.value else {
        let what = format!("expected a list of models, found {}", node.value.kind());
        report.problem_in(file, what, "write it as [ { ... }, ... ]");
        return Vec::new();
    };
    let mut models: Vec<Model> = Vec::new();
    for item in items {
        let Some(model) = model(file, item, report) else { continue };
        if models.iter().any(|known| known.is_called(&model.name)) {
            let what = format!("model `{}` is there twice", model.name);
            report.problem_at(file, item.at, "model", what, "remove one");
        }
        models.push(model);
    }
    models
}

fn model(file: &str, node: &Node, report: &mut Report) -> Option<Model> {
    let mut fields = Fields::new(file, node, "model", report)?;
    let name = fields.name("name", report).to_owned();
    fields.entity = format!("model `{name}`");
    let Some(inner) = fields.node("config") else {
        fields.problem("", "`config` is missing".to_owned(), "give its config.json", report);
        return None;
    };
    let model = Model::of_config(&name, file, inner, report);
    let aliases = fields.names("aliases", report);
    let mut text = |key| fields.text(key, report).unwrap_or("").to_owned();
    let (repository, licence) = (text("repository"), text("licence"));
    let (source, checked) = (text("source"), text("checked"));
    let stated = fields.number("parameters_billion", 0.0..=1e6, report);
    let model = model?;
    Some(Model {
        aliases: aliases.into_iter().map(str::to_owned).collect(),
        repository,
        licence,
        parameters_billion: stated.unwrap_or(model.parameters_billion),
        source,
        checked,
        ..model
    })
}
