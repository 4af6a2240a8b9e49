//! Charts as plain data, drawn as SVG and PNG.
//!
//! ```
//! use isocost_charts::{Axis, Chart, Rule, Series, Theme};
//!
//! let chart = Chart::new(
//!     "Latency against rate",
//!     Axis::linear("Arrival rate", "req/s"),
//!     Axis::linear("Time to first token", "ms"),
//! )
//! .with(Series::line("mean", vec![(1.0, 80.0), (2.0, 95.0), (3.0, 140.0)]))
//! .rule(Rule::y(200.0, "objective 200 ms"));
//! let svg = chart.svg(&Theme::light());
//! assert!(svg.starts_with("<svg"));
//! let png = chart.png(&Theme::light(), 2.0);
//! assert!(png.starts_with(b"\x89PNG"));
//! ```
//!
//! The same data give the same bytes. PNG needs no font or library of the system: the text is set
//! in the fonts of `fonts/`; SVG names them first and falls back on the reader's sans-serif. A
//! character that the fonts lack (they hold Latin, Greek and Cyrillic) shows as a box in PNG.
//!
//! A value that cannot be placed (not finite, beyond 1e300, or not positive on a log axis) is left
//! out, breaks the line that it is in, and is told in a remark below the chart: in the words that the
//! chart has for it ([`Chart::absent`]), else as a number of values.
//!
//! The label of a reference line covers no mark: it stands beside its line where there is room, else
//! in the legend.

mod area;
mod chart;
mod clip;
mod color;
mod domain;
mod font;
mod frame;
mod heading;
mod layout;
mod margins;
mod marks;
mod number;
mod panels;
mod png;
mod rules;
mod scene;
mod svg;
mod theme;
mod ticks;
mod view;

pub use chart::{Axis, BarMode, Chart, Mark, Rule, Scale, Series, Steps};
pub use number::number;
pub use panels::Panels;
pub use theme::{Theme, css};
