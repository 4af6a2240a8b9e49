//! What a cycle may take away, and what it takes for a fault.

use std::time::Duration;

use proptest::prelude::*;

use super::{World, changed};
use crate::collect::Source;

fn replicas(world: &World) -> Vec<u32> {
    world.observed.servers.iter().map(|s| s.managed.replicas).collect()
}

/// A world with many replicas of each server, at rest.
fn busy(take: usize) -> World {
    let mut world = World::new(take, Some(100_000));
    for server in &mut world.observed.servers {
        server.load.rpm *= 40.0;
    }
    world.cycle();
    world.ready(|_| true);
    world
}

#[test]
fn rates_that_all_read_0_change_nothing_and_it_is_said_also_after_a_restart() {
    for restarted in [false, true] {
        let mut world = busy(6);
        if restarted {
            for server in &mut world.observed.servers {
                (server.managed.planned, server.managed.planned_measured) =
                    (Some(server.load), true);
            }
            world.memory = Default::default();
        }
        let before = replicas(&world);
        for server in &mut world.observed.servers {
            server.load = Default::default();
            server.measured.running = Some(0.0);
        }
        for _ in 0..20 {
            world.now += Duration::from_secs(60);
            let (fleet, decision) = world.cycle();
            assert_eq!(changed(&decision), Vec::<&str>::new());
            assert!(fleet.warnings[0].contains("all 6 loads read 0"), "{:?}", fleet.warnings);
        }
        assert_eq!(replicas(&world), before);
        world.stability.believe_zero = true;
        for server in &mut world.observed.servers {
            server.managed.keep_accelerator = true;
        }
        let (_, decision) = world.cycle();
        assert!(!decision.changes.is_empty());
        for (now, before) in replicas(&world).iter().zip(&before) {
            assert!(*now >= before.div_ceil(2), "{now} of {before}");
        }
    }
}

#[test]
fn the_last_replica_goes_when_there_has_been_no_load_for_long_enough() {
    let mut world = busy(3);
    world.stability.min_replicas = 0;
    let start = replicas(&world)[0];
    let idle = world.stability.idle;
    let first = &mut world.observed.servers[0];
    first.managed.keep_accelerator = true;
    first.load.rpm = 0.0;
    first.measured.running = Some(0.0);
    let (mut now, mut minutes) = (start, 0);
    while now > 0 {
        let before = now;
        world.cycle();
        now = replicas(&world)[0];
        assert!(now >= before / 2, "{now} of {before}");
        if now == 0 {
            assert!(world.memory.zero_for("premium-llama-3.1-8b", world.now).unwrap() >= idle);
        }
        world.now += Duration::from_secs(60);
        minutes += 1;
        assert!(minutes < 60, "{now} are left");
    }
    assert!(minutes >= 10, "{minutes}");
    // One request, and it is back.
    world.observed.servers[0].load.rpm = 1.0;
    world.cycle();
    assert!(replicas(&world)[0] > 0);
}

#[test]
fn a_load_that_asks_for_thousands_where_a_few_ran_is_that_servers_affair_alone() {
    let mut calm = busy(4);
    calm.cycle();
    for factor in [1e3, 1e4, 1e6] {
        let mut world = busy(4);
        let before = replicas(&world);
        world.observed.servers[1].load.rpm = (world.observed.servers[1].load.rpm * factor).min(1e8);
        let (fleet, decision) = world.cycle();
        assert_eq!(replicas(&world), before, "{factor}");
        let reason = fleet.entries[1].held.as_ref().expect("it is held");
        assert!(reason.contains("--most-growth"), "{reason}");
        let name = &world.observed.servers[1].managed.server;
        assert!(decision.held.iter().any(|h| h.name == *name), "{:?}", decision.held);
    }
    // Ten times as much is believed.
    let mut world = busy(4);
    let before = replicas(&world)[1];
    world.observed.servers[1].load.rpm *= 5.0;
    world.cycle();
    assert!(replicas(&world)[1] > before);
}

#[test]
fn a_label_takes_nothing_away_from_what_was_measured_before_also_after_a_restart() {
    for restarted in [false, true] {
        let mut world = busy(3);
        world.observed.window = Some(Duration::from_secs(120));
        for server in &mut world.observed.servers {
            (server.managed.planned, server.managed.planned_measured) = (Some(server.load), true);
            server.load.rpm *= 0.1;
            server.source = Source::Labels;
        }
        if restarted {
            world.memory = Default::default();
        }
        let before = replicas(&world);
        for _ in 0..3 {
            let (_, decision) = world.cycle();
            assert_eq!(replicas(&world), before);
            let reason = &decision.held[0].reason;
            assert!(reason.contains("labels take nothing away"), "{reason}");
        }
        for server in &mut world.observed.servers {
            server.source = Source::Measured;
        }
        assert!(!world.cycle().1.changes.is_empty());
    }
}

#[test]
fn a_fleet_that_nobody_planned_yet_gets_no_smaller_by_half_a_window() {
    let mut world = World::new(4, Some(10_000));
    for server in &mut world.observed.servers {
        (server.managed.replicas, server.managed.ready) = (8, 8);
        server.measured.part_of_window = true;
    }
    for _ in 0..3 {
        world.cycle();
        assert!(replicas(&world).iter().all(|n| *n >= 8), "{:?}", replicas(&world));
    }
    for server in &mut world.observed.servers {
        server.measured.part_of_window = false;
    }
    world.cycle();
    assert!(replicas(&world).iter().any(|n| *n < 8), "{:?}", replicas(&world));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever loads do, no server loses more than the share in a cycle, nor its last replica; and what it
    /// can serve where it is does not fall by more.
    #[test]
    fn no_cycle_takes_more_than_its_share(
        steps in prop::collection::vec(prop::collection::vec(0.0..3.0f64, 6), 4),
        share in 0.1..0.9f64,
        scarce in any::<bool>(),
    ) {
        let mut world = World::new(6, Some(if scarce { 60 } else { 100_000 }));
        world.stability.most_change = share;
        world.stability.min_replicas = 0;
        let nominal: Vec<f64> = world.observed.servers.iter().map(|s| s.load.rpm * 30.0).collect();
        for factors in &steps {
            for ((server, rpm), factor) in world.observed.servers.iter_mut().zip(&nominal).zip(factors) {
                server.load.rpm = if *factor < 0.3 { 0.0 } else { rpm * factor };
                server.measured.running = Some(if *factor < 0.3 { 0.0 } else { 1.0 });
            }
            let (fleet, decision) = world.cycle();
            for change in &decision.changes {
                let (from, to) = (&change.from, &change.to);
                prop_assert!(to.replicas > 0 || from.replicas == 0, "{change:?}");
                let entry = fleet.entries.iter().find(|e| e.observation.managed.server == change.server);
                let entry = entry.unwrap();
                let rate = |on: Option<&str>| entry.footprint(on).and_then(|f| f.rate_per_s);
                let rates = (rate(from.accelerator.as_deref()), rate(to.accelerator.as_deref()));
                let (Some(was), Some(is)) = rates else { continue };
                let (was, is) = (was * f64::from(from.replicas), is * f64::from(to.replicas));
                let kept = (from.replicas as f64 * (1.0 - share) - 1e-9).ceil() as u32;
                let one = from.replicas == kept.max(1);
                prop_assert!(one || is >= was * (1.0 - share) * (1.0 - 1e-6), "{share} {change:?}");
            }
        }
    }
}

#[test]
fn cards_of_what_is_left_alone_are_nobody_elses() {
    let mut world = World::new(4, Some(400));
    world.cycle();
    let on = world.observed.servers[0].managed.accelerator.clone();
    let available = |world: &mut World, card_type: &str| {
        let (fleet, _) = world.cycle();
        let card = fleet.scenario.card_types.iter().find(|card| card.name == card_type);
        (card.unwrap().available().unwrap(), fleet.ledger.capacity[card_type])
    };
    let (fleet, _) = world.cycle();
    let cards = fleet.entries[0].cards_of(on.as_deref(), 5).unwrap();
    let before = available(&mut world, &cards.card_type);
    let first = &mut world.observed.servers[0].managed;
    (first.replicas, first.ready, first.class) = (5, 5, "Golden".to_owned());
    let after = available(&mut world, &cards.card_type);
    assert_eq!(after, (before.0 - cards.cards, before.1 - cards.cards));
}
