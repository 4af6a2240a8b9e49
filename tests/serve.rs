//! `isocost serve` as a process: what it says, what it answers, how it ends.

#![cfg(feature = "serve")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The service, ended with the test.
struct Served {
    child: Child,
    line: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn isocost(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isocost"));
    for variable in ["INFERNO_HOST", "INFERNO_PORT", "ISOCOST_TOKEN", "RUST_LOG"] {
        command.env_remove(variable);
    }
    command.args(args).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn serve(mut command: Command) -> Served {
    let mut child = command.spawn().expect("the command starts");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().expect("a pipe")).read_line(&mut line).expect("a line");
    Served { child, line }
}

impl Served {
    fn address(&self) -> &str {
        self.line.split("http://").nth(1).and_then(|rest| rest.split(' ').next()).expect("a URL")
    }

    /// Status and body of a request.
    fn ask(&self, request: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address()).expect("it listens");
        let length = body.len();
        write!(stream, "{request} HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
            .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let status = answer.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
        (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
    }

    /// What it wrote to its log, and its exit code, once it is told to end.
    fn end(mut self) -> (String, Option<i32>) {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().expect("kill is there");
        assert!(told.success());
        let code = self.child.wait().expect("it ends").code();
        let mut log = String::new();
        let mut stderr = self.child.stderr.take().expect("a pipe");
        stderr.read_to_string(&mut log).expect("text");
        (log, code)
    }
}

#[test]
fn it_says_where_it_listens_plans_and_ends_in_order() {
    let served = serve(isocost(&["serve", "--port", "0", "--log", "json"]));
    let line = &served.line;
    assert!(line.starts_with("isocost optimizer listens on http://127.0.0.1:"), "{line}");
    assert!(line.contains("(stateless, ") && line.ends_with(", no token)\n"), "{line}");
    let plan = Command::new(env!("CARGO_BIN_EXE_isocost"))
        .args(["plan", "data/quickstart", "--format", "json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("a plan");
    let plan: serde_json::Value = serde_json::from_slice(&plan.stdout).expect("JSON");
    let (status, body) = served.ask("POST /optimizeOne", &scenario());
    assert_eq!(status, 200);
    let answer: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(answer["allocations"], plan["allocations"]);
    assert_eq!(answer["totalCost"], plan["totalCost"]);
    assert_eq!(served.ask("GET /readyz", "").0, 200);
    assert!(served.ask("GET /", "").1.contains("<h1>Plan a fleet</h1>"));
    let (log, code) = served.end();
    assert_eq!(code, Some(0), "{log}");
    for line in log.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).expect("a JSON object a line");
        assert!(entry["level"].is_string(), "{line}");
    }
    assert!(log.contains("\"route\":\"/optimizeOne\"") && log.contains("draining"), "{log}");
}

/// The quickstart as one JSON document.
fn scenario() -> String {
    let read = |file: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/quickstart").join(file);
        std::fs::read_to_string(path).expect("the example")
    };
    let sections = [
        ("acceleratorData", "accelerator-data.json"),
        ("modelData", "model-data.json"),
        ("serviceClassData", "serviceclass-data.json"),
        ("serverData", "server-data.json"),
        ("capacityData", "capacity-data.json"),
        ("optimizerData", "optimizer-data.json"),
    ];
    let sections = sections.map(|(key, file)| format!("\"{key}\": {}", read(file)));
    format!("{{\"system\": {{{}}}}}", sections.join(", "))
}

#[test]
fn the_environment_stands_in_for_flags() {
    let mut command = isocost(&["serve", "-F"]);
    command
        .env("INFERNO_PORT", "0")
        .env("INFERNO_HOST", "localhost")
        .env("ISOCOST_TOKEN", "secret");
    let served = serve(command);
    assert!(
        served.line.contains("(stateful, ") && served.line.contains(", token)"),
        "{}",
        served.line
    );
    assert_eq!(served.ask("GET /getServers", "").0, 401);
    assert_eq!(
        served.ask("GET /getServers HTTP/1.1\r\nauthorization: Bearer secret\r\nx: ", "").0,
        200
    );
    drop(served);
}

#[test]
fn what_cannot_be_is_said_with_a_remedy() {
    let dir = tempfile::tempdir().expect("a directory");
    let empty = dir.path().join("token");
    std::fs::write(&empty, " \n").expect("a file");
    let empty = empty.display().to_string();
    let missing = dir.path().join("none").display().to_string();
    for (args, words) in [
        (vec!["--host", "192.0.2.1"], "choose another --host or --port"),
        (vec!["--token-file", &empty], "is empty; write the token into it"),
        (vec!["--token-file", &missing], "cannot be read"),
        (vec!["--tls-cert", &empty, "--tls-key", &empty], "as PEM files"),
        (vec!["--tls-cert", &empty], "--tls-key"),
        (vec!["--log-level", "isocost=loud"], "expected error, warn, info"),
        (vec!["--backend", "gurobi"], "unknown backend"),
        (vec!["--max-body", "0"], "1..=1024"),
    ] {
        let output = isocost(&["serve", "--port", "0"]).args(&args).output().expect("it ends");
        let text = String::from_utf8_lossy(&output.stderr);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
        assert!(text.contains(words), "{args:?}: {text}");
    }
    let mut command = isocost(&["serve"]);
    let output = command.env("INFERNO_PORT", "http").output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("INFERNO_PORT is `http`; expected a port"), "{text}");
}

/// A fleet of which each server is sized by itself, over a great many states.
fn costly() -> String {
    let text = std::fs::read_to_string("data/quickstart.yaml").expect("the example is there");
    let (rest, _) = text.split_once("serverData:").expect("servers");
    let (_, after) = text.split_once("capacityData:").expect("capacities");
    let server = |s: usize| {
        format!(
            "      - {{name: s{s}, class: Premium, model: llama-3.1-8b, maxBatchSize: 100000, maxQueueSize: 100000000, \
             currentAlloc: {{load: {{arrivalRate: 6, avgInTokens: {}, avgOutTokens: 512}}}}}}\n",
            100 + s
        )
    };
    let servers: String = (0..200).map(server).collect();
    format!("{rest}serverData:\n    servers:\n{servers}  capacityData:{after}")
}

#[test]
fn whatever_is_in_work_it_ends_with_its_drain() {
    let served =
        serve(isocost(&["serve", "--port", "0", "--drain", "1", "--request-limit", "600"]));
    let body = costly();
    let mut stream = TcpStream::connect(served.address()).expect("it listens");
    write!(
        stream,
        "POST /optimizeOne HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("sent");
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let start = std::time::Instant::now();
    let (_, code) = served.end();
    assert_eq!(code, Some(0));
    // The drain, a second, and what a machine takes that is busy with other work.
    assert!(start.elapsed() < std::time::Duration::from_secs(4), "{:?}", start.elapsed());
}

#[test]
fn nothing_is_served_openly_by_mistake() {
    let refused = |args: &[&str], token: Option<&str>| {
        let mut command = isocost(args);
        if let Some(token) = token {
            command.env("ISOCOST_TOKEN", token);
        }
        let output = command.output().expect("it ends");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        String::from_utf8(output.stderr).expect("text")
    };
    for empty in ["", "  "] {
        let said = refused(&["serve", "--port", "0"], Some(empty));
        assert!(said.contains("ISOCOST_TOKEN is set and empty"), "{said}");
    }
    let said = refused(&["serve", "--port", "0", "--host", "0.0.0.0"], None);
    assert!(said.contains("there is no token") && said.contains("--open"), "{said}");
    let served = serve(isocost(&["serve", "--port", "0", "--host", "0.0.0.0", "--open"]));
    assert!(served.line.contains("no token"), "{}", served.line);
}

#[test]
fn clients_of_the_reference_have_one_switch() {
    let served = serve(isocost(&["serve", "--port", "0", "--compatible"]));
    assert!(served.line.contains("stateless, compatible"), "{}", served.line);
    let (status, answer) =
        served.ask("POST /optimizeOne", "{\"system\": {\"serverData\": {\"servers\": []}}}");
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("\"allocations\": {}"), "{answer}");
}

/// What a stateful service keeps of a large body, and takes to read and answer it, is a few times the body.
#[cfg(target_os = "linux")]
#[test]
fn a_large_body_takes_a_few_times_itself() {
    let served = serve(isocost(&["serve", "--stateful", "--port", "0"]));
    let server = |i: u32| {
        format!(
            r#"{{"name":"s{i}","class":"c","model":"m","minNumReplicas":1,"currentAlloc":{{"accelerator":"",
            "numReplicas":1,"load":{{"arrivalRate":60.5,"avgInTokens":128,"avgOutTokens":512}}}}}}"#
        )
    };
    let servers: Vec<String> = (0..60_000).map(server).collect();
    let body = format!(r#"{{"servers":[{}]}}"#, servers.join(","));
    let before = peak_kib(&served);
    // The second time the first is still there.
    for _ in 0..2 {
        let (status, answer) = served.ask("POST /setServers", &body);
        assert_eq!((status, answer.len()), (200, body.len()));
    }
    assert_eq!(served.ask("GET /getServers", "").0, 200);
    let times = (peak_kib(&served) - before) as f64 * 1024.0 / body.len() as f64;
    assert!(times < 10.0, "{times:.1} times a body of {} bytes", body.len());
    // Nor does what is wrong with one take more.
    let (status, answer) = served.ask("POST /setServers", &format!("{body}]"));
    assert_eq!(status, 400);
    assert!(answer.contains("trailing characters"), "{answer}");
    let times = (peak_kib(&served) - before) as f64 * 1024.0 / body.len() as f64;
    assert!(times < 10.0, "{times:.1} times a body of {} bytes", body.len());
}

/// The most memory that the service took so far, KiB.
#[cfg(target_os = "linux")]
fn peak_kib(served: &Served) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", served.child.id()));
    let status = status.expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
