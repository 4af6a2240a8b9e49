//! Service parameters fitted to measured latencies.
//!
//! A benchmark measures, at several loads, the time to first token and the time between tokens. The
//! fit finds the parameters of a service model with which the *queueing model* predicts these
//! latencies: robust non-linear least squares through the birth-death chain, so that waiting and
//! occupancy are the model's own affair and need not be measured.
//!
//! ```text
//! files -> points -> fit (search, reweighting, exclusion of overload) -> validation -> entry, plots
//! ```
//!
//! ```
//! use isocost_calibration::{Bench, Family, Options, Validation, fit, read};
//!
//! let csv = "request_rate_per_s,mean_input_tokens,mean_output_tokens,ttft_mean_ms,itl_mean_ms
//! 0.5,100,200,22.1,10.21
//! 2,100,200,22.3,10.44
//! 8,100,200,24.6,12.16
//! 16,100,200,29.6,15.79";
//! let points = read::load_text("bench.csv", csv)?.points;
//! let bench = Bench { batch: 64, ..Bench::default() };
//! let fitted = fit(Family::Linear, &points, &Options { bench, ..Options::default() })?;
//! let validation = Validation::new(&fitted, &points);
//! assert!(validation.fitted.itl.median < 0.05);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod confidence;
mod course;
mod entry;
mod errors;
mod family;
mod fit;
mod forecast;
mod left_out;
mod line;
mod memory;
mod overload;
mod plots;
mod point;
mod predict;
pub mod read;
mod region;
mod replay;
mod residual;
mod robust;
mod validation;

pub use confidence::{Confidence, Doubt, LEVEL};
pub use course::Course;
pub use entry::{Entry, Placement};
pub use errors::{Errors, Spread};
pub use family::Family;
pub use fit::{Fit, FitError, Options, fit};
pub use forecast::Forecast;
pub use left_out::LeftOut;
pub use overload::{Excluded, Overload};
pub use plots::plots;
pub use point::{Arrivals, Percentile, Point, mark_single_client, sweeps, systems};
pub use predict::{Bench, Prediction, predict};
pub use region::{Margin, Region};
pub use residual::Metric;
pub use validation::{SweepErrors, Validation, fit_all, fit_and_validate};
