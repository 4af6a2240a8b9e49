//! Waves: a pass with many prompts is long, and brings many prompts into the next.
//!
//! With `d` requests that decode a pass takes `b + b' d + c k` for `k` prompts, and `k` of the next pass
//! is Poisson with mean `lambda` times that: a branching process with immigration. With the share of
//! the time that is prompts' own, `r = lambda c`, the count has the dispersion
//!
//! ```text
//! Var k / E k = 1 / (1 - r^2)
//! ```
//!
//! and forgets what it was like `r^j` in `j` passes. Beside it a share `g = 1 / D` of the `d` ends a pass.
//! The variances of `k` and `d` and their covariance `C` follow from (with `s = lambda b'`)
//!
//! ```text
//! V_k = a E k + r^2 V_k + s^2 V_d + 2 r s C
//! V_d = (1 - g)^2 V_d + V_k + 2 (1 - g) C + (1 - g) E k
//! C   = r V_k + s (1 - g) V_d + (s + r (1 - g)) C
//! ```
//!
//! where `a` is the dispersion of the arrivals, in the long run their `arrivalScv`, and `r^2 inputScv`
//! more for prompts that differ. In a pass of few arrivals the dispersion is closer to 1.
//!
//! The birth-death chain, in which prompts come one by one, has the variance `n / (1 - r - s D)`; the
//! ratio `z` of the two is its peakedness. A diffusion whose variance is `z` times as large has the density of the
//! chain to the power `1 / z`, as for bursts (`bursts.rs`).

use super::level::Level;
use super::work::Work;

/// The passes at one rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Waves {
    /// Share of the time that is prompts' own, `r`.
    pub share: f64,
    /// `Var k / E k`.
    pub dispersion: f64,
    /// `z`.
    pub peakedness: f64,
    /// `Cov(k, n) / Var n`.
    pub slope: f64,
    /// How much likelier than over time arrivals find prompts in the pass under way, and others that come
    /// in the same pass.
    pub finds: f64,
    pub mates: f64,
    /// What an arrival finds `n` with weighs `lambda / mu(n + 1)` to this power against what it is over time.
    pub sees: f64,
}

/// Shares of prompts are looked at up to here: closer to 1 no steady state is near.
const MOST: f64 = 0.97;

/// What stirs the passes of a level.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stirs {
    /// Share of the time that is prompts' own, `r`.
    prompts: f64,
    /// Requests that a request which decodes brings in a pass, as it makes it longer: `s`.
    decoding: f64,
    /// Requests that arrive in a pass.
    fresh: f64,
}

impl Stirs {
    /// Nobody is in service.
    pub const NONE: Self = Self { prompts: 0.0, decoding: 0.0, fresh: 0.0 };

    pub fn new(work: &Work, level: &Level) -> Self {
        if !work.has_prompt_pass() {
            return Self::NONE;
        }
        let prompts = (1.0 - level.bare_ms / level.pass_ms).clamp(0.0, MOST);
        let decoding = (level.slope_ms / level.pass_ms * level.ends).max(0.0);
        Self { prompts, decoding, fresh: level.ends }
    }

    /// Part of the way to another level.
    pub fn towards(&self, other: &Self, part: f64) -> Self {
        Self {
            prompts: self.prompts + part * (other.prompts - self.prompts),
            decoding: self.decoding + part * (other.decoding - self.decoding),
            fresh: self.fresh + part * (other.fresh - self.fresh),
        }
    }
}

/// This close to a peakedness of 1 prompts come one by one.
const EVEN: f64 = 1e-6;

/// The least peakedness: counts are whole numbers, so that none is quite even.
const LEAST: f64 = 0.2;

impl Waves {
    /// Where requests come one by one.
    pub const NONE: Self = Self {
        share: 0.0,
        dispersion: 1.0,
        peakedness: 1.0,
        slope: 0.0,
        finds: 1.0,
        mates: 1.0,
        sees: 0.0,
    };

    /// Of passes that are stirred so.
    pub fn new(work: &Work, stirs: Stirs) -> Self {
        let r = stirs.prompts;
        if !work.has_prompt_pass() || work.decode_passes <= 0.0 {
            return Self::NONE;
        }
        let station = work.station();
        let lengths = r * r * station.input_scv;
        let arrivals = work.arrivals();
        let fresh = stirs.fresh;
        let dispersion = (arrivals.dispersion(fresh) + lengths) / (1.0 - r * r);
        let (peakedness, slope) = peakedness(work, stirs, station.arrival_scv);
        let mut waves = Self { share: r, dispersion, peakedness, slope, ..Self::NONE };
        if !arrivals.are_poisson() {
            let (at_random, _) = self::peakedness(work, stirs, 1.0);
            waves.finds = arrivals.clustering(2.0 * (1.0 - r) * fresh + r);
            waves.mates = arrivals.clustering(fresh);
            waves.sees = 1.0 / peakedness - 1.0 / at_random;
        }
        waves
    }

    /// What a state weighs against the one below, `ratio` in the chain.
    pub fn tempered(&self, ratio: f64) -> f64 {
        if (self.peakedness - 1.0).abs() < EVEN { ratio } else { ratio.powf(1.0 / self.peakedness) }
    }
}

/// The peakedness of the number in service, and the slope of prompts in it, under arrivals of a squared
/// coefficient of variation.
fn peakedness(work: &Work, stirs: Stirs, arrival_scv: f64) -> (f64, f64) {
    let r = stirs.prompts;
    let g = (1.0 / work.decode_passes).min(1.0);
    let s = stirs.decoding.min((MOST - r).max(0.0) * g);
    let stay = 1.0 - g;
    // In units of E k, with V_d eliminated by the second line: V_d = (V_k + 2 stay C + stay) / q.
    let q = 1.0 - stay * stay;
    let (a1, b1) = (1.0 - r * r - s * s / q, -(2.0 * r * s + 2.0 * s * s * stay / q));
    let k1 = arrival_scv + r * r * work.station().input_scv + s * s * stay / q;
    let (a2, b2) = (-(r + s * stay / q), 1.0 - s - r * stay - 2.0 * s * stay * stay / q);
    let k2 = s * stay * stay / q;
    let determinant = a1 * b2 - a2 * b1;
    let v_k = (k1 * b2 - k2 * b1) / determinant;
    let c = (a1 * k2 - a2 * k1) / determinant;
    let v_d = (v_k + 2.0 * stay * c + stay) / q;
    let chain = (1.0 + 1.0 / g) / (1.0 - r - s / g);
    let variance = v_k + v_d + 2.0 * c;
    ((variance / chain).max(LEAST), (v_k + c) / variance)
}
