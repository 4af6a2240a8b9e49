//! Spreads without a solver: everything on one GPU type, and a split rounded to slices.

use isocost_model::buckets::{Buckets, count_for};

/// A spread that keeps every limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Incumbent {
    /// Slices by bucket and GPU type.
    pub slices: Vec<Vec<f64>>,
    /// GPUs by type: what the loads take, and no more.
    pub counts: Vec<u64>,
    /// Cost an hour.
    pub cost_per_h: f64,
}

impl Incumbent {
    /// The spread of these slices; `None` where a limit does not allow what they take.
    pub fn new(question: &Buckets, slices: Vec<Vec<f64>>) -> Option<Self> {
        let counts: Vec<u64> = loads(question, &slices).into_iter().map(count_for).collect();
        let costs = question.gpus.iter().zip(&counts).map(|(gpu, &n)| gpu.cost_per_h * n as f64);
        let cost_per_h = costs.sum();
        question.allows(&counts).then_some(Self { slices, counts, cost_per_h })
    }
}

/// GPUs of each type that these slices keep busy.
fn loads(question: &Buckets, slices: &[Vec<f64>]) -> Vec<f64> {
    let whole = question.slices.whole();
    let load = |g: usize| -> f64 {
        let part = |b: usize| question.load(b, g).map_or(0.0, |load| load * slices[b][g] / whole);
        question.asked().map(part).sum()
    };
    (0..question.gpus.len()).map(load).collect()
}

/// Everything on one GPU type, for each that can take it.
pub fn singles(question: &Buckets) -> impl Iterator<Item = Incumbent> + '_ {
    let all_on = |gpu: usize| {
        let mut slices = vec![vec![0.0; question.gpus.len()]; question.buckets.len()];
        question.asked().for_each(|b| slices[b][gpu] = question.slices.whole());
        slices
    };
    let able = |gpu: &usize| question.asked().all(|b| question.load(b, *gpu).is_some());
    (0..question.gpus.len())
        .filter(able)
        .filter_map(move |gpu| Incumbent::new(question, all_on(gpu)))
}

/// Shares rounded to `k` slices: the whole slices of each share, and those that are left one by one to
/// the type with the largest remainder. A linear program's split has few buckets on several types, and
/// only they change.
pub fn rounded(question: &Buckets, shares: &[Vec<f64>], k: u32) -> Option<Incumbent> {
    let mut slices = vec![vec![0.0; question.gpus.len()]; question.buckets.len()];
    for b in question.asked() {
        let exact: Vec<f64> = shares[b].iter().map(|share| share * f64::from(k)).collect();
        let row = &mut slices[b];
        // A share that is whole but for its last digits is whole.
        row.iter_mut().zip(&exact).for_each(|(x, e)| *x = (e + 1e-6).floor());
        let mut order: Vec<usize> = (0..exact.len()).filter(|&g| exact[g] > 0.0).collect();
        order.sort_by(|&g, &h| (exact[h] - row[h]).total_cmp(&(exact[g] - row[g])));
        let left = (f64::from(k) - row.iter().sum::<f64>()).round().max(0.0) as usize;
        order.into_iter().cycle().take(left).for_each(|g| row[g] += 1.0);
    }
    Incumbent::new(question, slices)
}
