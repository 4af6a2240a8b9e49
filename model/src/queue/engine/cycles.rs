//! What cycles of whole prompts (`whole.rs`) change about a chain of levels.
//!
//! A level does not know the rate. The cycle does, and it is looked at once, at the least number in service of which
//! as many requests end as come: what it is longer there, and what an arrival meets there beyond what the level says,
//! is taken for that of every level with free places.

use super::chain::Replica;
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
        let mut cycles = Cycles::NONE;
        if self.work.is_chunked() || !self.work.has_prompt_pass() || self.work.decode_passes < 1.0 {
            return cycles;
        }
        let waves = self.waves(rate_per_ms);
        let stretch = |n: usize| {
            let cycle_ms = Cycle::new(&self.work, n as f64, rate_per_ms).mean_ms();
            cycle_ms / self.levels()[n - 1].pass_ms
        };
        // The least number in service of which as many end as come.
        let (mut low, mut high) = (1, self.batch() as usize);
        while low < high {
            let middle = (low + high) / 2;
            if rate_per_ms * self.levels()[middle - 1].gap_ms * stretch(middle) <= 1.0 {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        let level = &self.levels()[low - 1];
        let meets = Cycle::new(&self.work, low as f64, rate_per_ms).meets();
        let residual_ms = level.residual_ms(waves.dispersion * waves.finds);
        let mates_ms2 = level.more_ms * 2.0 * residual_ms + level.next_ms2;
        cycles.at = low as u32;
        cycles.stretch = stretch(low);
        cycles.residual_ms = meets.residual_ms - residual_ms;
        cycles.first_ms = meets.first_ms - level.first_ms - rate_per_ms * mates_ms2;
        cycles
    }
}
