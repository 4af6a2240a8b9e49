//! Nodes: in which machines cards come, and what that says of how many exist.

use super::Section;
use super::fields::Fields;
use super::fleet::{Names, unique};
use super::node::{Node, Value};
use super::problem::{Report, known_names};
use crate::nodes::{MIG, NodeType};
use crate::scenario::Scenario;

/// Adds the nodes that accelerators say they come in.
pub(super) fn of_accelerators(
    section: Option<&Section>,
    scenario: &mut Scenario,
    report: &mut Report,
) {
    let Some(section) = section else { return };
    let list = match &section.node.value {
        Value::List(_) => Some(&section.node),
        Value::Object(entries) => entries.iter().find(|e| e.0 == "accelerators").map(|e| &e.1),
        _ => None,
    };
    let Some(Value::List(items)) = list.map(|node| &node.value) else { return };
    let mut nodes = Vec::new();
    for item in items.iter().filter(|item| matches!(item.value, Value::Object(_))) {
        let Some(fields) = Fields::new(&section.file, item, "accelerator", report) else {
            continue;
        };
        nodes.extend(fields.listed("accelerator").list("nodes", report));
    }
    read(nodes, scenario, report);
}

/// Adds the nodes of the capacity section; those of the same names that were known are replaced.
pub(super) fn of_capacity(section: &Section, scenario: &mut Scenario, report: &mut Report) {
    if !matches!(section.node.value, Value::Object(_)) {
        return;
    }
    let fields = Fields::new(&section.file, &section.node, "capacity data", report);
    let Some(mut fields) = fields.map(|fields| fields.listed("cards")) else { return };
    let nodes = fields.list("nodes", report);
    read(nodes, scenario, report);
}

/// Whether the section gives nodes alone, and no counts of cards.
pub(super) fn alone(section: &Section) -> bool {
    match &section.node.value {
        Value::Object(entries) => {
            let has = |key: &str| entries.iter().any(|e| e.0 == key);
            has("nodes") && !has("count")
        }
        _ => false,
    }
}

/// Counts the cards of every type that comes in nodes whose number is stated.
pub(super) fn count(scenario: &mut Scenario) {
    for t in 0..scenario.card_types.len() {
        let nodes: Vec<&NodeType> = scenario.nodes_of(t).map(|n| &scenario.nodes[n]).collect();
        let cards = |of: fn(&NodeType) -> Option<u64>| -> Option<u64> {
            let of_type =
                |node: &&NodeType| Some(of(node)?.saturating_mul(u64::from(node.cards_of(t))));
            let all: Option<Vec<u64>> = nodes.iter().map(of_type).collect();
            all.filter(|all| !all.is_empty())
                .map(|all| all.into_iter().fold(0, u64::saturating_add))
        };
        let (there, spare) = (cards(|node| node.count), cards(|node| Some(node.spare)));
        let card = &mut scenario.card_types[t];
        // Where cards are counted too, what leaves fewer of them to be used holds.
        let of_nodes = there.map(|there| (there, spare.unwrap_or(0)));
        let counts = card.count.map(|count| (count, card.spare)).into_iter().chain(of_nodes);
        if let Some((count, spare)) = counts.min_by_key(|c| c.0.saturating_sub(c.1)) {
            (card.count, card.spare) = (Some(count), spare);
        }
    }
}

fn read(list: Vec<Fields<'_>>, scenario: &mut Scenario, report: &mut Report) {
    let mut seen = Names::default();
    for mut fields in list {
        let name = fields.name("name", report).to_owned();
        fields.entity = format!("node `{name}`");
        let known = seen.insert(name.clone(), 0).is_some();
        unique(&fields, "name", "node", &name, known, report);
        let cards = cards(&mut fields, scenario, report);
        let count = fields.count("count", report).map(u64::from);
        let spare = fields.count("spare", report).map_or(0, u64::from);
        let geometries = geometries(&mut fields, &cards, report);
        let price_cents_per_h = fields.quantity("price", report);
        let zone = fields.text("zone", report).map(str::to_owned);
        fields.finish(report);
        scenario.nodes.retain(|node| node.name != name);
        let node = NodeType { name, cards, price_cents_per_h, count, spare, zone, geometries };
        scenario.nodes.push(node);
    }
    paid_alike(scenario, report);
}

/// Cards of a node by type; keys of a document compare without case.
fn cards(fields: &mut Fields<'_>, scenario: &Scenario, report: &mut Report) -> Vec<(usize, u32)> {
    let remedy = "write it as { H100: 8 }: types of accelerators with the cards of a node";
    let Some(node) = fields.node("cards") else {
        fields.problem("cards", "`cards` is missing".to_owned(), remedy, report);
        return Vec::new();
    };
    let Value::Object(entries) = &node.value else {
        let what = format!("expected an object, found {}", node.value.kind());
        fields.problem("cards", what, remedy, report);
        return Vec::new();
    };
    let mut cards: Vec<(usize, u32)> = Vec::new();
    for (key, value) in entries {
        let known = scenario.card_types.iter().position(|c| c.name.eq_ignore_ascii_case(key));
        let Some(card_type) = known else {
            let types = scenario.card_types.iter().map(|card| card.name.as_str());
            let what = format!("no accelerator is of type `{key}`");
            fields.problem("cards", what, &known_names(key, types), report);
            continue;
        };
        match whole(value).filter(|n| (1..=4096).contains(n)) {
            Some(n) => cards.push((card_type, n)),
            None => {
                let what = format!("the cards of type `{key}` are no whole number from 1 to 4096");
                fields.problem("cards", what, remedy, report);
            }
        }
    }
    if entries.is_empty() {
        fields.problem("cards", "a node without cards".to_owned(), remedy, report);
    }
    cards
}

/// How the node's cards are cut: as stated, or as MIG cuts a card of seven slices.
fn geometries(
    fields: &mut Fields<'_>,
    cards: &[(usize, u32)],
    report: &mut Report,
) -> Vec<Vec<u32>> {
    let mig = fields.flag("mig", report);
    let Some(node) = fields.node("geometries") else {
        let seven = cards.len() == 1 && cards[0].1 == 7;
        if mig && !seven {
            let what = "MIG cuts a card into seven slices".to_owned();
            let remedy = "make a node of one card, with 7 slices of one type, or list `geometries`";
            fields.problem("mig", what, remedy, report);
        }
        return if mig && seven {
            MIG.iter().map(|cut| cut.to_vec()).collect()
        } else {
            Vec::new()
        };
    };
    let remedy = "write it as [[4, 3], [7]]: the cards of the replicas that fit a node together";
    let lists = match &node.value {
        Value::List(lists) => lists.as_slice(),
        other => {
            let what = format!("expected a list of lists, found {}", other.kind());
            fields.problem("geometries", what, remedy, report);
            &[]
        }
    };
    let most = cards.first().map_or(0, |c| c.1);
    let mut read = Vec::new();
    for list in lists {
        let sizes = match &list.value {
            Value::List(sizes) => sizes.iter().map(whole).collect::<Option<Vec<u32>>>(),
            _ => None,
        };
        let sizes = sizes.filter(|sizes| !sizes.is_empty() && !sizes.contains(&0));
        match sizes {
            Some(sizes)
                if sizes.iter().map(|&size| u64::from(size)).sum::<u64>() <= u64::from(most) =>
            {
                read.push(sizes);
            }
            Some(sizes) => {
                let what = format!("{sizes:?} takes more than the {most} cards of the node");
                fields.problem("geometries", what, remedy, report);
            }
            None => {
                let what = "expected lists of whole numbers of 1 and more".to_owned();
                fields.problem("geometries", what, remedy, report);
            }
        }
    }
    if cards.len() > 1 {
        let what = "geometries are those of one type of card, the node has several".to_owned();
        fields.problem("geometries", what, "make a node of each", report);
    }
    read
}

/// Cards of one type are paid by the node in all nodes, or in none: whoever plans must know which
/// price a replica has.
fn paid_alike(scenario: &Scenario, report: &mut Report) {
    for t in 0..scenario.card_types.len() {
        let paid = |n: &usize| scenario.nodes[*n].price_cents_per_h.is_some();
        let (paid, free): (Vec<usize>, Vec<usize>) = scenario.nodes_of(t).partition(paid);
        if let (Some(&a), Some(&b)) = (paid.first(), free.first()) {
            let name = |n: usize| &scenario.nodes[n].name;
            let what = format!(
                "cards of type `{}` come in `{}`, which has a price, and in `{}`, which has none",
                scenario.card_types[t].name,
                name(a),
                name(b)
            );
            let remedy = "give both a price (0 for nodes that are paid already), or neither";
            report.problem_in("nodes", what, remedy);
        }
    }
}

fn whole(node: &Node) -> Option<u32> {
    match &node.value {
        Value::Number(text) => text.parse::<u32>().ok(),
        _ => None,
    }
}
