//! The proof of a spread, from the question and the slices alone.

use super::{Buckets, COUNT_TOLERANCE, SliceFactor, Spread};

/// What a spread breaks.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Violation {
    /// The spread has another shape than the question.
    #[error("the spread is not of {buckets} buckets over {gpus} GPU types")]
    Shape {
        /// Buckets of the question.
        buckets: usize,
        /// GPU types of the question.
        gpus: usize,
    },
    /// A part that is negative, not whole, or not a number.
    #[error("bucket {input}/{output} has {slices} slices on {gpu}, which is no part of it")]
    Part {
        /// Input size of the bucket.
        input: String,
        /// Output size.
        output: String,
        /// GPU type.
        gpu: String,
        /// Slices.
        slices: f64,
    },
    /// A bucket is not spread in full.
    #[error("bucket {input}/{output} is spread over {slices} of its {whole} slices")]
    Whole {
        /// Input size of the bucket.
        input: String,
        /// Output size.
        output: String,
        /// Slices placed.
        slices: f64,
        /// Slices there are.
        whole: f64,
    },
    /// A bucket runs where it cannot.
    #[error("bucket {input}/{output} is on {gpu}, which cannot serve it")]
    Unserved {
        /// Input size of the bucket.
        input: String,
        /// Output size.
        output: String,
        /// GPU type.
        gpu: String,
    },
    /// Fewer GPUs than the load takes.
    #[error("{count} {gpu} are too few for a load of {load}")]
    Load {
        /// GPU type.
        gpu: String,
        /// GPUs planned.
        count: u64,
        /// GPUs kept busy.
        load: f64,
    },
    /// More GPUs than there are.
    #[error("{used} of {name} are in use, and there are {most}")]
    Limit {
        /// What is limited.
        name: String,
        /// In use.
        used: u128,
        /// There are.
        most: u64,
    },
    /// Another cost than the sum of its parts.
    #[error("the cost is stated as {stated} and sums to {summed}")]
    Cost {
        /// As stated.
        stated: f64,
        /// Summed anew.
        summed: f64,
    },
    /// A bound above the cost.
    #[error("the bound {bound} is above the cost {cost}")]
    Bound {
        /// The bound.
        bound: f64,
        /// The cost.
        cost: f64,
    },
}

/// Relative difference that sums in another order may have.
const ROUNDING: f64 = 1e-6;

/// Everything that a plan breaks; nothing where it holds.
pub fn check(question: &Buckets, spread: &Spread) -> Vec<Violation> {
    let (buckets, gpus) = (question.buckets.len(), question.gpus.len());
    let shaped = spread.slices.len() == buckets
        && spread.slices.iter().all(|row| row.len() == gpus)
        && spread.counts.len() == gpus;
    if !shaped {
        return vec![Violation::Shape { buckets, gpus }];
    }
    let mut broken = Vec::new();
    let loads = parts(question, spread, &mut broken);
    let mut summed = 0.0;
    for ((gpu, &count), load) in question.gpus.iter().zip(&spread.counts).zip(loads) {
        summed += gpu.cost_per_h * count as f64;
        let idle = count == 0 && load > 0.0;
        if idle || load > count as f64 + COUNT_TOLERANCE * 1.001 {
            broken.push(Violation::Load { gpu: gpu.name.clone(), count, load });
        }
    }
    for limit in &question.limits {
        let units = limit.units.iter().map(|&(g, n)| u128::from(n) * u128::from(spread.counts[g]));
        let used = units.sum::<u128>();
        if used > u128::from(limit.most) {
            broken.push(Violation::Limit { name: limit.name.clone(), used, most: limit.most });
        }
    }
    let off = |a: f64, b: f64| (a - b).abs() > ROUNDING * b.abs().max(1e-9);
    if !spread.cost_per_h.is_finite() || off(spread.cost_per_h, summed) {
        broken.push(Violation::Cost { stated: spread.cost_per_h, summed });
    }
    if spread.bound_per_h > summed + ROUNDING * summed.abs().max(1e-9) {
        broken.push(Violation::Bound { bound: spread.bound_per_h, cost: summed });
    }
    broken
}

/// Checks each bucket's parts; returns the load of each GPU type.
fn parts(question: &Buckets, spread: &Spread, broken: &mut Vec<Violation>) -> Vec<f64> {
    let whole = match question.slices {
        SliceFactor::Whole(k) => f64::from(k),
        SliceFactor::Infinite => 1.0,
    };
    let mut loads = vec![0.0; question.gpus.len()];
    for (b, (bucket, row)) in question.buckets.iter().zip(&spread.slices).enumerate() {
        let (input, output) = (&bucket.input, &bucket.output);
        for ((gpu, &slices), load) in question.gpus.iter().zip(row).zip(&mut loads) {
            let (input, output, name) = (input.clone(), output.clone(), gpu.name.clone());
            let cut = question.slices != SliceFactor::Infinite && slices.fract() != 0.0;
            if !(slices >= 0.0 && slices.is_finite()) || cut {
                broken.push(Violation::Part { input, output, gpu: name, slices });
            } else if slices > 0.0 && bucket.rate_per_s > 0.0 {
                match gpu.rates_per_s[b] > 0.0 {
                    true => *load += bucket.rate_per_s * slices / whole / gpu.rates_per_s[b],
                    false => broken.push(Violation::Unserved { input, output, gpu: name }),
                }
            }
        }
        let slices: f64 = row.iter().sum();
        if bucket.rate_per_s > 0.0 && (slices - whole).abs() > 1e-9 * whole {
            let (input, output) = (input.clone(), output.clone());
            broken.push(Violation::Whole { input, output, slices, whole });
        }
    }
    loads
}

#[cfg(test)]
mod tests {
    use super::super::{Bucket, Gpu, Limit};
    use super::*;
    use crate::plan::Status;

    /// Two buckets of 4 slices over two types; the second cannot serve the second bucket.
    fn sound() -> (Buckets, Spread) {
        let bucket = |rate_per_s| Bucket { input: "1".into(), output: "1".into(), rate_per_s };
        let gpu = |name: &str, cost_per_h, rates: [f64; 2]| Gpu {
            name: name.into(),
            cost_per_h,
            rates_per_s: rates.to_vec(),
        };
        let question = Buckets {
            buckets: vec![bucket(4.0), bucket(1.0)],
            gpus: vec![gpu("a", 3.0, [2.0, 1.0]), gpu("b", 1.0, [1.0, 0.0])],
            limits: vec![Limit { name: "a".into(), most: 2, units: vec![(0, 1)] }],
            slices: SliceFactor::Whole(4),
            currency: "$".into(),
            provenance: String::new(),
        };
        let spread = Spread {
            status: Status::Feasible,
            slices: vec![vec![2.0, 2.0], vec![4.0, 0.0]],
            counts: vec![2, 2],
            cost_per_h: 8.0,
            bound_per_h: 7.0,
            formulation: "test",
            backend: "none",
            notes: Vec::new(),
        };
        (question, spread)
    }

    #[test]
    fn a_sound_spread_passes_and_each_defect_is_found() {
        let (question, spread) = sound();
        assert_eq!(check(&question, &spread), []);
        type Defect = (fn(&mut Spread), fn(&Violation) -> bool);
        let defects: [Defect; 9] = [
            (|s| s.counts = vec![2], |v| matches!(v, Violation::Shape { .. })),
            (|s| s.slices[0] = vec![1.5, 2.5], |v| matches!(v, Violation::Part { .. })),
            (|s| s.slices[0] = vec![-1.0, 5.0], |v| matches!(v, Violation::Part { .. })),
            (|s| s.slices[0] = vec![2.0, 1.0], |v| matches!(v, Violation::Whole { .. })),
            (|s| s.slices[1] = vec![3.0, 1.0], |v| matches!(v, Violation::Unserved { .. })),
            (|s| s.counts = vec![2, 1], |v| matches!(v, Violation::Load { .. })),
            (|s| s.counts = vec![3, 2], |v| matches!(v, Violation::Limit { .. })),
            (|s| s.cost_per_h = 7.5, |v| matches!(v, Violation::Cost { .. })),
            (|s| s.bound_per_h = 8.1, |v| matches!(v, Violation::Bound { .. })),
        ];
        for (i, (spoil, is_it)) in defects.into_iter().enumerate() {
            let mut spoilt = spread.clone();
            spoil(&mut spoilt);
            assert!(check(&question, &spoilt).iter().any(is_it), "defect {i}");
        }
    }
}
