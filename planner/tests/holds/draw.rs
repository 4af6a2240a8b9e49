//! Random fleets on the cards and profiles of the example fleet.
//!
//! Servers have one of its models under a load of their own: prompts of 32 to 4,096 tokens, answers of 16 to 512,
//! 6 to 600 requests a minute; a third share prefixes. Objectives of TTFT and
//! ITL are on means or percentiles, as tight as classes of the field are. A third of the fleets state how
//! large their KV caches are; there are as many cards as are asked for.

use std::path::Path;

use isocost_model::Scenario;
use isocost_model::input;
use isocost_model::queue::{ItlOver, Objective, Objectives};
use isocost_model::scenario::{Load, Server};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// Servers of a fleet.
const SERVERS: usize = 6;

/// The fleet of a seed.
pub fn fleet(seed: u64) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/fleet-27");
    let mut scenario = input::load(&path).expect("the example is sound").scenario;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for card in &mut scenario.card_types {
        card.count = None;
    }
    if rng.random_bool(1.0 / 3.0) {
        for profile in &mut scenario.profiles {
            let tokens = u64::from(profile.max_batch) * u64::from(profile.at_tokens.unwrap_or(1));
            profile.engine.kv_tokens = Some((tokens as f64 * rng.random_range(1.0..4.0)) as u64);
        }
    }
    let like = scenario.servers.swap_remove(0);
    scenario.servers.clear();
    let class = scenario.classes[0].clone();
    scenario.classes.clear();
    for s in 0..SERVERS {
        let mut class = class.clone();
        class.name = format!("class-{s}");
        let load = load(&mut rng);
        class.targets = vec![Some(objectives(&mut rng, &load)); scenario.models.len()];
        let model = rng.random_range(0..scenario.models.len());
        let name = format!("server-{s}");
        scenario.servers.push(Server { name, class: s, model, load, ..like.clone() });
        scenario.classes.push(class);
    }
    scenario
}

fn load(rng: &mut ChaCha8Rng) -> Load {
    let shares_prefixes = rng.random_bool(1.0 / 3.0);
    Load {
        arrival_rate_per_min: log_uniform(rng, 6.0, 600.0),
        input_tokens: log_uniform(rng, 32.0, 4096.0).round(),
        output_tokens: log_uniform(rng, 16.0, 512.0).round(),
        arrival_scv: 1.0,
        token_scv: 1.0,
        input_scv: 0.0,
        prefix_hit_share: if shares_prefixes { rng.random_range(0.0..0.9) } else { 0.0 },
    }
}

fn objectives(rng: &mut ChaCha8Rng, load: &Load) -> Objectives {
    let itl_ms = log_uniform(rng, 30.0, 150.0).round();
    let ttft_ms = (log_uniform(rng, 200.0, 3000.0) + load.input_tokens * 0.2).round();
    let objective = |limit_ms, percentile| Some(Objective { limit_ms, percentile });
    let gaps = rng.random_bool(0.2);
    Objectives {
        itl: objective(itl_ms, percentile(rng)),
        itl_over: if gaps { ItlOver::Gaps } else { ItlOver::Requests },
        ttft: objective(ttft_ms, percentile(rng)),
        ..Objectives::none()
    }
}

fn percentile(rng: &mut ChaCha8Rng) -> Option<f64> {
    let is_mean = rng.random_bool(0.5);
    let percent = [90.0, 95.0, 99.0][rng.random_range(0..3)];
    (!is_mean).then_some(percent)
}

fn log_uniform(rng: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
    low * (high / low).powf(rng.random_range(0.0..1.0))
}
