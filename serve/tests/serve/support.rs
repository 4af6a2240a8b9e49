//! An optimizer that listens on a free port, and what it is asked.

use std::path::{Path, PathBuf};

use isocost_model::candidates::SizingOptions;
use isocost_serve::http::{Listening, Settings, listen};
use isocost_serve::planning::Options;
use isocost_solver::{Backend, default_backend};
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;

/// A service, for as long as it lives.
pub struct Served {
    pub url: String,
    pub client: Client,
    _listening: Listening,
}

/// A client of a service on this machine.
pub fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().expect("a client")
}

/// A stateless service with everything as it is unless told otherwise.
pub async fn stateless() -> Served {
    start(Settings::default(), Options::default(), backend(), false).await
}

/// A stateful one.
pub async fn stateful() -> Served {
    start(Settings::default(), Options::default(), backend(), true).await
}

pub fn backend() -> Box<dyn Backend> {
    default_backend().expect("a backend is built in")
}

pub async fn start(
    settings: Settings,
    options: Options,
    backend: Box<dyn Backend>,
    stateful: bool,
) -> Served {
    let app = isocost_serve::app(options, backend, stateful);
    let listening = listen(&settings, app).await.expect("a free port");
    Served { url: listening.url(), client: client(), _listening: listening }
}

impl Served {
    pub async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Response {
        let request = self.client.post(format!("{}{path}", self.url)).body(body);
        request.send().await.expect("an answer")
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.url)).send().await.expect("an answer")
    }

    /// The JSON of a route that answers with a result.
    pub async fn posted(&self, path: &str, body: impl Into<reqwest::Body>) -> Value {
        good(self.post(path, body).await).await
    }

    /// The same by GET.
    pub async fn got(&self, path: &str) -> Value {
        good(self.get(path).await).await
    }

    /// The status and message of one that does not.
    pub async fn refused(&self, path: &str) -> (StatusCode, String) {
        refused(self.get(path).await).await
    }
}

async fn good(response: Response) -> Value {
    let (status, url) = (response.status(), response.url().clone());
    let text = response.text().await.expect("text");
    assert_eq!(status, StatusCode::OK, "{url}: {text}");
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{url}: {e}: {text}"))
}

pub async fn refused(response: Response) -> (StatusCode, String) {
    let status = response.status();
    let body: Value = response.json().await.expect("JSON");
    (status, body["message"].as_str().expect("a message").to_owned())
}

pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data").join(name)
}

/// The example, as JSON in one document.
pub fn quickstart() -> Value {
    let read = |file: &str| -> Value {
        let text = std::fs::read_to_string(data("quickstart").join(file)).expect("the example");
        serde_json::from_str(&text).expect("JSON")
    };
    // Whole numbers as such: what is sent comes back.
    let scenario = serde_json::json!({"system": {
        "acceleratorData": read("accelerator-data.json"),
        "modelData": read("model-data.json"),
        "serviceClassData": read("serviceclass-data.json"),
        "serverData": read("server-data.json"),
        "capacityData": read("capacity-data.json"),
        "optimizerData": read("optimizer-data.json"),
    }});
    serde_json::from_str(&isocost_model::export::json_text(&scenario)).expect("JSON")
}

/// The reference scenario `small` in one document; `None`, said, where it is not here.
pub fn small() -> Option<String> {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference/small/system-data.json");
    let text = std::fs::read_to_string(file).ok();
    if text.is_none() {
        eprintln!("skipped: no ../shared/reference/small here");
    }
    text
}

/// How the reference optimizer sizes.
pub fn as_the_reference() -> Options {
    Options { sizing: SizingOptions::reference(), ..Options::default() }
}
