//! The plan for a horizon as CSV and JSON, units in the names.

use crate::export::cells;
use serde_json::{Value, json};

use super::{HorizonPlan, PeriodPlan, Prices, Profile};
use crate::scenario::Scenario;

/// What is written down.
#[derive(Debug, Clone, Copy)]
pub struct Export<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// The periods.
    pub profile: &'a Profile,
    /// The pools.
    pub prices: &'a Prices,
    /// The plan.
    pub plan: &'a HorizonPlan,
    /// Seconds in the queueing model, and in the formulation and its backend.
    pub seconds: (f64, f64),
}

impl Export<'_> {
    /// What a pool costs in a period, cents/h: reserved, on demand, and spot.
    pub fn pool_cost(&self, planned: &PeriodPlan, r: usize) -> [f64; 3] {
        let (pool, rented) = (&self.prices.pools[r], planned.rented[r]);
        [
            pool.reserved.unwrap_or(0.0) * self.plan.reserved[r] as f64,
            pool.on_demand.unwrap_or(0.0) * rented.on_demand as f64,
            pool.spot.map_or(0.0, |s| s.cost()) * rented.spot as f64,
        ]
    }

    /// What a period costs, cents/h: reserved, on demand, spot, and energy.
    pub fn period_cost(&self, planned: &PeriodPlan) -> [f64; 4] {
        let mut sum = [0.0, 0.0, 0.0, planned.running_cents_per_h];
        for r in 0..self.prices.pools.len() {
            let cost = self.pool_cost(planned, r);
            (0..3).for_each(|i| sum[i] += cost[i]);
        }
        sum
    }

    /// One row for each period and pool.
    pub fn pools_csv(&self) -> Vec<u8> {
        let header = [
            "period",
            "hours",
            "pool",
            "used",
            "reserved",
            "on_demand",
            "spot",
            "reserved_cents_per_h",
            "on_demand_cents_per_h",
            "spot_cents_per_h",
        ];
        let rows = self.profile.periods.iter().zip(&self.plan.periods).flat_map(|(at, planned)| {
            (0..self.prices.pools.len()).map(move |r| {
                let rented = planned.rented[r];
                let counts = [rented.used, self.plan.reserved[r], rented.on_demand, rented.spot];
                let mut row = vec![at.name.clone(), at.hours.to_string()];
                row.push(self.prices.pools[r].name(self.scenario).to_owned());
                row.extend(counts.map(|n| n.to_string()));
                row.extend(self.pool_cost(planned, r).map(|c| c.to_string()));
                row
            })
        });
        table(&header, rows)
    }

    /// One row for each period and part of a server's placement.
    pub fn placements_csv(&self) -> Vec<u8> {
        let header = [
            "period",
            "server",
            "accelerator",
            "replicas",
            "batch",
            "cards",
            "rate_per_replica_per_s",
            "itl_ms",
            "ttft_ms",
            "utilisation",
        ];
        let rows = self.profile.periods.iter().zip(&self.plan.periods).flat_map(|(at, planned)| {
            let servers = self.scenario.servers.iter().zip(&planned.plan.placements);
            servers.flat_map(move |(server, placement)| {
                placement.parts.iter().map(move |part| {
                    let a = part.predicted.as_ref();
                    let value = |x: Option<f64>| x.map_or(String::new(), |x| x.to_string());
                    vec![
                        at.name.clone(),
                        server.name.clone(),
                        self.scenario.accelerators[part.accelerator].name.clone(),
                        part.replicas.to_string(),
                        part.batch.to_string(),
                        part.cards.to_string(),
                        part.rate_per_s.to_string(),
                        value(a.map(|a| a.itl_ms)),
                        value(a.map(|a| a.ttft_ms)),
                        value(a.map(|a| a.utilisation)),
                    ]
                })
            })
        });
        table(&header, rows)
    }

    /// Everything as JSON. Numbers that are not finite are null.
    pub fn json(&self) -> Value {
        let pools = self.prices.pools.iter();
        let reserved = pools.zip(&self.plan.reserved).map(|(pool, units)| {
            json!({
                "pool": pool.name(self.scenario),
                "units": units,
                "reservedCentsPerHour": pool.reserved,
                "onDemandCentsPerHour": pool.on_demand,
                "spotCentsPerHour": pool.spot.map(|s| s.cost()),
            })
        });
        let periods = self.profile.periods.iter().zip(&self.plan.periods);
        json!({
            "status": self.plan.status.word(),
            "hours": self.profile.hours(),
            "totalCost": self.plan.cost,
            "bound": self.plan.bound,
            "gap": self.plan.gap(),
            "formulation": self.plan.formulation,
            "backend": self.plan.backend,
            "sizingSeconds": self.seconds.0,
            "solvingSeconds": self.seconds.1,
            "reserved": reserved.collect::<Vec<_>>(),
            "periods": periods.map(|(at, planned)| self.period(at, planned)).collect::<Vec<_>>(),
            "notes": self.plan.notes,
            "version": env!("CARGO_PKG_VERSION"),
        })
    }

    fn period(&self, at: &super::Period, planned: &PeriodPlan) -> Value {
        let [reserved, on_demand, spot, energy] = self.period_cost(planned);
        let pools = planned.rented.iter().enumerate().map(|(r, rented)| {
            json!({
                "pool": self.prices.pools[r].name(self.scenario),
                "used": rented.used,
                "onDemand": rented.on_demand,
                "spot": rented.spot,
            })
        });
        let servers = self.scenario.servers.iter().zip(&planned.plan.placements);
        let placements = servers.map(|(server, placement)| {
            let parts = placement.parts.iter().map(|part| {
                json!({
                    "accelerator": self.scenario.accelerators[part.accelerator].name,
                    "numReplicas": part.replicas,
                    "maxBatch": part.batch,
                    "cards": part.cards,
                    "itlAverage": part.predicted.map(|a| a.itl_ms),
                    "ttftAverage": part.predicted.map(|a| a.ttft_ms),
                })
            });
            json!({ "server": server.name, "parts": parts.collect::<Vec<_>>() })
        });
        json!({
            "name": at.name,
            "hours": at.hours,
            "centsPerHour":
                { "reserved": reserved, "onDemand": on_demand, "spot": spot, "energy": energy },
            "pools": pools.collect::<Vec<_>>(),
            "placements": placements.collect::<Vec<_>>(),
        })
    }
}

fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // A vector takes every write, and every row has the header's length.
    let _ = writer.write_record(header);
    for row in rows {
        let _ = writer.write_record(cells(&row));
    }
    writer.into_inner().unwrap_or_default()
}
