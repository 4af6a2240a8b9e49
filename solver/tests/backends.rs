//! Every backend that was built agrees with trying everything, and with every other.

use isocost_solver::{
    Column, Milp, Row, SolveOptions, Status, backend, backends, write_lp, write_mps,
};
use proptest::prelude::*;

/// Up to four small whole-number columns under up to three rows.
fn programs() -> impl Strategy<Value = Milp> {
    let column = (-5_i32..=9, 0_u32..=4);
    let row = (proptest::collection::vec(-3_i32..=6, 4), -4_i32..=12, 0_u8..4);
    (proptest::collection::vec(column, 1..=4), proptest::collection::vec(row, 0..=3)).prop_map(
        |(columns, rows)| {
            let mut milp = Milp { offset: 3.5, ..Milp::default() };
            for (j, (cost, upper)) in columns.iter().enumerate() {
                let column =
                    Column::integer(format!("x {j}"), f64::from(*cost), 0.0, f64::from(*upper));
                milp.add_column(column);
            }
            for (coefficients, side, kind) in rows {
                let terms: Vec<(usize, f64)> =
                    (0..columns.len()).map(|j| (j, f64::from(coefficients[j]))).collect();
                let side = f64::from(side);
                milp.add_row(match kind {
                    0 => Row::at_most("r", side, terms),
                    1 => Row::at_least("r", side, terms),
                    2 => Row::equal("r", side, terms),
                    _ => Row { name: "r".to_owned(), lower: side - 4.0, upper: side, terms },
                });
            }
            milp
        },
    )
}

fn brute_force(milp: &Milp) -> f64 {
    let mut points = vec![Vec::new()];
    for column in &milp.columns {
        let values = 0..=column.upper as u32;
        points = points
            .into_iter()
            .flat_map(|p: Vec<f64>| {
                values.clone().map(move |v| [p.as_slice(), &[f64::from(v)]].concat())
            })
            .collect();
    }
    let kept = points.iter().filter(|p| milp.max_violation(p) < 1e-9);
    kept.map(|p| milp.objective(p)).fold(f64::INFINITY, f64::min)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn backends_find_what_trying_everything_finds(milp in programs()) {
        let expected = brute_force(&milp);
        for name in backends() {
            let solution = backend(name).expect("built").solve(&milp, &SolveOptions::default()).expect("solved");
            if expected.is_infinite() {
                prop_assert_eq!(solution.status, Status::Infeasible, "{}", name);
                continue;
            }
            prop_assert_eq!(solution.status, Status::Optimal, "{}", name);
            prop_assert!((solution.objective - expected).abs() < 1e-6, "{name}: {} {expected}", solution.objective);
            prop_assert!(milp.max_violation(&solution.values) < 1e-6);
            prop_assert!(solution.bound <= expected + 1e-6);
        }
    }
}

/// Cover a load of 5 and use at most 4 of a limit.
fn master() -> Milp {
    let mut milp = Milp::default();
    let a = milp.add_column(Column::continuous("a", 4.0, 0.0, f64::INFINITY));
    milp.add_row(Row::at_least("cover", 5.0, vec![(a, 1.0)]));
    milp.add_row(Row::at_most("limit", 4.0, vec![(a, 0.5)]));
    milp
}

#[test]
fn masters_price_columns_and_take_new_ones() {
    for name in backends() {
        let mut master = backend(name).expect("built").master(&master()).expect("sound");
        let first = master.solve().expect("solved").expect("feasible");
        assert!((first.objective - 20.0).abs() < 1e-9, "{name}");
        assert!((first.row_duals[0] - 4.0).abs() < 1e-9, "{name}: {:?}", first.row_duals);
        // Cheaper for the load, dearer for the limit: 3 b + 4 a with a + b = 5, a / 2 + b <= 4.
        master.add_column(3.0, &[(0, 1.0), (1, 1.0)]).expect("added");
        let second = master.solve().expect("solved").expect("feasible");
        assert!((second.objective - 17.0).abs() < 1e-9, "{name}: {}", second.objective);
        let by_duals = 5.0 * second.row_duals[0] + 4.0 * second.row_duals[1];
        assert!((by_duals - 17.0).abs() < 1e-9, "{name}: strong duality, {:?}", second.row_duals);
        assert!(second.row_duals[1] <= 0.0, "{name}");
    }
}

/// Four even splits of forty items at once: far beyond any solver here.
fn market_split() -> Milp {
    let mut milp = Milp::default();
    for j in 0..40 {
        milp.add_column(Column::integer(format!("x {j}"), 0.0, 0.0, 1.0));
    }
    let mut state = 12_345_u64;
    for i in 0..4 {
        let weight = |j| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (j, ((state >> 33) % 100) as f64)
        };
        let mut terms: Vec<(usize, f64)> = (0..40).map(weight).collect();
        let half = (terms.iter().map(|t| t.1).sum::<f64>() / 2.0).floor();
        let missed = milp.add_column(Column::continuous("missed", 1.0, 0.0, f64::INFINITY));
        terms.push((missed, 1.0));
        milp.add_row(Row::at_least(format!("half {i}"), half, terms.clone()));
        let beyond = milp.add_column(Column::continuous("beyond", 1.0, 0.0, f64::INFINITY));
        terms[40] = (beyond, -1.0);
        milp.add_row(Row::at_most(format!("half {i}"), half, terms));
    }
    milp
}

#[test]
fn an_interrupt_ends_a_solve_with_what_was_found_and_proven() {
    for name in backends() {
        let options = SolveOptions::default();
        let interrupt = options.interrupt.clone();
        let raise = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_secs(1));
            interrupt.raise();
        });
        let milp = market_split();
        let solution = backend(name).expect("built").solve(&milp, &options).expect("solved");
        raise.join().expect("it slept and raised");
        assert_eq!(solution.status, Status::Feasible, "{name}");
        assert!(milp.max_violation(&solution.values) < 1e-6, "{name}");
        assert!(solution.bound < solution.objective, "{name}");
    }
}

#[test]
fn unsound_programs_are_errors() {
    let column = |cost: f64| Column::integer("x", cost, 0.0, 1.0);
    let mut nan = Milp::default();
    nan.add_column(column(f64::NAN));
    let mut beyond = Milp::default();
    beyond.add_column(column(1.0));
    beyond.add_row(Row::at_most("r", 1.0, vec![(7, 1.0)]));
    for name in backends() {
        for milp in [&nan, &beyond] {
            assert!(backend(name).expect("built").solve(milp, &SolveOptions::default()).is_err());
        }
    }
}

#[test]
fn empty_programs_have_an_answer() {
    for name in backends() {
        let solve = |milp: &Milp| {
            backend(name)
                .expect("built")
                .solve(milp, &SolveOptions::default())
                .expect("solved")
                .status
        };
        let mut never = Milp::default();
        never.add_row(Row::at_least("r", 1.0, Vec::new()));
        assert_eq!(solve(&Milp::default()), Status::Optimal, "{name}");
        assert_eq!(solve(&never), Status::Infeasible, "{name}");
    }
}

#[test]
fn unknown_backends_name_those_there_are() {
    let error = backend("gurobi").err().expect("there is none").to_string();
    assert!(backends().iter().all(|name| error.contains(name)), "{error}");
}

#[test]
fn exports_hold_every_number() {
    let mut milp = Milp { offset: -2.0, ..Milp::default() };
    let x = milp.add_column(Column::integer("servers on A", 4.5, 0.0, 7.0));
    let y = milp.add_column(Column::continuous("rest", -1.0, f64::NEG_INFINITY, f64::INFINITY));
    milp.add_row(Row {
        name: "range".to_owned(),
        lower: 1.0,
        upper: 6.0,
        terms: vec![(x, 2.0), (y, -3.5)],
    });
    let mut mps = Vec::new();
    write_mps(&milp, &mut mps).expect("a vector takes it");
    let mps = String::from_utf8(mps).expect("UTF-8");
    for line in [
        " L r0",
        " x0 cost 4.5",
        " x1 r0 -3.5",
        " rhs r0 6",
        " range r0 5",
        " UP bound x0 7",
        " FR bound x1",
        " rhs cost 2",
    ] {
        assert!(mps.lines().any(|l| l == line), "`{line}` is not in:\n{mps}");
    }
    let mut lp = Vec::new();
    write_lp(&milp, &mut lp).expect("a vector takes it");
    let lp = String::from_utf8(lp).expect("UTF-8");
    for part in [
        "+ 4.5 x0",
        "- 3.5 x1 <= 6",
        "- 3.5 x1 >= 1",
        "0 <= x0 <= 7",
        "-inf <= x1 <= +inf",
        "General\n x0",
    ] {
        assert!(lp.contains(part), "`{part}` is not in:\n{lp}");
    }
}
