//! What an arrival meets on its way to its first token.
//!
//! It comes in some pass, as others do. Where the next has room for all of them they share it, whoever was first. Where it
//! has not, it matters that it came `rest` of the pass before that one ended, among `before` others that came earlier and
//! `behind` that came later: prompts left over and those before its own are worked off first, as
//! many a pass as there is room for; the pass of its own prompt holds those behind it as far as there is
//! room. Where the first token is decoded, in a pass of its own, that pass holds what there was no room for
//! and what has come in the meantime, `Poisson(lambda t)` prompts; where prompts go first, what they bring too (`busy.rs`).
//!
//! All these passes are as long as what is in them, so that the time is a mixture of uniform times over the
//! counts and lengths.

use super::busy::{Cells, Piece, Pieces, Straight, spill};
use super::counts::Counts;
use super::level::Stages;
use super::met::Met;
use super::prompts::Passes;
use super::spread;
use super::tails::Tails;
use super::times::Mixture;
use crate::queue::stop::pause;

/// Passes rarer than this are left out: all of them together are rarer than any percentile asked for.
const RARE: f64 = 1e-8;

/// Probability of a case below which what comes later is taken for its mean.
const SMALL: f64 = 2e-5;

/// Arrivals in a pass up to which it is not cut into parts, and parts of a longer one in which an arrival
/// may fall.
const FEW: f64 = 0.03;
const PARTS: u32 = 4;

/// Others whose order is told one by one.
const ONE_BY_ONE: f64 = 6.0;

/// What is of a time to the first token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// The end of the wait.
    Service,
    /// The first token.
    FirstToken,
}

/// A pass that an arrival finds: its prompts, its time in ms, and the probability of a part of it.
struct Found {
    prompts: f64,
    t: f64,
    odds: f64,
    /// Requests that come in a pass of `t`, and of another, each ms.
    come: f64,
    come_per_ms: f64,
}

/// Prompts around one's own, in mean prompts.
struct Around {
    before: f64,
    own: f64,
    behind: f64,
}

/// What follows the end of the pass under way, by how many others came in it.
struct After<'a> {
    tails: &'a Tails,
    met: &'a Met,
    come_per_ms: f64,
    beside: Vec<Beside>,
}

/// Prompts, one's own among them, that come in one pass.
struct Beside {
    /// Where the next has room for all: times from its start to the first token, and the pass of one's own prompt, ms.
    together: Vec<(Piece, f64)>,
    /// Lengths of which it has no room for all, in mean prompts, with their probabilities.
    apart: Vec<(f64, f64)>,
}

impl After<'_> {
    fn beside(&mut self, others: f64) -> &Beside {
        let others = others.round() as usize;
        while self.beside.len() <= others {
            let beside = self.of(self.beside.len() as f64);
            self.beside.push(beside);
        }
        &self.beside[others]
    }

    fn of(&self, others: f64) -> Beside {
        let Self { tails, met, come_per_ms, .. } = *self;
        let outside_ms = tails.replica.station().outside_ms(0.0);
        let found = Found { prompts: 0.0, t: 0.0, odds: 1.0, come: others, come_per_ms };
        let (mut apart, mut together) = (Vec::new(), Cells::default());
        for (long, mass) in tails.lengths(others + 1.0) {
            if (others + 1.0) * long > met.stages.room.max(1.0) {
                apart.push((long, mass));
                continue;
            }
            let around = Around { before: 0.0, own: long, behind: others * long };
            let piece = Piece { from: -outside_ms, length: 0.0, mass };
            tails.first_token(met, &found, &around, piece, &mut together);
        }
        Beside { together: together.means().collect(), apart }
    }
}

impl Tails {
    /// Puts what an arrival at a level meets into the mixture, of probability `share`.
    pub(super) fn arrive(
        &self,
        met: &Met,
        passes: &Passes,
        share: f64,
        until: Until,
        into: &mut impl Mixture,
    ) {
        pause();
        let found = self.found(met, passes, share);
        if until == Until::Service {
            return found.iter().for_each(|found| into.add(0.0, found.t, found.odds));
        }
        let Some(cycle) = met.cycle else {
            return self.arrive_in_each(met, &found, &mut Straight(into));
        };
        let mut cells = Cells::default();
        self.arrive_in_each(met, &found, &mut cells);
        spill(cells, cycle, self.rate_per_ms, &self.replica.work, into);
    }

    /// Passes that an arrival at a level finds.
    fn found(&self, met: &Met, passes: &Passes, share: f64) -> Vec<Found> {
        let scv = self.replica.station().input_scv;
        let passes = match scv > 0.0 {
            true => &met.spread(&self.replica.work, passes, scv),
            false => passes,
        };
        let mean_ms: f64 = passes.iter().map(|(_, p, t)| p * t).sum();
        let is_found = passes.iter().any(|(k, p, _)| *k <= 0.0 && *p > 0.0);
        // Arrivals that are even find no prompts, unless there are some in every pass.
        let finds = if is_found { self.waves.finds } else { 1.0 };
        let seen = |prompts: f64| if prompts > 0.0 { finds } else { 1.0 };
        let total: f64 = passes.iter().map(|(k, p, t)| seen(*k) * p * t).sum();
        let is_full = met.n >= f64::from(self.replica.batch());
        let ends = met.stages.ends * (met.n - 1.0) / met.n;
        let come_per_ms = if is_full { ends / mean_ms } else { self.rate_per_ms };
        let found = passes.iter().map(|&(prompts, odds, t)| Found {
            prompts,
            t,
            odds: share * seen(prompts) * odds * t / total,
            come: if is_full { ends } else { self.rate_per_ms * t },
            come_per_ms,
        });
        found.filter(|found| found.odds >= RARE).collect()
    }

    fn arrive_in_each(&self, met: &Met, found: &[Found], into: &mut impl Pieces) {
        let Some(&Found { come_per_ms, .. }) = found.first() else { return };
        let mut after = After { tails: self, met, come_per_ms, beside: Vec::new() };
        for found in found {
            let left = (found.prompts - met.stages.room).max(0.0);
            for (others, share) in self.others(found) {
                let found = Found { odds: found.odds * share, ..*found };
                if left > 0.0 {
                    for (long, part) in self.lengths(others + 1.0) {
                        self.arrive_in_order(met, &found, [left, others, long], part, into);
                    }
                    continue;
                }
                let from = self.replica.station().outside_ms(found.t);
                let beside = after.beside(others);
                for (after, prompt_ms) in &beside.together {
                    let (from, mass) = (from + after.from, found.odds * after.mass);
                    into.add(Piece { from, length: found.t, mass }, *prompt_ms);
                }
                for (long, part) in &beside.apart {
                    self.arrive_in_order(met, &found, [left, others, *long], *part, into);
                }
            }
        }
    }

    /// Others that come in a pass.
    fn others(&self, found: &Found) -> Counts {
        let arrivals = self.replica.work.arrivals();
        let come = found.come * arrivals.clustering(found.come);
        Counts::new(come, arrivals.dispersion(come), 1e9).coarse()
    }

    /// Lengths of so many prompts together, over their mean.
    fn lengths(&self, prompts: f64) -> impl Iterator<Item = (f64, f64)> {
        spread::few_points(1.0, self.replica.station().input_scv / prompts)
    }

    /// An arrival among `others`, each `long` mean prompts, of which the next pass has no room for all and for
    /// those `left` over.
    fn arrive_in_order(
        &self,
        met: &Met,
        found: &Found,
        [left, others, long]: [f64; 3],
        share: f64,
        into: &mut impl Pieces,
    ) {
        let mass = found.odds * share;
        if mass < SMALL {
            let (before, behind) = (left + others / 2.0 * long, others / 2.0 * long);
            let around = Around { before, own: long, behind };
            let piece = Piece { from: 0.0, length: found.t, mass };
            return self.first_token(met, found, &around, piece, into);
        }
        let parts = if found.come < FEW { 1 } else { PARTS };
        let (length, odds) = (found.t / f64::from(parts), mass / f64::from(parts));
        for part in 0..parts {
            // The pass ends `rest` of its length after the arrival, less what is uniform in a part.
            let rest = (f64::from(part) + 0.5) / f64::from(parts);
            let from = f64::from(part) * length;
            for (first, odds_of) in shares_of(others, 1.0 - rest) {
                let (before, behind) = (left + first * long, (others - first) * long);
                let around = Around { before, own: long, behind };
                let piece = Piece { from, length, mass: odds * odds_of };
                self.first_token(met, found, &around, piece, into);
            }
        }
    }

    /// Adds the time to the first token, of which a piece is until the end of the pass under way.
    fn first_token(
        &self,
        met: &Met,
        found: &Found,
        around: &Around,
        piece: Piece,
        into: &mut impl Pieces,
    ) {
        let work = &self.replica.work;
        let from = piece.from + work.station().outside_ms(found.t);
        let later =
            |ms: f64, share: f64| Piece { from: from + ms, mass: piece.mass * share, ..piece };
        if !work.has_prompt_pass() {
            return into.add(later(0.0, 1.0), 0.0);
        }
        let Stages { room, chunks, .. } = met.stages;
        let room = room.max(1.0);
        let with = |prompts: f64| work.prompt_pass_ms(met.decoding, prompts, chunks);
        let until_own = around.before + around.own;
        let full_passes = (until_own / room).ceil() - 1.0;
        let (mut ms, mut mine) = ((chunks - 1.0) * met.more_ms, until_own);
        if full_passes > 0.0 {
            ms += full_passes * with(room);
            mine -= full_passes * room;
        }
        let waiting = mine + around.behind + found.come_per_ms * ms;
        let own_ms = with(waiting.min(room));
        ms += own_ms;
        if !work.decodes_first_token() {
            return into.add(later(ms, 1.0), 0.0);
        }
        let (left, come) = ((waiting - room).max(0.0), found.come_per_ms * own_ms);
        let last = |prompts: f64| work.pass_ms(met.decoding + 1.0, prompts.min(room), chunks);
        if met.cycle.is_some() {
            return into.add(later(ms + last(0.0) + work.whole_ms(left), 1.0), own_ms);
        }
        if piece.mass < SMALL {
            return into.add(later(ms + last(left + come), 1.0), 0.0);
        }
        let since = come + found.come_per_ms * piece.length / 2.0;
        let come = come * work.arrivals().clustering(since);
        let dispersion = work.arrivals().dispersion(come);
        for (more, share) in Counts::new(come, dispersion, 1e9).coarse() {
            into.add(later(ms + last(left + more), share), 0.0);
        }
    }

    /// What an arrival meets where nobody is in service.
    pub(super) fn arrive_idle(&self, until: Until, into: &mut impl Mixture) {
        if until == Until::Service {
            return into.add(0.0, 0.0, self.idle);
        }
        let work = &self.replica.work;
        let idle = &self.replica.idle;
        let come = self.rate_per_ms * idle.own_ms;
        if idle.more_ms <= 0.0 || come <= 0.0 {
            return into.add(idle.first_ms, 0.0, self.idle);
        }
        let come = come * work.arrivals().clustering(come);
        let dispersion = work.arrivals().dispersion(come);
        for (more, share) in Counts::new(come, dispersion, 1e9).coarse() {
            let more_ms = more.min(work.room(1.0)) * idle.more_ms;
            into.add(idle.first_ms + more_ms, 0.0, self.idle * share);
        }
    }
}

/// How many of `others` come first, each with the probability `first`: one by one where they are few, else at three points.
fn shares_of(others: f64, first: f64) -> impl Iterator<Item = (f64, f64)> {
    let is_few = others <= ONE_BY_ONE && others.fract() == 0.0;
    let (mean, deviation) = (others * first, (others * first * (1.0 - first)).sqrt());
    let last = if is_few { others as u32 } else { 2 };
    let mut odds = (1.0 - first).powf(others);
    (0..=last).map(move |at| {
        let count = f64::from(at);
        if !is_few {
            let apart = 1.5_f64.sqrt() * deviation * (count - 1.0);
            return ((mean + apart).clamp(0.0, others), 1.0 / 3.0);
        }
        let item = (count, odds);
        odds *= (others - count) / (count + 1.0) * first / (1.0 - first);
        item
    })
}
