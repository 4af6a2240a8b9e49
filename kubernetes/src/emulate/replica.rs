//! One emulated replica: told what it serves and under what load, it has served what a simulated
//! replica would have by now.

use std::time::Duration;

use isocost_model::Scenario;
use isocost_model::queue::{EngineSettings, Linear, ServiceModel};
use isocost_model::scenario::{Profile, StatedEngine};
use isocost_simulation::{Live, Replica, Section, Traffic};

use crate::cluster::LabelLoad;

/// What a replica is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// Model that it serves.
    pub model: String,
    /// Accelerator that it runs on.
    pub accelerator: String,
    /// Requests in service at most; the profile's own maximum where it is absent.
    pub max_batch: Option<u32>,
    /// Its load; none where it is absent.
    pub load: Option<LabelLoad>,
}

/// A model that has no profile on an accelerator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no profile of model `{model}` on accelerator `{accelerator}`; add one to the model \
     data, or name another accelerator"
)]
pub struct NoProfile {
    model: String,
    accelerator: String,
}

/// Requests that wait at most; an emulated replica that is overloaded turns more away, and stays
/// within bounds.
const QUEUE: u32 = 10_000;

/// A replica that goes on as time does.
pub struct Emulated {
    seed: u64,
    restarts: u32,
    assignment: Option<Assignment>,
    /// Since when the present replica runs.
    since: Duration,
    live: Live,
}

impl Emulated {
    /// A replica without model and load. `seed` decides its random numbers.
    pub fn new(seed: u64) -> Self {
        let idle = ServiceModel::Linear(Linear {
            alpha_ms: 1.0,
            beta_ms: 0.0,
            gamma_ms: 0.0,
            delta_ms: 0.0,
        });
        let engine = EngineSettings::default();
        let replica =
            Replica { service: idle, batch: 1, queue_limit: Some(QUEUE), engine, network_ms: 0.0 };
        let live = Live::new(&replica, seed, 0);
        Self { seed, restarts: 0, assignment: None, since: Duration::ZERO, live }
    }

    /// At `now`, time since the start, it is told this. Another model, accelerator or batch size is
    /// another replica, which starts empty and counts from 0, as a restarted server does; another
    /// load is served by the same.
    ///
    /// # Errors
    /// [`NoProfile`]; the replica then stays as it is.
    pub fn assign(
        &mut self,
        scenario: &Scenario,
        assignment: Assignment,
        now: Duration,
    ) -> Result<(), NoProfile> {
        if self.assignment.as_ref() == Some(&assignment) {
            return Ok(());
        }
        let same = |a: &Assignment| Assignment { load: None, ..a.clone() };
        if self.assignment.as_ref().map(same) != Some(same(&assignment)) {
            let profile = profile(scenario, &assignment)?;
            let engine = profile.engine.settings(StatedEngine::default());
            let most = assignment.max_batch.unwrap_or(profile.max_batch);
            let batch = most.clamp(1, engine.token_budget);
            self.restarts += 1;
            self.since = now;
            let replica = Replica {
                service: profile.service,
                batch,
                queue_limit: Some(QUEUE),
                engine,
                network_ms: 0.0,
            };
            self.live = Live::new(&replica, self.seed, self.restarts);
        }
        self.advance(now);
        self.live.set_traffic(assignment.load.map(traffic).as_ref());
        self.assignment = Some(assignment);
        Ok(())
    }

    /// Serves until `now`, time since the start.
    pub fn advance(&mut self, now: Duration) {
        self.live.advance(now.saturating_sub(self.since).as_secs_f64() * 1e3);
    }

    /// What it is told, if anything.
    pub fn assignment(&self) -> Option<&Assignment> {
        self.assignment.as_ref()
    }

    /// What has been observed of the present replica.
    pub fn observed(&self) -> &Section {
        self.live.observed()
    }

    /// Requests in service.
    pub fn running(&self) -> usize {
        self.live.running()
    }

    /// Requests that wait.
    pub fn waiting(&self) -> usize {
        self.live.waiting()
    }
}

fn profile<'a>(scenario: &'a Scenario, a: &Assignment) -> Result<&'a Profile, NoProfile> {
    let is = |p: &&Profile| {
        scenario.models[p.model] == a.model
            && scenario.accelerators[p.accelerator].name == a.accelerator
    };
    let none = || NoProfile { model: a.model.clone(), accelerator: a.accelerator.clone() };
    scenario.profiles.iter().find(is).ok_or_else(none)
}

/// Poisson arrivals of requests whose answers have memoryless lengths.
fn traffic(load: LabelLoad) -> Traffic {
    Traffic::new(load.rpm / 60.0, load.in_tokens, load.out_tokens.max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulate::testing::{assignment, scenario};

    #[test]
    fn a_change_of_load_goes_on_and_a_change_of_accelerator_starts_anew() {
        let scenario = scenario();
        let mut replica = Emulated::new(1);
        let minutes = |m: u64| Duration::from_secs(60 * m);
        replica.assign(&scenario, assignment("A100", 60.0), minutes(5)).expect("a profile");
        replica.advance(minutes(65));
        let hour = replica.observed().arrived;
        assert!((3_300..3_900).contains(&hour), "{hour} requests in an hour at 60 a minute");

        replica.assign(&scenario, assignment("A100", 30.0), minutes(65)).expect("a profile");
        replica.advance(minutes(125));
        let more = replica.observed().arrived - hour;
        assert!((1_600..2_000).contains(&more), "{more} requests in an hour at 30 a minute");
        assert!(replica.observed().itl_ms.mean().expect("tokens") > 20.0);

        replica.assign(&scenario, assignment("H100", 30.0), minutes(125)).expect("a profile");
        assert_eq!(replica.observed().arrived, 0);
        replica.advance(minutes(185));
        assert!(replica.observed().itl_ms.mean().expect("tokens") < 20.0);

        let refused = replica.assign(&scenario, assignment("L4", 30.0), minutes(185));
        assert_eq!(
            refused.expect_err("no profile").to_string(),
            "there is no profile of model `m` on accelerator `L4`; add one to the model data, or \
             name another accelerator"
        );
        assert_eq!(replica.assignment().expect("one").accelerator, "H100");
    }
}
