//! What is counted of plans.

use isocost_model::plan::Status;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::Planned;

/// Upper ends of the buckets of the time for sizing and solving, s.
const TIMES_S: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
/// Upper ends of the buckets of the relative gap between cost and bound.
const GAPS: [f64; 6] = [1e-6, 1e-4, 1e-3, 1e-2, 1e-1, 1.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    status: &'static str,
}

pub struct Metrics {
    plans: Family<Ended, Counter>,
    stopped: Counter,
    seconds: Histogram,
    gap: Histogram,
    in_flight: Gauge,
    sizings: Gauge,
}

/// A plan in work for as long as it lives.
pub struct InWork(Gauge);

impl Drop for InWork {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            plans: Family::default(),
            stopped: Counter::default(),
            seconds: Histogram::new(TIMES_S),
            gap: Histogram::new(GAPS),
            in_flight: Gauge::default(),
            sizings: Gauge::default(),
        };
        // Each status is there from the start, so that the first of a kind shows as an increase.
        for status in [Status::Optimal, Status::Feasible, Status::Infeasible, Status::Unknown] {
            drop(metrics.plans.get_or_create(&Ended { status: status.word() }));
        }
        let all = &metrics;
        registry.register("plans", "Plans made, by what is known of them", all.plans.clone());
        registry.register(
            "plans_stopped",
            "Plans stopped as nobody waited any more",
            all.stopped.clone(),
        );
        registry.register("plan_seconds", "Time for sizing and solving", all.seconds.clone());
        registry.register("plan_gap", "Relative gap between cost and bound", all.gap.clone());
        registry.register("plans_in_flight", "Plans in work", all.in_flight.clone());
        registry.register("sizings_kept", "Sizings kept for later plans", all.sizings.clone());
        metrics
    }

    pub fn begin(&self) -> InWork {
        self.in_flight.inc();
        InWork(self.in_flight.clone())
    }

    /// Work was given up.
    pub fn stopped(&self) {
        self.stopped.inc();
    }

    pub fn planned(&self, planned: &Planned, stopped: bool) {
        self.plans.get_or_create(&Ended { status: planned.status.word() }).inc();
        self.seconds.observe(planned.fleet.sizing_s + planned.solving_s);
        if planned.plan.has_plan() && planned.plan.gap().is_finite() {
            self.gap.observe(planned.plan.gap());
        }
        if stopped {
            self.stopped.inc();
        }
    }

    pub fn sizings(&self, kept: usize) {
        self.sizings.set(i64::try_from(kept).unwrap_or(i64::MAX));
    }
}
