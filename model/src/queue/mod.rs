//! The queueing model of one continuous-batching replica: what latency a rate brings, and what
//! rate an objective allows.
//!
//! A replica is a birth-death chain. Requests arrive at rate `lambda` (Poisson); with `n` of them
//! in service they complete at rate `mu(n) = n / S(n)`, where `S(n)` is the service time at
//! occupancy `n`; at most `N` (the batch size) are in service, at most `Q` wait. The stationary
//! probabilities are
//!
//! ```text
//! p(n) ~ product over i = 1..n of lambda / mu(i)            n <= N
//! p(N + k) = p(N) rho^k,  rho = lambda / mu(N)              1 <= k <= Q
//! ```
//!
//! so that the sums above `N` are closed and a solve costs O(N), not O(N + Q). The occupancies of
//! batch size `N`, before they are normalised, are a prefix of those of `N + 1`.
//!
//! From the chain follow the mean number in service and waiting, and by Little's law the mean
//! service time and wait. From these the latencies:
//!
//! * [`Linear`]: the effective concurrency `n*` solves `S(n*)` = mean service time; ITL =
//!   `step(n*)`, TTFT = mean wait + `prefill(n*)`.
//! * [`Iteration`]: with `B` the mean number in service and `c` the prefill's chunks, ITL = (mean
//!   service time - prefill) / out, TTFT = mean wait + prefill + ITL.
//! * [`Roofline`]: `n*` as for the linear model; ITL = `step(n*)`, TTFT = mean wait + overhead + lag
//!   + `prefill(n*)`.
//!
//! A file each holds the parameters and the derivation.
//!
//! ```
//! use isocost_model::queue::{Iteration, Objective, Objectives, ServiceModel, Station};
//!
//! let service = ServiceModel::Iteration(Iteration { alpha_ms: 20.58, beta_ms: 0.041, gamma_ms: 0.00128 });
//! let station = Station::new(service, 128.0, 1024.0, None);
//! let objectives = Objectives { itl: Some(Objective::mean(80.0)), ..Objectives::none() };
//! let sized = station.size(32, &objectives).unwrap();
//! let analysis = station.analyze(32, sized.arrival_rate_per_s).unwrap();
//! assert!(analysis.itl_ms <= 80.0);
//! ```
//!
//! Every batch size at once, and the least one that comes within 2% of the best:
//!
//! ```
//! use isocost_model::queue::{Iteration, Objective, Objectives, ServiceModel, Station, best_batch};
//!
//! let service = ServiceModel::Iteration(Iteration { alpha_ms: 20.58, beta_ms: 0.041, gamma_ms: 0.00128 });
//! let station = Station::new(service, 128.0, 1024.0, None);
//! // Mean inter-token latency and the 99th percentile of the time to first token, together.
//! let objectives = Objectives {
//!     itl: Some(Objective::mean(80.0)),
//!     ttft: Some(Objective::percentile(2000.0, 99.0)),
//!     ..Objectives::none()
//! };
//! let curve = station.size_all(64, &objectives);
//! let best = best_batch(&curve, 0.02).unwrap();
//! let analysis = station.analyze(best.batch, best.arrival_rate_per_s).unwrap();
//! assert!(analysis.ttft_percentile_ms(99.0) <= 2000.0 * (1.0 + 1e-9));
//! // Where no rate will do, the objective that is to blame and the best value come back.
//! let strict = Objectives { itl: Some(Objective::mean(1.0)), ..Objectives::none() };
//! assert!(station.size(8, &strict).unwrap_err().to_string().starts_with("ITL is at best"));
//! ```
//!
//! **Two readings.** The above is [`Reading::Reference`]. Under [`Reading::Engine`] the same chain has the
//! rates of an engine's passes, and latencies are those of passes: see `engine/mod.rs`.
//!
//! **Bursts and variable lengths.** With squared coefficients of variation `ca` of inter-arrival
//! times and `cs` of output tokens the probability of waiting and the wait of those who wait are
//! corrected as `bursts.rs` derives it; both 1 give the chain above exactly.

mod analysis;
mod bursts;
mod engine;
mod factors;
mod iteration;
mod linear;
mod near;
mod objective;
mod occupancy;
mod onset;
mod pass;
mod reading;
mod roofline;
mod root;
mod search;
mod service;
mod sizing;
mod states;
pub mod stop;
mod tail;

pub use analysis::{Analysis, QueueError};
pub use engine::EngineSettings;
pub use factors::Factors;
pub use iteration::Iteration;
pub use linear::Linear;
pub(crate) use objective::excess;
pub use objective::{ItlOver, Metric, Objective, Objectives, Shortfall, TokenRate};
pub use onset::Onset;
pub use pass::Pass;
pub use reading::Reading;
pub use roofline::{Experts, Roofline};
pub(crate) use root::{Bracket, narrow};
pub use service::{Latency, MAX_BATCH, ServiceModel, Station, TOKEN_BUDGET};
pub(crate) use sizing::{HIGHEST, LOWEST, TOKENS_RESERVE};
pub use sizing::{Sized, best_batch};
