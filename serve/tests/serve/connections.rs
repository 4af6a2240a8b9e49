//! Connections that are many, idle, unread or of another protocol; names and tokens that change.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use isocost_serve::http::{App, Listening, Registry, Settings, Text, listen};
use reqwest::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::client;

async fn toy(settings: Settings) -> Listening {
    let slow = async || {
        tokio::time::sleep(Duration::from_millis(400)).await;
        "done"
    };
    let routes = Router::new()
        .route("/large", get(async || "x".repeat(64 << 20)))
        .route("/slow", post(async move |Text(_): Text| slow().await));
    let app = App { routes, open: Router::new(), registry: Registry::with_prefix("toy") };
    listen(&settings, app).await.expect("a free port")
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed_and_places_come_back() {
    let listening = toy(Settings { max_connections: 2, ..Settings::default() }).await;
    let held = [
        TcpStream::connect(listening.address).await.expect("it listens"),
        TcpStream::connect(listening.address).await.expect("it listens"),
    ];
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut third = TcpStream::connect(listening.address).await.expect("it listens");
    let mut rest = Vec::new();
    let _ = third.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
    drop(held);
    loop {
        let answer = client().get(format!("{}/healthz", listening.url())).send().await;
        if answer.is_ok_and(|answer| answer.status() == StatusCode::OK) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_given_up() {
    let patience = Duration::from_millis(200);
    let listening = toy(Settings { patience, max_connections: 1, ..Settings::default() }).await;
    let mut unread = TcpStream::connect(listening.address).await.expect("it listens");
    unread.write_all(b"GET /large HTTP/1.1\r\nhost: h\r\n\r\n").await.expect("sent");
    // Its place is that of the next.
    loop {
        let answer = client().get(format!("{}/healthz", listening.url())).send().await;
        if answer.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn another_protocol_is_not_spoken() {
    let listening = toy(Settings::default()).await;
    let mut other = TcpStream::connect(listening.address).await.expect("it listens");
    other.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.expect("sent");
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(10), other.read_to_end(&mut rest)).await;
    ended.expect("it is closed").ok();
    assert!(!rest.starts_with(b"\0\0"), "no frames of HTTP/2");
}

#[tokio::test]
async fn bodies_under_way_have_a_budget_that_comes_back() {
    let listening = toy(Settings { max_body: 1 << 20, ..Settings::default() }).await;
    let send = || {
        let url = format!("{}/slow", listening.url());
        client().post(url).body(vec![b'x'; 1 << 20]).send()
    };
    let held = [tokio::spawn(send()), tokio::spawn(send())];
    tokio::time::sleep(Duration::from_millis(150)).await;
    let third = send().await.expect("an answer");
    assert_eq!(third.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(third.headers()["retry-after"], "1");
    for answer in held {
        let answer = answer.await.expect("no panic").expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
    }
    assert_eq!(send().await.expect("an answer").status(), StatusCode::OK);
}

#[tokio::test]
async fn a_service_without_a_token_goes_by_its_own_names() {
    let hosts = vec!["plans.example.org".to_owned()];
    let listening = toy(Settings { hosts, ..Settings::default() }).await;
    let ask = async |host: &str, origin: Option<&str>| {
        let mut request = client().get(format!("{}/metrics", listening.url())).header("host", host);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        request.send().await.expect("an answer").status()
    };
    assert_eq!(ask("evil.example", Some("http://evil.example")).await, StatusCode::FORBIDDEN);
    assert_eq!(ask("evil.example:8080", None).await, StatusCode::FORBIDDEN);
    assert_eq!(ask("plans.example.org", Some("http://plans.example.org")).await, StatusCode::OK);
    assert_eq!(ask("localhost:8080", None).await, StatusCode::OK);
    let token = Some("secret".to_owned());
    let guarded = toy(Settings { token, ..Settings::default() }).await;
    let request =
        client().get(format!("{}/metrics", guarded.url())).header("host", "plans.example.net");
    let answer = request.bearer_auth("secret").send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_token_that_is_written_anew_is_the_token() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("token");
    std::fs::write(&file, "first\n").expect("a file");
    let settings = Settings {
        token: Some("first".to_owned()),
        token_file: Some(file.clone()),
        renewal: Duration::from_millis(20),
        ..Settings::default()
    };
    let listening = toy(settings).await;
    let ask = async |token: &str| {
        let request = client().get(format!("{}/metrics", listening.url())).bearer_auth(token);
        request.send().await.expect("an answer").status()
    };
    assert_eq!(ask("first").await, StatusCode::OK);
    tokio::time::sleep(Duration::from_millis(30)).await;
    // An empty file is no token: the last stays.
    std::fs::write(&file, "").expect("a file");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(ask("first").await, StatusCode::OK);
    assert_eq!(ask("").await, StatusCode::UNAUTHORIZED);
    std::fs::write(&file, "second\n").expect("a file");
    while ask("second").await != StatusCode::OK {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(ask("first").await, StatusCode::UNAUTHORIZED);
}

/// A client that trusts one certificate alone, and sees what is served to those who do.
async fn is_served_with(
    certificate: &rcgen::CertifiedKey<rcgen::KeyPair>,
    address: SocketAddr,
) -> bool {
    let trusted = reqwest::Certificate::from_pem(certificate.cert.pem().as_bytes()).expect("PEM");
    let local = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([trusted])
        .resolve("localhost", address)
        .build()
        .expect("a client");
    let url = format!("https://localhost:{}/healthz", address.port());
    local.get(url).send().await.is_ok_and(|answer| answer.status() == StatusCode::OK)
}

#[tokio::test]
async fn a_certificate_that_is_written_anew_is_served() {
    let signed = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a key");
    let (old, new) = (signed(), signed());
    let dir = tempfile::tempdir().expect("a directory");
    let (certificate, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    std::fs::write(&certificate, old.cert.pem()).expect("a file");
    std::fs::write(&key, old.signing_key.serialize_pem()).expect("a file");
    let settings = Settings {
        tls: Some((certificate.clone(), key.clone())),
        renewal: Duration::from_millis(20),
        ..Settings::default()
    };
    let address = toy(settings).await.address;
    assert!(is_served_with(&old, address).await);
    assert!(!is_served_with(&new, address).await);
    // Half written, or without its key, it is no certificate: the last stays.
    for half in [String::new(), new.cert.pem()] {
        std::fs::write(&certificate, half).expect("a file");
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(is_served_with(&old, address).await);
    }
    std::fs::write(&key, new.signing_key.serialize_pem()).expect("a file");
    while !is_served_with(&new, address).await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!is_served_with(&old, address).await);
}
