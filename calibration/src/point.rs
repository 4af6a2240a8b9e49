//! Measured points.

/// What a benchmark measured at one load of one replica.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Sweep that it belongs to: points of the same kind of request.
    pub sweep: String,
    /// Where it was read: file, line and column.
    pub place: String,
    /// How requests arrived.
    pub arrivals: Arrivals,
    /// Requests that arrived, per second.
    pub rate_per_s: f64,
    /// Requests completed over those that were to be completed at that load, where the file tells.
    pub served_share: Option<f64>,
    /// Mean tokens of a prompt.
    pub input_tokens: f64,
    /// Mean tokens of an answer, at least 1.
    pub output_tokens: f64,
    /// Mean time to first token, ms.
    pub ttft_ms: Option<f64>,
    /// Mean time between two tokens of a request, ms.
    pub itl_ms: Option<f64>,
}

/// How requests arrive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Arrivals {
    /// At the point's rate, whatever the server does.
    Open {
        /// Squared coefficient of variation of inter-arrival times; 1 is Poisson, 0 constant.
        scv: f64,
    },
    /// Each of so many clients sends its next request when the last is answered.
    Closed {
        /// Clients.
        clients: u32,
    },
}

impl Arrivals {
    /// Poisson arrivals.
    pub const POISSON: Self = Self::Open { scv: 1.0 };
}

impl Point {
    /// Requests in the system by Little's law, where both latencies were measured.
    pub fn concurrency(&self) -> Option<f64> {
        let (ttft_ms, itl_ms) = (self.ttft_ms?, self.itl_ms?);
        Some(self.rate_per_s * (ttft_ms + (self.output_tokens - 1.0) * itl_ms) / 1000.0)
    }
}

/// A point at the lowest rate of its sweep that has, within this share, one request in the system
/// was measured with one client.
const ONE_CLIENT: f64 = 0.06;

/// Takes the points that a sweep starts with, one request after the other, for what they are:
/// closed loop with one client. Such a point shows by its concurrency, which is exactly 1. Returns
/// how many there were.
///
/// An open loop at that rate would see an empty replica 37% of the time and two requests or more
/// 26% of it, which a benchmark's first point does not.
pub fn mark_single_client(points: &mut [Point]) -> usize {
    let lowest = |points: &[Point], at: usize| {
        let sweep = points.iter().filter(|p| p.sweep == points[at].sweep);
        sweep.map(|p| p.rate_per_s).fold(f64::INFINITY, f64::min)
    };
    let is_single = |points: &[Point], at: usize| {
        let p = &points[at];
        matches!(p.arrivals, Arrivals::Open { .. })
            && p.rate_per_s <= lowest(points, at)
            && p.concurrency().is_some_and(|n| (n - 1.0).abs() <= ONE_CLIENT)
    };
    let single: Vec<usize> = (0..points.len()).filter(|&at| is_single(points, at)).collect();
    for &at in &single {
        points[at].arrivals = Arrivals::Closed { clients: 1 };
    }
    single.len()
}

/// The names of the sweeps, in the order of their first points.
pub fn sweeps(points: &[Point]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for point in points {
        if !names.contains(&point.sweep) {
            names.push(point.sweep.clone());
        }
    }
    names
}
