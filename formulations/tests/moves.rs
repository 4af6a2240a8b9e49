//! What a move costs, how many are allowed, and how far replicas are spread.

use isocost_formulations::pattern::{self, Ablation, Shape, Space};
use isocost_formulations::problem::{Item, Limit, Needs};
use isocost_formulations::{Problem, ProblemOptions, mixed, single};
use isocost_model::plan::{Choice, Status};
use isocost_solver::{SolveOptions, default_backend};

/// One server that runs on item 0 for 10 cents/h; a replica of item 0 costs 12, of item 1 `other`.
fn problem(other: f64) -> Problem {
    let item = |j: usize, cost: f64| Item {
        candidate: j,
        rate: 1.0,
        cost,
        uses: vec![(j, 1.0)],
        cards: 1,
        accelerator: j,
        card_type: j,
    };
    let limit = |name: &str| Limit { name: name.to_owned(), capacity: 10.0 };
    let needs = Needs {
        group: 0,
        demand: 1.0,
        min_replicas: 0,
        max_replicas: None,
        min_types: 0,
        current: Some((0, 10.0)),
        priority: 1,
        weight: 1.0,
    };
    Problem {
        pools: Vec::new(),
        sold: Vec::new(),
        limits: vec![limit("A"), limit("B")],
        groups: vec![vec![item(0, 12.0), item(1, other)]],
        servers: vec![needs],
    }
}

fn solve_each(problem: &Problem, options: &ProblemOptions) -> [Choice; 2] {
    let backend = default_backend().expect("one is built");
    let solve = SolveOptions::default();
    [single(problem, options), mixed(problem, options)]
        .map(|program| program.solve(problem, &*backend, &solve).expect("solved"))
}

fn transition() -> ProblemOptions {
    ProblemOptions { transition: true, ..ProblemOptions::default() }
}

#[test]
fn a_move_pays_only_beyond_its_penalty() {
    // Staying: 12 - 10 = 2. Moving: 9.5 - 10 + 0.1 (10 + 9.5) = 1.45, or 10.5 - 10 + 2.05 = 2.55.
    for (other, item, value) in [(9.5, 1, 1.45), (10.5, 0, 2.0)] {
        let problem = problem(other);
        for choice in solve_each(&problem, &transition()) {
            assert_eq!(choice.shares, [[(item, 1)]], "{}", choice.approach);
            assert!((choice.objective - value).abs() < 1e-9, "{}", choice.objective);
        }
        let backend = default_backend().expect("one is built");
        let space = Space::new(&problem, Shape::Single, &transition());
        let by_patterns =
            pattern::solve(&space, &*backend, &SolveOptions::default(), &Ablation::default());
        let choice = by_patterns.expect("solved");
        assert_eq!((choice.status, &choice.shares[0][..]), (Status::Optimal, &[(item, 1)][..]));
        assert!((choice.objective - value).abs() < 1e-9);
    }
}

#[test]
fn without_transition_the_cost_alone_counts() {
    for choice in solve_each(&problem(11.0), &ProblemOptions::default()) {
        assert_eq!((&choice.shares[0][..], choice.objective), (&[(1, 1)][..], 11.0));
    }
}

#[test]
fn no_more_servers_move_than_may() {
    let options = ProblemOptions { max_moves: Some(0), ..ProblemOptions::default() };
    for choice in solve_each(&problem(5.0), &options) {
        assert_eq!((&choice.shares[0][..], choice.objective), (&[(0, 1)][..], 12.0));
    }
}

#[test]
fn replicas_are_spread_over_as_many_types_as_asked() {
    let mut problem = problem(5.0);
    problem.servers[0].min_types = 2;
    problem.servers[0].current = None;
    let [single, mixed] = solve_each(&problem, &ProblemOptions::default());
    assert_eq!(single.status, Status::Infeasible, "one accelerator is one type");
    assert_eq!(mixed.shares, [[(0, 1), (1, 1)]]);
}
