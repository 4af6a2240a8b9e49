//! GPU types that are left out without loss.
//!
//! Type `h` is left out where some `g` keeps up with at least its rate in every bucket, costs no more,
//! and takes no more of any limit: put the `g` in place of each `h`, with the same slices, and every
//! load, limit and cost is as good or better. (Being dearest for one *bucket* is no reason: a GPU that
//! is there for other buckets serves it for nothing in the time that is left.)

use isocost_model::buckets::{Buckets, Limit};

/// The question with the types left out that another beats: they serve no bucket.
pub fn reduced(question: &Buckets) -> Buckets {
    let mut reduced = question.clone();
    for h in 0..question.gpus.len() {
        let beaten = (0..question.gpus.len()).any(|g| g != h && beats(question, g, h));
        if beaten {
            reduced.gpus[h].rates_per_s.fill(0.0);
        }
    }
    reduced
}

/// Whether `g` is at least as good as `h` in every respect; of equals the first is.
fn beats(question: &Buckets, g: usize, h: usize) -> bool {
    let (a, b) = (&question.gpus[g], &question.gpus[h]);
    let units =
        |l: &Limit, g: usize| -> u64 { l.units.iter().filter(|u| u.0 == g).map(|u| u.1).sum() };
    let pairs = || question.asked().map(|bucket| (a.rates_per_s[bucket], b.rates_per_s[bucket]));
    let sparing = || question.limits.iter().map(|l| (units(l, g), units(l, h)));
    let no_worse = a.cost_per_h <= b.cost_per_h
        && pairs().all(|(x, y)| x >= y)
        && sparing().all(|(x, y)| x <= y);
    let equal = a.cost_per_h == b.cost_per_h
        && pairs().all(|(x, y)| x == y)
        && sparing().all(|(x, y)| x == y);
    no_worse && (!equal || g < h)
}
