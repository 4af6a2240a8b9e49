//! Budgets of money and carbon from the command line, and scenarios side by side.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn isocost(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_isocost"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(args)
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn json(args: &[&str]) -> Value {
    let output = isocost(&[args, &["--format", "json"]].concat());
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{args:?}: {e}: {}", text(&output.stderr)))
}

/// The example fleet with what `change` makes of it, as one file in `dir`.
fn fleet(dir: &Path, change: impl Fn(&mut Value)) -> String {
    let mut all = serde_json::json!({});
    let files = [
        ("accelerator-data", "acceleratorData"),
        ("model-data", "modelData"),
        ("serviceclass-data", "serviceClassData"),
        ("server-data", "serverData"),
        ("capacity-data", "capacityData"),
        ("optimizer-data", "optimizerData"),
    ];
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/fleet-27");
    for (file, key) in files {
        if let Ok(text) = std::fs::read_to_string(data.join(format!("{file}.json"))) {
            all[key] = serde_json::from_str(&text).expect("JSON");
        }
    }
    change(&mut all);
    let path = dir.join("fleet.json");
    std::fs::write(&path, all.to_string()).expect("it is written");
    path.display().to_string()
}

// A shortage of this fleet takes the pure-Rust solver minutes.
#[cfg(feature = "highs")]
#[test]
fn a_budget_is_spent_on_the_highest_priorities() {
    let fleet = ["plan", "data/fleet-27", "--unlimited", "--no-cost-range"];
    let all = json(&fleet);
    let plan = json(&[&fleet[..], &["--budget", "5000"]].concat());
    assert_eq!(plan["status"], "optimal");
    assert!(plan["totalCost"].as_f64().expect("a cost") <= 5000.0);
    assert_eq!(plan["budgets"][0]["unit"], "cents/h");
    assert_eq!(plan["budgets"][0]["limit"], 5000.0);
    let much = json(&[&fleet[..], &["--budget", "1000000"]].concat());
    assert_eq!(much["totalCost"], all["totalCost"]);
    let refused = isocost(&["plan", "data/fleet-27", "--budget", "-1"]);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn carbon_needs_to_be_known_and_is_told() {
    let dir = tempfile::tempdir().expect("a folder");
    let unknown = fleet(dir.path(), |all| {
        all["optimizerData"]["optimizer"]["budgets"] =
            serde_json::json!([{"name": "air", "gramsPerHour": 1000}]);
    });
    let refused = isocost(&["plan", &unknown]);
    assert_eq!(refused.status.code(), Some(2));
    let said = text(&refused.stderr);
    assert!(said.contains("budget `air`") && said.contains("carbonIntensity"), "{said}");
    let known = |grams: f64| {
        fleet(dir.path(), |all| {
            let optimizer = &mut all["optimizerData"]["optimizer"];
            optimizer["carbonIntensity"] = 400.into();
            optimizer["budgets"] = serde_json::json!([{"name": "air", "gramsPerHour": grams}]);
        })
    };
    let plan = json(&["plan", &known(1e6), "--no-cost-range"]);
    let (kg, kwh) = (plan["carbonKgPerDay"].as_f64(), plan["energyKwhPerDay"].as_f64());
    let (kg, kwh) = (kg.expect("it is known"), kwh.expect("a number"));
    assert!((kg - 0.4 * kwh).abs() < 1e-9 * kwh && kg > 0.0);
    let infeasible = isocost(&["plan", &known(1.0), "--no-cost-range"]);
    assert_eq!(infeasible.status.code(), Some(3));
    assert!(
        text(&infeasible.stdout).contains("g CO2/h of budget air"),
        "{}",
        text(&infeasible.stdout)
    );
}

// A shortage of this fleet takes the pure-Rust solver minutes.
#[cfg(feature = "highs")]
#[test]
fn scenarios_stand_side_by_side() {
    let dir = tempfile::tempdir().expect("a folder");
    let page = dir.path().join("page.html").display().to_string();
    let args = ["compare", "data/fleet-27", "data/quickstart", "--growth", "2", "--report", &page];
    let rows = json(&args);
    let rows = rows.as_array().expect("a list");
    let names: Vec<&str> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
    let wanted = ["data/fleet-27", "data/fleet-27 x 2", "data/quickstart", "data/quickstart x 2"];
    assert_eq!(names, wanted);
    for row in rows.iter().step_by(2) {
        let name = row["name"].as_str().expect("a name");
        let plan = json(&["plan", name, "--no-cost-range"]);
        assert_eq!(row["costCentsPerH"], plan["totalCost"]);
        // There is a plan where the room is said to last, and none where it ends.
        let code = |factor: &Value| {
            let factor = factor.to_string();
            isocost(&["plan", name, "--no-cost-range", "--margin", &factor]).status.code()
        };
        assert_eq!(code(&row["room"]["lasts"]), Some(0));
        if !row["room"]["ends"].is_null() {
            assert_eq!(code(&row["room"]["ends"]), Some(3));
        }
        // A plan as it is breaks where stress says that it does.
        let stress = json(&["stress", name]).to_string();
        assert!(stress.contains(row["breaks"]["server"].as_str().expect("a server")));
        let growth = row["breaks"]["growth"].as_f64().expect("a factor");
        assert_eq!(growth >= 1.0, row["fits"] == true, "{row}");
    }
    let page = std::fs::read_to_string(&page).expect("it was written");
    assert!(
        wanted
            .iter()
            .all(|name| page.contains(&name.replace('/', "&#x2f;")) || page.contains(name))
    );
    let alone = isocost(&["compare", "data/fleet-27"]);
    assert_eq!(alone.status.code(), Some(2));
    let missing = isocost(&["compare", "no-such-a", "no-such-b"]);
    assert_eq!(missing.status.code(), Some(2));
    let said = text(&missing.stderr);
    assert!(said.contains("no-such-a") && said.contains("no-such-b"), "{said}");
}
