//! What an arrival meets on its way to its first token.
//!
//! It comes `rest` of a pass before that one ends, among `before` others that came earlier in the same pass and
//! `behind` that came later. Prompts left over and those before its own are worked off first, as
//! many a pass as there is room for; the pass of its own prompt holds those behind it as far as there is
//! room. Where the first token is decoded, in a pass of its own, that pass holds what there was no room for
//! and what has come in the meantime, `Poisson(lambda t)` prompts.
//!
//! All these passes are as long as what is in them, so that the time is a mixture of uniform times over the
//! counts.

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

/// Times from the end of the pass under way to the first token, by how many others came in it, where the next has room
/// for all.
struct After<'a> {
    tails: &'a Tails,
    met: &'a Met,
    come_per_ms: f64,
    times: Vec<Times>,
}

/// Times in ms, with probabilities.
#[derive(Default)]
struct Times(Vec<(f64, f64)>);

impl Mixture for Times {
    fn add(&mut self, from: f64, _: f64, mass: f64) {
        self.0.push((from, mass));
    }

    fn wait(&mut self, _: f64) {}
}

impl After<'_> {
    fn times(&mut self, others: f64) -> impl Iterator<Item = (f64, f64)> {
        let others = others.round() as usize;
        while self.times.len() <= others {
            let times = self.of(self.times.len() as f64);
            self.times.push(times);
        }
        self.times[others].0.iter().copied()
    }

    fn of(&self, others: f64) -> Times {
        let Self { tails, met, come_per_ms, .. } = *self;
        let outside_ms = tails.replica.station().service.outside_ms(0.0);
        let found = Found { prompts: 0.0, t: 0.0, odds: 1.0, come: others, come_per_ms };
        let scv = tails.replica.station().input_scv / (others + 1.0);
        let mut times = Times::default();
        for (long, mass) in spread::few_points(1.0, scv) {
            let around = Around { before: 0.0, own: long, behind: others * long };
            let piece = Piece { from: -outside_ms, length: 0.0, mass };
            tails.first_token(met, &found, &around, &piece, &mut times);
        }
        times
    }
}

/// A piece of the mixture to which times are added.
struct Piece {
    from: f64,
    length: f64,
    mass: f64,
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
        let scv = self.replica.station().input_scv;
        let passes = match scv > 0.0 {
            true => &met.spread(&self.replica.work, passes, scv),
            false => passes,
        };
        let mean_ms: f64 = passes.iter().map(|(_, p, t)| p * t).sum();
        let seen = |prompts: f64| if prompts > 0.0 { self.waves.finds } else { 1.0 };
        let total: f64 = passes.iter().map(|(k, p, t)| seen(*k) * p * t).sum();
        let is_full = met.n >= f64::from(self.replica.batch());
        let ends = met.stages.ends * (met.n - 1.0) / met.n;
        let come_per_ms = if is_full { ends / mean_ms } else { self.rate_per_ms };
        let mut after = After { tails: self, met, come_per_ms, times: Vec::new() };
        for &(prompts, odds, t) in passes {
            let come = if is_full { ends } else { self.rate_per_ms * t };
            let odds = share * seen(prompts) * odds * t / total;
            if odds < RARE {
                continue;
            }
            if until == Until::Service {
                into.add(0.0, t, odds);
                continue;
            }
            let found = Found { prompts, t, odds, come, come_per_ms };
            if self.has_room(met, &found) {
                self.arrive_in_any_order(&found, &mut after, into);
                continue;
            }
            let parts = if come < FEW { 1 } else { PARTS };
            let found = Found { odds: odds / f64::from(parts), ..found };
            for part in 0..parts {
                self.arrive_in(met, &found, (part, parts), into);
            }
        }
    }

    /// Whether the next pass has room for all that come in one that is found.
    fn has_room(&self, met: &Met, found: &Found) -> bool {
        let room = met.stages.room.max(1.0);
        let most = self.others(found).last().map_or(0.0, |(most, _)| most);
        let longest = spread::few_points(1.0, self.replica.station().input_scv).last();
        found.prompts <= room && (most + 1.0) * longest.map_or(1.0, |(long, _)| long) <= room
    }

    /// Others that come in a pass.
    fn others(&self, found: &Found) -> Counts {
        let arrivals = self.replica.work.arrivals();
        let come = found.come * arrivals.clustering(found.come);
        Counts::new(come, arrivals.dispersion(come), 1e9).coarse()
    }

    /// An arrival in a pass where all who come in it share the next, whoever is first.
    fn arrive_in_any_order(&self, found: &Found, after: &mut After, into: &mut impl Mixture) {
        let from = self.replica.station().service.outside_ms(found.t);
        for (others, share) in self.others(found) {
            for (ms, part) in after.times(others) {
                into.add(from + ms, found.t, found.odds * share * part);
            }
        }
    }

    /// The same in one part of a pass.
    fn arrive_in(
        &self,
        met: &Met,
        found: &Found,
        (part, parts): (u32, u32),
        into: &mut impl Mixture,
    ) {
        let Found { prompts, t, odds, come, .. } = *found;
        let (length, parts) = (t / f64::from(parts), f64::from(parts));
        // The pass ends `rest` of its length after the arrival, less what is uniform in a part.
        let rest = (f64::from(part) + 0.5) / parts;
        let from = (rest - 0.5 / parts) * t;
        let arrivals = self.replica.work.arrivals();
        let (come, dispersion) = (come * arrivals.clustering(come), arrivals.dispersion(come));
        let left = (prompts - met.stages.room).max(0.0);
        for (before, share) in Counts::new(come * (1.0 - rest), dispersion, 1e9).coarse() {
            for (behind, part) in Counts::new(come * rest, dispersion, 1e9).coarse() {
                let scv = self.replica.station().input_scv / (before + behind + 1.0);
                for (long, of_length) in spread::few_points(1.0, scv) {
                    let around =
                        Around { before: left + before * long, own: long, behind: behind * long };
                    let piece = Piece { from, length, mass: odds * share * part * of_length };
                    self.first_token(met, found, &around, &piece, into);
                }
            }
        }
    }

    /// Adds the time from the end of the pass under way to the first token.
    fn first_token(
        &self,
        met: &Met,
        found: &Found,
        around: &Around,
        piece: &Piece,
        into: &mut impl Mixture,
    ) {
        let work = &self.replica.work;
        let from = piece.from + work.station().service.outside_ms(found.t);
        if !work.has_prompt_pass() {
            return into.add(from, piece.length, piece.mass);
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
            return into.add(from + ms, piece.length, piece.mass);
        }
        let (left, come) = ((waiting - room).max(0.0), found.come_per_ms * own_ms);
        let last = |prompts: f64| work.pass_ms(met.decoding + 1.0, prompts.min(room), chunks);
        if let Some(cycle) = met.cycle {
            let decode_ms = last(0.0) + work.whole_ms(left);
            for (busy_ms, share) in cycle.since(self.rate_per_ms, own_ms).times(work) {
                into.add(from + ms + decode_ms + busy_ms, piece.length, piece.mass * share);
            }
            return;
        }
        if piece.mass < SMALL {
            return into.add(from + ms + last(left + come), piece.length, piece.mass);
        }
        let since = come + found.come_per_ms * piece.length / 2.0;
        let come = come * work.arrivals().clustering(since);
        let dispersion = work.arrivals().dispersion(come);
        for (more, share) in Counts::new(come, dispersion, 1e9).coarse() {
            into.add(from + ms + last(left + more), piece.length, piece.mass * share);
        }
    }

    /// The same where nobody is in service.
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
