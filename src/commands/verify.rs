//! `isocost verify`: a plan and its proof, checked in exact arithmetic.

use isocost_model::export::json_text;
use isocost_model::input::load_plan;
use isocost_model::input::reading::{name_of, read_text};
use isocost_model::plan::Shape;
use isocost_verify::{Asked, Instance, Verdict, verify};
use serde_json::{Value, json};

use crate::args::{ExplainFormat, VerifyArgs};
use crate::job::Job;
use crate::output::print;
use crate::output::table::cents;
use crate::{Failure, exit};

/// Runs the command; returns its exit code.
pub fn run(args: &VerifyArgs) -> Result<u8, Failure> {
    let job = Job::of_plan(&args.plan, &args.scenario, &args.sizing, &args.solve)?;
    if !job.fleet.margin.is_none() {
        let text = "a plan with a margin is stated without it: verify it without the margin";
        return Err(Failure::input(text));
    }
    let (scenario, request) = (job.fleet.planned_for(), &job.planner.request);
    let options = request.options(scenario);
    let asked = Asked {
        single: request.formulation.shape(scenario) == Shape::Single,
        unlimited: options.unlimited,
        transition: options.transition,
        max_moves: options.max_moves,
    };
    let instance = Instance::new(scenario, &job.fleet.candidates, asked);
    let name = name_of(&args.proof);
    let proof = read_text(&args.proof).map_err(|what| Failure::input(format!("{name}: {what}")))?;
    let plan = load_plan(&args.plan).map_err(Failure::input)?;
    let none = plan.servers.iter().all(|server| server.parts.is_empty());
    let is_plan = !none || instance.servers.iter().all(isocost_verify::Server::is_idle);
    let verdict = verify(&instance, &proof, is_plan.then_some(&plan));
    let verdict = verdict.map_err(|what| Failure::input(format!("{name}: {what}")))?;
    let shares = is_decided(&job);
    match args.format {
        ExplainFormat::Json => print(json_text(&object(&verdict, shares)).as_bytes())?,
        ExplainFormat::Table => {
            print(told(&verdict).as_bytes())?;
            if shares {
                print(DECIDED)?;
            }
        }
    }
    Ok(exit::OK)
}

/// What was proven, for programs: null for a cost where there is no plan, and for a bound where no plan serves
/// every server. Where servers share replicas or have pools as stated, other decisions are not excluded.
fn object(verdict: &Verdict, shares: bool) -> Value {
    json!({
        "isOptimal": verdict.is_optimal,
        "cost": verdict.cost,
        "bound": verdict.bound,
        "leaves": verdict.leaves,
        "sharingAsStated": shares,
    })
}

/// Which plans a proof is of where some of what is planned was decided before.
const DECIDED: &[u8] =
    b"of the plans in which servers share replicas, or have prefill and decode apart, as they do in this one\n";

/// Whether some servers share replicas or have pools: which do is the planner's decision, and no part of the proof.
fn is_decided(job: &Job) -> bool {
    job.stated().servers.iter().any(|server| !server.members.is_empty() || server.pool.is_some())
}

fn told(verdict: &Verdict) -> String {
    let leaves =
        format!("{} {}", verdict.leaves, if verdict.leaves == 1 { "leaf" } else { "leaves" });
    match (verdict.bound.map(cents), verdict.cost.map(cents)) {
        (None, _) => format!("verified: no plan serves every server ({leaves})\n"),
        (Some(bound), None) => {
            format!("verified: no plan costs less than {bound} cents/h ({leaves})\n")
        }
        (Some(_), Some(cost)) if verdict.is_optimal => {
            format!("verified: the plan costs {cost} cents/h, and no plan costs less ({leaves})\n")
        }
        (Some(bound), Some(cost)) => format!(
            "verified: the plan costs {cost} cents/h, and no plan costs less than {bound} ({leaves})\n"
        ),
    }
}
