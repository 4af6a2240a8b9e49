//! Points that say nothing about a steady state.
//!
//! A queue that grows while it is measured has more requests in flight at the end than Little's law
//! gives, `rate x latency`; or its later requests wait longer than its earlier ones. A run that ends
//! before long answers do has completed fewer requests than arrived, and is steady all the same.
//! Where a file tells neither, a point whose rate is above what the fitted model can serve is left
//! out.

use isocost_model::input::reading::figure;
use isocost_model::queue::ServiceModel;

use crate::point::{Arrivals, Point};
use crate::predict::{Bench, predict};

/// A point that was left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Excluded {
    /// Index of the point.
    pub point: usize,
    /// Why.
    pub reason: Overload,
}

/// How a point shows that the server was overloaded.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Overload {
    /// More requests were in flight at the end than rate x latency.
    #[error(
        "{in_flight:.0} requests were in flight at the end, and rate x latency is {steady:.0}: the \
         queue grew"
    )]
    Growing {
        /// Requests in flight at the end.
        in_flight: f64,
        /// Rate x latency.
        steady: f64,
    },
    /// Later requests waited longer than earlier ones.
    #[error("the later half of the requests waited {growth:.1} times as long: the queue grew")]
    Waiting {
        /// Mean TTFT of the later half over that of the earlier.
        growth: f64,
    },
    /// The rate is above what the fitted model can serve.
    #[error(
        "{} requests/s is above 98% of the fitted capacity, {} requests/s, and the file does not say \
         how many were answered",
        figure(*rate_per_s),
        figure(*capacity_per_s)
    )]
    Saturated {
        /// Arrival rate, requests/s.
        rate_per_s: f64,
        /// What the model can serve, requests/s.
        capacity_per_s: f64,
    },
}

/// A TTFT that grows by more than this from half to half is that of a queue that grows: it triples
/// where the queue starts empty and grows evenly.
const MOST_GROWTH: f64 = 1.8;

/// Above this share of the capacity a measurement ends before the queue is steady.
const MOST_LOAD: f64 = 0.98;

/// Points that are overloaded by what was measured.
pub(crate) fn measured(points: &[Point]) -> Vec<Excluded> {
    let mut excluded = Vec::new();
    for (i, point) in points.iter().enumerate() {
        if let Some((in_flight, steady)) = point.grown() {
            excluded.push(Excluded { point: i, reason: Overload::Growing { in_flight, steady } });
        } else if let Some(growth) = point.ttft_growth.filter(|g| *g > MOST_GROWTH) {
            excluded.push(Excluded { point: i, reason: Overload::Waiting { growth } });
        }
    }
    excluded
}

/// Points that the model says are overloaded, of those that do not say so themselves.
pub(crate) fn predicted(
    points: &[Point],
    used: &[usize],
    service: ServiceModel,
    bench: &Bench,
) -> Vec<Excluded> {
    let mut excluded = Vec::new();
    for &point in used {
        let measured = &points[point];
        let open = matches!(measured.arrivals, Arrivals::Open { .. });
        if !open || measured.in_flight.is_some() || measured.ttft_growth.is_some() {
            continue;
        }
        let load = predict(service, bench, measured).map_or(0.0, |p| p.load);
        if load > MOST_LOAD {
            let rate_per_s = measured.rate_per_s;
            let reason = Overload::Saturated { rate_per_s, capacity_per_s: rate_per_s / load };
            excluded.push(Excluded { point, reason });
        }
    }
    excluded
}
