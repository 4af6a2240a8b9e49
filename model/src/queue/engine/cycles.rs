//! What cycles of whole prompts (`whole.rs`) change about a chain of levels.
//!
//! A level does not know the rate. The cycle does, and it is looked at where as many requests end as come: what it is
//! longer there, and what an arrival meets there beyond what the level says, is taken for that of every level with free
//! places. That number in service lies between two whole ones, and so does what is found there: latencies rise
//! with the rate little by little.

use super::chain::Replica;
use super::waves::Waves;
use super::whole::Cycle;

/// What cycles of whole prompts have beyond what levels say, where places are free.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cycles {
    /// The least number in service of which as many end as come.
    pub at: u32,
    /// How much longer they are.
    pub stretch: f64,
    /// What an arrival waits more for the end of a pass, and from there to its first token.
    pub residual_ms: f64,
    pub first_ms: f64,
}

impl Cycles {
    /// Prompts share passes with decoding.
    pub const NONE: Self = Self { at: 0, stretch: 1.0, residual_ms: 0.0, first_ms: 0.0 };
}

impl Replica {
    /// What cycles of whole prompts have in them beyond what levels say, at a rate: those of the level at
    /// which as many requests end as arrive.
    pub(super) fn cycles(&self, rate_per_ms: f64) -> Cycles {
        if self.work.is_chunked() || !self.work.has_prompt_pass() || self.work.decode_passes < 1.0 {
            return Cycles::NONE;
        }
        let at = Found { replica: self, waves: self.waves(rate_per_ms), rate_per_ms };
        let (mut low, mut high) = (1, self.batch());
        while low < high {
            let middle = (low + high) / 2;
            if at.come_per_end(middle) <= 1.0 {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        let above = at.cycles(low);
        if low == 1 {
            return above;
        }
        let (few, many) = (at.come_per_end(low - 1), at.come_per_end(low));
        let part = if few > many { (few - 1.0) / (few - many) } else { 1.0 };
        at.cycles(low - 1).towards(&above, part.clamp(0.0, 1.0))
    }
}

/// What is found at a rate.
struct Found<'a> {
    replica: &'a Replica,
    waves: Waves,
    rate_per_ms: f64,
}

impl Found<'_> {
    /// How much longer the cycle of `n` in service is than the level says.
    fn stretch(&self, n: u32) -> f64 {
        let cycle = Cycle::new(&self.replica.work, f64::from(n), self.rate_per_ms);
        cycle.mean_ms() / self.replica.levels()[n as usize - 1].pass_ms
    }

    /// Requests that come for one that ends with `n` in service.
    fn come_per_end(&self, n: u32) -> f64 {
        self.rate_per_ms * self.replica.levels()[n as usize - 1].gap_ms * self.stretch(n)
    }

    /// What the cycles of `n` in service have beyond what the level says.
    fn cycles(&self, n: u32) -> Cycles {
        let level = &self.replica.levels()[n as usize - 1];
        let meets = Cycle::new(&self.replica.work, f64::from(n), self.rate_per_ms).meets();
        let residual_ms = level.residual_ms(self.waves.dispersion * self.waves.finds);
        let mates_ms2 = level.more_ms * 2.0 * residual_ms + level.next_ms2;
        Cycles {
            at: n,
            stretch: self.stretch(n),
            residual_ms: meets.residual_ms - residual_ms,
            first_ms: meets.first_ms - level.first_ms - self.rate_per_ms * mates_ms2,
        }
    }
}

impl Cycles {
    /// Part of the way to those of one more in service.
    fn towards(&self, more: &Self, part: f64) -> Self {
        let mix = |few: f64, many: f64| few + part * (many - few);
        Self {
            at: more.at,
            stretch: mix(self.stretch, more.stretch),
            residual_ms: mix(self.residual_ms, more.residual_ms),
            first_ms: mix(self.first_ms, more.first_ms),
        }
    }
}
