//! The efficiencies with which the catalogue's rooflines are nearest to what was measured.
//!
//! Levenberg-Marquardt in the logarithms of the efficiencies on `ln(predicted / measured)`, a per cent of ITL
//! weighing as three of TTFT, every system as much as the others, under Huber's loss; each logarithm is held
//! near where it starts by a prior, so that what the systems do not tell stays there.

use isocost_calibration::{Point, predict};
use isocost_catalogue::Efficiency;
use isocost_model::queue::ServiceModel;
use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt};
use nalgebra::{DMatrix, DVector, Dyn, Owned};
use rayon::prelude::*;

use crate::efficiency;
use crate::systems::System;

/// Where the search starts: name, value, and how far from it, in logarithms, is likely. The last three are
/// factors for Blackwell cards on what reads, what computes, and the host.
pub const START: [(&str, f64, f64); 20] = [
    ("weights", 0.75, 0.3),
    ("experts", 0.8, 0.3),
    ("cache", 0.6, 0.5),
    ("bf16", 0.6, 0.3),
    ("fp8", 0.5, 0.3),
    ("fp4", 0.35, 0.3),
    ("attention", 0.5, 0.5),
    ("hidden", 0.5, 0.5),
    ("pass_ms", 1.0, 1.0),
    ("layer_ms", 0.01, 1.0),
    ("request_ms", 0.01, 1.0),
    ("reduce_ms", 0.008, 0.7),
    ("expert_ms", 1e-4, 1.0),
    ("link", 0.6, 0.5),
    ("overhead_ms", 10.0, 1.0),
    ("prompt_layer_ms", 0.5, 1.0),
    ("lag_steps", 1.5, 0.7),
    ("Blackwell reads", 1.0, 0.2),
    ("Blackwell computes", 1.0, 0.3),
    ("Blackwell hosts", 1.0, 0.3),
];

/// The first of Blackwell's factors.
pub const BLACKWELL: usize = 17;

/// Weight of a TTFT, and where the loss turns straight.
const TTFT: f64 = 1.0 / 3.0;
const HUBER: f64 = 0.25;
/// Weight of a prior beside a system's points, which weigh 30 in all.
const PRIOR: f64 = 1.0;
const SYSTEM: f64 = 30.0;
const STEP: f64 = 0.01;

struct Search<'a> {
    systems: Vec<&'a System>,
    free: DVector<f64>,
    residuals: DVector<f64>,
}

/// The efficiencies fitted to some systems, as logarithms of factors on where the search starts.
pub fn fit(systems: &[&System], from: &[f64], patience: usize) -> Vec<f64> {
    let free = DVector::from_column_slice(from);
    let residuals = residuals(systems, &free);
    let search = Search { systems: systems.to_vec(), free, residuals };
    let method = LevenbergMarquardt::new().with_patience(patience).with_ftol(1e-3);
    let (found, _) = method.minimize(search);
    found.free.as_slice().to_vec()
}

/// Signed errors of every point of a system, as logarithms: (ITL, TTFT).
pub fn errors(system: &System, efficiency: &Efficiency) -> Vec<(f64, f64)> {
    let service = ServiceModel::Roofline(system.roofline(efficiency));
    let bench = system.bench();
    let error = |point: &Point| {
        let Some(p) = predict(service, &bench, point) else { return (3.0, 3.0) };
        let of =
            |predicted: f64, measured: Option<f64>| measured.map_or(0.0, |m| (predicted / m).ln());
        (of(p.itl_ms, point.itl_ms), of(p.ttft_ms, point.ttft_ms))
    };
    system.points.par_iter().map(error).collect()
}

fn residuals(systems: &[&System], free: &DVector<f64>) -> DVector<f64> {
    let mut rows = Vec::new();
    for system in systems {
        let efficiency = efficiency(system, free.as_slice());
        let weight = (SYSTEM / system.points.len() as f64).sqrt();
        for (itl, ttft) in errors(system, &efficiency) {
            rows.extend([weight * huber(itl), weight * TTFT * huber(ttft)]);
        }
    }
    let priors = free.iter().zip(START).map(|(x, (_, _, likely))| PRIOR * x / likely);
    DVector::from_iterator(rows.len() + free.len(), rows.into_iter().chain(priors))
}

/// A residual whose square is twice Huber's loss.
fn huber(x: f64) -> f64 {
    let size = x.abs();
    if size <= HUBER { x } else { x.signum() * (2.0 * HUBER * size - HUBER * HUBER).sqrt() }
}

impl LeastSquaresProblem<f64, Dyn, Dyn> for Search<'_> {
    type ParameterStorage = Owned<f64, Dyn>;
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, Dyn>;

    fn set_params(&mut self, free: &DVector<f64>) {
        self.free.copy_from(free);
        self.residuals = residuals(&self.systems, free);
    }

    fn params(&self) -> DVector<f64> {
        self.free.clone()
    }

    fn residuals(&self) -> Option<DVector<f64>> {
        Some(self.residuals.clone())
    }

    fn jacobian(&self) -> Option<DMatrix<f64>> {
        let columns: Vec<DVector<f64>> = (0..self.free.len())
            .map(|i| {
                let mut moved = self.free.clone();
                moved[i] += STEP;
                (residuals(&self.systems, &moved) - &self.residuals) / STEP
            })
            .collect();
        Some(DMatrix::from_columns(&columns))
    }
}
