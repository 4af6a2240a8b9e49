//! The layer that every service stands on, over real connections: tokens, limits, TLS, metrics, and the end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use isocost_serve::http::{App, ListenError, Listening, Registry, Settings, Text, listen};
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use tokio::sync::{Notify, Semaphore};

/// A service with a route that waits to be let go, and one that panics.
struct Toy {
    url: String,
    listening: Listening,
    /// Requests that arrived at `/wait`.
    arrived: Arc<Semaphore>,
    /// Lets one of them go.
    release: Arc<Notify>,
}

async fn toy(settings: Settings) -> Toy {
    let (arrived, release) = (Arc::new(Semaphore::new(0)), Arc::new(Notify::new()));
    let (tell, wait) = (Arc::clone(&arrived), Arc::clone(&release));
    let held = async move || {
        tell.add_permits(1);
        wait.notified().await;
        "let go"
    };
    let routes = Router::new()
        .route("/wait", get(held))
        .route("/echo", post(async |Text(text): Text| text))
        .route("/panic", get(async || -> &'static str { panic!("a defect") }));
    let open = Router::new().route("/page", get(async || "page"));
    let app = App { routes, open, registry: Registry::with_prefix("toy") };
    let listening = listen(&settings, app).await.expect("a free port");
    Toy { url: listening.url(), listening, arrived, release }
}

impl Toy {
    async fn get(&self, path: &str) -> Response {
        client().get(format!("{}{path}", self.url)).send().await.expect("an answer")
    }

    /// A request that is in work.
    async fn held(&self) -> tokio::task::JoinHandle<reqwest::Result<Response>> {
        let request = client().get(format!("{}/wait", self.url)).send();
        let task = tokio::spawn(request);
        self.arrived.acquire().await.expect("open").forget();
        task
    }
}

fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().expect("a client")
}

async fn message(response: Response) -> String {
    let body: Value = response.json().await.expect("JSON");
    body["message"].as_str().expect("a message").to_owned()
}

#[tokio::test]
async fn errors_are_json_that_says_what_to_do() {
    let toy = toy(Settings { max_body: 8, ..Settings::default() }).await;
    let unknown = toy.get("/nowhere").await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    assert!(message(unknown).await.contains("nothing is served at `/nowhere`"));

    let wrong = toy.get("/echo").await;
    assert_eq!(wrong.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(wrong.headers()["allow"], "POST");
    assert_eq!(wrong.headers()["x-content-type-options"], "nosniff");
    assert!(message(wrong).await.contains("`/echo` does not take GET"));

    let post = |body: Vec<u8>| client().post(format!("{}/echo", toy.url)).body(body).send();
    let whole = post(b"12345678".to_vec()).await.expect("an answer");
    assert_eq!(whole.text().await.expect("text"), "12345678");
    let large = post(b"123456789".to_vec()).await.expect("an answer");
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(message(large).await.contains("--max-body"));
    let binary = post(vec![b'a', 0xff]).await.expect("an answer");
    assert_eq!(binary.status(), StatusCode::BAD_REQUEST);
    assert!(message(binary).await.contains("not UTF-8 (from byte 1 on)"));

    let panicked = toy.get("/panic").await;
    assert_eq!(panicked.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!message(panicked).await.contains("defect"));
}

#[tokio::test]
async fn a_token_guards_all_but_pages_and_probes() {
    let toy = toy(Settings { token: Some("secret".to_owned()), ..Settings::default() }).await;
    for path in ["/healthz", "/readyz", "/page"] {
        assert_eq!(toy.get(path).await.status(), StatusCode::OK, "{path}");
    }
    for path in ["/panic", "/metrics", "/nowhere"] {
        let refused = toy.get(path).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(refused.headers()["www-authenticate"], "Bearer");
        let wrong = client().get(format!("{}{path}", toy.url)).bearer_auth("secre").send().await;
        assert_eq!(wrong.expect("an answer").status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    let metrics = client().get(format!("{}/metrics", toy.url)).bearer_auth("secret").send().await;
    assert_eq!(metrics.expect("an answer").status(), StatusCode::OK);
}

#[tokio::test]
async fn pages_of_other_sites_are_turned_away() {
    let toy = toy(Settings::default()).await;
    let own = toy.url.as_str();
    let ask = async |headers: &[(&'static str, &str)]| {
        let mut request = client().post(format!("{own}/echo"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.expect("an answer").status()
    };
    assert_eq!(ask(&[]).await, StatusCode::OK, "a program");
    assert_eq!(ask(&[("origin", own), ("sec-fetch-site", "same-origin")]).await, StatusCode::OK);
    assert_eq!(ask(&[("origin", own)]).await, StatusCode::OK);
    for foreign in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site"), ("origin", own)],
        &[("origin", "https://example.org")],
        &[("origin", "null")],
    ] {
        assert_eq!(ask(foreign).await, StatusCode::FORBIDDEN, "{foreign:?}");
    }
}

#[tokio::test]
async fn above_the_limit_requests_are_turned_away_and_probes_are_not() {
    let toy = toy(Settings { max_requests: 2, ..Settings::default() }).await;
    let held = [toy.held().await, toy.held().await];
    let refused = toy.get("/wait").await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert!(message(refused).await.contains("try again"));
    assert_eq!(toy.get("/healthz").await.status(), StatusCode::OK);
    let metrics = toy.get("/metrics").await.text().await.expect("text");
    assert!(metrics.contains("toy_http_requests_in_flight 3"), "{metrics}");
    toy.release.notify_waiters();
    for task in held {
        let response = task.await.expect("no panic").expect("an answer");
        assert_eq!(response.text().await.expect("text"), "let go");
    }
    assert_eq!(toy.get("/nowhere").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up() {
    let toy = toy(Settings { time_limit: Duration::from_millis(50), ..Settings::default() }).await;
    let late = toy.get("/wait").await;
    assert_eq!(late.status(), StatusCode::REQUEST_TIMEOUT);
    assert!(message(late).await.contains("longer than 0.05 s"));
}

#[tokio::test]
async fn metrics_have_a_series_a_route_and_none_a_client_could_make() {
    let toy = toy(Settings::default()).await;
    toy.get("/page").await;
    toy.get("/made-up-1").await;
    toy.get("/made-up-2").await;
    let answer = toy.get("/metrics").await;
    let kind = answer.headers()["content-type"].to_str().expect("text").to_owned();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = answer.text().await.expect("text");
    for line in [
        "toy_http_requests_total{route=\"/page\",method=\"GET\",status=\"200\"} 1",
        "toy_http_requests_total{route=\"other\",method=\"GET\",status=\"404\"} 2",
        "toy_http_request_seconds_count{route=\"/page\"} 1",
        "# EOF",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
    }
    assert!(!text.contains("made-up"));
}

#[tokio::test]
async fn a_client_that_goes_away_is_counted() {
    let toy = toy(Settings::default()).await;
    let held = toy.held().await;
    held.abort();
    let gone = "toy_http_requests_total{route=\"/wait\",method=\"GET\",status=\"499\"} 1";
    loop {
        let text = toy.get("/metrics").await.text().await.expect("text");
        if text.lines().any(|l| l == gone) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn tls_serves_those_who_trust_the_certificate() {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a key");
    let dir = tempfile::tempdir().expect("a directory");
    let (certificate, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    std::fs::write(&certificate, signed.cert.pem()).expect("a file");
    std::fs::write(&key, signed.signing_key.serialize_pem()).expect("a file");
    let tls = Some((certificate.clone(), key));
    let toy = toy(Settings { tls, ..Settings::default() }).await;
    assert!(toy.url.starts_with("https://127.0.0.1:"));
    let url = format!("https://localhost:{}/page", toy.listening.address.port());
    assert!(client().get(&url).send().await.is_err(), "nobody vouches for it");
    let trusted = reqwest::Certificate::from_pem(signed.cert.pem().as_bytes()).expect("PEM");
    let local = Client::builder()
        .no_proxy()
        .tls_certs_only([trusted])
        .resolve("localhost", toy.listening.address)
        .build()
        .expect("a client");
    let page = local.get(&url).send().await.expect("an answer");
    assert_eq!(page.text().await.expect("text"), "page");

    let tls = Some((certificate.clone(), certificate.clone()));
    let app = App { routes: Router::new(), open: Router::new(), registry: Registry::default() };
    let error = listen(&Settings { tls, ..Settings::default() }, app).await.err();
    assert!(matches!(error, Some(ListenError::Tls { .. })), "{error:?}");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let toy = toy(Settings::default()).await;
    let port = toy.listening.address.port();
    let app = App { routes: Router::new(), open: Router::new(), registry: Registry::default() };
    let error = listen(&Settings { port, ..Settings::default() }, app).await.err().expect("taken");
    assert!(error.to_string().starts_with(&format!("127.0.0.1:{port}: cannot listen")), "{error}");
    assert!(error.to_string().ends_with("choose another --host or --port"));
}

#[tokio::test]
async fn draining_says_so_and_lets_requests_in_work_end() {
    let linger = Duration::from_millis(300);
    let toy = toy(Settings { linger, ..Settings::default() }).await;
    let held = toy.held().await;
    assert_eq!(toy.get("/readyz").await.status(), StatusCode::OK);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let Toy { url, listening, release, .. } = toy;
    let health = listening.health.clone();
    let ending = tokio::spawn(listening.until(async move { drop(stopped.await) }));
    // Without an end to its linger it is asked while it lingers.
    let asking = tokio::spawn(async move {
        while health.is_ready() {
            tokio::task::yield_now().await;
        }
        client().get(format!("{url}/readyz")).send().await
    });
    stop.send(()).expect("it listens");
    if let Ok(answer) = asking.await.expect("no panic") {
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    // The request in work outlives the linger.
    tokio::time::sleep(2 * linger).await;
    assert!(!ending.is_finished(), "a request is in work");
    release.notify_waiters();
    let response = held.await.expect("no panic").expect("an answer");
    assert_eq!(response.text().await.expect("text"), "let go");
    ending.await.expect("no panic").expect("an orderly end");
}
