//! What the flags leave open: asked for on a terminal, or taken by default.

use std::io::{IsTerminal, Write, stderr, stdin};

use isocost_catalogue::draft::Load;

use crate::Failure;
use crate::args::InitArgs;

/// What a scenario is made of.
pub struct Answers {
    pub models: Vec<String>,
    pub cards: Vec<String>,
    /// Of every model that has none of its own.
    pub load: Load,
    pub itl_ms: f64,
    pub ttft_ms: f64,
}

/// Where nobody says: requests per minute, tokens in and out, ITL and TTFT in ms.
const DEFAULTS: [f64; 5] = [60.0, 1024.0, 256.0, 50.0, 2000.0];

/// The answers: those of the flags, and where models or cards are missing, those of the person at the terminal.
pub fn missing(args: &InitArgs) -> Result<Answers, Failure> {
    let asks = args.models.is_empty() || args.cards.is_empty();
    if asks && !stdin().is_terminal() {
        return Err(Failure::input(
            "nothing to make a scenario of: give --models and --cards (`isocost profile --list` shows both)",
        ));
    }
    let names = |given: &[String], question: &str| match given {
        [] => ask(question).map(|answer| split(&answer)),
        given => Ok(given.to_vec()),
    };
    let models = names(&args.models, "Models, with commas between (qwen3-32b,llama-3.1-70b)")?;
    let cards = names(&args.cards, "Cards, with commas between (L40S,H100,H200)")?;
    let given = [args.rate, args.input_tokens, args.output_tokens, args.itl, args.ttft];
    let questions = [
        "Requests per minute of each model",
        "Mean tokens of a prompt",
        "Mean tokens of an answer",
        "Longest mean time between tokens, ms",
        "Longest mean time to the first token, ms",
    ];
    let mut numbers = DEFAULTS;
    for ((number, given), question) in numbers.iter_mut().zip(given).zip(questions) {
        *number = match given {
            Some(given) => given,
            None if asks => ask_number(question, *number)?,
            None => *number,
        };
    }
    let [per_min, input_tokens, output_tokens, itl_ms, ttft_ms] = numbers;
    let load = Load { per_min, input_tokens, output_tokens, variation: None };
    Ok(Answers { models, cards, load, itl_ms, ttft_ms })
}

fn split(answer: &str) -> Vec<String> {
    answer.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// A number; nothing means the default, and what is none is asked for again.
fn ask_number(question: &str, default: f64) -> Result<f64, Failure> {
    loop {
        let answer = ask(&format!("{question} [{default}]"))?;
        let number = if answer.is_empty() { Some(default) } else { answer.parse().ok() };
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
