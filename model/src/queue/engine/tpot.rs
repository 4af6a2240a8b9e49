//! Percentiles of a request's own mean gap (TPOT).
//!
//! A request that finds `m` others is served beside them: `n = m + 1`. The mean of its `L` gaps varies less the
//! longer its answer: the prompts that fall into its passes are about `Poisson(L k)`, and the number in service drifts
//! while it is served. As an Ornstein-Uhlenbeck process that forgets in `tau` passes its mean over `L` passes keeps
//!
//! ```text
//! 2 (x - 1 + e^-x) / x^2,  x = L / tau
//! ```
//!
//! of its variance, and `1 / tau` is the slope of `mu(n)` at the mean. Prompts that come make `n` what it is, answers that end
//! do so as much: in a window of any length the count of prompts a pass rises by `1 / (2 tau)` with the mean of `n`, half of its
//! slope in a single pass, whose prompts are all among the `n`. What is left of the variance of the count once that mean is
//! known is `1 - (x - 1 + e^-x) / (2 x)` of it.

use super::counts::Counts;
use super::met::Met;
use super::spread;
use super::tails::{Tails, percentile};
use super::work::Work;

impl Tails {
    /// Mean gap of a request that `percent` of the requests do not exceed, ms.
    pub fn tpot_ms(&self, percent: f64) -> f64 {
        let mut values = Vec::new();
        self.mean_gaps(&mut |value, weight| values.push((value, weight)));
        percentile(values, percent)
    }

    /// Mean gaps of requests, each with its weight.
    fn mean_gaps(&self, into: &mut impl FnMut(f64, f64)) {
        let full = f64::from(self.replica.batch());
        let found = [(0.0, self.idle)].into_iter().chain(self.states.iter().copied());
        let found: Vec<(f64, f64)> = found.chain([(full, self.busy)]).collect();
        let usual = self.usual();
        for (length, odds) in gaps(&self.replica.work) {
            for (n, share) in &found {
                let beside = self.beside(*n, length, &usual);
                mean_gaps(&beside, self, odds * share, into);
            }
        }
    }

    /// Mean gaps, with their odds, of requests with `length` of them that find `n` in service.
    pub(super) fn gaps_of(&self, n: f64, length: f64) -> Vec<(f64, f64)> {
        let mut values = Vec::new();
        let beside = self.beside(n, length, &self.usual());
        mean_gaps(&beside, self, 1.0, &mut |value, weight| values.push((value, weight)));
        values
    }

    /// What requests find on average.
    fn usual(&self) -> Usual {
        let last = f64::from(self.replica.batch()) - 1.0;
        let below: f64 = self.states.iter().map(|(others, p)| others * p).sum();
        let others = below + last * self.busy;
        Usual { others, tau: self.memory_passes(others) }
    }

    /// What a request of `length` gaps is served beside that finds `n` in service.
    fn beside(&self, n: f64, length: f64, usual: &Usual) -> Beside {
        let (full, mean) = (f64::from(self.replica.batch()), usual.others);
        let x = length / usual.tau;
        let drift = if x > 1e-3 { x - 1.0 + (-x).exp() } else { x * x / 2.0 };
        let (kept, unsaid) = (2.0 * drift / (x * x), 1.0 - drift / (2.0 * x));
        let found = n.min(full - 1.0);
        let others = (mean + kept.sqrt() * (found - mean)).clamp(0.0, full - 1.0);
        Beside { others, length, unsaid, waited: n >= full }
    }

    /// Prompts in the `length` passes that follow one's own prompt, mean and dispersion.
    ///
    /// One's own prompt made that pass long, so that more than usual come in the next: an excess of
    /// `1 / (1 - r^2)` prompts, each followed by `r^j` in the `j`-th pass after.
    fn prompts_beside(&self, met: &Met, beside: &Beside) -> (f64, f64) {
        let (Beside { others, length, unsaid, .. }, r) = (*beside, self.waves.share);
        if self.has_cycles() && !beside.waited {
            let prompts = self.cycle(met.n).prompts();
            return (length * prompts.mean() + prompts.brought(), prompts.dispersion());
        }
        // No more come in for long than leave the places that are not one's own.
        let places = f64::from(self.replica.batch()) - 1.0;
        let (at_most, share) = (places * self.full_share, self.full_share);
        let usual = self.prompts_to_come(others).min(at_most);
        if beside.waited {
            // As long as requests wait each that ends brings a prompt.
            let usual = self.utilised * at_most + (1.0 - self.utilised) * usual;
            return (length * usual, 1.0 - self.utilised * share);
        }
        let faded = 1.0 - r.powf(length);
        let first = 1.0 / (1.0 - r * r);
        // Where the first token is decoded, the first pass after the prompt is over by then.
        let over = if self.replica.work.decodes_first_token() { r } else { 1.0 };
        let free = f64::from(self.replica.batch()) - met.n;
        let excess = (first * over * r * faded / (1.0 - r)).min(free);
        let arrivals = self.replica.work.arrivals();
        let come = length * usual;
        let mean = come * arrivals.clustering(come) + excess;
        let together = length * (1.0 + r) / (1.0 - r) - 2.0 * r * faded / (1.0 - r).powi(2);
        let own = excess * faded / (1.0 - r).powi(2);
        let variance = usual * first * together * unsaid * arrivals.dispersion(come) + own;
        (mean, (variance / mean).max(0.5))
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

/// What requests find on average.
struct Usual {
    /// Others in service.
    others: f64,
    /// Passes after which that is forgotten.
    tau: f64,
}

/// What a request is served beside.
#[derive(Clone, Copy)]
struct Beside {
    /// Other requests in service, over its passes.
    others: f64,
    /// Its gaps.
    length: f64,
    /// Share of the variance of the count of prompts that those do not tell.
    unsaid: f64,
    /// Whether it waited for a place.
    waited: bool,
}

/// Gaps of a request that has any, with probabilities.
fn gaps(work: &Work) -> impl Iterator<Item = (f64, f64)> {
    let mean = (work.station().output_tokens - 1.0).max(0.0);
    // Memoryless on whole numbers: as many more than one as there would be of all, the exponential rounded up.
    let memoryless = work.station().token_scv == 1.0;
    let up = if memoryless { 0.5 } else { 0.0 };
    let gaps = spread::points(mean + up, work.gaps_scv());
    gaps.map(move |(length, odds)| ((length + up).round().max(1.0), odds))
}

/// Adds the means of the gaps of a request.
fn mean_gaps(beside: &Beside, tails: &Tails, weight: f64, into: &mut impl FnMut(f64, f64)) {
    let (work, length) = (&tails.replica.work, beside.length);
    let met = tails.met(beside.others + 1.0);
    let bare = met.pass_ms(work, 0.0);
    let (mean, dispersion) = tails.prompts_beside(&met, beside);
    // Prompts that differ in length count for more or less than one.
    let dispersion = dispersion + work.station().input_scv;
    if mean <= 0.0 {
        into(bare, weight);
        return;
    }
    // Prompts find the places that are free and those that others leave, a few more than usual.
    let left = (f64::from(tails.replica.batch()) - 1.0) * tails.full_share * length;
    let places = f64::from(tails.replica.batch()) - met.n + left + 2.0 * left.sqrt() + 1.0;
    let room = if work.is_chunked() { met.stages.room.max(1.0) } else { f64::INFINITY };
    let most = (length * met.n.min(room)).min(places);
    for (prompts, odds) in Counts::new(mean, dispersion, most) {
        into(bare + more_ms(&met, work, prompts, length), weight * odds);
    }
}

/// What `prompts` that fall anywhere in `length` passes make a pass longer on average, ms.
///
/// Two prompts may take more than twice as long as one, as where reads hide the first. Of `m` prompts a pass, at random, a
/// pass of `t(m)` is longer by `m/2` of the second difference. Where a second finds no room it is taken later: its
/// time is the same.
fn more_ms(met: &Met, work: &Work, prompts: f64, length: f64) -> f64 {
    let each = prompts / length;
    let more = |count: f64| met.pass_ms(work, count) - met.pass_ms(work, 0.0);
    let at = each.max(1.0);
    let bend = (more(at + 1.0) - 2.0 * more(at) + more(at - 1.0)).max(0.0);
    if each > 1.0 {
        return more(each) + each / 2.0 * bend;
    }
    each * more(1.0) + each * (each - 1.0 / length).max(0.0) / 2.0 * bend
}
