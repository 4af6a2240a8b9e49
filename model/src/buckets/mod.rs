//! Requests by size: a server's requests fall into buckets of (input, output) sizes, and each bucket
//! may be spread over several GPU types.
//!
//! [`Buckets`] is the question, [`Spread`] the answer, and [`check()`] proves the answer anew. The load
//! that a bucket puts on a GPU type is its rate over the rate that one GPU keeps up with when it serves
//! that bucket alone; loads of different buckets add up. That is the model of Griggs et al., "Mélange:
//! Cost Efficient Large Language Model Serving by Exploiting GPU Heterogeneity" (arXiv 2404.14527,
//! 2024), and an approximation: a batch that mixes sizes is neither as fast nor as slow as its parts.

mod export;
mod sized;

use std::fmt;
use std::str::FromStr;

pub use crate::check::buckets::check;
pub use export::{Report, Single};
pub use sized::{Size, of_server};

use crate::plan::{Status, relative_gap};

/// What is to be spread over what.
#[derive(Debug, Clone, PartialEq)]
pub struct Buckets {
    /// Sizes of requests, with their rates.
    pub buckets: Vec<Bucket>,
    /// GPU types to choose from.
    pub gpus: Vec<Gpu>,
    /// How many GPUs there are.
    pub limits: Vec<Limit>,
    /// How finely a bucket may be spread.
    pub slices: SliceFactor,
    /// What costs are counted in, per hour.
    pub currency: String,
    /// Where the rates come from, in words for the user; empty where the input does not say.
    pub provenance: String,
}

/// Requests of about the same size.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    /// Input size: tokens where the input states them, else the number of the row.
    pub input: String,
    /// Output size, likewise.
    pub output: String,
    /// Requests per second.
    pub rate_per_s: f64,
}

/// A GPU type, or several GPUs that are rented as one.
#[derive(Debug, Clone, PartialEq)]
pub struct Gpu {
    /// Name.
    pub name: String,
    /// Price of one, in the question's currency per hour.
    pub cost_per_h: f64,
    /// Requests per second that one keeps up with, by bucket, each alone; 0 where it cannot serve it.
    pub rates_per_s: Vec<f64>,
}

/// `sum of units * GPUs <= most`.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// What is limited.
    pub name: String,
    /// How much there is.
    pub most: u64,
    /// (index of the GPU type, units that one of it takes).
    pub units: Vec<(usize, u64)>,
}

/// How many equal slices a bucket is cut into; a slice runs on one GPU type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SliceFactor {
    /// So many.
    Whole(u32),
    /// Any split.
    Infinite,
}

/// Most slices of a bucket; beyond it a whole slice is nothing but a rounding error.
pub const MAX_SLICES: u32 = 10_000;

impl SliceFactor {
    /// Slices that make a whole bucket; 1 where any split may be.
    pub fn whole(self) -> f64 {
        match self {
            Self::Whole(k) => f64::from(k),
            Self::Infinite => 1.0,
        }
    }
}

impl fmt::Display for SliceFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(k) => k.fmt(f),
            Self::Infinite => f.write_str("inf"),
        }
    }
}

impl FromStr for SliceFactor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<u32>() {
            Ok(k) if (1..=MAX_SLICES).contains(&k) => Ok(Self::Whole(k)),
            _ if text == "inf" => Ok(Self::Infinite),
            _ => Err(format!("expected a whole number from 1 to {MAX_SLICES}, or inf")),
        }
    }
}

impl Buckets {
    /// GPUs of type `gpu` that the whole of `bucket` keeps busy; `None` where it cannot serve it.
    pub fn load(&self, bucket: usize, gpu: usize) -> Option<f64> {
        let rate = self.gpus[gpu].rates_per_s[bucket];
        (rate > 0.0).then(|| self.buckets[bucket].rate_per_s / rate)
    }

    /// Most GPUs of a type that the limits allow, were there no other; `None` without a limit.
    pub fn most(&self, gpu: usize) -> Option<u64> {
        let terms = |l: &Limit| -> u64 { l.units.iter().filter(|u| u.0 == gpu).map(|u| u.1).sum() };
        let limits = self.limits.iter().map(|l| (l.most, terms(l))).filter(|(_, units)| *units > 0);
        limits.map(|(most, units)| most / units).min()
    }

    /// Whether these counts keep every limit.
    pub fn allows(&self, counts: &[u64]) -> bool {
        let units = |&(g, units): &(usize, u64)| u128::from(units) * u128::from(counts[g]);
        let used = |l: &Limit| l.units.iter().map(units).sum::<u128>();
        self.limits.iter().all(|l| used(l) <= u128::from(l.most))
    }

    /// Indices of the buckets that requests fall into.
    pub fn asked(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.buckets.len()).filter(|&b| self.buckets[b].rate_per_s > 0.0)
    }

    /// Requests per second in all.
    pub fn rate_per_s(&self) -> f64 {
        self.buckets.iter().map(|b| b.rate_per_s).sum()
    }

    /// Limits a GPU type to `most`.
    pub fn cap(&mut self, gpu: usize, most: u64) {
        let name = self.gpus[gpu].name.clone();
        self.limits.push(Limit { name, most, units: vec![(gpu, 1)] });
    }
}

/// GPUs that a count may fall short of the load: rounding in sums, and in solvers.
pub const COUNT_TOLERANCE: f64 = 1e-6;

/// GPUs that a load takes.
pub fn count_for(load: f64) -> u64 {
    if load <= 0.0 { 0 } else { ((load - COUNT_TOLERANCE).ceil() as u64).max(1) }
}

/// Which part of each bucket goes where.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// What was proven.
    pub status: Status,
    /// Slices by bucket and GPU type, out of [`SliceFactor::whole`]; empty without a plan.
    pub slices: Vec<Vec<f64>>,
    /// GPUs by type; empty without a plan.
    pub counts: Vec<u64>,
    /// Cost in the question's currency per hour; `inf` without a plan.
    pub cost_per_h: f64,
    /// Proven lower bound on the cost; `-inf` if none.
    pub bound_per_h: f64,
    /// Name of the formulation.
    pub formulation: &'static str,
    /// Name of the backend.
    pub backend: &'static str,
    /// Remarks for the user, such as why there is no plan.
    pub notes: Vec<String>,
}

impl Spread {
    /// Whether there is a plan to carry out.
    pub fn has_plan(&self) -> bool {
        matches!(self.status, Status::Optimal | Status::Feasible)
    }

    /// Relative gap between cost and bound.
    pub fn gap(&self) -> f64 {
        relative_gap(self.cost_per_h, self.bound_per_h)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_takes_whole_gpus() {
        let counts = [0.0, 1e-9, 0.3, 1.0, 1.0 + 1e-9, 1.01, 7.0].map(count_for);
        assert_eq!(counts, [0, 1, 1, 1, 1, 2, 7]);
    }

    #[test]
    fn slice_factors_are_read() {
        assert_eq!("4".parse(), Ok(SliceFactor::Whole(4)));
        assert_eq!("inf".parse(), Ok(SliceFactor::Infinite));
        assert!(["0", "-1", "2.5", "20000", ""].iter().all(|t| t.parse::<SliceFactor>().is_err()));
    }
}
