//! A headless Chromium, driven through its own pipe (DevTools protocol): no driver, no network.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
];
const PATIENCE: Duration = Duration::from_secs(60);

/// The name that Chromium goes by here.
fn installed() -> Option<&'static str> {
    let found = |name: &&str| {
        let mut version = Command::new(name);
        version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    NAMES.into_iter().find(found)
}

/// Prints a page into a PDF file and reads it; `None` where no Chromium is installed.
#[allow(dead_code)]
pub fn print(page: &Path, paper: &Path) -> Option<Vec<u8>> {
    let profile = tempfile::tempdir().expect("a directory for the browser");
    let status = Command::new(installed()?)
        .args(&FLAGS[..FLAGS.len() - 1])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg("--no-pdf-header-footer")
        .arg(format!("--print-to-pdf={}", paper.display()))
        .arg(format!("file://{}", page.display()))
        .stderr(Stdio::null())
        .status();
    assert!(status.is_ok_and(|status| status.success()), "the browser prints");
    Some(std::fs::read(paper).expect("what it printed"))
}

/// A page in a browser of its own.
pub struct Page {
    browser: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    session: Option<String>,
    sent: u64,
    /// What the page did unasked: requests, messages, exceptions.
    pub events: Vec<Value>,
    /// The browser's own files; gone with the page.
    _profile: tempfile::TempDir,
}

impl Page {
    /// Opens an address; `None` where no Chromium is installed.
    pub fn open(url: &str) -> Option<Self> {
        let name = installed()?;
        let profile = tempfile::tempdir().expect("a directory for the browser");
        // Chromium reads commands from file 3 and answers on file 4.
        let mut browser = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null", name])
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("--window-size=1280,1600")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let commands = browser.stdin.take().expect("a pipe");
        let mut answers = BufReader::new(browser.stdout.take().expect("a pipe"));
        let (send, messages) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while answers.read_until(0, &mut message).is_ok_and(|n| n > 0) {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else { break };
                if send.send(value).is_err() {
                    break;
                }
                message.clear();
            }
        });
        let (session, events) = (None, Vec::new());
        let mut page =
            Self { browser, commands, messages, session, sent: 0, events, _profile: profile };
        let target = page.call("Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = page.call("Target.attachToTarget", attach);
        page.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), json!({}));
        }
        page.call("Page.navigate", json!({"url": url}));
        page.wait_for("Page.loadEventFired");
        Some(page)
    }

    /// Sends a command and waits for its answer.
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.sent += 1;
        let mut command = json!({"id": self.sent, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let mut bytes = command.to_string().into_bytes();
        bytes.push(0);
        self.commands.write_all(&bytes).expect("the browser listens");
        loop {
            let message = self.next(method);
            if message["id"] == json!(self.sent) {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    fn wait_for(&mut self, event: &str) {
        while !self.events.iter().any(|e| e["method"] == event) {
            let message = self.next(event);
            self.events.push(message);
        }
    }

    fn next(&mut self, awaited: &str) -> Value {
        let message = self.messages.recv_timeout(PATIENCE);
        message.unwrap_or_else(|e| panic!("the browser is silent, {awaited} is due: {e}"))
    }

    /// What an expression is in the page.
    pub fn value(&mut self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", parameters);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Presses a key as a reader does.
    pub fn press(&mut self, key: &str, code: u32) {
        let text = if key == "Enter" { "\r" } else { "" };
        for kind in ["keyDown", "keyUp"] {
            let mut event =
                json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code});
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = json!(text);
            }
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Shows the page as a reader of `scheme` (`light`, `dark`) sees it, on `medium` (`screen`,
    /// `print`).
    pub fn show(&mut self, medium: &str, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", json!({"media": medium, "features": features}));
    }

    /// What of the events speaks against the page: errors, exceptions, requests beyond what begins
    /// with `own`.
    pub fn complaints(&self, own: &str) -> Vec<String> {
        let complaint = |event: &Value| {
            let parameters = &event["params"];
            let bad = match event["method"].as_str()? {
                "Runtime.exceptionThrown" => true,
                "Runtime.consoleAPICalled" => {
                    matches!(parameters["type"].as_str(), Some("error" | "warning" | "assert"))
                }
                "Log.entryAdded" => true,
                "Network.requestWillBeSent" => {
                    let url = parameters["request"]["url"].as_str()?;
                    !url.starts_with(own) && !url.starts_with("data:")
                }
                _ => false,
            };
            bad.then(|| event.to_string())
        };
        self.events.iter().filter_map(complaint).collect()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.browser.kill();
        let _ = self.browser.wait();
    }
}
