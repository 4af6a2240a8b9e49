//! A server whose prompts and answers are in pools of their own: one simulated behind the other.

use isocost_model::candidates::targets;
use isocost_model::disaggregation::kv_ms_per_token;
use isocost_model::queue::Objectives;
use isocost_model::scenario::Server;
use isocost_simulation::{Effort, Group, Linked, Pooled, Trace, Traffic, Watch, simulate_pools};

use super::{Task, row};
use crate::job::Job;
use crate::output::simulation::Row;

/// The prefill pool and the decode pool of a server.
pub(super) struct Apart {
    pools: [Vec<(Task, Linked)>; 2],
    server: String,
    traffic: Traffic,
    objectives: Objectives,
}

impl Apart {
    /// Of a server with these parts of its pools; `None` where nothing says what their links carry.
    pub fn new(job: &Job, whole: &Server, pools: [Vec<Task>; 2]) -> Option<Self> {
        let scenario = job.stated();
        let linked = |task: Task| {
            let accelerator = |p: &usize| scenario.accelerators[*p].name == task.accelerator;
            let mut own = scenario.profiles.iter().filter(|p| p.model == whole.model);
            let profile = own.find(|p| accelerator(&p.accelerator))?;
            let kv_ms_per_token = kv_ms_per_token(scenario, profile)?;
            let weight = task.traffic.rate_per_s;
            let group = Group { replica: task.replica, count: task.replicas, weight };
            Some((task, Linked { group, kv_ms_per_token }))
        };
        let [prefill, decode] =
            pools.map(|pool| pool.into_iter().map(linked).collect::<Option<Vec<_>>>());
        let pools = [prefill?, decode?];
        let (of_prompts, of_answers) = (&pools[0].first()?.0.traffic, &pools[1].first()?.0.traffic);
        let of_all = |(task, _): &(Task, Linked)| task.traffic.rate_per_s * task.replicas as f64;
        let traffic = Traffic {
            rate_per_s: pools[0].iter().map(of_all).sum(),
            output_tokens: of_answers.output_tokens,
            token_scv: of_answers.token_scv,
            ..*of_prompts
        };
        // A wait is that of each pool.
        let targets = targets(scenario, whole, job.planner.sizing.reading);
        let objectives = Objectives { wait: None, ..targets };
        Some(Self { pools, server: whole.name.clone(), traffic, objectives })
    }

    /// The replicas of both.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.pools.iter().flatten().map(|(task, _)| task)
    }

    /// Requests that servers with pools have simulated: once for prompts, twice for answers.
    pub fn requests(apart: &[Self], effort: &Effort, trace: Option<&Trace>) -> u64 {
        let of_trace = trace.map(|trace| trace.requests.len() as u64);
        let each = |apart: &Self| of_trace.unwrap_or(effort.total(apart.traffic.rate_per_s));
        3 * apart.iter().map(each).sum::<u64>()
    }

    /// A row for each part of each pool, and one for the whole; `None` where it was stopped.
    pub fn simulate(
        self,
        effort: &Effort,
        trace: Option<&Trace>,
        watch: &Watch<'_>,
    ) -> Option<Vec<Row>> {
        let unit = self.pools[0].first().map_or(0, |(task, _)| task.unit);
        let drawn = || effort.requests_of(&self.traffic, unit);
        let requests = trace.map_or_else(drawn, |trace| trace.requests.clone());
        let links = self.pools.each_ref().map(|p| p.iter().map(|p| p.1).collect::<Vec<_>>());
        let Pooled { prefill, decode, whole } =
            simulate_pools([&links[0], &links[1]], &requests, effort, unit, watch).ok()?;
        let on = |pool: &[(Task, Linked)]| {
            pool.iter().map(|(task, _)| task.accelerator.as_str()).collect::<Vec<_>>().join(" + ")
        };
        let names = [self.server.clone(), self.pools.each_ref().map(|p| on(p)).join(" > ")];
        let replicas = self.tasks().map(|task| task.replicas).sum();
        let batch = self.pools[1].iter().map(|(task, _)| task.replica.batch).max()?;
        let rate_per_s = self.traffic.rate_per_s;
        let of_whole =
            Row::new(names, (replicas, batch, rate_per_s), None, &self.objectives, whole);
        let parts = self.pools.into_iter().flatten().zip(prefill.into_iter().chain(decode));
        let rows = parts.map(|((task, _), report)| row(task, report));
        Some(rows.chain([of_whole]).collect())
    }
}
