//! A proof of a random problem is accepted by the checker of proofs, and one that claims a unit more than the
//! optimum is not.

use isocost_model::plan::Shape;
use isocost_planner::{Fleet, Planner};
use isocost_verify::{Asked, Instance, verify};

use super::case::Case;
use super::problems::{in_cents, rounding};

/// Whether what proves the optimum `best`, or that there is no plan, is what it says; nothing of methods
/// that prove nothing.
pub fn holds(
    case: &Case,
    planner: &Planner,
    fleet: &Fleet,
    best: Option<i64>,
) -> Result<(), String> {
    let mut planner = planner.clone();
    // Without totals the tree has to prove it.
    planner.request.ablation.totals = case.without & 1 == 0;
    let found = planner.proven(fleet, &planner.problem(fleet)).map_err(|e| e.to_string())?;
    let Some((_, Some(text))) = found else { return Ok(()) };
    let asked = Asked {
        single: planner.request.formulation.shape(&fleet.scenario) == Shape::Single,
        unlimited: case.unlimited,
        transition: case.transition,
        max_moves: case.max_moves,
    };
    let instance = Instance::new(&fleet.scenario, &fleet.candidates, asked);
    let verdict = verify(&instance, &text, None).map_err(|e| format!("{e}: {text}"))?;
    let (Some(best), Some(bound)) = (best.map(|best| in_cents(case, best)), verdict.bound) else {
        return match (best, verdict.bound) {
            (Some(_), None) => Err(format!("that there is no plan is accepted: {text}")),
            _ => Ok(()),
        };
    };
    let above = |bound: f64| bound > best + rounding(case);
    if above(bound) {
        return Err(format!("{bound} is accepted above {best}: {text}"));
    }
    let (more, cents) = a_unit_more(&text);
    match verify(&instance, &more, None) {
        Ok(_) if above(bound + cents) => Err(format!("a unit above {best} is accepted: {more}")),
        _ => Ok(()),
    }
}

/// The proof with a claim that is a unit higher, and cents in a unit.
fn a_unit_more(text: &str) -> (String, f64) {
    let line = |word: &str| {
        let line = text.lines().find(|line| line.starts_with(word)).expect("every proof has it");
        let numbers = line.split(' ').skip(1).map(|n| n.parse::<i128>().expect("it is whole"));
        (line, numbers.collect::<Vec<_>>())
    };
    let ((_, unit), (claim, bound)) = (line("unit "), line("bound "));
    let more = text.replacen(claim, &format!("bound {}", bound[0] + 1), 1);
    (more, unit[0] as f64 / unit[1] as f64)
}
