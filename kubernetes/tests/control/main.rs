//! The control loop over the stand-in, with faults injected: whatever goes wrong in a cycle, it harms
//! nobody else, and the next cycle mends it.

mod cards;
mod cycles;
mod faults;
mod killed;
mod loads;
mod optimizer;
mod services;
#[path = "../stand_in/mod.rs"]
mod stand_in;
mod standing_by;
mod thousand;
mod whole;

use stand_in::StandIn;
use stand_in::fleet::{Setup, controller, cycle, fill, state};
use stand_in::store::Id;

const SPACE: &str = "infer";

fn id(name: &str) -> Id {
    ("deployments".to_owned(), SPACE.to_owned(), name.to_owned())
}

async fn fleet(count: usize) -> StandIn {
    let stand_in = StandIn::start().await;
    fill(&stand_in, SPACE, count);
    stand_in
}

/// What an undisturbed loop makes of the fleet.
async fn undisturbed(count: usize) -> Vec<(String, i64, String, String)> {
    let stand_in = fleet(count).await;
    let record = cycle(&controller(&stand_in, SPACE, &Setup::default())).await;
    assert_eq!(record.errors, Vec::<String>::new());
    state(&stand_in, SPACE)
}
