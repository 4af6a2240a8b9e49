//! What the flags leave open: asked for on a terminal, or taken by default.

use std::io::{IsTerminal, Write, stderr, stdin};

use isocost_catalogue::Catalogue;
use isocost_catalogue::draft::Load;

use crate::Failure;
use crate::args::InitArgs;

/// What a scenario is made of.
pub struct Answers {
    pub models: Vec<String>,
    pub cards: Vec<String>,
    /// Of cards that have none in the catalogue: name and cents an hour.
    pub prices: Vec<(String, f64)>,
    /// Of every model that has none of its own.
    pub load: Load,
    pub itl_ms: f64,
    pub ttft_ms: f64,
}

/// What is asked for where nobody says, and what is taken then.
const QUESTIONS: [(&str, f64); 5] = [
    ("Requests per minute of each model", 60.0),
    ("Mean tokens of a prompt", 1024.0),
    ("Mean tokens of an answer", 256.0),
    ("Longest mean time between tokens, ms", 50.0),
    ("Longest mean time to the first token, ms", 2000.0),
];

/// How many of them are about the load, which a trace answers.
const OF_LOAD: usize = 3;

/// The answers: those of the flags, and where models or cards are missing, those of the person at the terminal.
pub fn missing(args: &InitArgs, known: &Catalogue) -> Result<Answers, Failure> {
    let asks = args.models.is_empty() || args.cards.is_empty();
    if asks && !stdin().is_terminal() {
        return Err(Failure::input(
            "nothing to make a scenario of: give --models and --cards (`isocost profile --list` shows both)",
        ));
    }
    let models = match args.models.as_slice() {
        [] => names("Models, with commas between (qwen3-32b,llama-3.1-70b)", |name| {
            known.model(name).map(|_| ())
        })?,
        given => given.to_vec(),
    };
    let cards = match args.cards.as_slice() {
        [] => names("Cards, with commas between (L40S,H100,H200)", |name| {
            known.card(name).map(|_| ())
        })?,
        given => given.to_vec(),
    };
    let prices = if asks { prices(args, &cards, known)? } else { Vec::new() };
    let given = [args.rate, args.input_tokens, args.output_tokens, args.itl, args.ttft];
    let mut numbers = QUESTIONS.map(|(_, default)| default);
    for (i, (question, default)) in QUESTIONS.into_iter().enumerate() {
        let traced = i < OF_LOAD && args.trace.is_some();
        numbers[i] = match given[i] {
            Some(given) => given,
            None if asks && !traced => number(question, Some(default))?,
            None => default,
        };
    }
    let [per_min, input_tokens, output_tokens, itl_ms, ttft_ms] = numbers;
    let load = Load { per_min, input_tokens, output_tokens, variation: None };
    Ok(Answers { models, cards, prices, load, itl_ms, ttft_ms })
}

/// Names, each of them known; what is none is asked for again.
fn names(
    question: &str,
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<Vec<String>, Failure> {
    loop {
        let answer = ask(question)?;
        let names = answer.split(',').map(str::trim).filter(|name| !name.is_empty());
        let names: Vec<String> = names.map(str::to_owned).collect();
        let problems: Vec<String> = names.iter().filter_map(|name| check(name).err()).collect();
        match (names.as_slice(), problems.as_slice()) {
            ([], _) => say("expected one at least; `isocost profile --list` shows them\n")?,
            (_, []) => return Ok(names),
            (_, problems) => say(&format!("{}\n", problems.join("\n")))?,
        }
    }
}

/// Prices of the cards that neither the flags nor the catalogue have one of.
fn prices(
    args: &InitArgs,
    cards: &[String],
    known: &Catalogue,
) -> Result<Vec<(String, f64)>, Failure> {
    let mut prices = Vec::new();
    for card in cards.iter().filter_map(|name| known.card(name).ok()) {
        let of_card = |given: &str| known.card(given).is_ok_and(|given| given.name == card.name);
        let given = args.price.iter().any(|price| of_card(&price.name));
        if !given && card.price(args.prices.into()).is_none() {
            let question = format!("Price of {}, cents an hour", card.name);
            prices.push((card.name.clone(), number(&question, None)?));
        }
    }
    Ok(prices)
}

/// A number; nothing means the default where there is one, and what is none is asked for again.
fn number(question: &str, default: Option<f64>) -> Result<f64, Failure> {
    let shown = default.map_or(String::new(), |default| format!(" [{default}]"));
    loop {
        let answer = ask(&format!("{question}{shown}"))?;
        let number = if answer.is_empty() { default } else { answer.parse().ok() };
        match number.filter(|n: &f64| n.is_finite() && *n > 0.0) {
            Some(number) => return Ok(number),
            None => say("expected a number above 0\n")?,
        }
    }
}

/// An answer of the person at the terminal; questions go to standard error, as the scenario goes to
/// standard output.
fn ask(question: &str) -> Result<String, Failure> {
    say(&format!("{question}: "))?;
    let mut answer = String::new();
    match stdin().read_line(&mut answer) {
        Ok(0) => Err(Failure::input("no answer: give the flags, or answer the questions")),
        Ok(_) => Ok(answer.trim().to_owned()),
        Err(error) => Err(Failure::failed(error)),
    }
}

fn say(text: &str) -> Result<(), Failure> {
    let mut out = stderr();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Failure::failed)
}
