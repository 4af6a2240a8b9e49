//! Prints the reference figures: `cargo run --example figures -- SCENARIO [SCALE]`.
use isocost_formulations::*;
use isocost_model::candidates::*;
use std::time::Instant;

fn main() {
    let mut args = std::env::args().skip(1);
    let path = args.next().expect("a scenario");
    let scale: f64 = args.next().map_or(1.0, |s| s.parse().expect("a number"));
    let start = Instant::now();
    let loaded = isocost_model::input::load(path.as_ref());
    let mut loaded = match loaded {
        Ok(l) => l,
        Err(e) => {
            println!("{e}");
            return;
        }
    };
    for w in &loaded.warnings {
        println!("warning: {w}");
    }
    for card in &mut loaded.scenario.card_types {
        card.count = card.count.map(|c| (c as f64 * scale).floor() as u64);
    }
    println!("load {:?}", start.elapsed());
    let start = Instant::now();
    let sizing = SizingOptions {
        max_queue: Some(0),
        max_loss: 1.0,
        batch: BatchChoice::Max,
        ..SizingOptions::default()
    };
    let c = Candidates::build(&loaded.scenario, &sizing);
    println!("pairs {} keys {} in {:?}", c.pairs(), c.keys, start.elapsed());
    for unlimited in [true, false] {
        let options = ProblemOptions { unlimited, ..Default::default() };
        let problem = Problem::new(&loaded.scenario, &c, &options);
        for name in isocost_solver::backends() {
            let start = Instant::now();
            let backend = isocost_solver::backend(name).unwrap();
            let solve = isocost_solver::SolveOptions {
                time_limit: Some(std::time::Duration::from_secs(20)),
                ..Default::default()
            };
            let choice = single(&problem, &options).solve(&problem, &*backend, &solve);
            match choice {
                Ok(c) => println!(
                    "single unlimited={unlimited} {name}: {:?} {} {} {:?}",
                    c.status,
                    c.objective,
                    c.bound,
                    start.elapsed()
                ),
                Err(e) => println!("{name}: {e}"),
            }
        }
    }
}
