//! A process that is killed while it applies: the real thing, by SIGKILL.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use isocost_kubernetes::actuate::ActuateOptions;
use isocost_kubernetes::control::Controller;
use kube::Config;

use crate::stand_in::fleet::{Setup, controller, cycle, parts, state};
use crate::{SPACE, fleet, undisturbed};

/// Where the process that is to be killed finds the stand-in.
const API: &str = "ISOCOST_TEST_API";

#[tokio::test]
async fn a_process_killed_while_it_applies_is_made_up_for() {
    let stand_in = fleet(12).await;
    let before = state(&stand_in, SPACE);
    stand_in.faults.slow(Duration::from_millis(100));
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::one_cycle", "--ignored"])
        .env(API, &stand_in.url)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while stand_in.faults.patches.load(Ordering::SeqCst) < 4 {
        assert!(process.try_wait().unwrap().is_none(), "it applies nothing");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    process.kill().unwrap();
    process.wait().unwrap();
    stand_in.faults.mended();
    let (cut, wanted) = (state(&stand_in, SPACE), undisturbed(12).await);
    assert!(cut != before && cut != wanted, "it was killed in the midst");
    cycle(&controller(&stand_in, SPACE, &Setup::default())).await;
    assert_eq!(state(&stand_in, SPACE), wanted);
}

/// The process that is killed.
#[tokio::test]
#[ignore = "a process for another test"]
async fn one_cycle() {
    let url = std::env::var(API).expect("started by another test");
    let actuate = ActuateOptions { at_once: 1, ..ActuateOptions::default() };
    let setup = Setup { actuate, ..Setup::default() };
    let parts = parts(Config::new(url.parse().unwrap()), SPACE, &setup);
    cycle(&Arc::new(Controller::new(parts).unwrap())).await;
}
