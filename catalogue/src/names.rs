//! Names as people write them.
//!
//! A card is called by its data sheet, its driver (`NVIDIA A100-SXM4-80GB`), a node's label
//! (`NVIDIA-H100-80GB-HBM3`) or in short; a model by its publisher's repository, by one that stores it otherwise
//! (`RedHatAI/Meta-Llama-3.1-70B-Instruct-FP8`), or as a tool tags it (`llama3.1:70b`). Two names mean the same
//! where their cores do: what is left without case, separators, and words that say nothing of a card or of a
//! model's sizes. What such a word says of stored weights is kept.

use crate::precision::Precision;

/// Whether two names are the same: case aside, `_` as `-`.
pub(crate) fn same_name(a: &str, b: &str) -> bool {
    let plain = |c: char| if c == '_' { '-' } else { c.to_ascii_lowercase() };
    a.chars().map(plain).eq(b.chars().map(plain))
}

/// Words before or behind a card's name that do not tell it from others.
const NO_CARD: [&str; 16] = [
    "nvidia", "amd", "intel", "google", "cloud", "aws", "tesla", "instinct", "gpu", "oam", "sxm",
    "sxm2", "sxm3", "sxm4", "sxm5", "sxm6",
];

/// What a card's name says: `a10080gb` of `NVIDIA A100-SXM4-80GB`.
pub(crate) fn card_core(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
    let told = words.filter(|word| !NO_CARD.contains(word) && !word.starts_with("hbm"));
    told.map(whole_unit).collect()
}

/// `80g` as `80gb`.
fn whole_unit(word: &str) -> String {
    let digits = word.strip_suffix('g').unwrap_or("");
    let is_memory = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if is_memory { format!("{word}b") } else { word.to_owned() }
}

/// What a model's name says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModelName {
    /// Words of it that tell its sizes, in lower case.
    words: Vec<String>,
    /// How weights are stored, where the name says it.
    pub precision: Option<Precision>,
}

/// Words of a model's name that say nothing of its sizes.
const NO_SIZE: [&str; 9] =
    ["meta", "instruct", "it", "chat", "hf", "base", "latest", "preview", "dynamic"];

impl ModelName {
    /// Of `owner/name` or `name`.
    pub(crate) fn new(name: &str) -> Self {
        let own = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
        let mut read = Self { words: Vec::new(), precision: None };
        for word in own.split(|c: char| c != '.' && !c.is_ascii_alphanumeric()) {
            match word.parse::<Precision>() {
                // Of `GPTQ-Int8` the last word is right.
                Ok(precision) => read.precision = Some(precision),
                Err(_) if NO_SIZE.contains(&word) || is_edition(word) || word.is_empty() => {}
                Err(_) => read.words.push(word.to_owned()),
            }
        }
        read
    }

    /// What tells it from others.
    pub(crate) fn core(&self) -> String {
        self.words.concat()
    }

    /// The name as it is written in the catalogue.
    pub(crate) fn plain(&self) -> String {
        self.words.join("-")
    }
}

/// A date (`2507`, `0528`) or a number of weights (`v0.3`).
fn is_edition(word: &str) -> bool {
    let is_date = word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit());
    is_date || word.starts_with("v0.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_told_by_what_differs() {
        for name in ["NVIDIA A100-SXM4-80GB", "a100 80g", "nvidia-a100-80gb", "A100-80GB-HBM2e"] {
            assert_eq!(card_core(name), "a10080gb", "{name}");
        }
        assert_eq!(card_core("NVIDIA A100 80GB PCIe"), "a10080gbpcie");
        assert_eq!(card_core("Intel Gaudi 3"), "gaudi3");
        assert_eq!(card_core("AMD Instinct MI 300X OAM"), "mi300x");
    }

    #[test]
    fn models_are_told_by_their_sizes() {
        for name in ["meta-llama/Meta-Llama-3.1-70B-Instruct", "llama3.1:70b", "Llama 3.1 70B"] {
            assert_eq!(ModelName::new(name).core(), "llama3.170b", "{name}");
        }
        let stored = |name: &str| ModelName::new(name).precision;
        assert_eq!(stored("Qwen/Qwen3-32B-FP8"), Some(Precision::Fp8));
        assert_eq!(stored("Qwen2.5-72B-Instruct-GPTQ-Int8"), Some(Precision::Int8));
        assert_eq!(stored("qwen3-32b"), None);
        assert_eq!(ModelName::new("deepseek-ai/DeepSeek-R1-0528").plain(), "deepseek-r1");
        assert_eq!(ModelName::new("Mistral-7B-Instruct-v0.3").plain(), "mistral-7b");
    }
}
