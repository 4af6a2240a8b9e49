//! The stand-in with the example fleet, to try commands on by hand.

use std::path::PathBuf;
use std::time::Duration;

use crate::{SPACE, fleet};

/// `ISOCOST_STAND_IN=/tmp/kubeconfig cargo test -p isocost-service --test control -- --ignored by_hand`
/// writes a file for `KUBECONFIG`, and is there for ten minutes.
#[tokio::test]
#[ignore = "to try commands on by hand"]
async fn stand_in() {
    let Some(file) = std::env::var_os("ISOCOST_STAND_IN").map(PathBuf::from) else { return };
    let stand_in = fleet(9).await;
    stand_in.write_kubeconfig(&file);
    println!("9 Deployments in {SPACE}: export KUBECONFIG={}", file.display());
    tokio::time::sleep(Duration::from_secs(600)).await;
}
