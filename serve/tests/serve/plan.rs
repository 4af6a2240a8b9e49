//! Plans on request.

use isocost_planner::{Request, Shortage};
use isocost_serve::http::Settings;
use isocost_serve::planning::Options;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{as_the_reference, backend, quickstart, small, start, stateless};

#[tokio::test]
async fn small_costs_what_two_solvers_proved() {
    let Some(small) = small() else { return };
    let served = start(Settings::default(), as_the_reference(), backend(), false).await;
    // Clients of the reference name no content type.
    let answer = served.posted("/optimizeOne", small.clone()).await;
    assert_eq!(answer["totalCost"], 22564.0);
    assert_eq!(answer["status"], "optimal");
    assert!(answer["gap"].as_f64().is_some_and(|gap| gap <= 1e-6), "{}", answer["gap"]);
    let allocations = answer["allocations"].as_object().expect("an object");
    let costs: f64 = allocations.values().filter_map(|a| a["cost"].as_f64()).sum();
    assert_eq!(costs, 22564.0);
    for (name, allocation) in allocations {
        for key in ["accelerator", "numReplicas", "maxBatch", "cost", "itlAverage", "ttftAverage"] {
            assert!(!allocation[key].is_null(), "{name}: {key}");
        }
        assert!(allocation["load"]["arrivalRate"].is_number(), "{name}");
    }
    // Three quarters of the cards.
    let fewer = served.posted("/optimizeOne?capacity=0.75", small).await;
    assert_eq!(fewer["totalCost"], 23020.0);
}

#[tokio::test]
async fn factors_scale_what_the_scenario_states() {
    let served = stateless().await;
    let body = quickstart().to_string();
    let stated = served.posted("/optimizeOne", body.clone()).await;
    let less = served.posted("/optimizeOne?load=0.25&capacity=1", body.clone()).await;
    assert!(less["totalCost"].as_f64() < stated["totalCost"].as_f64());
    let rate = |answer: &Value| {
        answer["allocations"]["premium-llama-3.1-8b"]["load"]["arrivalRate"].as_f64()
    };
    assert_eq!((rate(&stated), rate(&less)), (Some(120.0), Some(30.0)));
    for query in ["load=0", "load=-1", "load=nan", "capacity=1e9", "loads=2", "load=many"] {
        let answer = served.post(&format!("/optimizeOne?{query}"), body.clone()).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_as_on_the_command_line_all_at_once() {
    let served = stateless().await;
    let mut scenario = quickstart();
    scenario["system"]["serverData"]["servers"][0]["model"] = json!("llama-3.1-8");
    scenario["system"]["acceleratorData"]["accelerators"][1]["cost"] = json!(-1);
    let text = format!("{scenario:#}");
    let response = served.post("/optimizeOne", text.clone()).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let body: Value = response.json().await.expect("JSON");
    let expected = isocost_model::input::load_text("body", &text).expect_err("two problems");
    assert!(expected.problems.len() >= 2);
    let problems = body["problems"].as_array().expect("a list");
    assert_eq!(problems.len(), expected.problems.len());
    for (said, problem) in problems.iter().zip(&expected.problems) {
        let words = [&problem.place, &problem.entity, &problem.what, &problem.remedy];
        let keys = ["place", "entity", "what", "remedy"].map(|key| said[key].as_str());
        assert_eq!(keys, words.map(|word| Some(word.as_str())));
    }
    let all = body.to_string();
    assert!(all.contains("did you mean `llama-3.1-8b`?"), "{all}");
    assert!(all.contains("body:"), "{all}");

    for wrong in ["", "{", "[]", "null", "{\"system\": 1}", "{\"system\": {\"serverData\": {}}}"] {
        let answer = served.post("/optimizeOne", wrong).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{wrong}");
        let body: Value = answer.json().await.expect("JSON");
        assert!(body["problems"].as_array().is_some_and(|p| !p.is_empty()), "{wrong}: {body}");
    }
}

#[tokio::test]
async fn oddities_are_warnings_of_the_answer() {
    let served = stateless().await;
    let mut scenario = quickstart();
    scenario["system"]["optimizerData"]["optimizer"]["milpSolver"] = json!(true);
    let answer = served.posted("/optimizeOne", scenario.to_string()).await;
    assert_eq!(answer["warnings"][0]["what"], "is read and ignored");
}

#[tokio::test]
async fn yaml_and_json_are_told_apart_by_how_they_begin() {
    let served = stateless().await;
    let text = std::fs::read_to_string(crate::support::data("quickstart.yaml")).expect("a file");
    let from_yaml = served.posted("/optimizeOne", text.clone()).await;
    let from_json = served.posted("/optimizeOne", quickstart().to_string()).await;
    assert_eq!(from_yaml["allocations"], from_json["allocations"]);
    for (wrong, remedy) in
        [(text.replacen("system:", "system: [", 1), "mend the YAML"), ("{".into(), "mend the JSON")]
    {
        let answer = served.post("/optimizeOne", wrong).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        let body: Value = answer.json().await.expect("JSON");
        assert_eq!(body["problems"][0]["remedy"], remedy);
    }
}

#[tokio::test]
async fn infeasible_is_an_answer_with_its_reason_and_the_best_part() {
    let served = stateless().await;
    let answer = served.posted("/optimizeOne?capacity=0.25", quickstart().to_string()).await;
    assert_eq!(answer["status"], "infeasible");
    let reasons = answer["reasons"].to_string();
    assert!(reasons.contains("premium-qwen2.5-32b does not fit on 0 H100"), "{reasons}");
    let allocations = answer["allocations"].as_object().expect("an object");
    assert!(!allocations.is_empty() && allocations.len() < 3, "{allocations:?}");
    let lacking = answer["partial"]["notServedInFull"].as_array().expect("a list");
    assert!(lacking.iter().any(|l| l["server"] == "premium-qwen2.5-32b"), "{lacking:?}");
    assert_eq!(answer["partial"]["status"], "optimal");

    let request = Request { shortage: Shortage::Say, ..Request::default() };
    let options = Options { request, ..Options::default() };
    let served = start(Settings::default(), options, backend(), false).await;
    let answer = served.posted("/optimizeOne?capacity=0.25", quickstart().to_string()).await;
    assert_eq!(answer["status"], "infeasible");
    assert_eq!(answer["allocations"], json!({}));
    assert!(answer["reasons"].to_string().contains("does not fit"), "{answer}");
}

#[tokio::test]
async fn a_server_that_nothing_serves_is_named_with_the_closest_miss() {
    let served = stateless().await;
    let mut scenario = quickstart();
    scenario["system"]["serviceClassData"]["serviceClasses"][0]["modelTargets"][0]["slo-itl"] =
        json!(0.001);
    let answer = served.posted("/optimizeOne", scenario.to_string()).await;
    assert_eq!(answer["status"], "infeasible");
    let reasons = answer["reasons"].to_string();
    assert!(
        reasons.contains("no accelerator serves `premium-llama-3.1-8b`; closest is"),
        "{reasons}"
    );
}

#[tokio::test]
async fn a_report_is_a_page_of_the_same_plan() {
    let served = stateless().await;
    let response = served.post("/report", quickstart().to_string()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.headers()["content-type"].to_str().expect("text").starts_with("text/html"));
    let page = response.text().await.expect("text");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("premium-qwen2.5-32b"));
    assert!(page.contains("What a card is worth") || page.contains("worth"), "it is explained");
    let short = served.post("/report?capacity=0.25", quickstart().to_string()).await;
    assert!(short.text().await.expect("text").contains("Why not every server is served"));
}

#[tokio::test]
async fn fifty_clients_at_once_get_the_same_plan() {
    let served = stateless().await;
    let body = quickstart().to_string();
    let expected = served.posted("/optimizeOne", body.clone()).await["allocations"].clone();
    let requests = (0..50).map(|_| {
        let request = served.client.post(format!("{}/optimizeOne", served.url)).body(body.clone());
        tokio::spawn(request.send())
    });
    for request in requests.collect::<Vec<_>>() {
        let answer = request.await.expect("no panic").expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        let answer: Value = answer.json().await.expect("JSON");
        assert_eq!(answer["allocations"], expected);
    }
    let metrics = served.get("/metrics").await.text().await.expect("text");
    for line in [
        "isocost_plans_total{status=\"optimal\"} 51",
        "isocost_plans_in_flight 0",
        "isocost_plan_gap_count 51",
        "isocost_http_requests_total{route=\"/optimizeOne\",method=\"POST\",status=\"200\"} 51",
    ] {
        assert!(metrics.lines().any(|l| l == line), "{line} in\n{metrics}");
    }
}
