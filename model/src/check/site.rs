//! One server with what is planned for it, and what follows from the scenario for it.

use super::CheckOptions;
use crate::candidates::{Reading, SizingOptions};
use crate::plan::{Part, Placement};
use crate::queue::{EngineSettings, ItlOver, Objective, Objectives, Station};
use crate::scenario::{Profile, Scenario, Server};

/// One server, with what is planned for it.
pub(super) struct Site<'a> {
    pub scenario: &'a Scenario,
    pub sizing: &'a SizingOptions,
    pub options: &'a CheckOptions,
    pub server: &'a Server,
    pub placement: &'a Placement,
}

impl<'a> Site<'a> {
    pub fn name(&self) -> &'a str {
        &self.server.name
    }

    /// The profile of a part, where there is one.
    pub fn profile(&self, part: &Part) -> Option<&'a Profile> {
        self.profile_on(part.accelerator)
    }

    pub fn profile_on(&self, accelerator: usize) -> Option<&'a Profile> {
        let fits = |p: &&Profile| p.model == self.server.model && p.accelerator == accelerator;
        self.scenario.profiles.iter().find(fits)
    }

    /// Whether the server's own rules let it use an accelerator.
    pub fn may_use(&self, accelerator: usize) -> bool {
        let server = self.server;
        let listed = server.allow.is_empty() || server.allow.contains(&accelerator);
        let kept = server.current.as_ref().filter(|_| server.keep_accelerator);
        listed
            && !server.deny.contains(&accelerator)
            && kept.is_none_or(|current| current.accelerator == accelerator)
    }

    /// What a replica has to keep. An engine gives each request its tokens per second: the time
    /// between two of them is limited.
    pub fn targets(&self) -> Objectives {
        let stated = self.scenario.classes[self.server.class].targets[self.server.model];
        let mut targets = stated.unwrap_or_else(Objectives::none);
        if self.sizing.reading == Reading::Engine
            && let Some(rate) = targets.tokens_per_s.take()
        {
            let limit_ms = targets.itl.map_or(f64::INFINITY, |itl| itl.limit_ms);
            let itl = Objective {
                limit_ms: limit_ms.min(1000.0 / rate.per_s),
                percentile: rate.percentile,
            };
            targets.itl = Some(itl);
        }
        if self.sizing.reading == Reading::Reference {
            targets.itl_over = ItlOver::Gaps;
        }
        targets
    }

    /// Requests per second to cover.
    pub fn demand_per_s(&self) -> f64 {
        let load = &self.server.load;
        let tokens = self.targets().tokens_per_s;
        let asked = match tokens {
            _ if load.arrival_rate_per_min < 1e-9 => 0.0,
            Some(tokens) => tokens.per_s / load.output_tokens,
            None => load.arrival_rate_per_min / 60.0,
        };
        let whole = self.server.whole();
        if whole.members.is_empty() {
            return asked.max(whole.min_tokens_per_s / whole.load.output_tokens.max(1.0));
        }
        // Of those who share, each has its own floor.
        let of = |member: &Server| {
            let floor = member.min_tokens_per_s / member.load.output_tokens.max(1.0);
            (member.load.arrival_rate_per_min / 60.0).max(floor)
        };
        whole.members.iter().map(of).sum()
    }

    /// The queueing model of a replica.
    pub fn station(&self, profile: &Profile) -> Station {
        let load = &self.server.load;
        let queue_limit = self.server.max_queue.or(self.sizing.max_queue);
        let output_tokens = load.output_tokens.max(1.0);
        Station {
            reading: self.sizing.reading,
            engine: self.engine(profile),
            arrival_scv: load.arrival_scv,
            token_scv: load.token_scv,
            input_scv: load.input_scv,
            prefix_hit_share: load.prefix_hit_share,
            network_ms: self.server.network.get(profile.accelerator).copied().unwrap_or(0.0),
            ..Station::new(profile.service, load.input_tokens, output_tokens, queue_limit)
        }
    }

    /// How a replica's engine is set; a KV cache of which nobody speaks holds what the profile says of
    /// batches, its prompts as long as its answers, or the server's request where that is larger.
    fn engine(&self, profile: &Profile) -> EngineSettings {
        let (own, run, load) = (profile.engine, self.sizing.engine, &self.server.load);
        let mut engine = EngineSettings::default();
        for stated in [run, own] {
            engine.token_budget = stated.token_budget.unwrap_or(engine.token_budget);
            engine.kv_tokens = stated.kv_tokens.or(engine.kv_tokens);
            engine.chunked_prefill = stated.chunked_prefill.unwrap_or(engine.chunked_prefill);
        }
        let assumes = self.sizing.reading == Reading::Engine && self.server.max_batch.is_none();
        let at_tokens = profile.at_tokens.filter(|_| assumes && engine.kv_tokens.is_none());
        if let Some(at_tokens) = at_tokens {
            let of_batch = 2.0 * f64::from(profile.max_batch) * f64::from(at_tokens);
            let request = (load.input_tokens + load.output_tokens.max(1.0)) / 16.0;
            engine.kv_tokens = Some(of_batch.max(request.ceil() * 16.0) as u64);
        }
        engine
    }

    /// Largest batch on a profile.
    pub fn most_in_batch(&self, profile: &Profile) -> f64 {
        let out = self.server.load.output_tokens.max(1.0);
        let largest = f64::from(profile.max_batch);
        let by_tokens = match profile.at_tokens {
            Some(at_tokens) => (largest * f64::from(at_tokens) / out).floor().max(1.0),
            None => largest,
        };
        let most = self.server.max_batch.map_or(by_tokens, f64::from);
        match self.sizing.reading {
            Reading::Engine => most.min(f64::from(self.engine(profile).token_budget)),
            Reading::Reference => most,
        }
    }

    /// Whether the server has a replica off its current accelerator.
    pub fn moves(&self) -> bool {
        let now = self.server.current.as_ref().map(|c| c.accelerator);
        now.is_some_and(|now| self.placement.parts.iter().any(|p| p.accelerator != now))
    }
}
