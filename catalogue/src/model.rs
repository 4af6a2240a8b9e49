//! Models: a name, where it comes from, and its sizes.

use isocost_model::input::reading::{Fields, Node, Report, Value, parse};

use crate::architecture::Architecture;
use crate::config::{Config, config};
use crate::names::ModelName;
use crate::precision::Precision;
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
    /// Where other weights of the same sizes are: models of their own that need not be estimated anew.
    pub same_sizes: Vec<String>,
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
    /// The model that `name` means, if that is this one or one of the same sizes, in the precision that the name
    /// tells; case, separators, an owner before it and words such as `Instruct` aside.
    pub(crate) fn called(&self, name: &ModelName) -> Option<Self> {
        let core = name.core();
        let is_meant = |known: &str| ModelName::new(known).core() == core;
        let own = self.aliases.iter().chain([&self.name, &self.repository]).any(|n| is_meant(n));
        let other = self.same_sizes.iter().find(|repository| is_meant(repository));
        let model = match (own, other) {
            (true, _) => self.clone(),
            (false, Some(repository)) => {
                let name = ModelName::new(repository).plain();
                Self { name, repository: repository.clone(), ..self.clone() }
            }
            (false, None) => return None,
        };
        Some(model.stored(name.precision))
    }

    /// The model with its weights in a precision, named after that where it is not the published one.
    fn stored(self, precision: Option<Precision>) -> Self {
        let quantization = self.quantization.or(precision);
        if quantization == self.quantization {
            return self;
        }
        let name = format!("{}-{}", self.name, quantization.precision);
        Self { name, quantization, ..self }
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
            same_sizes: Vec::new(),
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
        if models.iter().any(|known| known.called(&ModelName::new(&model.name)).is_some()) {
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
    let [aliases, same_sizes] = ["aliases", "same_sizes"]
        .map(|key| fields.names(key, report).into_iter().map(str::to_owned).collect());
    let mut text = |key| fields.text(key, report).unwrap_or("").to_owned();
    let (repository, licence) = (text("repository"), text("licence"));
    let (source, checked) = (text("source"), text("checked"));
    let stated = fields.number("parameters_billion", 0.0..=1e6, report);
    let model = model?;
    Some(Model {
        aliases,
        repository,
        same_sizes,
        licence,
        parameters_billion: stated.unwrap_or(model.parameters_billion),
        source,
        checked,
        ..model
    })
}
