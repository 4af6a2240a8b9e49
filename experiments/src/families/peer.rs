//! Peers: the compact statement given to a solver from PyPI, by a process of its own.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use isocost_solver::{Milp, write_mps};
use serde::{Deserialize, Serialize};

const SCRIPT: &str = include_str!("peer.py");
/// Seconds beyond its limit after which a peer is ended.
const GRACE_S: f64 = 30.0;

/// A solver from PyPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Peer {
    /// `highspy`.
    Highs,
    /// `PySCIPOpt`.
    Scip,
}

impl Peer {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Highs => "highs",
            Self::Scip => "scip",
        }
    }

    /// The peer of a name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Highs, Self::Scip].into_iter().find(|peer| peer.name() == name)
    }
}

/// What a peer says of a program.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Said {
    /// optimal, infeasible, feasible or unknown.
    pub status: String,
    /// Cost of its plan.
    pub objective: Option<f64>,
    /// What it has proven.
    pub bound: Option<f64>,
    /// Processor time of the solve, s.
    pub cpu_s: f64,
}

/// Asks a peer, by the `python3` on the path. It may take `seconds` of processor time, one thread, no gap.
///
/// # Errors
/// Why there is no answer, in words.
pub fn ask(peer: Peer, milp: &Milp, seconds: f64) -> Result<Said, String> {
    let file = std::env::temp_dir().join(format!("isocost-peer-{}.mps", std::process::id()));
    let mut text = Vec::new();
    write_mps(milp, &mut text).map_err(|e| e.to_string())?;
    std::fs::write(&file, text).map_err(|e| format!("{}: {e}", file.display()))?;
    let said = run(peer, &file, seconds);
    // It is in the folder for what may be lost.
    let _ = std::fs::remove_file(&file);
    said
}

fn run(peer: Peer, file: &Path, seconds: f64) -> Result<Said, String> {
    let failed = |e: std::io::Error| format!("python3: {e}");
    let mut child = Command::new("python3")
        .args(["-c", SCRIPT, peer.name()])
        .arg(file)
        .arg(seconds.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let end = Instant::now() + Duration::from_secs_f64(10.0 * seconds + GRACE_S);
    // Its answer is a line and fits the pipe; so do the last words of a trace.
    while child.try_wait().map_err(failed)?.is_none() {
        if Instant::now() > end {
            child.kill().map_err(failed)?;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().map_err(failed)?;
    let last =
        |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().last().unwrap_or_default().to_owned();
    serde_json::from_str(&last(&output.stdout)).map_err(|_| {
        format!("{}: {} (pip install highspy pyscipopt)", peer.name(), last(&output.stderr))
    })
}
