//! Cases that once failed, each by what was wrong.

use super::case::{Accelerator, Budget, Case, Profile, Server};
use super::{problems, shortage};

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

fn accelerator(card_type: usize, multiplicity: u64, price: u64) -> Accelerator {
    Accelerator { card_type, multiplicity, watts: 0, price }
}

fn profile(accelerator: usize, rate: u64) -> Profile {
    Profile { accelerator, units: 1, rate }
}

fn server(load: u64, now: Option<(usize, u64)>) -> Server {
    Server { load, now, priority: 1, ..Server::default() }
}

#[test]
fn a_change_s_value_below_nothing_is_counted_in_all_its_bits() {
    let case = Case {
        cents: 1.0 / 3.0,
        per_min: 37.3,
        accelerators: vec![accelerator(0, 1, 1), accelerator(0, 1, 0)],
        cards: vec![None],
        models: vec![vec![profile(0, 1), profile(1, 1)]],
        servers: vec![server(1, Some((1, 2)))],
        mixed: true,
        transition: true,
        ..Case::default()
    };
    problems::tried(&case).expect("the accelerator of price 0 is kept");
}

#[test]
fn an_accelerator_that_there_is_no_room_for_is_given_up_at_its_charge() {
    let case = Case {
        cents: 1.0,
        per_min: 60.0,
        accelerators: vec![accelerator(0, 1, 0), accelerator(1, 1, 0)],
        cards: vec![None, Some(0)],
        models: vec![vec![profile(0, 1), profile(1, 1)]],
        servers: vec![Server { least: 1, ..server(0, Some((1, 1))) }],
        mixed: true,
        transition: true,
        ..Case::default()
    };
    problems::tried(&case).expect("it is proven");
}

#[test]
fn small_costs_do_not_drown_in_what_a_limit_costs_at_most() {
    let case = Case {
        cents: 0.001,
        per_min: 37.3,
        accelerators: vec![accelerator(0, 1, 1), accelerator(0, 2, 0)],
        cards: vec![Some(5)],
        models: vec![vec![profile(0, 2), profile(1, 3)]],
        servers: vec![server(41, None), server(21, None)],
        mixed: true,
        ..Case::default()
    };
    problems::tried(&case).expect("it is proven");
}

#[test]
fn a_price_is_counted_of_what_serves_only_beside_what_is_free() {
    let case = Case {
        cents: 0.001,
        per_min: 1.0 / 7.0,
        accelerators: vec![accelerator(0, 1, 1), accelerator(1, 1, 0)],
        cards: vec![None, None],
        models: vec![vec![profile(0, 1), profile(1, 2)]],
        servers: vec![Server { most: Some(2), types: 2, ..server(21, None) }],
        mixed: true,
        ..Case::default()
    };
    problems::tried(&case).expect("it is the optimum");
}

#[test]
fn a_limit_on_what_is_free_is_worth_what_the_rest_costs() {
    let case = Case {
        cents: 1.0,
        per_min: 60.0,
        accelerators: vec![accelerator(0, 1, 0), accelerator(1, 1, 2)],
        cards: vec![Some(3), None],
        models: vec![vec![profile(0, 2), profile(1, 1)]],
        servers: vec![Server { least: 2, ..server(0, None) }, server(21, None)],
        ..Case::default()
    };
    problems::tried(&case).expect("it is proven");
}

#[test]
fn a_server_left_out_keeps_no_replica_that_costs_nothing() {
    let case = Case {
        cents: 1.0,
        per_min: 60.0,
        accelerators: vec![accelerator(0, 1, 0)],
        cards: vec![None],
        budgets: vec![Budget { types: vec![0], cards: Some(8), watts: None }],
        models: vec![vec![profile(0, 4)]],
        servers: vec![server(81, None), server(121, None), server(41, None)],
        mixed: true,
        ..Case::default()
    };
    shortage::tried(&case).expect("it is served in full or not at all");
}

#[test]
fn an_idle_server_alone_on_its_floor_makes_room() {
    let case = Case {
        cents: 1.0,
        per_min: 60.0,
        accelerators: vec![accelerator(0, 1, 1), accelerator(1, 2, 0), accelerator(1, 3, 0)],
        cards: vec![None, Some(9)],
        models: vec![vec![profile(0, 1), profile(1, 3), profile(2, 1)]],
        servers: vec![
            Server { least: 2, ..server(0, None) },
            server(61, None),
            Server { types: 3, ..server(0, None) },
        ],
        ..Case::default()
    };
    problems::tried(&case).expect("it is proven");
}
