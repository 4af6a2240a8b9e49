//! What must not hurt: card counts that collapse, loads that cannot be, loads above what a server may have.

use super::super::Counts;
use super::{World, changed};
use crate::cluster::Cards;

#[test]
fn a_count_that_falls_takes_nothing_away_from_what_is_ready() {
    let mut world = World::new(27, None);
    world.cycle();
    world.ready(|_| true);
    let full = world.data.clone();
    let all: Cards =
        full.scenario.card_types.iter().map(|t| (t.name.clone(), t.count.unwrap())).collect();
    // No node has cards of one type; of every type but one; half of the cards of all; a card of each; none.
    let mut counts: Vec<Cards> = Vec::new();
    for gone in all.keys() {
        counts.push(all.iter().map(|(t, n)| (t.clone(), if t == gone { 0 } else { *n })).collect());
        counts.push(all.iter().map(|(t, n)| (t.clone(), if t == gone { *n } else { 0 })).collect());
    }
    for share in [0.5, 0.25, 0.1, 0.0] {
        counts.push(all.iter().map(|(t, n)| (t.clone(), (*n as f64 * share) as u64)).collect());
    }
    for cards in counts {
        world.data = full.with_counted(&cards);
        let (fleet, decision) = world.cycle();
        assert_eq!(changed(&decision), Vec::<&str>::new(), "{cards:?}: {decision:?}");
        let used = &fleet.ledger.used;
        if used.iter().any(|(t, n)| cards.get(t).is_none_or(|c| c < n)) {
            assert!(!fleet.warnings.is_empty(), "{cards:?}");
        }
    }
    world.data = full;
    let (fleet, decision) = world.cycle();
    assert_eq!((changed(&decision).len(), fleet.warnings.len(), fleet.in_doubt.len()), (0, 0, 0));
}

#[test]
fn a_shrunken_file_takes_nothing_away_from_what_serves_more_than_its_plan() {
    let mut world = World::new(27, None);
    world.cycle();
    let full = world.data.clone();
    let before: Vec<u32> = world.observed.servers.iter().map(|s| s.managed.replicas).collect();
    for share in [0.6, 0.5, 0.4, 0.2, 0.0] {
        for ready in [true, false] {
            for card in full.scenario.card_types.iter().enumerate() {
                world.data.scenario.card_types[card.0].count =
                    card.1.count.map(|n| (n as f64 * share) as u64);
            }
            world.data.counts = Counts::File { uncounted: Vec::new() };
            world.ready(|_| ready);
            let mut kept = world.observed.clone();
            let (_, decision) = world.cycle();
            std::mem::swap(&mut world.observed, &mut kept);
            if decision.status == "infeasible" && ready || share < 0.3 {
                assert_eq!(changed(&decision), Vec::<&str>::new(), "{share}: {decision:?}");
            }
        }
    }
    let after: Vec<u32> = world.observed.servers.iter().map(|s| s.managed.replicas).collect();
    assert_eq!(after, before);
}

#[test]
fn a_load_that_is_next_to_nothing_or_cannot_be_is_that_servers_affair_alone() {
    let mut alone = World::new(4, Some(10_000));
    alone.observed.servers.remove(0);
    alone.cycle();
    for rpm in [f64::MIN_POSITIVE, 1e-320, 1e-12, f64::NAN, f64::INFINITY, -1.0, 1e300] {
        let mut world = World::new(4, Some(10_000));
        world.observed.servers[0].load.rpm = rpm;
        let (fleet, decision) = world.cycle();
        assert_eq!(world.observed.servers[1..], alone.observed.servers[..], "{rpm}: {decision:?}");
        if (0.0..1.0).contains(&rpm) {
            assert_eq!(fleet.entries[0].demand_per_s, 0.0, "{rpm} is none");
            assert_eq!(world.observed.servers[0].managed.replicas, 1, "its least");
        } else {
            assert_eq!((fleet.entries.len(), fleet.left_alone.len()), (3, 1), "{rpm}");
            let reason = &fleet.left_alone[0].reason;
            assert!(reason.contains("out of range"), "{reason}");
        }
    }
}

#[test]
fn a_load_above_the_most_replicas_gets_them_and_the_others_are_as_if_nothing_were() {
    let mut without = World::new(4, Some(10_000));
    without.observed.servers.remove(0);
    without.cycle();
    for (most, runs) in [(1, 1), (3, 3), (10, 10), (10, 3), (3, 10), (5, 0)] {
        let mut world = World::new(4, Some(10_000));
        world.cycle();
        let first = &mut world.observed.servers[0];
        (first.managed.max_replicas, first.managed.replicas) = (Some(most), runs);
        first.load.rpm *= 1e4;
        for round in 0..3 {
            let (fleet, decision) = world.cycle();
            let first = &world.observed.servers[0].managed;
            assert_eq!(first.replicas, most, "{most} of {runs}: {decision:?}");
            assert_eq!(world.observed.servers[1..], without.observed.servers[..], "{decision:?}");
            assert_eq!(decision.status, "optimal");
            assert!(fleet.entries[0].capped.is_some());
            let held = decision.held.iter().find(|h| h.name == first.server).expect("it is told");
            assert!(held.reason.contains(&format!("it may have {most}")), "{}", held.reason);
            assert!(round == 0 || decision.changes.is_empty(), "it rests: {decision:?}");
        }
        // The others are given what they need, and give up what they do not, as ever.
        let name = world.observed.servers[1].managed.server.clone();
        for factor in [50.0, 0.02] {
            world.observed.servers[1].load.rpm *= factor;
            let (_, decision) = world.cycle();
            assert_eq!(changed(&decision), [name.as_str()]);
        }
    }
}

#[test]
fn a_reason_is_told_in_right_words() {
    let mut world = World::new(1, Some(10_000));
    world.cycle();
    let on = world.observed.servers[0].managed.accelerator.clone();
    world.observed.servers[0].load.rpm *= 300.0;
    for (runs, words) in
        [(0, "no replica is there"), (1, "1 replica is too few"), (11, "11 replicas are too few")]
    {
        let managed = &mut world.observed.servers[0].managed;
        (managed.replicas, managed.accelerator) = (runs, on.clone());
        let (_, decision) = world.cycle();
        assert!(decision.changes[0].reason.contains(words), "{}", decision.changes[0].reason);
    }
}
