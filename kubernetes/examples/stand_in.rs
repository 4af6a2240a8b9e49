//! A stand-in for a Kubernetes API server with the example fleet in it, to try the control loop without a
//! cluster. It writes a kubeconfig, and serves until it is told to end:
//!
//! ```sh
//! cargo run -p isocost-kubernetes --example stand_in -- /tmp/kubeconfig
//! ```

use std::path::Path;

use isocost_serve::http::terminated;

#[path = "../tests/stand_in/mod.rs"]
mod stand_in;

use stand_in::{StandIn, fleet};

#[tokio::main]
async fn main() {
    let Some(kubeconfig) = std::env::args().nth(1) else {
        eprintln!("usage: stand_in FILE: where to write the kubeconfig");
        std::process::exit(2);
    };
    let stand_in = StandIn::start().await;
    fleet::fill(&stand_in, "infer", 27);
    stand_in.write_kubeconfig(Path::new(&kubeconfig));
    println!("27 Deployments at {}; KUBECONFIG={kubeconfig}", stand_in.url);
    terminated().await;
}
