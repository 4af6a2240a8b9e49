//! What is kept: by a stateful service a system, by a stateless one the last that it planned for.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{quickstart, refused, stateful, stateless};

#[tokio::test]
async fn a_system_is_built_planned_and_applied() {
    let served = stateful().await;
    let scenario = quickstart();
    let section = |name: &str| scenario["system"][name].clone();
    for (path, name) in [
        ("/setAccelerators", "acceleratorData"),
        ("/setCapacities", "capacityData"),
        ("/setModels", "modelData"),
        ("/setServiceClasses", "serviceClassData"),
        ("/setServers", "serverData"),
    ] {
        assert_eq!(served.posted(path, section(name).to_string()).await, section(name), "{path}");
    }
    let accelerators = &scenario["system"]["acceleratorData"]["accelerators"];
    assert_eq!(&served.got("/getAccelerators").await, accelerators);
    assert_eq!(served.got("/getAccelerator/H100").await, accelerators[3]);
    assert_eq!(served.got("/getCapacities").await, section("capacityData"));
    assert_eq!(served.got("/getCapacity/L4").await, json!({"type": "L4", "count": 8}));
    assert_eq!(served.got("/getModels").await, json!(["llama-3.1-8b", "qwen2.5-32b"]));
    let model = served.got("/getModel/qwen2.5-32b").await;
    assert_eq!(model["models"].as_array().map(Vec::len), Some(2));
    let perf = served.got("/getModelAcceleratorPerf/qwen2.5-32b/H100").await;
    assert_eq!(perf["perfParms"]["alpha"], 28.1095);
    assert_eq!(served.got("/getServiceClasses").await, section("serviceClassData"));
    assert_eq!(served.got("/getServiceClass/Free").await["priority"], 3);
    let target = served.got("/getServiceClassModelTarget/Free/qwen2.5-32b").await;
    assert_eq!(target["slo-itl"], 100);
    assert_eq!(served.got("/getServers").await, section("serverData"));

    let (status, message) = refused(served.post("/applyAllocation", "").await).await;
    assert_eq!((status, message.contains("POST /optimize first")), (StatusCode::CONFLICT, true));
    let unlimited = served.posted("/optimize", json!({"unlimited": true}).to_string()).await;
    let whole = json!({"optimizer": {"unlimited": false}}).to_string();
    let plan = served.posted("/optimize", whole).await;
    assert!(unlimited["totalCost"].as_f64() <= plan["totalCost"].as_f64());
    // Without options: those that were given last.
    assert_eq!(served.posted("/optimize", "").await["totalCost"], plan["totalCost"]);
    let name = "premium-qwen2.5-32b";
    let server = served.got(&format!("/getServer/{name}")).await;
    assert_eq!(server["desiredAlloc"]["cost"], plan["allocations"][name]["cost"]);
    assert_eq!(served.posted("/applyAllocation", "").await, "Done");
    let server = served.got(&format!("/getServer/{name}")).await;
    for key in ["accelerator", "numReplicas", "maxBatch"] {
        assert_eq!(server["currentAlloc"][key], plan["allocations"][name][key], "{key}");
    }
    assert_eq!(server["currentAlloc"]["load"]["arrivalRate"], 30);
    // What was applied is a sound scenario, and costs the same again.
    assert_eq!(served.posted("/optimize", "").await["totalCost"], plan["totalCost"]);
}

#[tokio::test]
async fn a_plan_that_leaves_a_server_out_can_be_applied() {
    let served = stateful().await;
    let mut scenario = quickstart();
    for count in scenario["system"]["capacityData"]["count"].as_array_mut().expect("a list") {
        count["count"] = json!(if count["type"] == "L4" { 8 } else { 0 });
    }
    let plan = served.posted("/optimizeOne", scenario.to_string()).await;
    assert_eq!(plan["status"], "infeasible");
    served.posted("/applyAllocation", "").await;
    let left = served.got("/getServer/premium-qwen2.5-32b").await;
    assert_eq!(left["currentAlloc"]["numReplicas"], 0);
    assert_eq!(served.posted("/optimize", "").await["allocations"], plan["allocations"]);
}

#[tokio::test]
async fn entries_are_added_replaced_and_removed() {
    let served = stateful().await;
    served.posted("/optimizeOne", quickstart().to_string()).await;
    let card = json!({"name": "B200", "type": "B200", "multiplicity": 1, "memSize": 192,
        "memBW": 8000, "power": {"idle": 1, "full": 2, "midPower": 1, "midUtil": 0.5}, "cost": 1});
    served.posted("/addAccelerator", card.to_string()).await;
    served.posted("/setCapacity", json!({"type": "B200", "count": 9}).to_string()).await;
    let perf = json!({"name": "qwen2.5-32b", "acc": "B200", "accCount": 1, "maxBatchSize": 64,
        "atTokens": 512, "perfParms": {"alpha": 10, "beta": 0.05, "gamma": 0.0001}});
    served.posted("/addModelAcceleratorPerf", perf.to_string()).await;
    let plan = served.posted("/optimize", "").await;
    assert_eq!(plan["allocations"]["premium-qwen2.5-32b"]["accelerator"], "B200");

    let dear = json!({"name": "B200", "type": "B200", "cost": 1e6});
    served.posted("/addAccelerator", dear.to_string()).await;
    assert_eq!(served.got("/getAccelerators").await.as_array().map(Vec::len), Some(5));
    let plan = served.posted("/optimize", "").await;
    assert_eq!(plan["allocations"]["premium-qwen2.5-32b"]["accelerator"], "H100");

    served.posted("/removeModelAcceleratorPerf/qwen2.5-32b/B200", "").await;
    assert_eq!(served.posted("/removeCapacity/B200", "").await["count"], 9);
    assert_eq!(served.posted("/removeAccelerator/B200", "").await["cost"], 1e6);
    let server = served.posted("/removeServer/free-llama-3.1-8b", "").await;
    assert_eq!(
        served.posted("/optimize", "").await["allocations"].as_object().map(|a| a.len()),
        Some(2)
    );
    served.posted("/addServer", server.to_string()).await;
    served.posted("/addServiceClass/Gold/2", "").await;
    let gold = json!({"name": "Gold", "modelTargets": [{"model": "llama-3.1-8b", "slo-itl": 50}]});
    for path in ["/addServiceClassModelTargets", "/addServiceClassModelTarget"] {
        served.posted(path, gold.to_string()).await;
    }
    let target = served.got("/getServiceClassModelTarget/Gold/llama-3.1-8b").await;
    assert_eq!(target["slo-itl"], 50);
    served.posted("/removeServiceClassModelTarget/Gold/llama-3.1-8b", "").await;
    assert_eq!(served.got("/getServiceClass/Gold").await["modelTargets"], json!([]));
    served.posted("/removeServiceClass/Gold", "").await;
    assert_eq!(served.posted("/addServiceClass/Last", "").await["priority"], 100);
    assert_eq!(served.posted("/addModel/new", "").await, "new");
    assert_eq!(served.got("/getModels").await[2], "new");
    served.posted("/removeModel/new", "").await;
}

#[tokio::test]
async fn unknown_names_come_with_the_nearest_and_bad_bodies_with_their_place() {
    let served = stateful().await;
    served.posted("/optimizeOne", quickstart().to_string()).await;
    for (path, words) in [
        ("/getAccelerator/H10", "accelerator H10 not found; did you mean `H100`?"),
        ("/removeServer/premium-qwen", "server premium-qwen not found; known: `premium-llama"),
        ("/getModel/qwen2.5-3b", "did you mean `qwen2.5-32b`?"),
        ("/getModelAcceleratorPerf/qwen2.5-32b/L4", "known: `A100-80GB`, `H100`"),
        ("/getServiceClassModelTarget/Free/llama", "model of service class Free: llama not found"),
        ("/removeCapacity/TPU", "capacity for TPU not found"),
    ] {
        let answer = match path.starts_with("/remove") {
            true => served.post(path, "").await,
            false => served.get(path).await,
        };
        let (status, message) = refused(answer).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert!(message.contains(words), "{path}: {message}");
    }
    for (path, body) in [
        ("/setServers", "{\"servers\": 3}"),
        ("/setServers", "{\"servers\": [}"),
        ("/addServer", "{\"class\": \"Free\"}"),
        ("/addServer", "{\"name\": \"a\", \"Name\": \"b\"}"),
        ("/addServiceClassModelTargets", "{\"name\": \"Free\"}"),
        (
            "/addServiceClassModelTargets",
            "{\"name\": \"Free\", \"priority\": 1, \"modelTargets\": []}",
        ),
        ("/optimize", "{\"unlimited\": 3}"),
    ] {
        let answer = served.post(path, body).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{path} {body}");
    }
    let (status, _) = refused(served.post("/addServiceClass/a/0", "").await).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    // What is wrong with the kept system is said with a place that can be seen.
    served.posted("/optimize", "{\"unlimited\": false}").await;
    served.posted("/removeAccelerator/H100", "").await;
    let answer = served.post("/optimize", "").await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let body: Value = answer.json().await.expect("JSON");
    let place = body["problems"][0]["place"].as_str().expect("a place").to_owned();
    let line: usize = place.split(':').nth(1).and_then(|l| l.parse().ok()).expect("a line");
    assert!(place.starts_with("/getSystem:"), "{place}");
    let text = served.get("/getSystem").await.text().await.expect("text");
    let at = text.lines().nth(line - 1).expect("the line is there");
    assert!(at.contains("H100"), "{at}");
}

#[tokio::test]
async fn a_stateless_service_answers_from_the_last_request_and_changes_nothing() {
    let served = stateless().await;
    assert_eq!(served.got("/getServers").await, json!({"servers": []}));
    let plan = served.posted("/optimizeOne", quickstart().to_string()).await;
    let servers = served.got("/getServers").await;
    let first = &servers["servers"][0];
    let name = first["name"].as_str().expect("a name");
    assert_eq!(first["desiredAlloc"]["numReplicas"], plan["allocations"][name]["numReplicas"]);
    for path in ["/addModel/m", "/applyAllocation", "/removeServer/premium-qwen2.5-32b"] {
        let (status, message) = served.refused(path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert!(message.contains("start it with --stateful (-F)"), "{message}");
    }
    let (status, _) = refused(served.post("/optimize", "{}").await).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
