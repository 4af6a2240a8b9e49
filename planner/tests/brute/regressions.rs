//! Cases that once failed, each by what was wrong.

use super::case::{Accelerator, Case, Profile, Server};
use super::problems;

/// A server alone on `price` that runs now for `old`, and a change's value of nothing or nearly so.
fn change_of_next_to_nothing() -> Case {
    let server = |model: usize, load: u64, least: u64, old: u64| Server {
        model,
        load,
        least,
        now: Some((0, old)),
        priority: 1,
        ..Server::default()
    };
    let profile = |units: u64, rate: u64| vec![Profile { accelerator: 0, units, rate }];
    Case {
        cents: 1.0,
        per_min: 60.0,
        accelerators: vec![Accelerator { card_type: 0, multiplicity: 1, watts: 0, price: 400 }],
        cards: vec![None],
        models: vec![profile(2, 7), profile(1, 1)],
        servers: vec![server(1, 0, 0, 399), server(1, 0, 2, 1200), server(0, 140, 0, 800)],
        mixed: true,
        transition: true,
        ..Case::default()
    }
}

#[test]
fn the_gap_of_a_change_is_that_of_the_whole_objective() {
    // 2,400 cents/h less the 2,399 of now: microlp stopped at a millionth of the former.
    problems::tried(&change_of_next_to_nothing()).expect("it is the optimum");
}

#[test]
fn a_change_of_nothing_is_proven_in_spite_of_rounding() {
    let mut case = change_of_next_to_nothing();
    case.servers[0].now = Some((0, 400));
    problems::tried(&case).expect("it is the optimum");
}
