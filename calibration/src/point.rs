//! Measured points.

/// What a benchmark measured at one load of one replica.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Model, accelerator and engine that were measured; empty where the file does not say.
    pub system: String,
    /// Sweep that it belongs to: points of the same kind of request.
    pub sweep: String,
    /// Where it was read: file, line and column.
    pub place: String,
    /// How requests arrived.
    pub arrivals: Arrivals,
    /// Requests that arrived, per second; of a closed loop those that were answered.
    pub rate_per_s: f64,
    /// Requests that were still to be answered when the last one had arrived, where the file tells.
    pub in_flight: Option<f64>,
    /// Mean TTFT of the later half of the requests over that of the earlier half, where the file
    /// tells.
    pub ttft_growth: Option<f64>,
    /// Mean tokens of a prompt.
    pub input_tokens: f64,
    /// Squared coefficient of variation of prompts, where it was measured.
    pub input_scv: Option<f64>,
    /// Mean tokens of an answer, at least 1.
    pub output_tokens: f64,
    /// Squared coefficient of variation of answers, where it was measured.
    pub token_scv: Option<f64>,
    /// Mean time to first token, ms.
    pub ttft_ms: Option<f64>,
    /// Mean time between two tokens of a request, ms.
    pub itl_ms: Option<f64>,
    /// Percentiles of the time to first token.
    pub ttft_percentiles: Vec<Percentile>,
    /// Percentiles over requests of their own mean time between two tokens.
    pub tpot_percentiles: Vec<Percentile>,
}

/// A measured percentile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentile {
    /// Of 100, the requests that are not slower.
    pub percent: f64,
    /// Their longest latency, ms.
    pub ms: f64,
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

/// More in flight at the end than this times rate x latency, and the queue grew: where a run starts
/// empty and its queue grows evenly, it is twice as much.
const MOST_IN_FLIGHT: f64 = 1.5;

/// What chance adds to the requests in flight, in roots of their mean, and in requests.
const CHANCE: (f64, f64) = (4.0, 2.0);

impl Point {
    /// A point of which no latency is known yet.
    pub fn new(
        sweep: String,
        arrivals: Arrivals,
        rate_per_s: f64,
        input_tokens: f64,
        output_tokens: f64,
    ) -> Self {
        Self {
            system: String::new(),
            sweep,
            place: String::new(),
            arrivals,
            rate_per_s,
            in_flight: None,
            ttft_growth: None,
            input_tokens,
            input_scv: None,
            output_tokens,
            token_scv: None,
            ttft_ms: None,
            itl_ms: None,
            ttft_percentiles: Vec::new(),
            tpot_percentiles: Vec::new(),
        }
    }

    /// Requests in the system by Little's law, where both latencies were measured.
    pub fn concurrency(&self) -> Option<f64> {
        let (ttft_ms, itl_ms) = (self.ttft_ms?, self.itl_ms.or(self.only_first_token())?);
        Some(self.rate_per_s * (ttft_ms + (self.output_tokens - 1.0) * itl_ms) / 1000.0)
    }

    /// No time between tokens where there is one token only.
    fn only_first_token(&self) -> Option<f64> {
        (self.output_tokens <= 1.0).then_some(0.0)
    }

    /// Requests in flight at the end over rate x latency, where they say that the queue grew.
    ///
    /// A run that ends while long answers are under way has as many requests in flight as Little's
    /// law gives: it completes fewer than arrived and is steady all the same.
    pub fn grown(&self) -> Option<(f64, f64)> {
        let (in_flight, steady) = (self.in_flight?, self.concurrency()?);
        let chance = CHANCE.0 * steady.sqrt() + CHANCE.1;
        let grown = in_flight > MOST_IN_FLIGHT * steady && in_flight > steady + chance;
        grown.then_some((in_flight, steady))
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
    let single: Vec<usize> = (0..points.len()).filter(|&at| is_single(points, at)).collect();
    for &at in &single {
        points[at].arrivals = Arrivals::Closed { clients: 1 };
    }
    single.len()
}

fn is_single(points: &[Point], at: usize) -> bool {
    let point = &points[at];
    let sweep = points.iter().filter(|p| p.sweep == point.sweep && p.system == point.system);
    let lowest = sweep.map(|p| p.rate_per_s).fold(f64::INFINITY, f64::min);
    matches!(point.arrivals, Arrivals::Open { .. })
        && point.rate_per_s <= lowest
        && point.concurrency().is_some_and(|n| (n - 1.0).abs() <= ONE_CLIENT)
}

/// The names of the sweeps, in the order of their first points.
pub fn sweeps(points: &[Point]) -> Vec<String> {
    distinct(points.iter().map(|p| &p.sweep))
}

/// The systems that were measured, in the order of their first points.
pub fn systems(points: &[Point]) -> Vec<String> {
    distinct(points.iter().map(|p| &p.system))
}

fn distinct<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in names {
        if !found.contains(name) {
            found.push(name.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(in_flight: f64) -> Point {
        let mut point = Point::new(String::new(), Arrivals::POISSON, 3.33, 1000.0, 1000.0);
        (point.ttft_ms, point.itl_ms) = (Some(98.0), Some(23.4));
        point.in_flight = Some(in_flight);
        point
    }

    #[test]
    fn long_answers_that_a_run_ends_in_are_no_overload() {
        // 78 requests by Little's law: in flight at the end of any run, however short.
        assert_eq!(point(87.0).grown(), None);
        let (in_flight, steady) = point(160.0).grown().expect("the queue doubled");
        assert_eq!(in_flight, 160.0);
        assert!((steady - 78.17).abs() < 0.01, "{steady}");
        let unknown = Point { in_flight: None, ..point(0.0) };
        assert_eq!(unknown.grown(), None);
    }
}
