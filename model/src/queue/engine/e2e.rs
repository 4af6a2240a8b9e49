//! Percentiles of the time from the arrival of a request to its last token.
//!
//! A request that finds `n` in service has its first token after `f` and then `L` gaps of `g` on average:
//!
//! ```text
//! P(E2E > t) = sum over n, f, g of p(n) p(f | n) p(g | n) P(L > (t - f) / g)
//! ```
//!
//! `f` as `tails.rs` has it, `g` that of a mean answer as `tpot.rs` has it, both at a few points; how long
//! answers are, from which most of it comes, is told by the distribution of their lengths itself.

use super::arrival::Until;
use super::spread;
use super::tails::Tails;

/// Ends of the parts of a time that a point stands for.
const ENDS: [f64; 8] = [0.0, 0.3, 0.6, 0.8, 0.9, 0.96, 0.99, 1.0];

/// The same of the first token: where many wait for a place its tail is that of the last token.
const FIRST: [f64; 15] =
    [0.0, 0.3, 0.6, 0.8, 0.88, 0.92, 0.945, 0.96, 0.972, 0.981, 0.987, 0.992, 0.996, 0.9985, 1.0];

/// Halvings of an interval that holds the percentile.
const HALVINGS: u32 = 40;

impl Tails {
    /// Time to the last token, ms.
    pub fn e2e_ms(&self, percent: f64) -> f64 {
        let work = &self.replica.work;
        let mean = (work.station().output_tokens - 1.0).max(0.0);
        if mean <= 0.0 {
            return self.ttft_ms(percent);
        }
        // (probability, first token, gap)
        let mut cases: Vec<(f64, f64, f64)> = Vec::new();
        for (n, share, first) in self.arrivals(self.top_ms(percent), Until::FirstToken) {
            if share <= 0.0 {
                continue;
            }
            let gaps = points(self.gaps_of(n.max(1.0), mean.round().max(1.0)));
            for ends in FIRST.windows(2) {
                let first_ms = first.quantile(share * (ends[0] + ends[1]) / 2.0);
                let odds = share * (ends[1] - ends[0]);
                cases.extend(gaps.iter().map(|(gap, part)| (odds * part, first_ms, *gap)));
            }
        }
        let total: f64 = cases.iter().map(|case| case.0).sum();
        let above = total * (1.0 - percent / 100.0);
        let beyond = |t: f64| -> f64 {
            let of = |&(odds, first, gap): &(f64, f64, f64)| {
                odds * spread::beyond(mean, work.gaps_scv(), (t - first) / gap)
            };
            cases.iter().map(of).sum()
        };
        let longest = cases.iter().map(|(_, first, gap)| first + mean * gap).fold(0.0, f64::max);
        let (mut low, mut high) = (0.0, longest.max(f64::MIN_POSITIVE));
        while beyond(high) > above && high < f64::MAX / 4.0 {
            (low, high) = (high, 2.0 * high);
        }
        for _ in 0..HALVINGS {
            let middle = (low + high) / 2.0;
            if beyond(middle) > above { low = middle } else { high = middle }
        }
        high
    }
}

/// A few (value, share) in place of many.
fn points(mut values: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = values.iter().map(|value| value.1).sum();
    let (mut points, mut before) = (Vec::new(), 0.0);
    let mut ends = ENDS.iter().skip(1).peekable();
    let (mut mass, mut weighted) = (0.0, 0.0);
    for (i, (value, odds)) in values.iter().enumerate() {
        mass += odds;
        weighted += odds * value;
        let is_end = ends.peek().is_some_and(|end| before + mass >= **end * total * (1.0 - 1e-9));
        if mass > 0.0 && (is_end || i + 1 == values.len()) {
            points.push((weighted / mass, mass / total));
            before += mass;
            while ends.next_if(|end| before >= **end * total * (1.0 - 1e-9)).is_some() {}
            (mass, weighted) = (0.0, 0.0);
        }
    }
    points
}
