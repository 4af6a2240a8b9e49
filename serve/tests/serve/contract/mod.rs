//! The reference's clients against a compatible service: requests as its programs send them, every field of its types
//! in each, and the answers that its documentation and these types imply, decoded strictly.

mod faults;
mod types;

use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::support::{Served, backend, start};
use isocost_serve::http::Settings;
use isocost_serve::planning::Options;
use types::*;

pub async fn compatible(stateful: bool) -> Served {
    start(Settings::default(), Options::default().compatible(), backend(), stateful).await
}

/// The answer of a route, in the type that its client decodes it into.
pub async fn decoded<T: DeserializeOwned>(answer: Response) -> T {
    let (status, url) = (answer.status(), answer.url().clone());
    let text = answer.text().await.expect("text");
    assert_eq!(status, StatusCode::OK, "{url}: {text}");
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{url}: {e}: {text}"))
}

pub fn load(rate: f64, input: u32, output: u32) -> Value {
    json!({"arrivalRate": rate, "throughput": rate, "avgInTokens": input, "avgOutTokens": output})
}

fn allocation(accelerator: &str, replicas: u32, cost: f64, load: Value) -> Value {
    json!({"accelerator": accelerator, "numReplicas": replicas, "maxBatch": 0, "cost": cost, "itlAverage": 0,
        "ttftAverage": 0, "avgConcurrency": 0, "load": load})
}

pub fn server(name: &str, class: &str, model: &str, load: Value) -> Value {
    let current = allocation("G2", 1, 25.0, load);
    json!({"name": name, "class": class, "model": model, "keepAccelerator": false, "minNumReplicas": 0,
        "maxBatchSize": 0, "currentAlloc": current, "desiredAlloc": allocation("", 0, 0.0, self::load(0.0, 0, 0))})
}

fn accelerator(name: &str, kind: &str, multiplicity: u32, cost: f64) -> Value {
    json!({"name": name, "type": kind, "multiplicity": multiplicity, "memSize": 80, "memBW": 2000,
        "power": {"idle": 150, "full": 400, "midPower": 320, "midUtil": 0.6}, "cost": cost})
}

fn perf(name: &str, acc: &str, alpha: f64, beta: f64, gamma: f64) -> Value {
    json!({"name": name, "acc": acc, "accCount": 1, "maxBatchSize": 64, "atTokens": 0,
        "perfParms": {"alpha": alpha, "beta": beta, "gamma": gamma}})
}

fn class(name: &str, priority: i64, targets: &[(&str, u32, u32)]) -> Value {
    let targets = targets.iter().map(|(model, itl, ttft)| {
        json!({"model": model, "slo-itl": itl, "slo-ttft": ttft, "slo-tps": 0})
    });
    json!({"name": name, "priority": priority, "modelTargets": targets.collect::<Vec<_>>()})
}

/// A system as the controller posts it.
pub fn system() -> Value {
    json!({"system": {
        "acceleratorData": {"accelerators": [accelerator("A100", "A100", 1, 40.0), accelerator("G2", "G2", 1, 25.0),
            accelerator("4xA100", "A100", 4, 160.0)]},
        "modelData": {"models": [perf("granite_13b", "A100", 20.58, 0.041, 0.00128125),
            perf("granite_13b", "G2", 17.15, 0.034, 0.0010625), perf("llama_70b", "4xA100", 22.84, 0.589, 0.0184)]},
        "serviceClassData": {"serviceClasses": [class("Premium", 1, &[("granite_13b", 40, 1000), ("llama_70b", 80, 4000)]),
            class("Bronze", 2, &[("granite_13b", 80, 2000)])]},
        "serverData": {"servers": [server("Premium-granite_13b", "Premium", "granite_13b", load(60.0, 96, 1024)),
            server("Bronze-granite_13b", "Bronze", "granite_13b", load(100.0, 128, 999)),
            server("Premium-llama_70b", "Premium", "llama_70b", load(2.5, 128, 128))]},
        "optimizerData": {"optimizer": {"unlimited": false, "delayedBestEffort": false, "saturationPolicy": "None"}},
        "capacityData": {"count": [{"type": "G2", "count": 256}, {"type": "A100", "count": 128}]},
    }})
}

#[tokio::test]
async fn stateless_a_plan_and_every_question_about_it_decode() {
    let served = compatible(false).await;
    let solution: Solution = decoded(served.post("/optimizeOne", system().to_string()).await).await;
    assert_eq!(solution.allocations.len(), 3);
    let granite = &solution.allocations["Bronze-granite_13b"];
    assert!(granite.num_replicas > 0 && granite.max_batch > 0 && granite.cost > 0.0, "{granite:?}");
    assert_eq!(granite.avg_concurrency, 0.0);
    let sent =
        Load { arrival_rate: 100.0, throughput: 100.0, avg_in_tokens: 128, avg_out_tokens: 999 };
    assert_eq!(granite.load, sent);
    assert!(granite.itl_average > 0.0 && granite.ttft_average > 0.0);

    let servers: Servers = decoded(served.get("/getServers").await).await;
    assert_eq!(servers.servers.len(), 3);
    for server in &servers.servers {
        let desired = &server.desired_alloc;
        assert_eq!(desired.num_replicas, solution.allocations[&server.name].num_replicas);
        assert_eq!(desired.load, server.current_alloc.load);
    }
    questions(&served).await;
}

/// Every route that asks.
async fn questions(served: &Served) {
    let all: Vec<Accelerator> = decoded(served.get("/getAccelerators").await).await;
    assert_eq!(all.len(), 3);
    let one: Accelerator = decoded(served.get("/getAccelerator/4xA100").await).await;
    assert_eq!((one.name.as_str(), one.r#type.as_str(), one.multiplicity), ("4xA100", "A100", 4));
    assert_eq!((one.mem_size, one.mem_bw, one.cost), (80, 2000, 160.0));
    let Power { idle, full, mid_power, mid_util } = one.power;
    assert_eq!((idle, full, mid_power, mid_util), (150, 400, 320, 0.6));
    let capacity: Capacity = decoded(served.get("/getCapacities").await).await;
    assert_eq!(capacity.count.len(), 2);
    let count: Count = decoded(served.get("/getCapacity/G2").await).await;
    assert_eq!((count.r#type.as_str(), count.count), ("G2", 256));
    let names: Vec<String> = decoded(served.get("/getModels").await).await;
    assert_eq!(names, ["granite_13b", "llama_70b"]);
    let model: Models = decoded(served.get("/getModel/granite_13b").await).await;
    assert_eq!(model.models.len(), 2);
    let perf: Perf = decoded(served.get("/getModelAcceleratorPerf/granite_13b/G2").await).await;
    assert_eq!((perf.name.as_str(), perf.acc.as_str()), ("granite_13b", "G2"));
    assert_eq!((perf.acc_count, perf.max_batch_size), (1, 64));
    let Parameters { alpha, beta, gamma } = perf.perf_parms;
    assert_eq!((alpha, beta, gamma), (17.15, 0.034, 0.0010625));
    let classes: Classes = decoded(served.get("/getServiceClasses").await).await;
    assert_eq!(classes.service_classes.len(), 2);
    let class: Class = decoded(served.get("/getServiceClass/Premium").await).await;
    assert_eq!((class.name.as_str(), class.priority, class.model_targets.len()), ("Premium", 1, 2));
    let path = "/getServiceClassModelTarget/Premium/llama_70b";
    let target: Target = decoded(served.get(path).await).await;
    assert_eq!((target.model.as_str(), target.slo_itl), ("llama_70b", 80.0));
    assert_eq!((target.slo_ttft, target.slo_tps), (4000.0, 0.0));
    let server: Server = decoded(served.get("/getServer/Bronze-granite_13b").await).await;
    assert_eq!((server.class.as_str(), server.model.as_str()), ("Bronze", "granite_13b"));
    assert!(!server.keep_accelerator && server.min_num_replicas == 0 && server.max_batch_size == 0);
    assert_eq!(
        (server.current_alloc.accelerator.as_str(), server.current_alloc.cost),
        ("G2", 25.0)
    );
    for (path, what) in [
        ("/getAccelerator/none", "accelerator none not found"),
        ("/getModel/none", "model none not found"),
        ("/getServiceClass/none", "service class none not found"),
        ("/getServer/none", "server none not found"),
        ("/getCapacity/none", "capacity for none not found"),
    ] {
        let (status, message) = served.refused(path).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(message.starts_with(what), "{message}");
    }
}

#[tokio::test]
async fn stateful_every_route_answers_in_its_type() {
    let served = compatible(true).await;
    let system = system();
    let section = |name: &str| system["system"][name].to_string();
    let set: Accelerators =
        decoded(served.post("/setAccelerators", section("acceleratorData")).await).await;
    assert_eq!(set.accelerators.len(), 3);
    let set: Capacity = decoded(served.post("/setCapacities", section("capacityData")).await).await;
    assert_eq!(set.count.len(), 2);
    let set: Models = decoded(served.post("/setModels", section("modelData")).await).await;
    assert_eq!(set.models.len(), 3);
    let set: Classes =
        decoded(served.post("/setServiceClasses", section("serviceClassData")).await).await;
    assert_eq!(set.service_classes.len(), 2);
    let set: Servers = decoded(served.post("/setServers", section("serverData")).await).await;
    assert_eq!(set.servers.len(), 3);
    questions(&served).await;

    let options = system["system"]["optimizerData"]["optimizer"].to_string();
    let solution: Solution = decoded(served.post("/optimize", options).await).await;
    assert_eq!(solution.allocations.len(), 3);
    let done: String = decoded(served.get("/applyAllocation").await).await;
    assert_eq!(done, "Done");
    let server: Server = decoded(served.get("/getServer/Bronze-granite_13b").await).await;
    let planned = &solution.allocations["Bronze-granite_13b"];
    assert_eq!(server.current_alloc.num_replicas, planned.num_replicas);
    assert_eq!(server.current_alloc.load.avg_out_tokens, 999);

    // One by one, with as little as a client may send.
    let one: Accelerator =
        decoded(served.post("/addAccelerator", r#"{"name": "L4", "cost": 9.5}"#).await).await;
    assert_eq!((one.name.as_str(), one.cost, one.multiplicity), ("L4", 9.5, 0));
    let one: Accelerator = decoded(served.get("/removeAccelerator/L4").await).await;
    assert_eq!(one.power.full, 0);
    let count: Count =
        decoded(served.post("/setCapacity", r#"{"type": "L4", "count": 3}"#).await).await;
    assert_eq!(count.count, 3);
    let count: Count = decoded(served.get("/removeCapacity/L4").await).await;
    assert_eq!(count.r#type, "L4");
    let name: String = decoded(served.get("/addModel/m").await).await;
    assert_eq!(name, "m");
    let perf: Perf =
        decoded(served.post("/addModelAcceleratorPerf", r#"{"name": "m", "acc": "G2"}"#).await)
            .await;
    assert_eq!((perf.acc.as_str(), perf.perf_parms.alpha), ("G2", 0.0));
    let perf: Perf = decoded(served.get("/removeModelAcceleratorPerf/m/G2").await).await;
    assert_eq!(perf.acc_count, 0);
    let name: String = decoded(served.get("/removeModel/m").await).await;
    assert_eq!(name, "m");
    let class: Class = decoded(served.get("/addServiceClass/c/7").await).await;
    assert_eq!((class.priority, class.model_targets.len()), (7, 0));
    let targets =
        r#"{"name": "c", "priority": 7, "modelTargets": [{"model": "granite_13b", "slo-itl": 9}]}"#;
    let class: Class = decoded(served.post("/addServiceClassModelTargets", targets).await).await;
    assert_eq!(class.model_targets[0].slo_itl, 9.0);
    let path = "/removeServiceClassModelTarget/c/granite_13b";
    let target: Target = decoded(served.get(path).await).await;
    assert_eq!(target.slo_ttft, 0.0);
    let class: Class = decoded(served.get("/removeServiceClass/c").await).await;
    assert_eq!(class.name, "c");
    let server: Server = decoded(served.post("/addServer", r#"{"name": "s"}"#).await).await;
    assert_eq!(server.desired_alloc.num_replicas, 0);
    let server: Server = decoded(served.get("/removeServer/s").await).await;
    assert_eq!(server.current_alloc.load.arrival_rate, 0.0);
}

/// The sample of the analyser's documentation.
fn sample(changes: &[(&str, f64)]) -> String {
    let mut body = json!({"RPS": 3.0, "maxBatchSize": 48, "AvgInputTokens": 128, "AvgOutputTokens": 512, "alpha": 12,
        "beta": 0.05, "gamma": 0.0005, "maxQueueSize": 128, "targetTTFT": 60.0, "targetITL": 20.0});
    for (key, value) in changes {
        body[*key] = json!(value);
    }
    body.to_string()
}

#[tokio::test]
async fn the_analyser_answers_in_its_types_and_under_its_own_name() {
    let near = |value: f32, documented: f32, share: f32| {
        assert!((value / documented - 1.0).abs() < share, "{value}, documented {documented}");
    };
    for stateful in [false, true] {
        let served = compatible(stateful).await;
        let solved: Analysed = decoded(served.post("/solve", sample(&[])).await).await;
        assert_eq!(solved.offered_rps, 3.0);
        near(solved.throughput, 3.0, 1e-3);
        near(solved.response, 10568.446, 0.025);
        near(solved.in_service, 31.620514, 0.025);
        near(solved.itl, 20.534498, 0.025);
        near(solved.most, 3.8208232, 0.025);
        assert!(solved.wait > 0.0 && solved.ttft > solved.wait);
        let sized: Analysed = decoded(served.post("/target", sample(&[])).await).await;
        near(sized.throughput, 2.8741095, 0.04);
        let (status, _) =
            crate::support::refused(served.post("/target", sample(&[("targetITL", 1.0)])).await)
                .await;
        assert_eq!(status, StatusCode::BAD_REQUEST);

        for path in ["/optimize", "/optimize-concurrency"] {
            let body = sample(&[("maxBatchSize", 256.0)]);
            let onset: Onset = decoded(served.post(path, body).await).await;
            assert_eq!((onset.concurrency, onset.by_itl, onset.by_prefill), (49, 31, 164));
            assert_eq!((onset.calls, onset.feasible), (8, true));
            near(onset.throughput, 2.9715836, 0.04);
            near(onset.response, 10277.985, 0.04);
            assert!(onset.wait > 0.0 && onset.in_service > 20.0 && onset.ttft > 0.0);
            assert!(onset.itl <= 20.001 && onset.most > onset.throughput);
            let none: Onset = decoded(served.post(path, sample(&[("targetITL", 1.0)])).await).await;
            assert_eq!((none.feasible, none.concurrency, none.throughput), (false, 1, 0.0));
        }
    }
}
