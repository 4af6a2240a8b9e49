//! Numbers of weights and caches: how many bytes one takes.
//!
//! Formats of less than a byte carry a scale for each block of numbers, which counts:
//!
//! ```text
//! int4   4 bits and 16 a block of 128      0.52 bytes   (GPTQ, AWQ, compressed-tensors)
//! fp4    4 bits and  8 a block of 16       0.5625 bytes (NVFP4; MXFP4 has blocks of 32: 0.53)
//! ```

use std::fmt;
use std::str::FromStr;

/// A format of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Precision {
    /// 16 bits: BF16 or FP16.
    #[default]
    Bf16,
    /// 8 bits, floating point.
    Fp8,
    /// 8 bits, whole numbers.
    Int8,
    /// 4 bits, floating point, with scales.
    Fp4,
    /// 4 bits, whole numbers, with scales.
    Int4,
}

impl Precision {
    /// Every precision.
    pub const ALL: [Self; 5] = [Self::Bf16, Self::Fp8, Self::Int8, Self::Fp4, Self::Int4];

    /// Bytes of a number, scales included.
    pub fn bytes(self) -> f64 {
        match self {
            Self::Bf16 => 2.0,
            Self::Fp8 | Self::Int8 => 1.0,
            Self::Fp4 => 0.5625,
            Self::Int4 => 0.52,
        }
    }

    /// Name, as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bf16 => "bf16",
            Self::Fp8 => "fp8",
            Self::Int8 => "int8",
            Self::Fp4 => "fp4",
            Self::Int4 => "int4",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "bf16" | "fp16" | "bfloat16" | "float16" => Ok(Self::Bf16),
            "fp8" => Ok(Self::Fp8),
            "int8" | "w8a8" => Ok(Self::Int8),
            "fp4" | "nvfp4" | "mxfp4" => Ok(Self::Fp4),
            "int4" | "awq" | "gptq" | "w4a16" => Ok(Self::Int4),
            _ => Err(format!("unknown precision `{text}`: expected bf16, fp8, int8, fp4 or int4")),
        }
    }
}
