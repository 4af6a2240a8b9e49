//! Random fleets: do the rates that the model grants hold in simulation, and what would those cost that do?
//!
//! `cargo bench -p isocost-simulation --bench fleets -- [first seed] [last seed] [certify] [cheapest]`
//!
//! The fleets are those of `planner/tests/holds`. They have as many cards as they ask for, so that the cheapest plan is
//! each server's own cheapest option, and no solver is needed to find it: each is simulated at the rate that a
//! replica of it gets, for longer where a short run does not tell. With `certify` what does not hold for sure gets the largest rate that does, until the
//! cheapest option holds, as `plan --certify` does. With `cheapest` what costs less than the plan is tried too, from the
//! cheapest up: every option and number of replicas that would do if latencies were [`CAREFUL`] times lower than the
//! model says. The first that simulation finds to hold is the cheapest that holds.

#[path = "../../planner/tests/holds/draw.rs"]
mod draw;

use isocost_model::Scenario;
use isocost_model::candidates::{Candidate, Candidates, SizingOptions, station, targets};
use isocost_model::queue::{Objective, Objectives, Station};
use isocost_model::scenario::Server;
use isocost_simulation::{
    Claim, Effort, Estimate, Latency, Replica, Report, Search, Traffic, Watch, largest_rate,
    simulate,
};
use rayon::prelude::*;

/// How much too high the latencies of the model may be at which cheaper plans are still looked for.
const CAREFUL: f64 = 1.3;

/// How much longer a run is that a short one does not settle.
const LONGER: u64 = 20;

/// What came of some servers.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    objectives: u32,
    /// Whole intervals within the limit, and beyond it.
    hold: u32,
    missed: u32,
    /// Kinds of replica whose queue grows.
    grow: u32,
    /// Cost by the model's rates and by those that hold, cents/h.
    cost: f64,
    certified: f64,
    cheapest: f64,
}

/// A server's options and the rates that they are granted.
struct Choice<'a> {
    options: &'a [Candidate],
    rates: Vec<f64>,
    load_per_s: f64,
}

/// The cheapest option of a server, and its replicas.
struct Chosen {
    at: usize,
    replicas: f64,
    cost: f64,
}

impl Choice<'_> {
    fn cheapest(&self) -> Option<Chosen> {
        let all = self.options.iter().zip(&self.rates).enumerate().filter(|(_, (_, r))| **r > 0.0);
        let chosen = all.map(|(at, (option, rate))| {
            let replicas = (self.load_per_s / rate - 1e-9).ceil().max(1.0);
            Chosen { at, replicas, cost: replicas * option.cost_cents_per_h }
        });
        chosen.min_by(|a, b| a.cost.total_cmp(&b.cost))
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|w| w != "--bench").collect();
    let seed = |at: usize, default: u64| {
        words.get(at).map_or(default, |w| w.parse().expect("a seed is a whole number"))
    };
    let extras = ["certify", "cheapest"].map(|extra| words.iter().any(|w| w == extra));
    let fleets: Vec<u64> = (seed(0, 1)..=seed(1, 20)).collect();
    let all: Vec<Tally> = fleets.par_iter().map(|seed| fleet(*seed, extras)).collect();
    let total = all.iter().fold(Tally::default(), |a, b| Tally {
        objectives: a.objectives + b.objectives,
        hold: a.hold + b.hold,
        missed: a.missed + b.missed,
        grow: a.grow + b.grow,
        cost: a.cost + b.cost,
        certified: a.certified + b.certified,
        cheapest: a.cheapest + b.cheapest,
    });
    println!("{total:#?}");
}

fn fleet(seed: u64, [certify, cheapest]: [bool; 2]) -> Tally {
    let scenario = draw::fleet(seed);
    let sizing = SizingOptions::default();
    let candidates = Candidates::build(&scenario, &sizing);
    let hopes =
        if cheapest { Candidates::build(&hopeful(&scenario), &sizing) } else { candidates.clone() };
    let mut tally = Tally::default();
    for (s, server) in scenario.servers.iter().enumerate() {
        let options = candidates.options(s);
        let objectives = targets(&scenario, server, sizing.reading);
        let objectives = Objectives { max_loss: sizing.max_loss, ..objectives };
        let mut choice = Choice {
            options,
            rates: options.iter().map(|o| o.rate_per_s).collect(),
            load_per_s: server.load.arrival_rate_per_min / 60.0,
        };
        let claim = |choice: &Choice, chosen: &Chosen| {
            let option = &choice.options[chosen.at];
            let station = station_of(&scenario, s, option.accelerator, &sizing);
            Claim {
                replica: Replica::of(&station, option.batch),
                traffic: Traffic::of(&station, choice.load_per_s / chosen.replicas),
                objectives,
                unit: (s as u32) << 8 | chosen.at as u32,
            }
        };
        let effort = Effort { requests: 1_000, seed, ..Effort::default() };
        let Some(chosen) = choice.cheapest() else { continue };
        tally.cost += chosen.cost;
        judge(
            &claim(&choice, &chosen),
            &effort,
            &format!("seed {seed}, {}", server.name),
            &mut tally,
        );
        if cheapest {
            let claim = claim(&choice, &chosen);
            let tries = Tries { scenario: &scenario, s, claim, effort };
            tally.cheapest += tries.cheapest(hopes.options(s), chosen.cost);
        }
        // Long runs: what is kept from a limit for their error is part of what certainty costs.
        let effort = Effort { seed, ..Search::default().effort };
        let search = Search { effort, upwards: false, ..Search::default() };
        while let Some(chosen) = choice.cheapest().filter(|_| certify) {
            let claim = claim(&choice, &chosen);
            let found = largest_rate(&claim, &search, &Watch::NONE).expect("nobody stops it");
            if found.start_holds {
                tally.certified += chosen.cost;
                break;
            }
            println!("seed {seed}, {}: {:.3} -> {found:?}", server.name, claim.traffic.rate_per_s);
            choice.rates[chosen.at] = found.rate_per_s;
        }
    }
    tally
}

/// The same fleet with limits as much higher as the model's latencies may be too high.
fn hopeful(scenario: &Scenario) -> Scenario {
    let mut scenario = scenario.clone();
    for target in scenario.classes.iter_mut().flat_map(|class| &mut class.targets) {
        *target = target.map(|limits| limits.relaxed(|_| CAREFUL));
    }
    scenario
}

/// What may be cheaper for a server than its plan.
struct Tries<'a> {
    scenario: &'a Scenario,
    s: usize,
    /// What the plan claims.
    claim: Claim,
    effort: Effort,
}

impl Tries<'_> {
    /// What the cheapest replicas cost that hold, of which some cost `cost`, cents/h.
    fn cheapest(&self, options: &[Candidate], cost: f64) -> f64 {
        let load_per_s = self.scenario.servers[self.s].load.arrival_rate_per_min / 60.0;
        let mut tries = Vec::new();
        for option in options {
            let mut replicas = (load_per_s / option.rate_per_s - 1e-9).ceil().max(1.0);
            while replicas * option.cost_cents_per_h < cost - 1e-9 {
                tries.push((replicas * option.cost_cents_per_h, load_per_s / replicas, option));
                replicas += 1.0;
            }
        }
        tries.sort_by(|a, b| a.0.total_cmp(&b.0));
        let held =
            tries.into_iter().find(|(_, rate_per_s, option)| self.holds(option, *rate_per_s));
        held.map_or(cost, |(less, rate_per_s, option)| {
            let Server { name, .. } = &self.scenario.servers[self.s];
            let accelerator = &self.scenario.accelerators[option.accelerator].name;
            println!(
                "seed {}, {name}: {less} does, not {cost}: {rate_per_s}/s on {accelerator} at batch {}",
                self.effort.seed, option.batch
            );
            less
        })
    }

    /// Whether replicas hold at a rate: a short run says what is far from it.
    fn holds(&self, option: &Candidate, rate_per_s: f64) -> bool {
        let sizing = SizingOptions::default();
        let station = station_of(self.scenario, self.s, option.accelerator, &sizing);
        let claim = Claim {
            replica: Replica::of(&station, option.batch),
            traffic: Traffic::of(&station, rate_per_s),
            ..self.claim
        };
        let short = Effort { requests: self.effort.requests / 5, ..self.effort };
        holds(&claim, &short, 0.5) && holds(&claim, &self.effort, 0.0)
    }
}

/// Whether simulation finds all objectives within their limits, or beyond them by less than a share of
/// the half width.
fn holds(claim: &Claim, effort: &Effort, share: f64) -> bool {
    let report = simulate(&claim.replica, &claim.traffic, effort, claim.unit, &Watch::NONE)
        .expect("nobody stops it");
    let within = |used: Estimate| used.value - share * used.half_width <= 1.0;
    report.is_steady() && used(claim, &report).all(|(_, _, used)| within(used))
}

fn station_of(
    scenario: &Scenario,
    s: usize,
    accelerator: usize,
    sizing: &SizingOptions,
) -> Station {
    let server = &scenario.servers[s];
    let of = |p: &&isocost_model::scenario::Profile| {
        (p.model, p.accelerator) == (server.model, accelerator)
    };
    station(server, scenario.profiles.iter().find(of).expect("an option has a profile"), sizing)
}

/// Simulates what is claimed and counts the objectives that hold, in a run [`LONGER`] times as long where a short one does not
/// tell.
fn judge(claim: &Claim, effort: &Effort, place: &str, tally: &mut Tally) {
    let mut report = simulate(&claim.replica, &claim.traffic, effort, claim.unit, &Watch::NONE)
        .expect("nobody stops it");
    if used(claim, &report).any(|(_, _, used)| (used.value - 1.0).abs() <= used.half_width) {
        let effort = Effort { requests: LONGER * effort.requests, ..*effort };
        report = simulate(&claim.replica, &claim.traffic, &effort, claim.unit, &Watch::NONE)
            .expect("nobody stops it");
    }
    tally.grow += u32::from(!report.is_steady());
    let Objectives { itl, ttft, .. } = claim.objectives;
    tally.objectives += u32::from(itl.is_some()) + u32::from(ttft.is_some());
    for (latency, objective, used) in used(claim, &report) {
        if used.value + used.half_width <= 1.0 {
            tally.hold += 1;
            continue;
        }
        tally.missed += u32::from(used.value - used.half_width > 1.0);
        println!("{place}: {latency:?} {objective:?} uses {used:?} of {claim:?}");
    }
}

/// What of each limit is used.
fn used<'a>(
    claim: &'a Claim,
    report: &'a Report,
) -> impl Iterator<Item = (Latency, Objective, Estimate)> + 'a {
    let Objectives { itl, ttft, .. } = claim.objectives;
    let limits = [(Latency::of_itl(&claim.objectives), itl), (Latency::Ttft, ttft)];
    limits.into_iter().filter_map(|(latency, objective)| {
        let objective = objective?;
        Some((latency, objective, report.used(latency, objective)?))
    })
}
