//! `/openapi.json` held against what is served.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::{Served, stateful, stateless};

#[tokio::test]
async fn every_route_of_the_document_answers_and_takes_no_other_method() {
    for served in [stateless().await, stateful().await] {
        let document = served.got("/openapi.json").await;
        let paths = document["paths"].as_object().expect("paths");
        for (path, item) in paths {
            let item = item.as_object().expect("an item");
            let url = path.split('{').next().map(|_| filled(path)).expect("a path");
            for method in [Method::GET, Method::POST] {
                let listed = item.contains_key(&method.as_str().to_lowercase());
                let request = served.client.request(method.clone(), format!("{}{url}", served.url));
                let answer = request.send().await.expect("an answer");
                let (status, text) = (answer.status(), answer.text().await.expect("text"));
                let there = status != StatusCode::METHOD_NOT_ALLOWED
                    && !text.contains("nothing is served")
                    && !text.contains("--stateful");
                assert_eq!(there, listed, "{method} {path}: {status} {text}");
                assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{method} {path}: {text}");
            }
        }
    }
}

fn filled(path: &str) -> String {
    let mut url = path.to_owned();
    for name in ["{name}", "{type}", "{acc}", "{model}", "{priority}"] {
        url = url.replace(name, "7");
    }
    assert!(!url.contains('{'), "{url}");
    url
}

#[tokio::test]
async fn every_route_of_the_reference_is_in_the_document() {
    let all = paths(&stateful().await).await;
    // As the optimizer's own sources register them.
    let reference = "setAccelerators getAccelerators getAccelerator/{name} addAccelerator
        removeAccelerator/{name} setCapacities getCapacities getCapacity/{type} setCapacity
        removeCapacity/{type} setModels getModels getModel/{name} addModel/{name}
        removeModel/{name} setServiceClasses getServiceClasses getServiceClass/{name}
        addServiceClass/{name}/{priority} removeServiceClass/{name} addServiceClassModelTargets
        getServiceClassModelTarget/{name}/{model} removeServiceClassModelTarget/{name}/{model}
        setServers getServers getServer/{name} addServer removeServer/{name}
        getModelAcceleratorPerf/{name}/{acc} addModelAcceleratorPerf
        removeModelAcceleratorPerf/{name}/{acc} optimize optimizeOne applyAllocation
        solve target optimize-concurrency";
    for path in reference.split_whitespace() {
        assert!(all.contains(&format!("/{path}")), "/{path}");
    }
    let stateless = paths(&stateless().await).await;
    assert!(stateless.is_subset(&all));
    assert!(stateless.contains("/getServers") && !stateless.contains("/setServers"));
}

async fn paths(served: &Served) -> BTreeSet<String> {
    let document = served.got("/openapi.json").await;
    document["paths"].as_object().expect("paths").keys().cloned().collect()
}

#[tokio::test]
async fn every_reference_in_the_document_leads_somewhere() {
    let document = stateful().await.got("/openapi.json").await;
    assert!(document["openapi"].as_str().is_some_and(|v| v.starts_with("3.1")));
    let mut links = Vec::new();
    collect(&document, &mut links);
    assert!(links.len() > 50);
    for link in links {
        let pointer = link.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{link}");
    }
}

fn collect(value: &Value, links: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            links.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| collect(value, links));
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, links)),
        _ => {}
    }
}
