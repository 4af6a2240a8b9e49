//! `plan.json`: the inferno optimizer's `AllocationSolution`, with our fields beside its own.
//!
//! Its names carry no units (`cost`, `itlAverage`), and stay as they are; the same stands beside them under names that
//! do (`costCentsPerHour`, `itlMs`).

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

use super::tails::{Tail, Tails};
use super::{Export, json_text};
use crate::energy::Energy;
use crate::nodes::{Filled, Held};
use crate::plan::{Part, Placement, Sharing, Unit};
use crate::queue::Analysis;
use crate::scenario::Server;
use crate::spend::{self, HOURS_A_MONTH};
use crate::trust::Trust;

/// The plan as JSON text. Numbers that are not finite, as a bound that was never proven, are null.
pub fn plan_json(export: &Export<'_>) -> String {
    json_text(&solution(export))
}

/// The same as a value, to be added to.
pub fn plan_value(export: &Export<'_>) -> Value {
    serde_json::to_value(solution(export)).unwrap_or_default()
}

fn solution<'a>(export: &'a Export<'a>) -> Solution<'a> {
    let plan = export.plan;
    let energy = Energy::of_plan(export.scenario, plan);
    Solution {
        allocations: Allocations(export, Tails::of(plan)),
        status: plan.status.word(),
        total_cost: plan.total_cost,
        total_cost_cents_per_hour: plan.total_cost,
        bound_cents_per_hour: plan.bound,
        objective: plan.objective,
        bound: plan.bound,
        gap: plan.gap(),
        formulation: plan.approach.to_string(),
        backend: &plan.backend,
        sizing_seconds: export.timing.sizing_s,
        solving_seconds: export.timing.solving_s,
        watts: energy.watts,
        energy_kwh_per_day: energy.kwh_per_day(),
        wh_per_million_tokens: energy.wh_per_million_tokens(),
        carbon_kg_per_day: Energy::carbon_kg_per_day(export.scenario, plan),
        usage: usage(export),
        nodes: nodes(export),
        budgets: budgets(export),
        money: Money::new(export),
        trust: Trusted::new(export),
        sharing: plan.sharing,
        notes: &plan.notes,
        version: env!("CARGO_PKG_VERSION"),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Solution<'a> {
    allocations: Allocations<'a>,
    status: &'static str,
    total_cost: f64,
    total_cost_cents_per_hour: f64,
    bound_cents_per_hour: f64,
    objective: f64,
    bound: f64,
    gap: f64,
    formulation: String,
    backend: &'a str,
    sizing_seconds: f64,
    solving_seconds: f64,
    watts: f64,
    energy_kwh_per_day: f64,
    wh_per_million_tokens: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    carbon_kg_per_day: Option<f64>,
    usage: Vec<Usage<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nodes: Vec<Nodes<'a>>,
    budgets: Vec<BudgetUse<'a>>,
    money: Money<'a>,
    trust: Trusted,
    #[serde(skip_serializing_if = "Option::is_none")]
    sharing: Option<Sharing>,
    notes: &'a [String],
    version: &'static str,
}

/// Costs in a currency's units: in all, and by the hour for each class and model.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Money<'a> {
    currency: Option<&'a str>,
    /// What all other costs of the plan are in.
    costs_in: String,
    per_hour: f64,
    per_month: f64,
    by_class: Vec<Share<'a>>,
    by_model: Vec<Share<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Share<'a> {
    name: &'a str,
    per_hour: f64,
    per_month: f64,
}

impl<'a> Money<'a> {
    fn new(export: &Export<'a>) -> Self {
        let Export { scenario, plan, .. } = *export;
        let currency = &scenario.currency;
        let share = |share: spend::Share<'a>| {
            let per_hour = currency.units(share.cents_per_h);
            Share { name: share.name, per_hour, per_month: per_hour * HOURS_A_MONTH }
        };
        let per_hour = currency.units(plan.total_cost);
        Self {
            currency: currency.name.as_deref(),
            costs_in: currency.per_hour(),
            per_hour,
            per_month: per_hour * HOURS_A_MONTH,
            by_class: spend::by_class(scenario, plan).into_iter().map(share).collect(),
            by_model: spend::by_model(scenario, plan).into_iter().map(share).collect(),
        }
    }
}

/// Where the service parameters come from, and what their error means for the cost.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Trusted {
    profiles: usize,
    estimated: usize,
    calibrated: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    itl_error: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttft_error: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_range: Option<Range>,
}

/// Costs at the ends of the calibration's region, cents per hour; null where there is no plan.
#[derive(Serialize)]
struct Range {
    level: f64,
    optimistic: Option<f64>,
    pessimistic: Option<f64>,
}

impl Trusted {
    fn new(export: &Export<'_>) -> Self {
        let trust = Trust::of(export.scenario);
        let range = export.plan.cost_range;
        Self {
            profiles: trust.profiles,
            estimated: trust.estimated,
            calibrated: trust.calibrated,
            itl_error: trust.errors.map(|e| e.0),
            ttft_error: trust.errors.map(|e| e.1),
            cost_range: range.map(|r| Range {
                level: r.level,
                optimistic: r.optimistic,
                pessimistic: r.pessimistic,
            }),
        }
    }
}

#[derive(Serialize)]
struct Usage<'a> {
    r#type: &'a str,
    cards: u64,
    available: Option<u64>,
    cost: f64,
}

fn usage<'a>(export: &Export<'a>) -> Vec<Usage<'a>> {
    let types = export.scenario.card_types.iter().zip(&export.plan.usage);
    types
        .map(|(card, u)| Usage {
            r#type: &card.name,
            cards: u.cards,
            available: u.available,
            cost: u.cost,
        })
        .collect()
}

/// Nodes of one kind, and what they hold.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Nodes<'a> {
    node: &'a str,
    zone: Option<&'a str>,
    used: u64,
    available: Option<u64>,
    cards_left: u64,
    cost: f64,
    filled: Vec<FilledAlike<'a>>,
}

/// Nodes that hold the same; where a replica spans several, so many hold it together.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FilledAlike<'a> {
    times: u64,
    span: u64,
    holds: Vec<HeldBy<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HeldBy<'a> {
    server: &'a str,
    accelerator: &'a str,
    replicas: u64,
    cards: u64,
}

fn nodes<'a>(export: &Export<'a>) -> Vec<Nodes<'a>> {
    let Export { scenario, plan, .. } = *export;
    let held = |held: &Held| HeldBy {
        server: &scenario.servers[held.server].name,
        accelerator: &scenario.accelerators[held.accelerator].name,
        replicas: held.replicas,
        cards: held.cards,
    };
    let alike = |filled: &Filled| FilledAlike {
        times: filled.times,
        span: filled.span,
        holds: filled.holds.iter().map(held).collect(),
    };
    let kinds = scenario.nodes.iter().zip(plan.node_uses(scenario)).enumerate();
    kinds
        .map(|(t, (node, uses))| Nodes {
            node: &node.name,
            zone: node.zone.as_deref(),
            used: uses.used,
            available: uses.available,
            cards_left: uses.cards_left,
            cost: uses.cost,
            filled: plan.nodes.iter().filter(|filled| filled.node == t).map(alike).collect(),
        })
        .collect()
}

#[derive(Serialize)]
struct BudgetUse<'a> {
    budget: &'a str,
    unit: Unit,
    used: f64,
    limit: f64,
}

fn budgets<'a>(export: &Export<'a>) -> Vec<BudgetUse<'a>> {
    let uses = export.plan.budgets.iter();
    uses.map(|u| BudgetUse {
        budget: &export.scenario.budgets[u.budget].name,
        unit: u.unit,
        used: u.used,
        limit: u.limit,
    })
    .collect()
}

/// A map from the servers' names, in their order: those that are placed, and those that need nothing, so that whoever
/// carries the plan out takes away what they have.
struct Allocations<'a>(&'a Export<'a>, Tails);

impl Serialize for Allocations<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Export { scenario, plan, .. } = self.0;
        let is_idle = |s: &Server| s.min_replicas == 0 && s.is_idle();
        let is_told = |(server, placement): &(&Server, &Placement)| {
            !placement.parts.is_empty() || is_idle(server)
        };
        let placed = || scenario.servers.iter().zip(&plan.placements).filter(is_told);
        let mut map = serializer.serialize_map(Some(placed().count()))?;
        for (server, placement) in placed() {
            map.serialize_entry(&server.name, &allocation(self, server, placement))?;
        }
        map.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Allocation<'a> {
    accelerator: &'a str,
    num_replicas: u64,
    max_batch: u32,
    cost: f64,
    cost_cents_per_hour: f64,
    itl_average: Option<f64>,
    itl_ms: Option<f64>,
    ttft_average: Option<f64>,
    ttft_ms: Option<f64>,
    e2e_average: Option<f64>,
    e2e_ms: Option<f64>,
    load: Load,
    class: &'a str,
    model: &'a str,
    cards: u64,
    served_share: f64,
    /// The factor on its load above which the first objective breaks, and what that is.
    headroom: Option<f64>,
    breaks_first: Option<&'static str>,
    watts: f64,
    energy_kwh_per_day: f64,
    wh_per_million_tokens: Option<f64>,
    parts: Vec<PartFields<'a>>,
    /// Servers that share the replicas.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    members: Vec<&'a str>,
    /// Which pool of which server it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<PoolFields<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PoolFields<'a> {
    of: &'a str,
    role: &'static str,
    first_percent: u8,
    last_percent: u8,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Load {
    arrival_rate: f64,
    avg_in_tokens: f64,
    avg_out_tokens: f64,
}

/// Latencies that the queueing model predicts for a part, ms.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Latencies {
    itl_average: Option<f64>,
    itl_ms: Option<f64>,
    ttft_average: Option<f64>,
    ttft_ms: Option<f64>,
    #[serde(rename = "itlP95")]
    itl_p95: Option<f64>,
    itl_p95_ms: Option<f64>,
    #[serde(rename = "ttftP95")]
    ttft_p95: Option<f64>,
    ttft_p95_ms: Option<f64>,
    e2e_average: Option<f64>,
    e2e_ms: Option<f64>,
    #[serde(rename = "e2eP95")]
    e2e_p95: Option<f64>,
    e2e_p95_ms: Option<f64>,
    wait_average: Option<f64>,
    wait_ms: Option<f64>,
}

impl Latencies {
    fn of(predicted: Option<Analysis>, tail: Option<Tail>) -> Self {
        let of = |value: fn(&Analysis) -> f64| predicted.as_ref().map(value);
        let [itl, ttft, e2e, wait] =
            [of(|a| a.itl_ms), of(|a| a.ttft_ms), of(|a| a.e2e_ms()), of(|a| a.mean_wait_ms)];
        let [itl_p95, ttft_p95, e2e_p95] =
            [tail.map(|t| t.tpot_ms), tail.map(|t| t.ttft_ms), tail.map(|t| t.e2e_ms)];
        Self {
            itl_average: itl,
            itl_ms: itl,
            ttft_average: ttft,
            ttft_ms: ttft,
            itl_p95,
            itl_p95_ms: itl_p95,
            ttft_p95,
            ttft_p95_ms: ttft_p95,
            e2e_average: e2e,
            e2e_ms: e2e,
            e2e_p95,
            e2e_p95_ms: e2e_p95,
            wait_average: wait,
            wait_ms: wait,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PartFields<'a> {
    accelerator: &'a str,
    num_replicas: u64,
    max_batch: u32,
    cost: f64,
    cost_cents_per_hour: f64,
    cards: u64,
    rate_per_second: f64,
    #[serde(flatten)]
    latencies: Latencies,
    utilisation: Option<f64>,
    headroom: Option<f64>,
    breaks_first: Option<&'static str>,
    loss_probability: Option<f64>,
    watts: f64,
    energy_kwh_per_day: f64,
    wh_per_million_tokens: Option<f64>,
}

/// The flat fields are those of the part that takes the most load; numbers of all parts are summed.
fn allocation<'a>(
    told: &Allocations<'a>,
    server: &'a Server,
    placement: &'a Placement,
) -> Allocation<'a> {
    let scenario = told.0.scenario;
    let rate = |p: &Part| p.rate_per_s * p.replicas as f64;
    let main = placement.parts.iter().max_by(|a, b| rate(a).total_cmp(&rate(b)));
    let predicted = main.and_then(|part| part.predicted);
    let energy = Energy::of_placement(server, placement);
    let first = placement.headroom();
    Allocation {
        accelerator: main.map_or("", |part| &scenario.accelerators[part.accelerator].name),
        num_replicas: placement.replicas(),
        max_batch: main.map_or(0, |part| part.batch),
        cost: placement.cost(),
        cost_cents_per_hour: placement.cost(),
        itl_average: predicted.map(|a| a.itl_ms),
        itl_ms: predicted.map(|a| a.itl_ms),
        ttft_average: predicted.map(|a| a.ttft_ms),
        ttft_ms: predicted.map(|a| a.ttft_ms),
        e2e_average: predicted.map(|a| a.e2e_ms()),
        e2e_ms: predicted.map(|a| a.e2e_ms()),
        load: Load {
            arrival_rate: server.load.arrival_rate_per_min,
            avg_in_tokens: server.load.input_tokens,
            avg_out_tokens: server.load.output_tokens,
        },
        class: &scenario.classes[server.class].name,
        model: &scenario.models[server.model],
        cards: placement.parts.iter().map(|p| p.cards).sum(),
        served_share: placement.served_share,
        headroom: first.map(|first| first.factor),
        breaks_first: first.map(|first| first.kept.word()),
        watts: energy.watts,
        energy_kwh_per_day: energy.kwh_per_day(),
        wh_per_million_tokens: energy.wh_per_million_tokens(),
        parts: placement.parts.iter().map(|p| part_fields(told, server, p)).collect(),
        members: server.members.iter().map(|member| member.name.as_str()).collect(),
        pool: server.pool.as_ref().map(|pool| PoolFields {
            of: &pool.whole.name,
            role: pool.role.word(),
            first_percent: pool.division.first,
            last_percent: pool.division.last,
        }),
    }
}

fn part_fields<'a>(
    Allocations(export, tails): &Allocations<'a>,
    server: &Server,
    part: &Part,
) -> PartFields<'a> {
    let (a, tail) = (part.predicted, tails.of_part(part));
    let energy = Energy::of_part(server, part);
    PartFields {
        accelerator: &export.scenario.accelerators[part.accelerator].name,
        num_replicas: part.replicas,
        max_batch: part.batch,
        cost: part.cost,
        cost_cents_per_hour: part.cost,
        cards: part.cards,
        rate_per_second: part.rate_per_s,
        latencies: Latencies::of(a, tail),
        utilisation: a.map(|a| a.utilisation),
        headroom: part.headroom.map(|first| first.factor),
        breaks_first: part.headroom.map(|first| first.kept.word()),
        loss_probability: a.map(|a| a.loss_probability),
        watts: energy.watts,
        energy_kwh_per_day: energy.kwh_per_day(),
        wh_per_million_tokens: energy.wh_per_million_tokens(),
    }
}
