//! A real Prometheus with samples of the past, where it is installed.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A running Prometheus; it ends with this value.
pub struct RealPrometheus {
    pub url: String,
    process: Child,
    _dir: tempfile::TempDir,
}

impl Drop for RealPrometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a pod's counters do: a series and its value at a second.
pub struct Series {
    pub metric: &'static str,
    pub pod: String,
    pub namespace: &'static str,
    pub at: Box<dyn Fn(f64) -> f64>,
}

/// Minutes of samples that there are, up to some minutes from now: fresh rates read low, and the test
/// must not race the clock.
const PAST_S: i64 = 1_800;
const FUTURE_S: i64 = 1_200;
const STEP_S: usize = 15;

/// Starts one that holds `series`; `None`, with the reason on the output, where it is not installed.
pub async fn start(series: &[Series]) -> Option<RealPrometheus> {
    if !is_installed() {
        println!("skipped: prometheus and promtool are not installed (scripts/setup --tests)");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    backfill(dir.path(), series);
    Some(launch(dir, "scrape_configs: []\n").await)
}

/// A pod whose metrics are scraped every second.
pub struct Target {
    /// Host and port.
    pub address: String,
    pub namespace: &'static str,
    pub pod: String,
}

/// Starts one that scrapes the targets; `None` where it is not installed.
pub async fn scraping(targets: &[Target]) -> Option<RealPrometheus> {
    if !is_installed() {
        return None;
    }
    let mut config = "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n\
                      - job_name: pods\n  static_configs:\n"
        .to_owned();
    for Target { address, namespace, pod } in targets {
        let labels = format!("{{namespace: {namespace}, pod: {pod}}}");
        writeln!(config, "  - {{targets: [\"{address}\"], labels: {labels}}}").unwrap();
    }
    Some(launch(tempfile::tempdir().unwrap(), &config).await)
}

fn is_installed() -> bool {
    let runs = |program: &str| {
        let mut quiet = Command::new(program);
        let quiet = quiet.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    };
    runs("prometheus") && runs("promtool")
}

async fn launch(dir: tempfile::TempDir, text: &str) -> RealPrometheus {
    let config = dir.path().join("prometheus.yml");
    std::fs::write(&config, text).unwrap();
    // It takes no port 0: one that was free a moment ago, and another where somebody took it.
    for _ in 0..5 {
        let port = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        let mut process = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", dir.path().join("tsdb").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(["--storage.tsdb.retention.time=10y", "--log.level=error"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        loop {
            let ready = reqwest::get(format!("{url}/-/ready")).await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return RealPrometheus { url, process, _dir: dir };
            }
            if process.try_wait().unwrap().is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    panic!("prometheus does not start");
}

fn backfill(dir: &Path, series: &[Series]) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let mut metrics: Vec<&str> = series.iter().map(|s| s.metric).collect();
    metrics.sort_unstable();
    metrics.dedup();
    let mut text = String::new();
    for metric in metrics {
        // Untyped: openmetrics would have a counter's name end otherwise.
        writeln!(text, "# TYPE {metric} unknown").unwrap();
        for series in series.iter().filter(|s| s.metric == metric) {
            for at in (-PAST_S..=FUTURE_S).step_by(STEP_S) {
                let value = (series.at)((at + PAST_S) as f64);
                let Series { namespace, pod, .. } = series;
                let labels = format!("namespace=\"{namespace}\",pod=\"{pod}\",model_name=\"m\"");
                writeln!(text, "{metric}{{{labels}}} {value} {}", now + at).unwrap();
            }
        }
    }
    text += "# EOF\n";
    let file = dir.join("samples.om");
    std::fs::write(&file, text).unwrap();
    let made = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .arg(&file)
        .arg(dir.join("tsdb"))
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success(), "promtool takes the samples");
}
