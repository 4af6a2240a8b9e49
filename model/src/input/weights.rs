//! Whether a model's weights fit where a profile places them.
//!
//! ```text
//! weights = parameters x bytes a parameter      2 in bf16, 1 in fp8 and int8, 1/2 in fp4 and int4
//! ```
//!
//! Parameters are those of the catalogue's model of that name, else those that the name tells (`...-70b`); a
//! profile's `weightsGB` counts before both, and its `precision` before what the name tells. Where nobody says how
//! weights are stored, four bits are allowed for, and what does not fit even so is refused; what would not fit as
//! the model is published is only odd, as most profiles are of quantised models without saying so.

use std::sync::LazyLock;

use super::fields::Fields;
use super::problem::Report;

/// How weights are stored, as a profile may say.
pub(super) const PRECISIONS: [&str; 5] = ["bf16", "fp8", "int8", "fp4", "int4"];

/// Bytes of a parameter, widest first.
const BYTES: [(&str, f64); 3] = [("bf16", 2.0), ("fp8", 1.0), ("int4", 0.5)];

/// Share of a card's memory that engines take.
const SHARE: f64 = 0.9;

/// A model as the catalogue lists it.
struct Known {
    names: Vec<String>,
    billions: f64,
    /// Published in 16 bits.
    is_plain: bool,
}

static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let text = include_str!("../../../data/catalogue/models.json");
    // A test of the catalogue reads every model of it.
    let models: Vec<serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
    models.iter().filter_map(known).collect()
});

fn known(model: &serde_json::Value) -> Option<Known> {
    let aliases = model["aliases"].as_array().into_iter().flatten();
    let repository = model["repository"].as_str().and_then(|r| r.rsplit('/').next());
    let names = aliases.filter_map(|a| a.as_str()).chain(model["name"].as_str()).chain(repository);
    Some(Known {
        names: names.map(plain).collect(),
        billions: model["parameters_billion"].as_f64()?,
        is_plain: model["config"]["quantization_config"].is_null(),
    })
}

/// A name without its owner, in lower case, `_` as `-`.
fn plain(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase().replace('_', "-")
}

/// What is known of a model's size by its name.
struct Size {
    billions: f64,
    is_plain: bool,
}

fn size(name: &str) -> Option<Size> {
    let name = plain(name);
    if let Some(known) = KNOWN.iter().find(|known| known.names.contains(&name)) {
        return Some(Size { billions: known.billions, is_plain: known.is_plain });
    }
    let billions = name.split(['-', ' ', ':', '/']).filter_map(billions);
    let billions = billions.reduce(f64::max)?;
    Some(Size { billions, is_plain: true })
}

/// `70b` and `1.5b` are 10^9 parameters each; `8x7b` and `a3b` say something else.
fn billions(word: &str) -> Option<f64> {
    let number = word.strip_suffix('b')?;
    let plain = number.starts_with(|c: char| c.is_ascii_digit());
    number.parse().ok().filter(|n: &f64| plain && n.is_finite() && *n > 0.0 && *n < 1e5)
}

/// Bytes of a parameter that a name tells.
fn bytes_of_name(name: &str) -> Option<f64> {
    let name = plain(name);
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["int4", "fp4", "awq", "gptq", "w4a16", "4bit", "q4"]) {
        return Some(0.5);
    }
    has(&["fp8", "int8", "w8a8", "8bit", "q8"]).then_some(1.0)
}

/// Where a profile places a replica.
pub(super) struct Place<'a> {
    /// Name of the model.
    pub model: &'a str,
    /// Name of the accelerator.
    pub accelerator: &'a str,
    /// Accelerators of a replica.
    pub units: u32,
    /// Memory of each, GB; 0 where it is not stated.
    pub memory_gb: f64,
}

/// Checks a profile, and returns how it says that weights are stored.
pub(super) fn fit(
    fields: &mut Fields<'_>,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<&'static str> {
    let stated_gb = fields.quantity("weightsgb", report).filter(|gb| *gb > 0.0);
    let precision = fields.word("precision", report);
    match (place.memory_gb > 0.0, stated_gb) {
        (false, _) => {}
        (true, Some(gb)) => by_gb(gb, fields, place, report),
        (true, None) => by_name(precision, fields, place, report),
    }
    precision
}

/// What the profile states of its weights.
fn by_gb(gb: f64, fields: &Fields<'_>, place: &Place<'_>, report: &mut Report) {
    if gb >= place.memory_gb * f64::from(place.units) {
        let what = format!("the weights take {gb} GB, and {}", has(place));
        let remedy = format!("a replica needs accCount {}", least(gb, place.memory_gb));
        fields.problem("weightsgb", what, &remedy, report);
    }
}

/// What the model's name tells of them.
fn by_name(precision: Option<&str>, fields: &Fields<'_>, place: &Place<'_>, report: &mut Report) {
    let Some(size) = size(place.model) else { return };
    let has_gb = place.memory_gb * f64::from(place.units);
    let stated = precision.map(bytes_of).or_else(|| bytes_of_name(place.model));
    if size.billions * stated.unwrap_or(0.5) >= has_gb {
        let remedy = format!("the least accCount that holds it: {}", counts(&size, stated, place));
        fields.problem("acccount", too_large(&size, stated, place), &remedy, report);
    } else if stated.is_none() && size.is_plain && size.billions * 2.0 >= has_gb {
        let what = format!(
            "in bf16 the weights of {} billion parameters take {:.0} GB, and {}",
            size.billions,
            2.0 * size.billions,
            has(place)
        );
        let remedy =
            "state precision (fp8, int4, ...) or weightsGB if the profile is of a quantised model";
        fields.warning("acccount", what, remedy, report);
    }
}

fn bytes_of(precision: &str) -> f64 {
    match precision {
        "bf16" => 2.0,
        "fp8" | "int8" => 1.0,
        _ => 0.5,
    }
}

fn has(place: &Place<'_>) -> String {
    let Place { accelerator, units, memory_gb, .. } = place;
    match units {
        1 => format!("`{accelerator}` has {memory_gb} GB"),
        n => format!("{n} `{accelerator}` have {} GB", f64::from(*n) * memory_gb),
    }
}

fn too_large(size: &Size, stated: Option<f64>, place: &Place<'_>) -> String {
    let billions = size.billions;
    let take = match stated {
        Some(bytes) => format!("take {:.0} GB", billions * bytes),
        None => {
            format!(
                "take {:.0} GB even in 4 bits ({:.0} GB in bf16)",
                billions / 2.0,
                billions * 2.0
            )
        }
    };
    format!("the weights do not fit: {billions} billion parameters {take}, and {}", has(place))
}

/// The least number of accelerators by precision, in words.
fn counts(size: &Size, stated: Option<f64>, place: &Place<'_>) -> String {
    let meant = BYTES.iter().filter(|(_, bytes)| stated.is_none_or(|stated| *bytes == stated));
    let counts = meant.map(|(name, bytes)| {
        format!("{} in {name}", least(size.billions * bytes, place.memory_gb))
    });
    counts.collect::<Vec<_>>().join(", ")
}

/// Accelerators, a power of two as tensor parallelism splits, that hold so many GB in what engines take.
fn least(gb: f64, memory_gb: f64) -> u64 {
    ((gb / (SHARE * memory_gb)).ceil().max(1.0) as u64).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_sizes() {
        let of = |name: &str| size(name).map(|s| s.billions);
        assert_eq!(of("llama-70b"), Some(70.6), "an alias of the catalogue's");
        assert_eq!(of("Meta_Llama-70B-tuned"), Some(70.0));
        assert_eq!(of("my/finetune-1.5b-awq"), Some(1.5));
        assert_eq!(of("mixtral-8x7b"), Some(46.7));
        assert_eq!(of("own-8x7b"), None);
        assert_eq!(of("sparse-30b-a3b"), Some(30.0));
        for name in ["b", "web", "m", "model-b", "infb", "nanb", "1e999b", "-5b-x"] {
            assert!(of(name).is_none_or(|b| b.is_finite() && b > 0.0), "{name}");
        }
    }

    #[test]
    fn counts_are_powers_of_two_that_leave_room() {
        assert_eq!(least(141.2, 24.0), 8);
        assert_eq!(least(141.2, 80.0), 2);
        assert_eq!(least(1.0, 24.0), 1);
        assert_eq!(least(72.1, 80.0), 2);
    }
}
