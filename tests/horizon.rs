//! `isocost stress`, `--margin` and `isocost horizon` end to end.

use std::path::Path;
use std::process::{Command, Output};

fn isocost(args: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    Command::new(env!("CARGO_BIN_EXE_isocost"))
        .current_dir(root)
        .args(args)
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

fn json(args: &[&str]) -> serde_json::Value {
    let output = isocost(&[args, &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

const DAY: [&str; 4] =
    ["horizon", "data/quickstart", "--profile", "data/profiles/quickstart-day.csv"];

#[test]
fn stress_says_what_breaks_first() {
    let stress = json(&["stress", "data/quickstart", "--factor", "1.3"]);
    let limits = stress["limits"].as_array().expect("a list");
    assert!(limits.len() > 3);
    let both: Vec<f64> = limits.iter().filter_map(|l| l["breaksAt"]["both"].as_f64()).collect();
    assert!(both.windows(2).all(|w| w[0] <= w[1]) && both[0] >= 1.0, "{both:?}");
}

#[test]
fn a_margin_is_stood() {
    let args = ["stress", "data/quickstart", "--margin", "1.2", "--service-margin", "1.2"];
    let stress = json(&[&args[..], &["--factor", "1.2", "--unlimited"]].concat());
    let limits = stress["limits"].as_array().expect("a list");
    assert!(limits.iter().all(|l| l["breaksWithinFactor"] == false), "{stress}");
    let plain = json(&["plan", "data/quickstart", "--unlimited"]);
    let cost = |v: &serde_json::Value| v["totalCost"].as_f64().expect("a cost");
    assert!(cost(&stress) > cost(&plain));
    let planned = json(&["plan", "data/quickstart", "--margin", "1.2"]);
    let load = &planned["allocations"]["premium-llama-3.1-8b"]["load"]["arrivalRate"];
    assert_eq!(load, 120.0, "the load is shown as stated");
}

#[test]
fn reserving_some_is_cheaper_than_any_other_way_to_buy() {
    let plan = json(&[&DAY[..], &["--reserved", "0.6"]].concat());
    assert_eq!(plan["status"], "optimal");
    assert_eq!(plan["periods"].as_array().expect("a list").len(), 24);
    let cost = plan["totalCost"].as_f64().expect("a cost");
    for other in plan["comparedCost"].as_array().expect("a list") {
        assert!(other["cost"].as_f64().expect("a cost") >= cost * (1.0 - 1e-9), "{other}");
    }
}

#[test]
fn a_horizon_is_written_whole() {
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().join("day").display().to_string();
    let plots = dir.path().join("plots").display().to_string();
    let more = ["--reserved", "0.6", "--no-compare", "--out", &out, "--plots", &plots];
    let output = isocost(&[&DAY[..], &more].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("optimal") && !output.stdout.contains(&0x1b));
    let names =
        ["../plots/cards.svg", "../plots/cost.svg", "horizon.json", "placements.csv", "pools.csv"];
    let read = |name: &str| std::fs::read_to_string(dir.path().join("day").join(name));
    for name in names {
        assert!(read(name).is_ok_and(|text| text.len() > 100), "{name}");
    }
    for name in ["cards.png", "cost.png"] {
        let png = std::fs::read(dir.path().join("plots").join(name));
        assert!(png.is_ok_and(|bytes| bytes.starts_with(b"\x89PNG")), "{name}");
    }
    // A day is divided as people divide it.
    let cards = read("../plots/cards.svg").expect("it is there");
    assert!(cards.contains(">12</text>") && !cards.contains("2.5</text>"), "{cards}");
    assert_eq!(read("pools.csv").expect("it is there").lines().count(), 1 + 24 * 4);
}

#[test]
fn every_problem_of_a_profile_and_its_prices_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = |name: &str| dir.path().join(name).display().to_string();
    let profile = "period,hours,server,factor\nday,2,premium-lama-3.1-8b,1\nday,3,free-*,x\n\
                   night,0,*,1\nnight,,free-llama-3.1-8b,1\n";
    let prices = "type,reserved_cents_per_h\nL4,-3\nL40S,100\nB300,1\nL40S,90\n";
    std::fs::write(path("profile.csv"), profile).expect("written");
    std::fs::write(path("prices.csv"), prices).expect("written");
    let (profile, prices) = (path("profile.csv"), path("prices.csv"));
    let args = ["horizon", "data/quickstart", "--profile", &profile, "--prices", &prices];
    let output = isocost(&[&args[..], &["--out", &path("out")]].concat());
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(!dir.path().join("out").exists() && output.stdout.is_empty());
    for words in [
        "profile.csv:2:1: unknown server `premium-lama-3.1-8b`; did you mean",
        "profile.csv:3:1: period `day` lasts 3 hours, above 2",
        "profile.csv:3:1: factor is `x`; expected a number",
        "profile.csv:4:1: period `night` lasts 0 hours",
        "profile.csv:5:1: server `free-llama-3.1-8b` has two loads in period `night`",
        "prices.csv:2:1: reserved_cents_per_h is `-3`",
        "prices.csv:4:1: unknown type `B300`",
        "prices.csv:5:1: type `L40S` has two rows",
        "type `H100` has no row; add one",
    ] {
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
    let missing = isocost(&["horizon", "data/quickstart", "--profile", "nowhere.csv"]);
    assert_eq!(missing.status.code(), Some(2));
    let unknown = isocost(&[&DAY[..], &["--transition", "--max-moves", "2"]].concat());
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("--transition, --max-moves"));
}

#[test]
fn an_infeasible_period_is_named_and_exits_with_3() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("profile.csv").display().to_string();
    let profile = "period,hours,server,factor\nquiet,20,*,0.2\nflood,4,*,60\n";
    std::fs::write(&path, profile).expect("written");
    let output = isocost(&["horizon", "data/quickstart", "--profile", &path, "--reserved", "0.6"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("period `flood` is infeasible") && !said.contains("`quiet`"), "{said}");
}

#[test]
fn fewer_cards_in_a_period_cost_more() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("cards.csv").display().to_string();
    std::fs::write(&path, "period,type,count\n10,L40S,0\n11,L40S,1\n").expect("written");
    let args = [&DAY[..], &["--no-compare"]].concat();
    let all = json(&args)["totalCost"].as_f64().expect("a cost");
    let fewer = json(&[&args[..], &["--period-cards", &path]].concat());
    assert!(fewer["totalCost"].as_f64().expect("a cost") > all);
}

#[test]
fn machines_are_reserved_and_rented_whole() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("it is written");
        path.display().to_string()
    };
    let day = file("day.csv", "period,hours,server,factor\nday,10,*,1\nnight,14,*,0.3\n");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = std::fs::read_to_string(root.join("data/nodes.yaml")).expect("it is there");
    // Replicas of 5 and 3 cards, and two kinds of machine with H100s.
    let refused = isocost(&["horizon", "data/nodes.yaml", "--profile", &day]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("several kinds of node"), "{}", text(&refused.stderr));
    let one_kind = example.lines().filter(|line| !line.contains("h100x4"));
    let nested = one_kind.collect::<Vec<_>>().join("\n");
    let nested = nested.replace("accCount: 5", "accCount: 4").replace("accCount: 3", "accCount: 2");
    let nested = file("nested.yaml", &nested);
    let plan = json(&["horizon", &nested, "--profile", &day, "--reserved", "0.6"]);
    assert_eq!(plan["status"], "optimal");
    // One for all hours, and another by day: 2,640 cents an hour.
    let expected = 0.6 * 2640.0 * 24.0 + 2640.0 * 10.0;
    assert!((plan["totalCost"].as_f64().expect("a cost") - expected).abs() < 1e-6, "{plan}");
}
