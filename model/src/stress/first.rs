//! **headroom**: the load at which a plan breaks its first objective, replicas and batches as they are.
//!
//! ```text
//! r   requests/s that a replica gets, c those that sizing grants it
//! e   the least rate above c at which something that has to be kept is not
//! d   requests/s that all of the server's replicas get, a those that arrive: fewer where a floor of tokens
//!     asks for more, more where not all is served
//!
//! headroom = (e / r) (d / a)     of the server's load as stated: up to it all is kept, just above it is not
//! ```
//!
//! Whatever sizing grants keeps all objectives at any lower rate too, so that the search begins at `c`. Just
//! above it something mostly breaks; further up the plan was made with a margin, or by simulation. `e` does
//! not hang on the load: servers that differ in nothing else share the search.
//!
//! Of an engine with a finite queue that turns many away the mean ITL may fall a little as the rate rises: there,
//! rates below `c` are looked through too, in steps of 1%.

use std::cmp::Ordering;
use std::iter::repeat_n;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::replica::Replica;
use super::{Kept, STEP};
use crate::candidates::{Reading, ReplicaKey, SizingOptions, demand_per_s};
use crate::plan::{Part, Plan};
use crate::queue::{Bracket, Station, narrow};
use crate::scenario::{Scenario, Server};

/// First steps above the rate that sizing grants, as shares; then by [`STEP`].
const FIRST: [f64; 4] = [1e-6, 1e-5, 1e-4, 1e-3];
/// Relative width at which the rate is known well enough.
const WIDTH: f64 = 1e-9;
/// Share of the rate that sizing grants below which none is looked for where that one keeps too little.
const LEAST: f64 = 1e-6;
/// Steps of the search: beyond the service rate, however little sizing grants of it.
const STEPS: usize = 4000;

/// What breaks first as the load of a server grows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FirstBreak {
    /// The factor on the load up to which all is kept: below 1 where not all of it is served.
    pub factor: f64,
    /// What is not kept above it.
    pub kept: Kept,
}

/// A factor up to which all is kept as it is shown, never more than it is: `x 1.011`, `x 23.4`, `x 310`.
pub fn shown(factor: f64) -> String {
    let digits = match factor {
        factor if factor < 10.0 => 3,
        factor if factor < 100.0 => 1,
        _ => 0,
    };
    let scale = 10_f64.powi(digits);
    // What rounding took off a whole digit is not the plan's.
    let down = (factor * scale * (1.0 + 1e-9)).floor() / scale;
    format!("x {down:.*}", digits as usize)
}

/// Says of each part of each server's placement what breaks first; nothing of parts without load.
pub fn add_headroom(scenario: &Scenario, sizing: &SizingOptions, plan: &mut Plan) {
    let servers = scenario.servers.par_iter().zip(&plan.placements);
    let replicas: Vec<Vec<Option<Granted>>> = servers
        .map(|(server, placement)| {
            let parts = placement.parts.iter();
            parts.map(|part| Granted::of(scenario, sizing, server, part)).collect()
        })
        .collect();
    let ends = ends(replicas.iter().flatten().flatten());
    let servers = scenario.servers.iter().zip(&mut plan.placements);
    for ((server, placement), replicas) in servers.zip(&replicas) {
        let arrives = arrives_per_s(scenario, server, sizing.reading);
        let planned = placement.served_share * placement.demand_per_s;
        for (granted, part) in replicas.iter().zip(&mut placement.parts) {
            let granted = granted.as_ref().filter(|_| arrives > 0.0);
            let first = granted.and_then(|granted| granted.first(&ends[&granted.key()]));
            part.headroom =
                first.map(|first| FirstBreak { factor: first.factor * planned / arrives, ..first });
        }
    }
}

/// Where replicas end, once for those that differ in the load alone, from the least of their rates on.
fn ends<'a>(replicas: impl Iterator<Item = &'a Granted>) -> FxHashMap<Key, Vec<End>> {
    let mut least: FxHashMap<Key, &Granted> = FxHashMap::default();
    for granted in replicas {
        let known = least.entry(granted.key()).or_insert(granted);
        if granted.replica.rate_per_s < known.replica.rate_per_s {
            *known = granted;
        }
    }
    least.into_par_iter().map(|(key, granted)| (key, granted.ends())).collect()
}

/// Requests/s that a server asks for by what arrives, without what floors of tokens add.
fn arrives_per_s(scenario: &Scenario, server: &Server, reading: Reading) -> f64 {
    if server.floor_per_s() <= 0.0 {
        return demand_per_s(scenario, server, reading);
    }
    let mut bare = server.whole().clone();
    let members = bare.members.iter_mut();
    members.for_each(|member| member.min_tokens_per_s = 0.0);
    bare.min_tokens_per_s = 0.0;
    demand_per_s(scenario, &bare, reading)
}

/// A replica, and the rate up to which it keeps what it has to.
struct Granted {
    replica: Replica,
    per_s: f64,
}

/// What decides where it ends.
type Key = (ReplicaKey, u64, u64);

/// A rate that keeps all, and what breaks above it.
type End = (f64, Kept);

fn rising(a: &&End, b: &&End) -> Ordering {
    a.0.total_cmp(&b.0)
}

impl Granted {
    /// A replica of a part of `server`'s placement; `None` of one without load.
    fn of(
        scenario: &Scenario,
        sizing: &SizingOptions,
        server: &Server,
        part: &Part,
    ) -> Option<Self> {
        let replica = Replica::of(scenario, sizing, server, part)?;
        let availability = scenario.accelerators[part.accelerator].availability;
        let per_s = (part.credited_rate_per_s / availability).max(replica.rate_per_s);
        Some(Self { replica, per_s })
    }

    /// The first end above its rate, as a factor on that.
    fn first(&self, ends: &[End]) -> Option<FirstBreak> {
        let rate = self.replica.rate_per_s;
        let above = ends.iter().filter(|end| end.0 >= rate * (1.0 - WIDTH)).min_by(rising);
        // A plan that breaks something as it is ends below the load that it is for.
        let &(end, kept) = above.or(ends.iter().max_by(rising))?;
        Some(FirstBreak { factor: end / rate, kept })
    }

    fn key(&self) -> Key {
        let Replica { station, batch, objectives, link_per_s, .. } = self.replica;
        let key = ReplicaKey::new(station, batch, objectives);
        (key, link_per_s.to_bits(), self.per_s.to_bits())
    }

    /// Rates above its own at which something that was kept below begins to break.
    fn ends(&self) -> Vec<End> {
        let mut ends = vec![self.end()];
        let Station { queue_limit, reading, .. } = self.replica.station;
        if queue_limit.is_some() && reading == Reading::Engine {
            self.add_ends_below(&mut ends);
        }
        ends
    }

    fn add_ends_below(&self, ends: &mut Vec<End>) {
        let worst = |rate_per_s: f64| self.replica.at_rate(rate_per_s).worst();
        let mut above = (self.per_s, (0.0, Kept::Stable));
        while above.0 > self.replica.rate_per_s {
            let rate = above.0 / (1.0 + STEP);
            let at = worst(rate);
            if at.0 <= 0.0 && above.1.0 > 0.0 {
                ends.push(between(rate, at.0, above, worst));
            }
            above = (rate, at);
        }
    }

    /// Where the rates end that sizing grants, and what breaks there.
    fn end(&self) -> End {
        let worst = |rate_per_s: f64| self.replica.at_rate(rate_per_s).worst();
        let mut low = (self.per_s, worst(self.per_s));
        if low.1.0 > 0.0 {
            // No plan that the checker lets through: what it would keep is less than it gets.
            let least = self.per_s * LEAST;
            return match worst(least) {
                (excess, kept) if excess > 0.0 => (0.0, kept),
                (excess, _) => between(least, excess, low, worst),
            };
        }
        for step in FIRST.into_iter().chain(repeat_n(STEP, STEPS)) {
            let at = low.0 * (1.0 + step);
            let high = (at, worst(at));
            if high.1.0 > 0.0 {
                return between(low.0, low.1.0, high, worst);
            }
            low = high;
        }
        (low.0, low.1.1)
    }
}

/// The end between a rate that keeps all and one that does not.
fn between(
    low: f64,
    excess: f64,
    (high, (beyond, kept)): (f64, (f64, Kept)),
    worst: impl Fn(f64) -> (f64, Kept),
) -> End {
    let mut broken = (high, kept);
    let bracket = Bracket { low: (low, excess), high: (high, beyond) };
    let end = narrow(bracket, WIDTH, |rate_per_s| {
        let (excess, kept) = worst(rate_per_s);
        if excess > 0.0 && rate_per_s < broken.0 {
            broken = (rate_per_s, kept);
        }
        excess
    });
    (end, broken.1)
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn factors_are_never_shown_larger_than_they_are() {
        let all = [1.011_99, 1.5 - 1e-12, 9.9999, 23.46, 310.9, 0.229].map(shown);
        assert_eq!(all, ["x 1.011", "x 1.500", "x 9.999", "x 23.4", "x 310", "x 0.229"]);
    }
}
