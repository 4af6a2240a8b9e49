//! What the reference lets pass, merges, leaves out and refuses.

use isocost_planner::Formulation;
use isocost_serve::http::Settings;
use isocost_serve::planning::Options;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::types::*;
use super::{compatible, decoded, load, server, system};
use crate::support::{Served, backend, refused, start, stateless};

fn list<'a>(system: &'a mut Value, section: &str, list: &str) -> &'a mut Vec<Value> {
    system["system"][section][list].as_array_mut().expect("a list")
}

async fn planned(served: &Served, system: &Value) -> Solution {
    decoded(served.post("/optimizeOne", system.to_string()).await).await
}

#[tokio::test]
async fn whole_numbers_are_integers_in_every_service() {
    let served = stateless().await;
    let text = served.post("/optimizeOne", crate::support::quickstart().to_string()).await;
    let text = text.text().await.expect("text")
        + &served.get("/getServers").await.text().await.expect("text");
    assert!(text.contains("\"avgInTokens\": 512,"), "{text}");
    let whole = text.lines().filter(|line| line.trim_end_matches(',').ends_with(".0"));
    assert_eq!(whole.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[tokio::test]
async fn without_lengths_a_batch_is_a_ceiling() {
    let served = compatible(false).await;
    let mut system = system();
    let stated = planned(&served, &system).await;
    for pair in list(&mut system, "modelData", "models") {
        pair.as_object_mut().expect("an object").remove("atTokens");
    }
    let absent = planned(&served, &system).await;
    let batches = |solution: &Solution| -> Vec<i64> {
        solution.allocations.values().map(|allocation| allocation.max_batch).collect()
    };
    assert_eq!(batches(&absent), batches(&stated), "absent is 0");
    assert!(batches(&absent).iter().all(|batch| (1..=64).contains(batch)));
    for pair in list(&mut system, "modelData", "models") {
        pair["maxBatchSize"] = json!(0);
    }
    let open = planned(&served, &system).await;
    assert!(batches(&open).iter().all(|batch| (1..=256).contains(batch)));
    // The least batch near the best rate, and not the ceiling.
    assert!(batches(&open).iter().all(|batch| *batch < 256), "{:?}", batches(&open));
    // The engine's reading takes the same data.
    let answer = stateless().await.posted("/optimizeOne", system.to_string()).await;
    assert_eq!(answer["status"], "optimal");
}

#[tokio::test]
async fn a_pair_that_is_not_learned_yet_is_left_out() {
    let mut system = system();
    let zero = json!({"alpha": 0, "beta": 0, "gamma": 0});
    list(&mut system, "modelData", "models")[1]["perfParms"] = zero.clone();
    for (name, served) in [("compatible", compatible(false).await), ("own", stateless().await)] {
        let answer = served.posted("/optimizeOne", system.to_string()).await;
        let granite = &answer["allocations"]["Bronze-granite_13b"];
        assert_eq!(granite["accelerator"], "A100", "{name}");
        assert!(
            answer["warnings"].to_string().contains("the pair is left out"),
            "{name}: {answer}"
        );
    }
    // Nothing is known of a model at all: nobody else's plan fails by that.
    list(&mut system, "modelData", "models")[2]["perfParms"] = zero;
    let answer = stateless().await.posted("/optimizeOne", system.to_string()).await;
    assert_eq!(answer["status"], "infeasible");
    assert!(answer["reasons"].to_string().contains("Premium-llama_70b"), "{answer}");
    let (status, message) =
        refused(compatible(false).await.post("/optimizeOne", system.to_string()).await).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(
        message.contains("no feasible allocation for servers: [Premium-llama_70b]"),
        "{message}"
    );
    // Without load it is scaled to nothing.
    let idle = load(0.0, 128, 128);
    list(&mut system, "serverData", "servers")[2]["currentAlloc"]["load"] = idle;
    let solution = planned(&compatible(false).await, &system).await;
    assert_eq!(solution.allocations["Premium-llama_70b"].num_replicas, 0);
}

#[tokio::test]
async fn a_server_without_load_is_scaled_to_nothing() {
    let mut system = system();
    for idle in [load(0.0, 128, 512), load(60.0, 128, 0)] {
        list(&mut system, "serverData", "servers")[1]["currentAlloc"]["load"] = idle.clone();
        let solution = planned(&compatible(false).await, &system).await;
        let allocation = &solution.allocations["Bronze-granite_13b"];
        assert_eq!((allocation.num_replicas, allocation.cost), (0, 0.0), "{idle}");
        assert_eq!(allocation.accelerator, "");
        assert_eq!(
            allocation.load.arrival_rate,
            idle["arrivalRate"].as_f64().expect("a rate") as f32
        );
    }
    list(&mut system, "serverData", "servers")[1]["currentAlloc"]["load"] = load(0.0, 0, 0);
    let answer = stateless().await.posted("/optimizeOne", system.to_string()).await;
    assert_eq!(answer["allocations"]["Bronze-granite_13b"]["numReplicas"], 0);
    // Where it is to keep some, these are planned.
    list(&mut system, "serverData", "servers")[1]["minNumReplicas"] = json!(2);
    let solution = planned(&compatible(false).await, &system).await;
    assert_eq!(solution.allocations["Bronze-granite_13b"].num_replicas, 2);
}

/// What the reference charges for an allocation: the difference of the costs, and a tenth of both for another
/// accelerator than the one that `server` runs on, if on any.
fn value(server: &Value, allocation: &Allocation) -> f64 {
    let current = &server["currentAlloc"];
    let (old, new) = (current["cost"].as_f64().unwrap_or(0.0), f64::from(allocation.cost));
    let is_moved = current["accelerator"].as_str().unwrap_or("") != allocation.accelerator;
    new - old + if is_moved { 0.1 * (old + new) } else { 0.0 }
}

#[tokio::test]
async fn the_changes_value_is_what_is_least() {
    // On the dearer accelerator and well: to move would cost a tenth of both, and saves less.
    let mut system = system();
    for pair in list(&mut system, "modelData", "models") {
        pair["perfParms"] = json!({"alpha": 20.0, "beta": 0.04, "gamma": 0.001});
    }
    list(&mut system, "acceleratorData", "accelerators")[0]["cost"] = json!(27);
    let on = |accelerator: &str, cost: f64| {
        let mut system = system.clone();
        for server in list(&mut system, "serverData", "servers").iter_mut().take(2) {
            server["currentAlloc"]["accelerator"] = json!(accelerator);
            server["currentAlloc"]["cost"] = json!(cost);
        }
        system
    };
    let served = compatible(false).await;
    let stays = planned(&served, &on("A100", 54.0)).await;
    assert_eq!(stays.allocations["Premium-granite_13b"].accelerator, "A100");
    let nowhere = planned(&served, &on("", 0.0)).await;
    assert_eq!(nowhere.allocations["Premium-granite_13b"].accelerator, "G2");
    let unknown = planned(&served, &on("TPU", 0.0)).await;
    assert_eq!(unknown.allocations["Premium-granite_13b"].accelerator, "G2");
    // The objective is the sum of what the reference charges.
    for system in [on("A100", 54.0), on("G2", 50.0), on("", 0.0)] {
        let answer = served.posted("/optimizeOne", system.to_string()).await;
        let solution: Solution = serde_json::from_value(answer.clone()).expect("strict types");
        let servers = system["system"]["serverData"]["servers"].as_array().expect("a list");
        let charged: f64 = servers
            .iter()
            .map(|server| {
                value(server, &solution.allocations[server["name"].as_str().expect("a name")])
            })
            .sum();
        let objective = answer["objective"].as_f64().expect("a number");
        assert!((objective - charged).abs() < 1e-3, "{objective} {charged}");
    }
}

#[tokio::test]
async fn who_is_left_out_fails_the_plan() {
    let mut system = system();
    list(&mut system, "capacityData", "count")[1]["count"] = json!(3);
    let served = compatible(true).await;
    let (status, message) = refused(served.post("/optimizeOne", system.to_string()).await).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let what = "optimization error: no feasible allocation for servers: [Premium-llama_70b]";
    assert!(message.starts_with(what), "{message}");
    // The system is kept all the same.
    let count: Count = decoded(served.get("/getCapacity/A100").await).await;
    assert_eq!(count.count, 3);
    let (status, _) = refused(served.post("/optimize", "{}").await).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    // No capacities are no cards, unless there is no limit.
    system["system"].as_object_mut().expect("an object").remove("capacityData");
    let (status, _) = refused(served.post("/optimizeOne", system.to_string()).await).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    system["system"]["optimizerData"]["optimizer"]["unlimited"] = json!(true);
    assert_eq!(planned(&served, &system).await.allocations.len(), 3);
    for (key, unknown) in [("class", "None"), ("model", "none")] {
        let mut system = system.clone();
        list(&mut system, "serverData", "servers")[0][key] = json!(unknown);
        let (status, message) =
            refused(served.post("/optimizeOne", system.to_string()).await).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{message}");
        assert!(message.contains("[Premium-granite_13b]"), "{message}");
    }
}

#[tokio::test]
async fn what_is_said_twice_or_out_of_range_is_read_as_there() {
    let served = compatible(false).await;
    let mut system = system();
    let classes = list(&mut system, "serviceClassData", "serviceClasses");
    classes[0]["priority"] = json!(0);
    classes[1]["priority"] = json!(500);
    classes[1]["modelTargets"][0]["slo-itl"] = json!(1);
    let mut again = classes[1]["modelTargets"][0].clone();
    again["slo-itl"] = json!(80);
    classes[1]["modelTargets"].as_array_mut().expect("a list").push(again);
    let models = list(&mut system, "modelData", "models");
    let mut last = models[0].clone();
    models[0]["perfParms"] = json!({"alpha": 1e6, "beta": 0, "gamma": 0});
    last["acc"] = json!("A100");
    models.push(last);
    models.push(json!({"name": "granite_13b", "acc": "TPU", "perfParms": {"alpha": 1}}));
    system["system"]["optimizerData"]["optimizer"]["saturationPolicy"] = json!("Whatever");
    let solution = planned(&served, &system).await;
    assert_eq!(solution.allocations.len(), 3);
    system["system"]["serverData"]["servers"] = json!([]);
    assert!(planned(&served, &system).await.allocations.is_empty());
    // What its types cannot hold is refused there too.
    let wrong = served.post("/optimizeOne", "{\"system\": {").await;
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_is_set_is_merged() {
    let served = compatible(true).await;
    served.posted("/optimizeOne", system().to_string()).await;
    let more = json!({"accelerators": [{"name": "L4", "cost": 9}, {"name": "G2", "type": "G2", "cost": 26}]});
    served.posted("/setAccelerators", more.to_string()).await;
    let all: Vec<Accelerator> = decoded(served.get("/getAccelerators").await).await;
    assert_eq!(all.len(), 4);
    assert_eq!(all.iter().find(|a| a.name == "G2").map(|a| a.cost), Some(26.0));
    served.posted("/setCapacities", r#"{"count": [{"type": "L4", "count": 2}]}"#).await;
    let capacity: Capacity = decoded(served.get("/getCapacities").await).await;
    assert_eq!(capacity.count.len(), 3);
    let pair =
        json!({"models": [{"name": "granite_13b", "acc": "L4", "perfParms": {"alpha": 30}}]});
    served.posted("/setModels", pair.to_string()).await;
    let model: Models = decoded(served.get("/getModel/granite_13b").await).await;
    assert_eq!(model.models.len(), 3);
    let class = json!({"serviceClasses": [{"name": "Bronze", "priority": 9, "modelTargets": [
        {"model": "llama_70b", "slo-itl": 90}, {"model": "granite_13b", "slo-itl": 70}]}]});
    served.posted("/setServiceClasses", class.to_string()).await;
    let class: Class = decoded(served.get("/getServiceClass/Bronze").await).await;
    assert_eq!((class.priority, class.model_targets.len()), (2, 2));
    let servers = json!({"servers": [server("more", "Bronze", "granite_13b", load(1.0, 10, 10))]});
    served.posted("/setServers", servers.to_string()).await;
    let servers: Servers = decoded(served.get("/getServers").await).await;
    assert_eq!(servers.servers.len(), 4);
    // A class and a model that are added again begin anew.
    let class: Class = decoded(served.get("/addServiceClass/Bronze/500").await).await;
    assert_eq!((class.priority, class.model_targets.len()), (100, 0));
    served.got("/addModel/granite_13b").await;
    let model: Models = decoded(served.get("/getModel/granite_13b").await).await;
    assert!(model.models.is_empty());
    let other = r#"{"name": "Premium", "priority": 3, "modelTargets": []}"#;
    let refused = served.post("/addServiceClassModelTargets", other).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn nothing_has_to_be_planned_before_it_is_applied() {
    let served = compatible(true).await;
    assert_eq!(served.got("/applyAllocation").await, "Done");
    assert_eq!(served.post("/optimize", "").await.status(), StatusCode::BAD_REQUEST);
    let none: Solution = decoded(served.post("/optimize", "{}").await).await;
    assert!(none.allocations.is_empty());
}

#[tokio::test]
async fn the_plan_is_never_worse_than_the_references_heuristic_on_its_terms() {
    let Some(small) = crate::support::small() else { return };
    let exact = compatible(false).await;
    let mut options = Options::default().compatible();
    options.request.formulation = Formulation::GREEDY;
    let heuristic = start(Settings::default(), options, backend(), false).await;
    for capacity in ["1", "0.9", "0.8"] {
        let path = format!("/optimizeOne?capacity={capacity}");
        let answer = heuristic.post(&path, small.clone()).await;
        if answer.status() != StatusCode::OK {
            continue;
        }
        let heuristic: Value = answer.json().await.expect("JSON");
        let plan = exact.posted(&path, small.clone()).await;
        let of = |answer: &Value| answer["objective"].as_f64().expect("a number");
        assert!(of(&plan) <= of(&heuristic) + 1e-6, "{capacity}: {} {}", of(&plan), of(&heuristic));
        assert_eq!(plan["status"], "optimal");
    }
}

#[tokio::test]
async fn under_shortage_what_there_is_is_shared_out_as_there_and_at_once() {
    let Some(small) = crate::support::small() else { return };
    let served = compatible(false).await;
    let mut options = Options::default().compatible();
    options.request.formulation = Formulation::GREEDY;
    let heuristic = start(Settings::default(), options, backend(), false).await;
    for capacity in ["0.6", "0.4", "0.2"] {
        let path = format!("/optimizeOne?capacity={capacity}");
        let (ours, theirs) =
            (served.post(&path, small.clone()).await, heuristic.post(&path, small.clone()).await);
        assert!(matches!(ours.status(), StatusCode::OK | StatusCode::NOT_FOUND), "{capacity}");
        let status = (ours.status(), theirs.status());
        let [ours, theirs]: [Value; 2] =
            [ours.json().await.expect("JSON"), theirs.json().await.expect("JSON")];
        // The exact way may serve everyone where the heuristic does not.
        if ours["status"] != "optimal" {
            assert_eq!(status.0, status.1, "{capacity}");
            assert_eq!(ours["allocations"], theirs["allocations"], "{capacity}");
        }
    }
}
