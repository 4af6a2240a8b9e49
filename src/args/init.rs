//! `isocost init`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::ValueEnum;
use isocost_catalogue::{Precision, PriceKind};

use super::values::positive;
use super::{EntryFormat, LayoutArgs};

/// `isocost init`.
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// Models: names of the catalogue, or paths of config.json, with commas between; asked for on a
    /// terminal
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub models: Vec<String>,
    /// Cards: names of the catalogue, with commas between; asked for on a terminal
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub cards: Vec<String>,
    /// Cards that share each layer: `auto`, or numbers with commas between
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "auto")]
    pub tp: Vec<Parallel>,
    /// How weights are stored: one or more of published, bf16, fp8, int8, fp4 and int4, each an option
    #[arg(long, value_name = "PRECISIONS", value_delimiter = ',', default_value = "published")]
    pub precision: Vec<Stored>,
    /// Requests per minute of each model [default: 60]
    #[arg(long, value_name = "PER_MIN", value_parser = positive)]
    pub rate: Option<f64>,
    /// Mean tokens of a prompt [default: 1024]
    #[arg(long, value_name = "TOKENS", value_parser = positive)]
    pub input_tokens: Option<f64>,
    /// Mean tokens of an answer [default: 256]
    #[arg(long, value_name = "TOKENS", value_parser = positive)]
    pub output_tokens: Option<f64>,
    /// Load of one model: MODEL=PER_MIN, or MODEL=PER_MIN/INPUT/OUTPUT; may be given again
    #[arg(long, value_name = "MODEL=LOAD")]
    pub load: Vec<Named<LoadValue>>,
    /// CSV of requests (arrival_s,input_tokens,output_tokens) whose rate, tokens and variation every model gets
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rate", "input_tokens", "output_tokens"])]
    pub trace: Option<PathBuf>,
    /// Longest mean time between tokens, ms [default: 50]
    #[arg(long, value_name = "MS", value_parser = positive)]
    pub itl: Option<f64>,
    /// Longest mean time to the first token, ms [default: 2000]
    #[arg(long, value_name = "MS", value_parser = positive)]
    pub ttft: Option<f64>,
    /// Name of the service class
    #[arg(long, value_name = "NAME", default_value = "Standard")]
    pub class: String,
    /// How many cards of a type there are: CARD=N; may be given again [default: no limit]
    #[arg(long, value_name = "CARD=N")]
    pub count: Vec<Named<u64>>,
    /// Price of a card, cents an hour: CARD=CENTS; may be given again [default: the catalogue's]
    #[arg(long, value_name = "CARD=CENTS")]
    pub price: Vec<Named<f64>>,
    /// Which of the catalogue's prices
    #[arg(long, value_enum, default_value_t = Prices::OnDemand)]
    pub prices: Prices,
    /// Let several accelerators serve one model
    #[arg(long)]
    pub heterogeneous: bool,
    #[command(flatten)]
    pub layout: LayoutArgs,
    /// Write the scenario to a file in place of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// How it is written
    #[arg(long, value_enum, default_value_t = EntryFormat::Yaml)]
    pub format: EntryFormat,
}

/// Tensor parallelism.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parallel {
    /// What is sensible.
    Auto,
    /// So many cards.
    Cards(u32),
}

impl FromStr for Parallel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        let cards = text.parse().ok().filter(|n| (1..=64).contains(n));
        cards.map(Self::Cards).ok_or_else(|| "expected auto, or a number from 1 to 64".to_owned())
    }
}

/// How weights are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored(
    /// In a precision, or as they are published.
    pub Option<Precision>,
);

impl FromStr for Stored {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("published") {
            return Ok(Self(None));
        }
        text.parse().map(|precision| Self(Some(precision)))
    }
}

/// A value for something with a name: `NAME=VALUE`.
#[derive(Debug, Clone, PartialEq)]
pub struct Named<T> {
    /// Whose it is.
    pub name: String,
    /// The value.
    pub value: T,
}

impl<T: Value> FromStr for Named<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.rsplit_once('=').ok_or_else(|| format!("expected {}", T::FORM))?;
        let value = T::read(value).ok_or_else(|| format!("expected {}", T::FORM))?;
        Ok(Self { name: name.to_owned(), value })
    }
}

/// What may stand behind `NAME=`.
pub trait Value: Sized {
    /// How the whole is written.
    const FORM: &str;
    /// Reads it.
    fn read(text: &str) -> Option<Self>;
}

impl Value for u64 {
    const FORM: &str = "CARD=N with a whole number";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|n| *n <= 1_000_000_000)
    }
}

impl Value for f64 {
    const FORM: &str = "CARD=CENTS with a number above 0";

    fn read(text: &str) -> Option<Self> {
        positive(text).ok().filter(|cents| *cents < 1e9)
    }
}

/// A load: requests per minute, and tokens where they are given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadValue {
    /// Requests per minute.
    pub per_min: f64,
    /// Mean tokens of prompts and of answers.
    pub tokens: Option<(f64, f64)>,
}

impl Value for LoadValue {
    const FORM: &str = "MODEL=PER_MIN or MODEL=PER_MIN/INPUT/OUTPUT with numbers above 0";

    fn read(text: &str) -> Option<Self> {
        let numbers: Option<Vec<f64>> = text.split('/').map(|n| positive(n).ok()).collect();
        match numbers?.as_slice() {
            [per_min] => Some(Self { per_min: *per_min, tokens: None }),
            [per_min, input, output] => {
                Some(Self { per_min: *per_min, tokens: Some((*input, *output)) })
            }
            _ => None,
        }
    }
}

/// Which prices are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Prices {
    /// By the hour
    OnDemand,
    /// For a time, in advance
    Reserved,
    /// What may be taken away again
    Spot,
}

impl From<Prices> for PriceKind {
    fn from(prices: Prices) -> Self {
        match prices {
            Prices::OnDemand => Self::OnDemand,
            Prices::Reserved => Self::Reserved,
            Prices::Spot => Self::Spot,
        }
    }
}
