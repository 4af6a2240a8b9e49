//! How a checkpoint's weights are stored, from its `quantization_config`.
//!
//! | `quant_method` | precision |
//! |---|---|
//! | `fp8`, `fbgemm_fp8` | fp8 |
//! | `mxfp4` | fp4 |
//! | `modelopt` | by `quant_algo`: NVFP4, FP8 |
//! | `compressed-tensors` | by `num_bits` and `type` of the weights of its first group |
//! | `gptq`, `awq` | int4, or int8 by `bits` |
//! | `bitsandbytes` | int4 or int8 by `load_in_4bit` |
//!
//! Where the attention's matrices are among what is not converted, the experts alone are stored so.

use isocost_model::input::reading::{Fields, Report, Value};

use crate::precision::Precision;

/// How weights are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quantization {
    /// Of the matrices; embedding and head have 16 bits.
    pub precision: Precision,
    /// Only experts are stored so, and the rest in 16 bits.
    pub experts_only: bool,
}

impl Quantization {
    /// This one, or all weights in another precision where one is given.
    pub fn or(self, precision: Option<Precision>) -> Self {
        match precision {
            Some(precision) if precision != self.precision => {
                Self { precision, experts_only: false }
            }
            _ => self,
        }
    }
}

pub(crate) fn quantization(mut fields: Fields<'_>, report: &mut Report) -> Option<Quantization> {
    let method = fields.text("quant_method", report).unwrap_or("").to_ascii_lowercase();
    let bits = fields.number("bits", 1.0..=16.0, report);
    let whole = |bits: Option<f64>| match bits {
        Some(bits) if bits > 4.0 => Precision::Int8,
        _ => Precision::Int4,
    };
    let precision = match method.as_str() {
        "fp8" | "fbgemm_fp8" => Precision::Fp8,
        "mxfp4" | "nvfp4" => Precision::Fp4,
        "gptq" | "awq" | "auto-round" => whole(bits),
        "bitsandbytes" if fields.flag("load_in_4bit", report) => Precision::Int4,
        "bitsandbytes" => Precision::Int8,
        "modelopt" | "modelopt_fp4" => algorithm(&mut fields, report)?,
        "compressed-tensors" => group(&mut fields, report)?,
        _ => {
            let what = format!("unknown quantization method `{method}`");
            let remedy = "state the precision by --precision, and remove quantization_config";
            fields.problem("quant_method", what, remedy, report);
            return None;
        }
    };
    let left = ["modules_to_not_convert", "ignore", "exclude_modules"];
    let attention = left.into_iter().any(|key| names_attention(&mut fields, key));
    Some(Quantization { precision, experts_only: attention })
}

fn algorithm(fields: &mut Fields<'_>, report: &mut Report) -> Option<Precision> {
    let name = fields.text("quant_algo", report).unwrap_or("").to_ascii_uppercase();
    match name.as_str() {
        n if n.contains("FP4") => Some(Precision::Fp4),
        n if n.contains("FP8") => Some(Precision::Fp8),
        n if n.contains("W4") || n.contains("INT4") => Some(Precision::Int4),
        _ => {
            let what = format!("unknown quant_algo `{name}`");
            fields.problem("quant_algo", what, "expected NVFP4 or FP8", report);
            None
        }
    }
}

fn group(fields: &mut Fields<'_>, report: &mut Report) -> Option<Precision> {
    let mut groups = fields.inner("config_groups", report)?;
    let mut weights = groups.inner("group_0", report)?.inner("weights", report)?;
    let bits = weights.number("num_bits", 1.0..=16.0, report)?;
    let float = weights.text("type", report) == Some("float");
    Some(match (float, bits > 4.0) {
        (true, true) => Precision::Fp8,
        (true, false) => Precision::Fp4,
        (false, true) => Precision::Int8,
        (false, false) => Precision::Int4,
    })
}

/// Whether every layer's attention is among the modules of a list.
fn names_attention(fields: &mut Fields<'_>, key: &'static str) -> bool {
    let Some(Value::List(items)) = fields.node(key).map(|node| &node.value) else { return false };
    items.iter().any(
        |item| matches!(&item.value, Value::Text(t) if t.contains("self_attn") && t.contains('*')),
    )
}
