//! What is counted of cycles.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::record::Record;

/// Upper ends of the buckets of a cycle's time, s.
const TIMES_S: [f64; 10] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    outcome: &'static str,
}

/// A Deployment, as autoscalers ask for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    namespace: String,
    deployment: String,
    server: String,
}

/// What is counted of cycles.
#[derive(Debug, Clone)]
pub struct Metrics {
    desired: Family<Of, Gauge>,
    cycles: Family<Ended, Counter>,
    changes: Family<Ended, Counter>,
    seconds: Histogram,
    servers: Gauge,
    left_alone: Gauge,
    in_doubt: Gauge,
    cost: Gauge<f64, AtomicU64>,
    cost_of_plan: Gauge<f64, AtomicU64>,
}

impl Metrics {
    /// Counts nothing yet; registers itself.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            desired: Family::default(),
            cycles: Family::default(),
            changes: Family::default(),
            seconds: Histogram::new(TIMES_S),
            servers: Gauge::default(),
            left_alone: Gauge::default(),
            in_doubt: Gauge::default(),
            cost: Gauge::default(),
            cost_of_plan: Gauge::default(),
        };
        // Each outcome is there from the start, so that the first of a kind shows as an increase.
        for outcome in ["done", "failed"] {
            drop(metrics.cycles.get_or_create(&Ended { outcome }));
        }
        for outcome in ["applied", "dry-run", "published", "put-off", "stopped", "failed"] {
            drop(metrics.changes.get_or_create(&Ended { outcome }));
        }
        let all = metrics.clone();
        registry.register("control_cycles", "Cycles; failed where nothing was decided", all.cycles);
        registry.register("control_changes", "Changes, by what became of them", all.changes);
        registry.register("control_cycle_seconds", "Time that a cycle took", all.seconds);
        registry.register("control_servers", "Servers of the last cycle", all.servers);
        let help = "Replicas that a Deployment is to have by the last cycle that decided";
        registry.register("control_desired_replicas", help, all.desired);
        let help = "Deployments and servers that the last cycle left alone";
        registry.register("control_left_alone", help, all.left_alone);
        let help = "Card types whose count the last cycle did not believe";
        registry.register("control_card_types_in_doubt", help, all.in_doubt);
        let help = "Cost of what the last cycle decided, cents per hour";
        registry.register("control_cost_cents_per_hour", help, all.cost);
        let help = "Cost of the cheapest plan of the last cycle, cents per hour";
        registry.register("control_plan_cost_cents_per_hour", help, all.cost_of_plan);
        metrics
    }

    /// Counts a cycle.
    pub fn cycle(&self, record: &Record) {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let decided = record.decided_at_all();
        let outcome = if decided { "done" } else { "failed" };
        self.cycles.get_or_create(&Ended { outcome }).inc();
        for applied in &record.applied {
            self.changes.get_or_create(&Ended { outcome: applied.outcome }).inc();
        }
        self.seconds.observe(record.seconds.total);
        if decided {
            self.servers.set(count(record.observed.len()));
            self.left_alone.set(count(record.left_alone.len()));
            self.in_doubt.set(count(record.in_doubt.len()));
            self.cost.set(record.cost.after);
            self.cost_of_plan.set(record.cost.of_plan);
            self.desire(record);
        }
    }
    /// Says what each Deployment is to have. Those that are left alone are not named: an autoscaler that
    /// finds no value leaves them alone too.
    fn desire(&self, record: &Record) {
        self.desired.clear();
        for (server, deployment, replicas) in record.desired() {
            let (namespace, deployment) = deployment.split_once('/').unwrap_or(("", deployment));
            let of = Of {
                namespace: namespace.to_owned(),
                deployment: deployment.to_owned(),
                server: server.to_owned(),
            };
            self.desired.get_or_create(&of).set(i64::from(replicas));
        }
    }

    /// Says nothing of Deployments any more: another replica does.
    pub fn stand_by(&self) {
        self.desired.clear();
    }
}
