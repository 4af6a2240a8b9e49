//! Proofs by hand: what holds is accepted, and each kind of line, changed, is refused.

use isocost_model::compare::{SavedPart, SavedPlan, SavedServer};
use isocost_verify::{Asked, Instance, Item, Refusal, Server, verify};

/// Two servers of load 1: `a` covers 0.4 for 10 cents, `b` 0.3 for 9. Their cheapest mix is one `a` and
/// two `b` for 28, without `a` it is four `b` for 36.
fn instance(a: f64, b: f64) -> Instance {
    let item = |name: &str, rate: f64, cost: f64, k: usize| Item {
        name: name.to_owned(),
        rate,
        cost,
        uses: vec![(k, 1.0)],
        cards: 1,
        card_type: k,
    };
    let server = |name: &str| Server {
        name: name.to_owned(),
        demand: 1.0,
        min_replicas: 1,
        max_replicas: None,
        min_types: 1,
        current: None,
        items: vec![item("a", 0.4, 10.0, 0), item("b", 0.3, 9.0, 1)],
    };
    Instance {
        asked: Asked::default(),
        limits: vec![("A".to_owned(), a), ("B".to_owned(), b)],
        servers: vec![server("s"), server("t")],
        kinds: Vec::new(),
        card_types: vec!["A".to_owned(), "B".to_owned()],
    }
}

fn plan(mixes: [&[(&str, u64)]; 2]) -> SavedPlan {
    let part = |&(accelerator, replicas): &(&str, u64)| SavedPart {
        accelerator: accelerator.to_owned(),
        replicas,
        batch: 1,
        cost: 0.0,
    };
    let server = |(name, mix): (&str, &[(&str, u64)])| SavedServer {
        name: name.to_owned(),
        parts: mix.iter().map(part).collect(),
        cost: 0.0,
        load: None,
        served: 1.0,
        members: Vec::new(),
        pool: None,
    };
    SavedPlan {
        name: "plan".to_owned(),
        status: None,
        servers: ["s", "t"].into_iter().zip(mixes).map(server).collect(),
        usage: Vec::new(),
        nodes: Vec::new(),
        cost: 0.0,
    }
}

const HEAD: &str = "isocost-proof 1\nunit 1 1\nlimit 1 1 A\nlimit 1 1 B\nbound 64\n";
const PRICES: &str = "prices 0 8 0\n";
const TOTALS: &str = "totals 0 - 0 4 0\n";
/// A cheaper plan has an `a` on both servers, and there is one.
const WITHIN: &str = "within 0 4 0\nprices 0 100 0\n";
const SPLIT: &str = "split 0 s\ta\nprices 0 0 0\nprices 0 8 0\n";

#[test]
fn a_proof_that_holds_is_accepted() {
    let best = plan([&[("a", 1), ("b", 2)], &[("b", 4)]]);
    for tree in [PRICES, TOTALS, WITHIN, SPLIT] {
        let verdict = verify(&instance(1.0, 10.0), &format!("{HEAD}{tree}"), Some(&best));
        let verdict = verdict.unwrap_or_else(|refusal| panic!("{tree}: {refusal}"));
        assert_eq!(
            (verdict.bound, verdict.cost, verdict.is_optimal),
            (Some(64.0), Some(64.0), true)
        );
    }
    let dearer = plan([&[("b", 4)], &[("b", 4)]]);
    let verdict = verify(&instance(1.0, 10.0), &format!("{HEAD}{PRICES}"), Some(&dearer));
    let verdict = verdict.expect("a plan that is not the best is a plan");
    assert_eq!((verdict.cost, verdict.is_optimal), (Some(72.0), false));
}

#[test]
fn that_there_is_no_plan_is_proven_by_what_servers_take() {
    let none = "isocost-proof 1\nunit 1 1\nlimit 1 1 A\nlimit 1 1 B\nbound none\nexcluded 0 2 1\n";
    let verdict = verify(&instance(1.0, 3.0), none, None).expect("no two mixes fit");
    assert_eq!(verdict.bound, None);
    for (from, to) in
        [("excluded 0 2 1", "excluded 0 0 0"), ("excluded", "prices"), ("bound none", "bound x")]
    {
        let changed = none.replace(from, to);
        assert!(verify(&instance(1.0, 3.0), &changed, None).is_err(), "{changed}");
    }
    assert!(verify(&instance(1.0, 6.0), none, None).is_err(), "with six B there is a plan");
    let plan = plan([&[("a", 1), ("b", 2)], &[("b", 4)]]);
    assert!(verify(&instance(1.0, 3.0), none, Some(&plan)).is_err());
}

#[test]
fn every_kind_of_line_that_is_changed_is_refused() {
    let changes = [
        (PRICES, "isocost-proof 1", "isocost-proof 2"),
        (PRICES, "unit 1 1", "unit 2 1"),
        (PRICES, "unit 1 1", "unit 0 1"),
        (PRICES, "limit 1 1 A", "limit 2 1 A"),
        (PRICES, "limit 1 1 A", "limit 1 1 C"),
        (PRICES, "limit 1 1 B\n", ""),
        (PRICES, "bound 64", "bound 65"),
        (PRICES, "bound 64", "bound none"),
        (PRICES, "prices 0 8 0", "prices 0 7 0"),
        (PRICES, "prices 0 8 0", "prices 1 8 0"),
        (PRICES, "prices 0 8 0", "prices 0 8 -1"),
        (PRICES, "prices 0 8 0", "prices 0 8"),
        (PRICES, "prices 0 8 0", "excluded 0 8 0"),
        (PRICES, "prices 0 8 0\n", ""),
        (PRICES, "prices 0 8 0", "prices 0 8 0\nprices 0 8 0"),
        (TOTALS, "bound 64", "bound 65"),
        (TOTALS, "totals 0 -", "totals - -"),
        (TOTALS, "totals 0 -", "totals 1 -"),
        (TOTALS, "totals 0 -", "totals 2 -"),
        (TOTALS, "0 4 0", "0 x 0"),
        (WITHIN, "bound 64", "bound 65"),
        (WITHIN, "bound 64", "bound none"),
        (WITHIN, "within 0 4 0\n", ""),
        (WITHIN, "within 0 4 0", "within 0 9 0"),
        (WITHIN, "within 0 4 0", "within 0 4"),
        (WITHIN, "\nprices 0 100 0", ""),
        (SPLIT, "split 0 s\ta", "split 1 s\ta"),
        (SPLIT, "split 0 s\ta", "split 0 u\ta"),
        (SPLIT, "split 0 s\ta", "split 0 s\tc"),
        (SPLIT, "split 0 s\ta", "split 0 s a"),
        (SPLIT, "prices 0 0 0\nprices 0 8 0", "prices 0 8 0\nprices 0 0 0"),
        (SPLIT, "prices 0 0 0\n", ""),
    ];
    for (tree, from, to) in changes {
        let proof = format!("{HEAD}{tree}");
        assert!(proof.contains(from), "{from}");
        let changed = proof.replacen(from, to, 1);
        let verdict = verify(&instance(1.0, 10.0), &changed, None);
        assert!(verdict.is_err(), "{from} -> {to}: {verdict:?}");
    }
}

#[test]
fn a_plan_that_does_not_hold_is_refused() {
    let proof = format!("{HEAD}{PRICES}");
    let broken: [[&[(&str, u64)]; 2]; 4] = [
        // More of A than there is; a load that is not covered; no replica at all; what cannot serve it.
        [&[("a", 1), ("b", 2)], &[("a", 1), ("b", 2)]],
        [&[("a", 1), ("b", 2)], &[("b", 3)]],
        [&[("a", 1), ("b", 2)], &[]],
        [&[("a", 1), ("b", 2)], &[("c", 9)]],
    ];
    for mixes in broken {
        let verdict = verify(&instance(1.0, 10.0), &proof, Some(&plan(mixes)));
        assert!(matches!(verdict, Err(Refusal::Plan(_))), "{verdict:?}");
    }
}
