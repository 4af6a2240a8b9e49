//! Random fleets: do the rates that the model grants hold in simulation, and what would those cost that do?
//!
//! `cargo bench -p isocost-simulation --bench fleets -- [first seed] [last seed] [certify]`
//!
//! The fleets are those of `planner/tests/holds`. They have as many cards as they ask for, so that the cheapest plan is
//! each server's own cheapest option, and no solver is needed to find it: each is simulated at the rate that a
//! replica of it gets. With `certify` what does not hold for sure gets the largest rate that does, until the
//! cheapest option holds, as `plan --certify` does.

#[path = "../../planner/tests/holds/draw.rs"]
mod draw;

use isocost_model::Scenario;
use isocost_model::candidates::{Candidate, Candidates, SizingOptions, station, targets};
use isocost_model::queue::{Objectives, Station};
use isocost_simulation::{
    Claim, Effort, Latency, Replica, Search, Traffic, Watch, largest_rate, simulate,
};
use rayon::prelude::*;

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
    let certify = words.iter().any(|w| w == "certify");
    let fleets: Vec<u64> = (seed(0, 1)..=seed(1, 20)).collect();
    let all: Vec<Tally> = fleets.par_iter().map(|seed| fleet(*seed, certify)).collect();
    let total = all.iter().fold(Tally::default(), |a, b| Tally {
        objectives: a.objectives + b.objectives,
        hold: a.hold + b.hold,
        missed: a.missed + b.missed,
        grow: a.grow + b.grow,
        cost: a.cost + b.cost,
        certified: a.certified + b.certified,
    });
    println!("{total:#?}");
}

fn fleet(seed: u64, certify: bool) -> Tally {
    let scenario = draw::fleet(seed);
    let sizing = SizingOptions::default();
    let candidates = Candidates::build(&scenario, &sizing);
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

/// Simulates what is claimed and counts the objectives that hold.
fn judge(claim: &Claim, effort: &Effort, place: &str, tally: &mut Tally) {
    let report = simulate(&claim.replica, &claim.traffic, effort, claim.unit, &Watch::NONE)
        .expect("nobody stops it");
    tally.grow += u32::from(!report.is_steady());
    let Objectives { itl, ttft, .. } = claim.objectives;
    let itl_over = Latency::of_itl(&claim.objectives);
    for (latency, objective) in [(itl_over, itl), (Latency::Ttft, ttft)] {
        let Some(objective) = objective else { continue };
        tally.objectives += 1;
        let Some(used) = report.used(latency, objective) else { continue };
        if used.value + used.half_width <= 1.0 {
            tally.hold += 1;
            continue;
        }
        tally.missed += u32::from(used.value - used.half_width > 1.0);
        println!("{place}: {latency:?} {objective:?} uses {used:?} of {claim:?}");
    }
}
