//! `isocost explain` end to end: what it says is put to `isocost plan`.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn isocost(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_isocost")).args(args).output().expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

fn json(args: &[&str]) -> Value {
    // However busy the machine is: what is exact must not depend on it.
    let patient: &[&str] =
        if args[0] == "explain" { &["--each", "300", "--stage", "600"] } else { &[] };
    let output = isocost(&[args, patient, &["--format", "json"]].concat());
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{args:?}: {e}: {}", text(&output.stderr)))
}

/// microlp takes minutes for what HiGHS does in seconds.
fn highs() -> bool {
    let built = isocost_solver::backends().contains(&"highs");
    if !built {
        println!("skipped: made for HiGHS");
    }
    built
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// The value of a quantity that has to be exact.
fn exact(known: &Value) -> f64 {
    assert_eq!(known["known"], "exact", "{known}");
    number(&known["value"])
}

/// A copy of an example scenario, to be changed.
struct Copy(tempfile::TempDir);

impl Copy {
    fn of(name: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        for entry in std::fs::read_dir(root().join(name)).expect("it is there") {
            let entry = entry.expect("an entry");
            std::fs::copy(entry.path(), dir.path().join(entry.file_name())).expect("a copy");
        }
        Self(dir)
    }

    fn path(&self) -> String {
        self.0.path().display().to_string()
    }

    fn change(&self, file: &str, change: impl Fn(&mut Value)) -> &Self {
        let path = self.0.path().join(file);
        let text = std::fs::read_to_string(&path).expect("it is there");
        let mut value: Value = serde_json::from_str(&text).expect("JSON");
        change(&mut value);
        std::fs::write(&path, value.to_string()).expect("it can be written");
        self
    }

    /// Sets the number of cards of each type to `count(type, count)`.
    fn cards(&self, count: impl Fn(&str, u64) -> u64) -> &Self {
        self.change("capacity-data.json", |data| {
            for entry in data["count"].as_array_mut().expect("a list") {
                let name = entry["type"].as_str().expect("a name").to_owned();
                entry["count"] = count(&name, entry["count"].as_u64().expect("a count")).into();
            }
        })
    }

    fn plan(&self) -> Value {
        json(&["plan", &self.path()])
    }
}

/// Three quarters, rounded down.
fn scaled(count: u64, factor: f64) -> u64 {
    (count as f64 * factor) as u64
}

#[test]
fn marginal_values_are_what_planning_anew_costs() {
    if !highs() {
        return;
    }
    let said = json(&["explain", "data/fleet-27", "--capacity-scale", "0.75"]);
    let cost = exact(&said["objective"]);
    for limit in said["limits"].as_array().expect("a list") {
        let name = limit["limit"].as_str().expect("a name");
        let with = |by: i64| {
            let copy = Copy::of("data/fleet-27");
            copy.cards(|t, n| {
                scaled(n, 0.75).saturating_add_signed(if t == name { by } else { 0 })
            });
            number(&copy.plan()["totalCost"])
        };
        assert_eq!(cost - with(1), exact(&limit["oneMore"]), "one more {name}");
        assert_eq!(with(-1) - cost, exact(&limit["oneFewer"]), "one fewer {name}");
        let enough = &limit["enough"];
        let more = number(&enough["capacity"]) - number(&limit["capacity"]);
        if exact(&enough["saving"]) > 0.0 {
            assert_eq!(cost - with(more as i64), exact(&enough["saving"]), "enough {name}");
            assert!(enough["fewest"] == true && with(more as i64 - 1) > with(more as i64));
        }
    }
}

#[test]
fn an_accelerator_enters_the_plan_below_its_break_even_price() {
    if !highs() {
        return;
    }
    let said = json(&["explain", "data/fleet-27", "--options", "0"]);
    let cost = exact(&said["objective"]);
    let mut tried = 0;
    for entry in said["breakEven"].as_array().expect("a list") {
        let name = entry["accelerator"].as_str().expect("a name");
        if entry["breakEvenPrice"]["known"] != "exact" {
            continue;
        }
        let price = exact(&entry["breakEvenPrice"]);
        let at = |price: f64| {
            let copy = Copy::of("data/fleet-27");
            copy.change("accelerator-data.json", |data| {
                let list = data["accelerators"].as_array_mut().expect("a list");
                let of = list.iter_mut().find(|a| a["name"] == name).expect("it is there");
                of["cost"] = price.into();
            });
            number(&copy.plan()["totalCost"])
        };
        assert!(at(price - 1.0) < cost - 1e-6, "{name} at {}", price - 1.0);
        assert!((at(price) - cost).abs() < 1e-6 * cost, "{name} at {price}");
        tried += 1;
    }
    assert!(tried > 0);
}

#[test]
fn a_limit_of_moves_that_cannot_bind_changes_nothing() {
    let args = ["explain", "data/fleet-27", "--capacity-scale", "0.9", "--options", "0"];
    let (free, counted) = (json(&args), json(&[&args[..], &["--max-moves", "27"]].concat()));
    let bounds = |said: &Value| -> Vec<f64> {
        let options = said["choices"].as_array().expect("a list").iter();
        let options = options.flat_map(|choice| choice["options"].as_array().expect("a list"));
        options.filter_map(|o| o["regret"]["atLeast"].as_f64()).collect()
    };
    assert!(bounds(&free).iter().filter(|bound| **bound > 0.0).count() > 27);
    assert_eq!(bounds(&free), bounds(&counted));
    let limits = free["limits"].as_array().expect("a list");
    assert!(limits.iter().any(|limit| number(&limit["dualPrice"]) > 0.0));
    for key in ["limits", "choices", "breakEven", "notes"] {
        assert_eq!(free[key], counted[key], "{key}");
    }
}

/// A quickstart of unlimited cards with something more in its first server, and how it is stated.
fn ruled(rules: &[(&str, u64)], formulation: &str) -> [String; 2] {
    let copy = Copy::of("data/quickstart");
    copy.change("server-data.json", |data| {
        for (field, value) in rules {
            data["servers"][0][field] = (*value).into();
        }
    });
    let path = copy.path();
    ["plan", "explain"].map(|command| {
        let output = isocost(&[command, &path, "--formulation", formulation]);
        assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
        text(&output.stdout)
    })
}

#[test]
fn a_rule_that_no_plan_keeps_is_named_with_what_it_needs_and_the_repair() {
    type Rules<'r> = &'r [(&'r str, u64)];
    let cases: [(Rules<'_>, &str, &str); 6] = [
        (
            &[("maxNumReplicas", 0)],
            "single",
            "needs 1 replica of H100 for 120 requests/min, maxNumReplicas allows 0: raise it to 1",
        ),
        (
            &[("maxNumReplicas", 0)],
            "mixed",
            "needs 1 replica of H100 for 120 requests/min, maxNumReplicas allows 0: raise it to 1",
        ),
        (
            &[("minTypes", 2)],
            "single",
            "has to be on 2 card types (minTypes), and single keeps a server on one",
        ),
        (&[("minTypes", 5)], "mixed", "has to be on 5 card types (minTypes), "),
        (
            &[("minTypes", 2), ("maxNumReplicas", 1)],
            "mixed",
            "needs 2 replicas of H100 and A100-80GB for 120 requests/min, maxNumReplicas allows 1: raise \
             it to 2",
        ),
        (
            &[("minNumReplicas", 40)],
            "single",
            "has to have 40 replicas (minNumReplicas), 4 fit if no other server is there: lower \
             minNumReplicas to 4, or raise the limits",
        ),
    ];
    for (rules, formulation, words) in cases {
        for said in ruled(rules, formulation) {
            assert!(said.contains(words), "{rules:?} {formulation}: {said}");
        }
    }
}

#[test]
fn a_budget_is_repaired_in_its_own_unit() {
    let copy = Copy::of("data/quickstart");
    copy.change("optimizer-data.json", |data| {
        let budget = serde_json::json!({"name": "north", "watts": 500});
        data["optimizer"]["budgets"] = serde_json::json!([budget]);
    });
    let said = text(&isocost(&["explain", &copy.path()]).stdout);
    let repair =
        said.lines().find(|line| line.contains("  budgets: ")).unwrap_or_else(|| panic!("{said}"));
    assert!(repair.contains(" W of budget north more; the plan then costs "), "{repair}");
    assert!(!said.contains("0 cards)") && !said.contains("cheapest cards"), "{said}");
    // What is said is enough, and one watt less is not.
    let found = json(&["explain", &copy.path()]);
    let more = number(&found["repairs"]["cheapest"]["add"][0]["more"]);
    for (watts, status) in [(500.0 + more, "optimal"), (499.0 + more, "infeasible")] {
        copy.change("optimizer-data.json", |data| {
            data["optimizer"]["budgets"][0]["watts"] = watts.into();
        });
        assert_eq!(copy.plan()["status"], status, "{watts} W");
    }
}

#[test]
fn repairs_make_the_fleet_fit() {
    if !highs() {
        return;
    }
    let said = json(&["explain", "data/fleet-27", "--capacity-scale", "0.5"]);
    assert_eq!((&said["status"], &said["othersFit"]), (&"infeasible".into(), &false.into()));
    assert_eq!(said["iis"]["irreducible"], true);
    let repairs = &said["repairs"];
    for repair in [&repairs["cheapest"], &repairs["fewest"]] {
        let copy = Copy::of("data/fleet-27");
        let add = repair["add"].as_array().expect("a list");
        copy.cards(|t, n| {
            let more = add
                .iter()
                .find(|a| a["limit"] == t)
                .map_or(0, |a| a["more"].as_u64().expect("a count"));
            scaled(n, 0.5) + more
        });
        let plan = copy.plan();
        assert_eq!(plan["status"], "optimal");
        assert_eq!(number(&plan["totalCost"]), exact(&repair["plan"]));
    }
    let fewest = exact(&repairs["fewest"]["cards"]);
    assert!(fewest <= exact(&repairs["cheapest"]["cards"]));
    assert!(exact(&repairs["cheapest"]["price"]) <= exact(&repairs["fewest"]["price"]));
    let left = &repairs["leaveOut"];
    let names: Vec<&str> =
        left["servers"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert_eq!(names.len() as f64, exact(&left["count"]));
    let copy = Copy::of("data/fleet-27");
    copy.cards(|_, n| scaled(n, 0.5)).change("server-data.json", |data| {
        data["servers"]
            .as_array_mut()
            .expect("a list")
            .retain(|server| !names.contains(&server["name"].as_str().expect("a name")));
    });
    assert_eq!(number(&copy.plan()["totalCost"]), exact(&left["plan"]));
}

#[test]
fn an_iis_does_not_fit_and_nothing_in_it_can_be_spared() {
    if !highs() {
        return;
    }
    let said = json(&["explain", "data/fleet-27", "--capacity-scale", "0.5"]);
    let names = |list: &Value, key: Option<&str>| -> Vec<String> {
        let name = |v: &Value| key.map_or(v, |k| &v[k]).as_str().expect("a name").to_owned();
        list.as_array().expect("a list").iter().map(name).collect()
    };
    let servers = names(&said["iis"]["servers"], None);
    let limits = names(&said["iis"]["limits"], Some("limit"));
    let status = |without: &str| -> Value {
        let copy = Copy::of("data/fleet-27");
        copy.cards(|t, n| {
            let stands = limits.iter().any(|l| l == t) && t != without;
            if stands { scaled(n, 0.5) } else { 100_000 }
        });
        copy.change("server-data.json", |data| {
            data["servers"].as_array_mut().expect("a list").retain(|server| {
                let name = server["name"].as_str().expect("a name");
                servers.iter().any(|s| s == name) && name != without
            });
        });
        copy.plan()["status"].clone()
    };
    assert_eq!(status(""), "infeasible");
    for member in servers.iter().chain(&limits) {
        assert_eq!(status(member), "optimal", "without {member}");
    }
}

/// Sets a latency objective of Premium for llama-3.1-8b.
fn premium(copy: &Copy, key: &str, ms: f64) {
    copy.change("serviceclass-data.json", |data| {
        let classes = data["serviceClasses"].as_array_mut().expect("a list");
        let class = classes.iter_mut().find(|c| c["name"] == "Premium").expect("it is there");
        let targets = class["modelTargets"].as_array_mut().expect("a list");
        let target =
            targets.iter_mut().find(|t| t["model"] == "llama-3.1-8b").expect("it is there");
        target[key] = ms.into();
    });
}

#[test]
fn the_smallest_relaxation_is_enough_and_no_less_is() {
    let copy = Copy::of("data/quickstart");
    premium(&copy, "slo-itl", 5.0);
    let output = isocost(&["explain", &copy.path()]);
    assert_eq!(output.status.code(), Some(3));
    let said = text(&output.stdout);
    assert!(said.contains("closest is H100: ITL is at best") && said.contains("All others fit."));

    let said = json(&["explain", &copy.path()]);
    let unmet = &said["unmet"][0];
    assert_eq!(
        (&unmet["server"], &unmet["why"]),
        (&"premium-llama-3.1-8b".into(), &"objectives".into())
    );
    assert_eq!((&unmet["closest"]["metric"], &said["othersFit"]), (&"itl".into(), &true.into()));
    // Served with any number of cards, and with those that there are.
    for (relaxation, unlimited) in [(&unmet["relaxations"][0], true), (&unmet["fits"][0], false)] {
        let status = |ms: f64| {
            premium(&copy, "slo-itl", ms);
            let path = copy.path();
            let args: &[&str] = if unlimited { &["--unlimited"] } else { &[] };
            json(&[&["plan", &path], args].concat())["status"].clone()
        };
        assert_eq!(status(number(&relaxation["limits"][0]["toMs"])), "optimal");
        assert_eq!(status(5.0 * number(&relaxation["notEnough"])), "infeasible");
    }
}

#[test]
fn a_relaxed_objective_makes_an_iis_fit() {
    let copy = Copy::of("data/quickstart");
    copy.cards(|t, _| match t {
        "L4" => 2,
        "L40S" | "H100" => 1,
        _ => 0,
    });
    let said = json(&["explain", &copy.path()]);
    assert_eq!(said["status"], "infeasible");
    let relaxations = said["repairs"]["relaxations"].as_array().expect("a list");
    let of = relaxations
        .iter()
        .find(|r| r["server"] == "premium-llama-3.1-8b" && r["limits"][0]["latency"] == "itl");
    let relaxation = of.unwrap_or_else(|| panic!("{said:#}"));
    let from = number(&relaxation["limits"][0]["fromMs"]);
    premium(&copy, "slo-itl", number(&relaxation["limits"][0]["toMs"]));
    assert_eq!(copy.plan()["status"], "optimal");
    premium(&copy, "slo-itl", from * number(&relaxation["notEnough"]));
    assert_eq!(copy.plan()["status"], "infeasible");
}

#[test]
fn the_reference_fleet_at_half_its_cards_has_an_iis_of_two() {
    let path = root().join("../shared/reference/large");
    if !path.exists() {
        println!("skipped: {} is not here", path.display());
        return;
    }
    if !highs() {
        return;
    }
    let path = path.display().to_string();
    let flags = ["--reading", "reference", "--capacity-scale"];
    let said = json(&[&["explain", &path][..], &flags, &["0.5"]].concat());
    let iis = &said["iis"];
    assert_eq!(iis["servers"], serde_json::json!(["Free-llama_70b", "Free-mixtral_8_7b"]));
    assert_eq!((&iis["irreducible"], &iis["fewestServers"]), (&true.into(), &true.into()));
    // The design's figure at three quarters.
    let said = json(&[&["explain", &path, "--options", "1"][..], &flags, &["0.75"]].concat());
    assert_eq!(exact(&said["objective"]), 22_328.0);
    for limit in said["limits"].as_array().expect("a list") {
        exact(&limit["oneMore"]);
        exact(&limit["oneFewer"]);
    }
}

#[test]
fn a_fleet_without_limits_is_said_to_have_none() {
    let output = isocost(&["explain", "data/quickstart", "--unlimited"]);
    assert_eq!(output.status.code(), Some(0));
    let said = text(&output.stdout);
    assert!(said.contains("all 3 servers fit") && said.contains("No limit is set."), "{said}");
    let said = text(&isocost(&["explain", "data/quickstart"]).stdout);
    assert!(said.contains("No limit binds"), "{said}");
}

#[test]
fn what_is_cut_short_says_so() {
    let output = isocost(&["explain", "data/quickstart", "--stage", "0"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.contains("was cut short") && said.contains("not proven"), "{said}");
    let greedy = isocost(&["explain", "data/quickstart", "--formulation", "greedy"]);
    assert_eq!(greedy.status.code(), Some(2));
    assert!(text(&greedy.stderr).contains("choose --formulation"));
}
