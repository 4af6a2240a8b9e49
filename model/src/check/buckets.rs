//! The proof of a spread of buckets, from the question and the slices alone.

use super::proof::bounded;
use super::{Found, Rule, Violation};
use crate::buckets::{Buckets, COUNT_TOLERANCE, SliceFactor, Spread};

/// Relative difference that sums in another order may have.
const ROUNDING: f64 = 1e-6;

/// Every rule that `spread` breaks; none where it holds.
pub fn check(question: &Buckets, spread: &Spread) -> Vec<Violation> {
    let (buckets, gpus) = (question.buckets.len(), question.gpus.len());
    let mut found = Found(Vec::new());
    let shaped = spread.slices.len() == buckets
        && spread.slices.iter().all(|row| row.len() == gpus)
        && spread.counts.len() == gpus;
    found.unless(shaped, Rule::Complete, "spread", || {
        format!("it is not of {buckets} buckets over {gpus} GPU types")
    });
    if !shaped {
        return found.0;
    }
    let loads = parts(question, spread, &mut found);
    for ((gpu, &count), load) in question.gpus.iter().zip(&spread.counts).zip(loads) {
        let idle = count == 0 && load > 0.0;
        let enough = !idle && load <= count as f64 + COUNT_TOLERANCE * 1.001;
        found.unless(enough, Rule::Cover, &gpu.name, || {
            format!("{count} are too few for a load of {load}")
        });
    }
    for limit in &question.limits {
        let units = limit.units.iter().map(|&(g, n)| u128::from(n) * u128::from(spread.counts[g]));
        let used = units.sum::<u128>();
        found.unless(used <= u128::from(limit.most), Rule::Capacity, &limit.name, || {
            format!("{used} are in use, and there are {}", limit.most)
        });
    }
    let costs = question.gpus.iter().zip(&spread.counts).map(|(g, &n)| g.cost_per_h * n as f64);
    let (stated, summed) = (spread.cost_per_h, costs.sum::<f64>());
    let scale = summed.abs().max(1e-9);
    found.unless((stated - summed).abs() <= ROUNDING * scale, Rule::Cost, "spread", || {
        format!("the cost is stated as {stated} and sums to {summed}")
    });
    bounded("spread", summed + ROUNDING * scale, spread.bound_per_h, 0.0, &mut found);
    found.0
}

/// Checks each bucket's parts; returns the load of each GPU type.
fn parts(question: &Buckets, spread: &Spread, found: &mut Found) -> Vec<f64> {
    let whole = question.slices.whole();
    let mut loads = vec![0.0; question.gpus.len()];
    for (b, (bucket, row)) in question.buckets.iter().zip(&spread.slices).enumerate() {
        let place = format!("bucket {}/{}", bucket.input, bucket.output);
        for ((gpu, &slices), load) in question.gpus.iter().zip(row).zip(&mut loads) {
            let cut = question.slices != SliceFactor::Infinite && slices.fract() != 0.0;
            let sound = slices >= 0.0 && slices.is_finite() && !cut;
            found.unless(sound, Rule::Split, &place, || {
                format!("{slices} slices on {} are no part of it", gpu.name)
            });
            if sound && slices > 0.0 && bucket.rate_per_s > 0.0 {
                let serves = gpu.rates_per_s[b] > 0.0;
                found.unless(serves, Rule::Accelerator, &place, || {
                    format!("it is on {}, which cannot serve it", gpu.name)
                });
                if serves {
                    *load += bucket.rate_per_s * slices / whole / gpu.rates_per_s[b];
                }
            }
        }
        let slices: f64 = row.iter().sum();
        let spread = bucket.rate_per_s <= 0.0 || (slices - whole).abs() <= 1e-9 * whole;
        found.unless(spread, Rule::Split, &place, || {
            format!("{slices} of its {whole} slices are placed")
        });
    }
    loads
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buckets::{Bucket, Gpu, Limit};
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
        type Defect = (fn(&mut Spread), Rule);
        let defects: [Defect; 9] = [
            (|s| s.counts = vec![2], Rule::Complete),
            (|s| s.slices[0] = vec![1.5, 2.5], Rule::Split),
            (|s| s.slices[0] = vec![-1.0, 5.0], Rule::Split),
            (|s| s.slices[0] = vec![2.0, 1.0], Rule::Split),
            (|s| s.slices[1] = vec![3.0, 1.0], Rule::Accelerator),
            (|s| s.counts = vec![2, 1], Rule::Cover),
            (|s| s.counts = vec![3, 2], Rule::Capacity),
            (|s| s.cost_per_h = 7.5, Rule::Cost),
            (|s| s.bound_per_h = 8.1, Rule::Proof),
        ];
        for (i, (spoil, rule)) in defects.into_iter().enumerate() {
            let mut spoilt = spread.clone();
            spoil(&mut spoilt);
            assert!(check(&question, &spoilt).iter().any(|v| v.rule == rule), "defect {i}");
        }
    }
}
