//! The batch size at which more concurrency stops to pay, as the reference's analyser seeks it.
//!
//! With `f(M)` the rate that the objectives allow at batch size `M`, `f*` that at the ceiling `C`:
//!
//! ```text
//! M_ITL   largest M <= C at which M requests, all in service, keep the objective on ITL       1 where none does
//! M_TPF   the same of a prompt's own time and the objective on TTFT
//! M*      least M with f(M) >= (1 - 0.01) f*, by bisection in [min(M_ITL, M_TPF), min(C, 3 max(M_ITL, M_TPF))],
//!         which ends after six steps
//! ```
//!
//! Six steps leave `M*` a few above the least where the interval is wide: that is what the reference's clients get.

use super::objective::{Objective, Objectives, Shortfall};
use super::service::{Latency, MAX_BATCH, ServiceModel, Station};
use super::sizing::Sized;
use super::stop::pause;

/// Share of the rate at the ceiling that the batch size may give up.
const GIVEN_UP: f64 = 0.01;
/// Steps of the bisection.
const STEPS: u32 = 6;
/// How far above the larger bracket a batch size is sought, as a multiple of it.
const REACH: u32 = 3;

/// What the search found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Onset {
    /// `M*` with its rate; the objective that is out of reach at the ceiling.
    pub sized: Result<Sized, Shortfall>,
    /// `M_ITL`.
    pub by_itl: u32,
    /// `M_TPF`.
    pub by_prefill: u32,
    /// Sizings that met the objectives: at the ceiling, of the bisection, and once more at `M*`.
    pub sizings: u32,
}

impl Station {
    /// The onset below a ceiling.
    pub fn size_onset(&self, ceiling: u32, objectives: &Objectives) -> Onset {
        let ceiling = ceiling.clamp(1, MAX_BATCH);
        let [by_itl, by_prefill] = self.brackets(ceiling, objectives);
        let top = match self.size(ceiling, objectives) {
            Ok(top) => top,
            Err(shortfall) => {
                return Onset { sized: Err(shortfall), by_itl, by_prefill, sizings: 0 };
            }
        };
        let mut sizings = 1;
        let enough = (1.0 - GIVEN_UP) * top.throughput_per_s;
        let mut low = by_itl.min(by_prefill);
        let reach = by_itl.max(by_prefill).saturating_mul(REACH).max(low + 1);
        let mut high = ceiling.min(reach).max(low);
        for _ in 0..STEPS {
            if low >= high {
                break;
            }
            let middle = low + (high - low) / 2;
            let rate = self.size(middle, objectives).map(|sized| sized.throughput_per_s);
            sizings += u32::from(rate.is_ok());
            match rate.is_ok_and(|rate| rate >= enough) {
                true => high = middle,
                false => low = middle + 1,
            }
        }
        let sized = self.size(high, objectives);
        sizings += u32::from(sized.is_ok());
        Onset { sized, by_itl, by_prefill, sizings }
    }

    /// `M_ITL` and `M_TPF`: found without a chain, with `M` requests in service all the time.
    fn brackets(&self, ceiling: u32, objectives: &Objectives) -> [u32; 2] {
        let limit = |objective: Option<Objective>| objective.map_or(0.0, |o| o.limit_ms);
        let limits = [limit(objectives.itl), limit(objectives.ttft)];
        let mut largest = [1, 1];
        for batch in 1..=ceiling {
            pause();
            let Latency { itl_ms, first_token_ms } = self.closed_loop(batch);
            // The first token of the iteration model is that of the pass after the prompt's own.
            let prompt_ms = match self.service {
                ServiceModel::Iteration(_) => first_token_ms - itl_ms,
                _ => first_token_ms,
            };
            for (largest, is_kept) in
                largest.iter_mut().zip([itl_ms <= limits[0], prompt_ms <= limits[1]])
            {
                if is_kept {
                    *largest = batch;
                }
            }
        }
        largest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Iteration;

    #[test]
    fn the_documented_sample_has_its_brackets_and_calls() {
        let service =
            ServiceModel::Iteration(Iteration { alpha_ms: 12.0, beta_ms: 0.05, gamma_ms: 0.0005 });
        let station = Station::new(service, 128.0, 512.0, Some(128));
        let objectives = Objectives {
            itl: Some(Objective::mean(20.0)),
            ttft: Some(Objective::mean(60.0)),
            ..Objectives::none()
        };
        // 8 calls there count the one at 49 of the bisection once more.
        let onset = station.size_onset(256, &objectives);
        assert_eq!((onset.by_itl, onset.by_prefill, onset.sizings), (31, 164, 8));
        assert_eq!(onset.sized.expect("within reach").batch, 49);
        let none = Objectives { itl: Some(Objective::mean(1.0)), ..objectives };
        let onset = station.size_onset(256, &none);
        assert!(onset.sized.is_err());
        assert_eq!((onset.by_itl, onset.sizings), (1, 0));
    }
}
