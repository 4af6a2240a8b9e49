//! `--trace`: incumbent, bound and gap over time, as CSV.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use isocost_model::export::write_file;
use isocost_model::plan::{Choice, relative_gap};
use isocost_planner::Request;
use isocost_solver::Progress;

use crate::Failure;

/// What a solve reports on its way.
#[derive(Default)]
pub struct Trace(Arc<Mutex<Vec<Progress>>>);

impl Trace {
    /// Listens to the solve that `request` leads to, if `wanted`.
    pub fn start(request: &mut Request, wanted: bool) -> Self {
        let trace = Self::default();
        let points = Arc::clone(&trace.0);
        request.solve.progress = wanted.then(|| {
            Arc::new(move |p: &Progress| {
                points.lock().unwrap_or_else(PoisonError::into_inner).push(*p);
            }) as isocost_solver::Listener
        });
        trace
    }

    /// Writes the points, and the end at `seconds`, to `path`.
    pub fn write(&self, path: &Path, seconds: f64, end: &Choice) -> Result<(), Failure> {
        let incumbent = end.objective.is_finite().then_some(end.objective);
        let last = Progress { seconds, incumbent, bound: end.bound };
        let points = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut writer = csv::Writer::from_writer(Vec::new());
        let header = ["seconds", "incumbent_cents_per_h", "bound_cents_per_h", "gap"];
        writer.write_record(header).map_err(Failure::failed)?;
        for point in points.iter().chain([&last]) {
            let finite = |x: f64| if x.is_finite() { x.to_string() } else { String::new() };
            let gap = point.incumbent.map(|cost| finite(relative_gap(cost, point.bound)));
            let row = [
                format!("{:.6}", point.seconds),
                point.incumbent.map_or(String::new(), finite),
                finite(point.bound),
                gap.unwrap_or_default(),
            ];
            writer.write_record(row).map_err(Failure::failed)?;
        }
        let text = writer.into_inner().map_err(Failure::failed)?;
        write_file(path, &text).map_err(Failure::failed)
    }
}
