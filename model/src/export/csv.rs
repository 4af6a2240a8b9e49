//! The plan, the cards in use and the candidates as tables and CSV, units in the headers.

use super::Export;
use super::table::Kind::{Number, Text, Truth, Whole};
use super::table::{Cell, Kind, Table};
use super::tails::Tails;
use crate::disaggregation::Role;
use crate::energy::Energy;
use crate::scenario::{Scenario, Server};

/// `plan.csv`: [`plan_table`].
pub fn plan_csv(export: &Export<'_>) -> Vec<u8> {
    plan_table(export).csv()
}

/// `usage.csv`: [`usage_table`].
pub fn usage_csv(export: &Export<'_>) -> Vec<u8> {
    usage_table(export).csv()
}

/// `nodes.csv`: [`nodes_table`], which has another name in a workbook, where the scenario's nodes stand beside it.
pub fn nodes_csv(export: &Export<'_>) -> Vec<u8> {
    nodes_table(export).csv()
}

/// `budgets.csv`: [`budgets_table`].
pub fn budgets_csv(export: &Export<'_>) -> Vec<u8> {
    budgets_table(export).csv()
}

/// `candidates.csv`: [`candidates_table`].
pub fn candidates_csv(export: &Export<'_>) -> Vec<u8> {
    candidates_table(export).csv()
}

/// What the plan comes to, in one row.
pub fn summary_table(export: &Export<'_>) -> Table {
    let header = [
        ("status", Text),
        ("cost_cents_per_h", Number),
        ("bound_cents_per_h", Number),
        ("gap", Number),
        ("notes", Text),
    ];
    let plan = export.plan;
    let known = |number: f64| Some(number).filter(|n| n.is_finite());
    let of_plan = |number: f64| known(number).filter(|_| plan.has_plan());
    let row = vec![
        plan.status.word().into(),
        of_plan(plan.total_cost).into(),
        known(plan.bound).into(),
        of_plan(plan.gap()).into(),
        plan.notes.join("; ").as_str().into(),
    ];
    Table::new("summary", &header, std::iter::once(row))
}

/// One row for each part of a server's placement.
pub fn plan_table(export: &Export<'_>) -> Table {
    let header = [
        ("server", Text),
        ("class", Text),
        ("model", Text),
        ("accelerator", Text),
        ("replicas", Whole),
        ("batch", Whole),
        ("cards", Whole),
        ("cost_cents_per_h", Number),
        ("rate_per_replica_per_s", Number),
        ("itl_ms", Number),
        ("ttft_ms", Number),
        ("itl_p95_ms", Number),
        ("ttft_p95_ms", Number),
        ("utilisation", Number),
        ("loss", Number),
        ("served_share", Number),
        ("watts", Number),
        ("energy_kwh_per_day", Number),
        ("wh_per_million_tokens", Number),
        ("e2e_ms", Number),
        ("e2e_p95_ms", Number),
        ("headroom", Number),
        ("breaks_first", Text),
    ];
    let Export { scenario, plan, .. } = export;
    let tails = Tails::of(plan);
    let tails = &tails;
    // Who shares the replicas, where somebody does.
    let shares = scenario.servers.iter().any(|server| !server.members.is_empty());
    // What pools are of, where there are some.
    let has_pools = scenario.servers.iter().any(|server| server.pool.is_some());
    let more = [shares.then_some(("members", Text)), has_pools.then_some(("pool_of", Text))];
    let header: Vec<(&str, Kind)> = header.into_iter().chain(more.into_iter().flatten()).collect();
    let members = move |server: &Server| {
        let names: Vec<&str> = server.members.iter().map(|m| m.name.as_str()).collect();
        shares.then(|| Cell::Text(names.join(";")))
    };
    let pool_of = move |server: &Server| {
        let whole = server.pool.as_ref().map_or("", |pool| &pool.whole.name);
        has_pools.then(|| Cell::from(whole))
    };
    let rows = scenario.servers.iter().zip(&plan.placements).flat_map(|(server, placement)| {
        placement.parts.iter().map(move |part| {
            let (a, tail) = (part.predicted.as_ref(), tails.of_part(part));
            let energy = Energy::of_part(server, part);
            let mut row: Vec<Cell> = vec![
                server.name.as_str().into(),
                scenario.classes[server.class].name.as_str().into(),
                scenario.models[server.model].as_str().into(),
                scenario.accelerators[part.accelerator].name.as_str().into(),
                part.replicas.into(),
                u64::from(part.batch).into(),
                part.cards.into(),
                part.cost.into(),
                part.rate_per_s.into(),
                a.map(|a| a.itl_ms).into(),
                a.map(|a| a.ttft_ms).into(),
                tail.map(|tail| tail.tpot_ms).into(),
                tail.map(|tail| tail.ttft_ms).into(),
                a.map(|a| a.utilisation).into(),
                a.map(|a| a.loss_probability).into(),
                placement.served_share.into(),
                energy.watts.into(),
                energy.kwh_per_day().into(),
                energy.wh_per_million_tokens().into(),
                a.map(|a| a.e2e_ms()).into(),
                tail.map(|tail| tail.e2e_ms).into(),
                part.headroom.map(|first| first.factor).into(),
                part.headroom.map(|first| first.kept.word()).into(),
            ];
            row.extend(members(server));
            row.extend(pool_of(server));
            row
        })
    });
    Table::new("plan", &header, rows)
}

/// One row for each server: its load, as a CSV of loads has it.
pub fn loads_table(scenario: &Scenario) -> Table {
    let header = [
        ("server", Text),
        ("arrival_rate_per_min", Number),
        ("input_tokens", Number),
        ("output_tokens", Number),
        ("arrival_scv", Number),
        ("input_scv", Number),
        ("token_scv", Number),
        ("prefix_hit_share", Number),
    ];
    let rows = scenario.servers.iter().flat_map(stated).map(|server| {
        let load = &server.load;
        vec![
            server.name.as_str().into(),
            load.arrival_rate_per_min.into(),
            load.input_tokens.into(),
            load.output_tokens.into(),
            load.arrival_scv.into(),
            load.input_scv.into(),
            load.token_scv.into(),
            load.prefix_hit_share.into(),
        ]
    });
    Table::new("loads", &header, rows)
}

/// Servers as they are written: those that share replicas one by one, and one for two pools.
fn stated(server: &Server) -> &[Server] {
    let whole = server.whole();
    match &server.pool {
        Some(pool) if pool.role == Role::Decode => &[],
        _ if whole.members.is_empty() => std::slice::from_ref(whole),
        _ => &whole.members,
    }
}

/// One row for each card type.
pub fn usage_table(export: &Export<'_>) -> Table {
    let header =
        [("type", Text), ("cards", Whole), ("available", Whole), ("cost_cents_per_h", Number)];
    let types = export.scenario.card_types.iter().zip(&export.plan.usage);
    let rows = types.map(|(card, usage)| {
        vec![
            card.name.as_str().into(),
            usage.cards.into(),
            usage.available.into(),
            usage.cost.into(),
        ]
    });
    Table::new("usage", &header, rows)
}

/// One row for what each server has in nodes that are filled alike.
pub fn nodes_table(export: &Export<'_>) -> Table {
    let header = [
        ("filling", Whole),
        ("node", Text),
        ("zone", Text),
        ("times", Whole),
        ("nodes_together", Whole),
        ("server", Text),
        ("accelerator", Text),
        ("replicas", Whole),
        ("cards_per_replica", Whole),
    ];
    let Export { scenario, plan, .. } = export;
    let rows = plan.nodes.iter().enumerate().flat_map(|(number, filled)| {
        let node = &scenario.nodes[filled.node];
        filled.holds.iter().map(move |held| {
            vec![
                (number as u64 + 1).into(),
                node.name.as_str().into(),
                node.zone.as_deref().into(),
                filled.times.into(),
                filled.span.into(),
                scenario.servers[held.server].name.as_str().into(),
                scenario.accelerators[held.accelerator].name.as_str().into(),
                held.replicas.into(),
                held.cards.into(),
            ]
        })
    });
    Table::new("filled nodes", &header, rows)
}

/// One row for each limit of a budget.
pub fn budgets_table(export: &Export<'_>) -> Table {
    let header = [("budget", Text), ("unit", Text), ("used", Number), ("limit", Number)];
    let rows = export.plan.budgets.iter().map(|u| {
        let name = export.scenario.budgets[u.budget].name.as_str();
        vec![name.into(), u.unit.word().into(), u.used.into(), u.limit.into()]
    });
    Table::new("budgets", &header, rows)
}

/// One row for each server and accelerator: what it would give, or why it cannot.
pub fn candidates_table(export: &Export<'_>) -> Table {
    let header = [
        ("server", Text),
        ("accelerator", Text),
        ("feasible", Truth),
        ("batch", Whole),
        ("rate_per_replica_per_s", Number),
        ("replicas_alone", Whole),
        ("cards_per_replica", Whole),
        ("cost_per_replica_cents_per_h", Number),
        ("cost_alone_cents_per_h", Number),
        ("reason", Text),
    ];
    let Export { scenario, candidates, .. } = export;
    let rows = (0..scenario.servers.len()).flat_map(|s| {
        let options = candidates.options(s).iter().map(move |c| {
            let needed = (candidates.demands[s].rate_per_s / c.rate_per_s).ceil();
            let alone = needed.max(f64::from(scenario.servers[s].min_replicas));
            let numbers = [
                u64::from(c.batch).into(),
                c.rate_per_s.into(),
                (alone as u64).into(),
                c.cards.into(),
                c.cost_cents_per_h.into(),
                (alone * c.cost_cents_per_h).into(),
            ];
            row(scenario, (s, c.accelerator), true, numbers, Cell::Blank)
        });
        let rejected = candidates.rejected(s).iter().map(move |r| {
            let blank = [const { Cell::Blank }; 6];
            let reason = Cell::Text(r.reason.to_string());
            row(scenario, (s, r.accelerator), false, blank, reason)
        });
        options.chain(rejected)
    });
    Table::new("candidates", &header, rows)
}

fn row(
    scenario: &Scenario,
    (server, accelerator): (usize, usize),
    feasible: bool,
    numbers: [Cell; 6],
    reason: Cell,
) -> Vec<Cell> {
    let names = [
        scenario.servers[server].name.as_str().into(),
        scenario.accelerators[accelerator].name.as_str().into(),
        Cell::Truth(feasible),
    ];
    names.into_iter().chain(numbers).chain([reason]).collect()
}
