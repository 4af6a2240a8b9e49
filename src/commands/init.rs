//! `isocost init`: a scenario from names of models and cards.

mod ask;

use isocost_catalogue::draft::{Asked, Class, Draft, Drafted, Load, Offered, Variation};
use isocost_catalogue::{Catalogue, Model, PriceKind};
use isocost_model::export::write_file;
use isocost_simulation::read_trace;

use crate::args::{EntryFormat, InitArgs, Parallel};
use crate::output::print;
use crate::output::style::warning;
use crate::{Failure, exit};

/// Runs the command; returns its exit code.
pub fn run(args: &InitArgs) -> Result<u8, Failure> {
    let known = args.layout.catalogue()?;
    let answers = ask::missing(args)?;
    let draft = draft(args, &answers, &known)?;
    let Drafted { document, left_out } =
        draft.scenario().map_err(|lines| Failure::input(lines.join("\n")))?;
    left_out.iter().for_each(|what| warning(what));
    let text = match args.format {
        EntryFormat::Yaml => document.yaml(),
        EntryFormat::Json => format!("{:#}\n", document.json()),
    };
    match &args.out {
        Some(path) => write_file(path, text.as_bytes()).map_err(Failure::failed)?,
        None => print(text.as_bytes())?,
    }
    Ok(exit::OK)
}

/// What is asked for, or every problem of it.
fn draft(args: &InitArgs, answers: &ask::Answers, known: &Catalogue) -> Result<Draft, Failure> {
    let mut problems = Vec::new();
    let models = models(args, answers, known, &mut problems);
    let cards = cards(args, answers, known, &mut problems);
    let tps = args.tp.iter().filter_map(|tp| match tp {
        Parallel::Auto => None,
        Parallel::Cards(cards) => Some(*cards),
    });
    let draft = Draft {
        models,
        cards,
        tps: tps.collect(),
        precisions: args.precision.iter().map(|stored| stored.0).collect(),
        engine: args.layout.engine(),
        class: Class { name: args.class.clone(), itl_ms: answers.itl_ms, ttft_ms: answers.ttft_ms },
        heterogeneous: args.heterogeneous,
    };
    match problems.is_empty() {
        true => Ok(draft),
        false => Err(Failure::input(problems.join("\n"))),
    }
}

fn models(
    args: &InitArgs,
    answers: &ask::Answers,
    known: &Catalogue,
    problems: &mut Vec<String>,
) -> Vec<Asked> {
    let all = match traced(args) {
        Ok(traced) => traced.unwrap_or(answers.load),
        Err(error) => {
            problems.push(error);
            answers.load
        }
    };
    let mut models: Vec<Asked> = Vec::new();
    for name in &answers.models {
        match known.model(name) {
            Ok(model) if models.iter().any(|m| m.model.name == model.name) => {
                problems.push(format!("--models: `{}` is there twice; remove one", model.name));
            }
            Ok(model) => {
                let load = own_load(args, &model, name, all);
                models.push(Asked { model, load });
            }
            Err(problem) => problems.push(format!("--models: {problem}")),
        }
    }
    for load in &args.load {
        let is_meant =
            |(name, m): (&String, &Asked)| *name == load.name || m.model.is_called(&load.name);
        if !answers.models.iter().zip(&models).any(is_meant) {
            problems.push(format!("--load: `{}` is none of the models; give one", load.name));
        }
    }
    models
}

/// The load of a model: its own, else that of all.
fn own_load(args: &InitArgs, model: &Model, name: &str, all: Load) -> Load {
    let own = args.load.iter().find(|load| load.name == name || model.is_called(&load.name));
    let Some(own) = own else { return all };
    let (input_tokens, output_tokens) =
        own.value.tokens.unwrap_or((all.input_tokens, all.output_tokens));
    Load { per_min: own.value.per_min, input_tokens, output_tokens, ..all }
}

/// The load of a trace, where one is given.
fn traced(args: &InitArgs) -> Result<Option<Load>, String> {
    let Some(path) = &args.trace else { return Ok(None) };
    let trace = read_trace(path).map_err(|error| error.to_string())?;
    let variation = Variation {
        arrivals: trace.arrival_scv,
        outputs: trace.token_scv,
        inputs: trace.input_scv,
    };
    Ok(Some(Load {
        per_min: trace.rate_per_s * 60.0,
        input_tokens: trace.input_tokens,
        output_tokens: trace.output_tokens,
        variation: Some(variation),
    }))
}

fn cards(
    args: &InitArgs,
    answers: &ask::Answers,
    known: &Catalogue,
    problems: &mut Vec<String>,
) -> Vec<Offered> {
    let mut cards: Vec<Offered> = Vec::new();
    for name in &answers.cards {
        match known.card(name) {
            Ok(card) if cards.iter().any(|c| c.card.name == card.name) => {
                problems.push(format!("--cards: `{}` is there twice; remove one", card.name));
            }
            Ok(card) => {
                let price = args.price.iter().find(|price| card.is_called(&price.name));
                let given = price.map(|price| (price.value, "as given".to_owned()));
                match given.map_or_else(|| listed(card, args.prices.into()), Ok) {
                    Ok((cents_per_h, price_note)) => {
                        let count = args.count.iter().find(|c| card.is_called(&c.name));
                        let count = count.map(|count| count.value);
                        cards.push(Offered { card: card.clone(), cents_per_h, price_note, count });
                    }
                    Err(problem) => problems.push(problem),
                }
            }
            Err(problem) => problems.push(format!("--cards: {problem}")),
        }
    }
    named(args, &cards, problems);
    cards
}

/// Prices and counts are of cards that are there, and counts of all of them or none.
fn named(args: &InitArgs, cards: &[Offered], problems: &mut Vec<String>) {
    let prices = args.price.iter().map(|price| ("--price", &price.name));
    let counts = args.count.iter().map(|count| ("--count", &count.name));
    for (flag, name) in prices.chain(counts) {
        if !cards.iter().any(|offered| offered.card.is_called(name)) && problems.is_empty() {
            problems.push(format!("{flag}: `{name}` is none of the cards; give one of --cards"));
        }
    }
    let missing: Vec<&str> =
        cards.iter().filter(|c| c.count.is_none()).map(|c| c.card.name.as_str()).collect();
    if !args.count.is_empty() && !missing.is_empty() {
        let missing = missing.join(", ");
        problems
            .push(format!("--count: nothing is said of {missing}; give a count for every card"));
    }
}

/// A price of the catalogue, and where it comes from.
fn listed(card: &isocost_catalogue::Card, kind: PriceKind) -> Result<(f64, String), String> {
    let Some(price) = card.price(kind) else {
        let (name, kind) = (&card.name, kind.name());
        return Err(format!(
            "--cards: the catalogue has no {kind} price of `{name}`; give --price {name}=CENTS"
        ));
    };
    let date = if price.date.is_empty() { "undated" } else { &price.date };
    let note = format!("{} {} {} ({date})", kind.name(), price.provider, price.offer);
    Ok((price.cents_per_h, note))
}
