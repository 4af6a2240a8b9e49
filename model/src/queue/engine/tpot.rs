//! Percentiles of a request's own mean gap (TPOT).
//!
//! The mean of a request's `L` gaps varies less the longer its answer: the prompts that fall into its
//! passes are about `Poisson(L k)`, and the number in service drifts while it is served. As an
//! Ornstein-Uhlenbeck process that forgets in `tau` passes its mean over `L` passes keeps
//!
//! ```text
//! 2 (x - 1 + e^-x) / x^2,  x = L / tau
//! ```
//!
//! of its variance, and `1 / tau` is the slope of `mu(n)` at the mean.

use super::counts::Counts;
use super::met::Met;
use super::spread;
use super::tails::{Tails, percentile};

impl Tails {
    /// Mean gap of a request that `percent` of the requests do not exceed, ms.
    pub fn tpot_ms(&self, percent: f64) -> f64 {
        let work = &self.replica.work;
        let station = work.station();
        let full = f64::from(self.replica.batch());
        let served = 1.0 - self.idle;
        let states: Vec<(f64, f64)> =
            self.states.iter().copied().chain([(full, self.busy)]).collect();
        let mean = states.iter().map(|(n, p)| n * p).sum::<f64>() / served.max(f64::MIN_POSITIVE);
        let tau = self.memory_passes(mean);
        let gaps = (station.output_tokens - 1.0).max(0.0);
        let mut values = Vec::new();
        for (length, odds) in spread::points(gaps, work.gaps_scv()) {
            let length = length.round().max(1.0);
            let kept = kept(length / tau);
            for (n, share) in &states {
                let n = (mean + kept.sqrt() * (n - mean)).clamp(1.0, full);
                let met = self.met(n);
                mean_gaps(&met, self, length, odds * share, &mut values);
            }
        }
        percentile(values, percent)
    }

    /// Prompts in the `length` passes that follow one's own prompt, mean and dispersion.
    ///
    /// One's own prompt made that pass long, so that more than usual come in the next: an excess of
    /// `1 / (1 - r^2)` prompts, each followed by `r^j` in the `j`-th pass after.
    fn prompts_beside(&self, met: &Met, length: f64) -> (f64, f64) {
        let (n, r) = (met.n, self.waves.share);
        if n >= f64::from(self.replica.batch()) {
            let share = met.stages.prompts / n;
            return (length * (n - 1.0) * share, 1.0 - share);
        }
        if self.has_cycles() {
            let prompts = self.cycle(n).prompts();
            return (length * prompts.mean() + prompts.brought(), prompts.dispersion());
        }
        let usual = self.prompts(n);
        let faded = 1.0 - r.powf(length);
        let first = 1.0 / (1.0 - r * r);
        // Where the first token is decoded, the first pass after the prompt is over by then.
        let over = if self.replica.work.decodes_first_token() { r } else { 1.0 };
        let free = f64::from(self.replica.batch()) - n;
        let excess = (first * over * r * faded / (1.0 - r)).min(free);
        let mean = length * usual + excess;
        let together = length * (1.0 + r) / (1.0 - r) - 2.0 * r * faded / (1.0 - r).powi(2);
        let own = excess * faded / (1.0 - r).powi(2);
        let variance = usual * first * together + own;
        (mean, (variance / mean).max(0.5))
    }

    /// Mean gaps, with their odds, of requests with `length` of them that find `n` in service.
    pub(super) fn gaps_of(&self, n: f64, length: f64) -> Vec<(f64, f64)> {
        let full = f64::from(self.replica.batch());
        let served = (1.0 - self.idle).max(f64::MIN_POSITIVE);
        let below: f64 = self.states.iter().map(|(n, p)| n * p).sum();
        let mean = (below + full * self.busy) / served;
        let kept = kept(length / self.memory_passes(mean));
        let n = (mean + kept.sqrt() * (n - mean)).clamp(1.0, full);
        let mut values = Vec::new();
        mean_gaps(&self.met(n), self, length, 1.0, &mut values);
        values
    }

    /// Passes after which the number in service has forgotten what it was.
    fn memory_passes(&self, mean: f64) -> f64 {
        let levels = self.replica.levels();
        let at = (mean.round() as usize).clamp(1, levels.len()) - 1;
        let (low, high) = (at.saturating_sub(1), (at + 1).min(levels.len() - 1));
        let level = &levels[at];
        let width = (high - low) as f64;
        let slope = if width > 0.0 {
            (1.0 / levels[high].gap_ms - 1.0 / levels[low].gap_ms) / width
        } else {
            1.0 / level.gap_ms
        };
        1.0 / (slope * level.pass_ms).max(1e-9)
    }
}

/// What a mean over a stretch keeps of the variance, the stretch in times that a state is remembered.
fn kept(x: f64) -> f64 {
    if x > 1e-3 { 2.0 * (x - 1.0 + (-x).exp()) / (x * x) } else { 1.0 }
}

/// Adds the means of `length` gaps at a level.
fn mean_gaps(met: &Met, tails: &Tails, length: f64, weight: f64, values: &mut Vec<(f64, f64)>) {
    let work = &tails.replica.work;
    let bare = met.pass_ms(work, 0.0);
    let (mean, dispersion) = tails.prompts_beside(met, length);
    if mean <= 0.0 {
        values.push((bare, weight));
        return;
    }
    // Prompts find the places that are free and those that requests leave, a few more than usual.
    let left = met.stages.ends * length;
    let places = f64::from(tails.replica.batch()) - met.n + left + 2.0 * left.sqrt();
    let room = if work.is_chunked() { met.stages.room.max(1.0) } else { f64::INFINITY };
    let most = (length * met.n.min(room)).min(places);
    for (prompts, odds) in Counts::new(mean, dispersion, most) {
        // So many prompts fall into some of the passes, one or more into each of them.
        let each = (prompts / length).max(1.0);
        let passes = (prompts / each).min(length);
        let gap = bare + (met.pass_ms(work, each) - bare) * passes / length;
        values.push((gap, weight * odds));
    }
}
