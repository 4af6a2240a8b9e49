//! What a report holds, whatever the plan.

mod common;

use std::collections::HashSet;

use common::{Planned, fleet, large, plan};
use isocost_charts::Theme;
use isocost_model::scenario::Provenance;
use isocost_model::trust::CostRange;
use isocost_planner::Formulation;
use roxmltree::{Document, Node, ParsingOptions};

/// The page without style and script, whose text is not XML.
fn markup(html: &str) -> String {
    let mut out = html.to_owned();
    for (open, close) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let (from, to) = (out.find(open).expect("it is there"), out.find(close).expect("its end"));
        out.replace_range(from..to + close.len(), "");
    }
    out
}

fn parsed(markup: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(markup, options).expect("well-formed markup")
}

/// What every report keeps: one heading on top, names that are unique, tables and images that can be
/// read aloud, nothing from elsewhere.
fn check(planned: &Planned) -> String {
    let html = planned.html();
    let markup = markup(&html);
    let page = parsed(&markup);
    let all = |name: &'static str| page.descendants().filter(move |n| n.has_tag_name(name));
    let tagged = |name: &str| page.descendants().filter(|n| n.tag_name().name() == name).count();
    assert_eq!((tagged("h1"), tagged("main"), tagged("nav"), tagged("header")), (1, 1, 1, 1));
    let ids: Vec<&str> = page.descendants().filter_map(|n| n.attribute("id")).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "{ids:?}");
    for link in all("a").filter_map(|n| n.attribute("href")) {
        assert!(ids.contains(&link.trim_start_matches('#')), "{link}");
    }
    for table in all("table") {
        let has = |name| table.children().any(|n: Node<'_, '_>| n.has_tag_name(name));
        assert!(has("caption") && has("thead") && has("tbody"));
        let headings = table.descendants().filter(|n| n.has_tag_name("th"));
        assert!(headings.clone().all(|n| matches!(n.attribute("scope"), Some("col" | "row"))));
    }
    for image in page.descendants().filter(|n| n.tag_name().name() == "svg") {
        assert!(image.attribute("role") == Some("img") && image.attribute("aria-label").is_some());
    }
    for attribute in page.descendants().flat_map(|n| n.attributes()) {
        assert!(!attribute.value().contains("//"), "{}: {}", attribute.name(), attribute.value());
    }
    for word in ["NaN", ">inf<", "inf ", "@import", "url("] {
        assert!(!html.contains(word), "{word}");
    }
    html
}

fn text(html: &str) -> String {
    let markup = markup(html);
    let page = parsed(&markup);
    let words: Vec<&str> = page.descendants().filter_map(|n| n.text()).map(str::trim).collect();
    words.join(" ")
}

#[test]
fn a_plan_is_reported_with_cost_proof_and_warnings() {
    let planned = plan(fleet(), Formulation::MIXED, false);
    let html = check(&planned);
    let text = text(&html);
    for words in [
        "optimal",
        "27 servers for 14,409 cents/h",
        "No cheaper plan exists",
        "Estimated: 97 of 97 service profiles come from data sheets, not from measurements.",
        "Cost by card type",
        "Cards used against capacity",
        "premium-llama-3.1-70b",
        "Objectives against predictions",
        "P95, ms",
        "Requests in service",
        "What one card more or fewer is worth",
        "What one fewer costs",
        "Used up: L40S and MI300X.",
        "Each server's other options",
    ] {
        assert!(text.contains(words), "{words}");
    }
    assert_eq!(html, planned.html(), "the same plan gives the same bytes");
}

#[test]
fn what_a_calibration_leaves_open_is_said() {
    let mut scenario = fleet();
    scenario.profiles.iter_mut().for_each(|p| p.provenance = Provenance::Calibrated);
    let mut planned = plan(scenario, Formulation::SINGLE, false);
    let range = CostRange { level: 0.9, optimistic: Some(12000.0), pessimistic: None };
    planned.plan.cost_range = Some(range);
    let text = text(&check(&planned));
    assert!(text.contains("Calibrated: 97 of 97 service profiles."), "{text}");
    let range = "The cost is 12,000 to no plan over the calibration's 90% region.";
    assert!(text.contains(range) && !text.contains("Estimated"), "{text}");
}

#[test]
fn verdicts_are_words() {
    let planned = plan(fleet(), Formulation::MIXED, false);
    let html = planned.html();
    let of = |word: &str| html.matches(&format!("tone {word} sign\">{word}<")).count();
    assert!(of("met") > 0 && of("close") > 0, "met {}, close {}", of("met"), of("close"));
    assert_eq!(of("missed"), 0);
    let count = planned.plan.placements.iter().flat_map(|p| &p.parts).count() * 2;
    assert_eq!(of("met") + of("close"), count, "TTFT and ITL of each placement");
}

#[test]
fn names_are_escaped() {
    let mut scenario = fleet();
    let hostile = "<script>alert(1)</script>\"'&";
    scenario.servers[0].name = hostile.into();
    scenario.classes[0].name = hostile.into();
    scenario.card_types[0].name = hostile.into();
    scenario.models[0] = hostile.into();
    scenario.accelerators.iter_mut().for_each(|a| a.name.push_str("<b>"));
    let mut planned = plan(scenario, Formulation::SINGLE, false);
    planned.plan.notes.push(hostile.into());
    let html = check(&planned);
    assert_eq!(html.matches("<script").count(), 1, "the report's own alone");
    assert!(!html.contains("<b>") && text(&html).contains(hostile));
    let named = isocost_report::Input { name: hostile, ..planned.input() };
    assert_eq!(isocost_report::html(&named).matches("<script").count(), 1);
}

#[test]
fn an_infeasible_plan_says_why() {
    let mut scenario = fleet();
    scenario.card_types.iter_mut().for_each(|c| c.count = c.count.map(|n| n / 4));
    let short = plan(scenario, Formulation::MIXED, false);
    let words = text(&check(&short));
    assert!(words.contains("infeasible") && words.contains("No plan serves all 27 servers"));
    assert!(words.contains("together they need more than the limits allow"), "{words}");
    assert!(words.contains("irreducible infeasible subsystem"), "{words}");
    // In pure Rust the cheapest cards may not be proven within the time of a report.
    let proven = words.contains("The cheapest cards:");
    assert!(proven || !isocost_solver::backends().contains(&"highs"), "{words}");

    let mut scenario = fleet();
    let class = scenario.servers[0].class;
    for target in scenario.classes[class].targets.iter_mut().flatten() {
        target.itl = Some(isocost_model::queue::Objective::mean(0.001));
    }
    let unmet = plan(scenario, Formulation::MIXED, false);
    let words = text(&check(&unmet));
    assert!(words.contains("No accelerator serves 9 servers within their objectives"), "{words}");
    assert!(words.contains("The 18 other servers fit."), "{words}");
    assert!(words.contains("ITL is at best"), "{words}");
}

#[test]
fn thousands_of_servers_are_cut_in_words() {
    let thousand = large(37);
    let html = check(&thousand);
    assert!(text(&html).contains("979 other servers"));
    assert!(html.len() < 3_000_000, "{} bytes", html.len());
    let many = large(371);
    let html = check(&many);
    let words = text(&html);
    assert!(words.contains("The table shows 2,000 of 10,017 rows, the costliest servers"));
    assert!(html.len() < 6_000_000, "{} bytes", html.len());
}

#[test]
fn every_chart_is_a_file() {
    let planned = plan(fleet(), Formulation::MIXED, false);
    let plots: Vec<_> = isocost_report::plots(&planned.input()).collect();
    let names: HashSet<&str> = plots.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.len(), plots.len());
    for name in ["cost-by-server", "cost-by-type", "cards", "objectives", "queue-01-occupancy"] {
        assert!(names.contains(name), "{name}");
    }
    for (name, chart) in &plots {
        assert!(Document::parse(&chart.svg(&Theme::light())).is_ok(), "{name}");
    }
    // The page holds wide charts a second time, narrow.
    let narrow = planned.html().matches("class=\"narrow\"").count();
    assert!(narrow >= 4);
    assert_eq!(planned.html().matches("<svg").count(), plots.len() + narrow);
}

/// The colour of each mark of a chart whose tip begins with one of the names.
fn colors(svg: &str, names: &[String]) -> Vec<(String, String)> {
    let page = Document::parse(svg).expect("well-formed markup");
    let mut found = Vec::new();
    for title in page.descendants().filter(|n| n.has_tag_name("title")) {
        let (tip, mark) = (title.text().unwrap_or_default(), title.parent());
        let name = names.iter().find(|name| tip.starts_with(&format!("{name}: ")));
        let fill = mark.and_then(|mark| mark.attribute("fill"));
        found.extend(name.zip(fill).map(|(name, fill)| (name.clone(), fill.to_owned())));
    }
    found
}

#[test]
fn a_type_of_card_has_one_colour_in_all_charts() {
    let planned = plan(fleet(), Formulation::MIXED, false);
    let names: Vec<String> = planned.scenario.card_types.iter().map(|c| c.name.clone()).collect();
    let mut of: Vec<(String, String)> = Vec::new();
    for (title, chart) in isocost_report::plots(&planned.input()) {
        for (name, color) in colors(&chart.svg(&Theme::light()), &names) {
            match of.iter().find(|(known, _)| *known == name) {
                Some((_, first)) => assert_eq!(*first, color, "{name} in {title}"),
                None => of.push((name, color)),
            }
        }
    }
    assert!(of.len() >= 6, "{of:?}");
    let different: HashSet<&String> = of.iter().map(|(_, color)| color).collect();
    assert_eq!(different.len(), of.len(), "two types share a colour: {of:?}");
}

#[test]
fn money_is_in_the_currency_of_the_scenario() {
    let mut scenario = fleet();
    let plain = plan(scenario.clone(), Formulation::SINGLE, false);
    let html = check(&plain);
    assert!(!html.contains("USD") && !html.contains("Cost of a month"), "nobody said whose cents");
    scenario.currency.name = Some("KRW".to_owned());
    let won = plan(scenario, Formulation::SINGLE, false);
    let html = check(&won);
    let month = (won.plan.total_cost / 100.0 * isocost_model::spend::HOURS_A_MONTH).round() as u64;
    let month = grouped(month);
    let tile = format!("<dt>Cost of a month</dt><dd>{month} <small>KRW</small></dd>");
    assert!(html.contains(&tile), "{tile}");
    assert!(html.contains("KRW cents&#x2f;h. No cheaper plan exists"));
    let input = won.input();
    let cost = isocost_report::plots(&input).find(|(name, _)| name == "cost-by-server");
    let (_, cost) = cost.expect("a chart");
    assert_eq!(cost.x.unit, "KRW cents/h");
}

/// Thousands apart.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let (first, rest) = digits.split_at((digits.len() + 2) % 3 + 1);
    let groups = rest.as_bytes().chunks(3).map(|three| String::from_utf8_lossy(three).into_owned());
    [first.to_owned()].into_iter().chain(groups).collect::<Vec<_>>().join(",")
}
