//! Discrete-event simulation of continuous-batching replicas, to hold the queueing model against.
//!
//! Two simulations, which share no formula with [`isocost_model::queue`]:
//!
//! * [`simulate`]: a replica iteration by iteration, as an inference server schedules it: prompts in
//!   chunks under a token budget, one token a pass for every request that decodes, admission up to
//!   the batch size and what the KV cache holds, preemption where it overflows. It tells how far the queueing model is from continuous batching.
//! * [`simulate_chain`]: the queueing model's own process, request by request. It has to agree with
//!   the model's solution within its confidence interval.
//!
//! ```
//! use isocost_model::queue::{EngineSettings, Iteration, ServiceModel};
//! use isocost_simulation::{Effort, Latency, Replica, Traffic, Watch, simulate};
//!
//! let service = ServiceModel::Iteration(Iteration { alpha_ms: 20.58, beta_ms: 0.041, gamma_ms: 0.00128 });
//! let engine = EngineSettings::default();
//! let replica = Replica { service, batch: 32, queue_limit: None, engine, network_ms: 0.0 };
//! let traffic = Traffic::new(0.2, 128.0, 1024.0);
//! let effort = Effort { requests: 200, ..Effort::default() };
//! let report = simulate(&replica, &traffic, &effort, 0, &Watch::NONE).unwrap();
//! let ttft = report.percentile_ms(Latency::Ttft, 99.0).unwrap();
//! println!("P99 TTFT {:.0} ms, give or take {:.0}", ttft.value, ttft.half_width);
//! ```
//!
//! Results depend on the seed alone: not on the machine, nor on the number of threads.

mod certify;
mod chain;
mod disaggregation;
mod drift;
mod engine;
mod estimate;
mod histogram;
mod live;
mod memory;
mod random;
mod replica;
mod report;
mod run;
mod section;
mod ticket;
mod trace;
mod traffic;

pub use certify::{Binding, CertifiedRate, Claim, Search, largest_rate};
pub use chain::Chain;
pub use disaggregation::{Linked, Pooled, simulate_pools};
pub use drift::Drift;
pub use estimate::{CONFIDENCE, Estimate};
pub use histogram::Histogram;
pub use live::Live;
pub use replica::Replica;
pub use report::{Latency, Report};
pub use run::{
    Effort, Group, Stopped, Watch, simulate, simulate_chain, simulate_closed, simulate_trace,
};
pub use section::Section;
pub use trace::{Demand, Fold, Period, Trace, TraceError, read_trace, trace_text};
pub use traffic::{Request, Traffic};
