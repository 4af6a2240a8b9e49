//! `isocost init`: a scenario from names of models and cards.

mod ask;

use isocost_catalogue::draft::{Asked, Class, Draft, Drafted, Load, Offered, Variation};
use isocost_catalogue::{Card, Catalogue, Model, PriceKind};
use isocost_model::export::write_file;
use isocost_simulation::read_trace;

use crate::args::{EntryFormat, InitArgs, LoadValue, Named, Parallel};
use crate::output::print;
use crate::output::style::warning;
use crate::{Failure, exit};

/// Runs the command; returns its exit code.
pub fn run(args: &InitArgs) -> Result<u8, Failure> {
    let known = args.layout.catalogue()?;
    let answers = ask::missing(args, &known)?;
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
                let own = args.load.iter().find(|load| is_of(load, &model, name, known));
                let load = own.map_or(all, |own| own_load(own.value, all));
                models.push(Asked { model, load });
            }
            Err(problem) => problems.push(format!("--models: {problem}")),
        }
    }
    for load in &args.load {
        let given = answers.models.iter().zip(&models);
        if !given.into_iter().any(|(name, m)| is_of(load, &m.model, name, known)) {
            problems.push(format!("--load: `{}` is none of the models; give one", load.name));
        }
    }
    models
}

/// Whether a load is that of a model, which was given as `name`.
fn is_of(load: &Named<LoadValue>, model: &Model, name: &str, known: &Catalogue) -> bool {
    let meant = || known.known_model(&load.name);
    load.name == name || load.name == model.name || meant().is_some_and(|m| m.name == model.name)
}

/// A load of a model's own, with the tokens of all where it has none.
fn own_load(own: LoadValue, all: Load) -> Load {
    let (input_tokens, output_tokens) = own.tokens.unwrap_or((all.input_tokens, all.output_tokens));
    Load { per_min: own.per_min, input_tokens, output_tokens, ..all }
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
    let (prices, counts) = (of_cards(&args.price, known), of_cards(&args.count, known));
    let mut cards: Vec<Offered> = Vec::new();
    for name in &answers.cards {
        match known.card(name) {
            Ok(card) if cards.iter().any(|c| c.card.name == card.name) => {
                problems.push(format!("--cards: `{}` is there twice; remove one", card.name));
            }
            Ok(card) => {
                let own = prices.iter().chain(&answers.prices).find(|(name, _)| *name == card.name);
                let given = own.map(|(_, cents_per_h)| (*cents_per_h, "as given".to_owned()));
                match given.map_or_else(|| listed(card, args.prices.into()), Ok) {
                    Ok((cents_per_h, price_note)) => {
                        let count = counts.iter().find(|(name, _)| *name == card.name);
                        let count = count.map(|(_, count)| *count);
                        cards.push(Offered { card: card.clone(), cents_per_h, price_note, count });
                    }
                    Err(problem) => problems.push(problem),
                }
            }
            Err(problem) => problems.push(format!("--cards: {problem}")),
        }
    }
    let names = prices.iter().map(|(name, _)| ("--price", name));
    let names = names.chain(counts.iter().map(|(name, _)| ("--count", name)));
    for (flag, name) in names {
        if !cards.iter().any(|offered| offered.card.name == *name) && problems.is_empty() {
            problems.push(format!("{flag}: `{name}` is none of the cards; give one of --cards"));
        }
    }
    counted(&counts, &cards, problems);
    cards
}

/// What is said of cards, by their names in the catalogue; of an unknown one as it was given.
fn of_cards<T: Copy>(said: &[Named<T>], known: &Catalogue) -> Vec<(String, T)> {
    let name = |given: &str| known.card(given).map_or(given.to_owned(), |card| card.name.clone());
    said.iter().map(|said| (name(&said.name), said.value)).collect()
}

/// Counts are given of all cards or of none.
fn counted(counts: &[(String, u64)], cards: &[Offered], problems: &mut Vec<String>) {
    let missing: Vec<&str> =
        cards.iter().filter(|c| c.count.is_none()).map(|c| c.card.name.as_str()).collect();
    if !counts.is_empty() && !missing.is_empty() {
        let missing = missing.join(", ");
        problems
            .push(format!("--count: nothing is said of {missing}; give a count for every card"));
    }
}

/// A price of the catalogue, and where it comes from.
fn listed(card: &Card, kind: PriceKind) -> Result<(f64, String), String> {
    let Some(price) = card.price(kind) else {
        let (name, kind) = (&card.name, kind.name());
        let other = card.prices.first().map(|p| p.kind.name());
        let other = other.map_or(String::new(), |kind| format!(", or take --prices {kind}"));
        return Err(format!(
            "--cards: the catalogue has no {kind} price of `{name}`; give --price {name}=CENTS{other}"
        ));
    };
    let date = if price.date.is_empty() { "undated" } else { &price.date };
    let note = format!("{} {} {} ({date})", kind.name(), price.provider, price.offer);
    Ok((price.cents_per_h, note))
}
