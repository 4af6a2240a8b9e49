//! Where latencies lie: the region of the parameters, and the model's own error.
//!
//! The ellipsoid of the parameters (see [`Confidence`](crate::Confidence)) says what the points leave
//! open if the model is right. It is not, and the errors on sweeps that a fit has not seen say by how
//! much. So the ends of the ellipsoid are moved apart until what was left out lies between them:
//!
//! ```text
//! pessimistic end: every time of the model by exp(time), its first token's alone by exp(first) more
//! optimistic end:  the same the other way
//! ```
//!
//! A left-out latency asks for the least `time` with which it lies between the ends of *its* fit,
//! which has not seen it; of `n` such figures the `ceil(0.95 (n + 1))`-th holds 95% of latencies that
//! are yet to be measured, whatever the errors' distribution (split conformal prediction: Vovk,
//! Gammerman and Shafer, Algorithmic Learning in a Random World, 2005). `time` is that of the ITL,
//! and `first` what TTFT asks for beyond it.
//!
//! How many such regions hold is told the honest way: the latencies of each sweep against the margins
//! that the *other* sweeps ask for.

use isocost_model::queue::{Factors, ServiceModel};
use rayon::prelude::*;

use crate::confidence::LEVEL;
use crate::fit::Fit;
use crate::left_out::LeftOut;
use crate::point::Point;
use crate::predict::predict;
use crate::residual::Metric;

/// The ends between which 95% of latencies lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// How far both ends are beyond those of the parameters' region.
    pub margin: Margin,
    /// Service model where latencies are shortest.
    pub optimistic: ServiceModel,
    /// Service model where latencies are longest.
    pub pessimistic: ServiceModel,
    /// Share of the ITLs left out that lie within the region that the other sweeps give; `None`
    /// where there are no others.
    pub itl_coverage: Option<f64>,
    /// The same of TTFT.
    pub ttft_coverage: Option<f64>,
}

/// What the model's own error adds, as logarithms of factors.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Margin {
    /// Of every time.
    pub time: f64,
    /// Of the time to the first token, beyond that.
    pub first: f64,
}

/// No margin is larger: a factor of 55.
const MOST: f64 = 4.0;

/// Width to which a margin is sought, and looks at most.
const WIDTH: f64 = 1e-4;
const LOOKS: u32 = 60;

impl Region {
    pub(crate) fn new(fit: &Fit, points: &[Point], unseen: &[LeftOut]) -> Self {
        let own = [fit.confidence.optimistic, fit.confidence.pessimistic];
        let all: Vec<&LeftOut> = unseen.iter().collect();
        let times: Vec<Vec<f64>> = unseen.par_iter().map(|out| times(out, points)).collect();
        let margin = Margin::of(&all, points, times.concat());
        let coverage = coverage(unseen, points, &times);
        Self {
            margin,
            optimistic: widened(own[0], margin.back()),
            pessimistic: widened(own[1], margin),
            itl_coverage: coverage.map(|(itl, _)| itl),
            ttft_coverage: coverage.map(|(_, ttft)| ttft),
        }
    }
}

impl Margin {
    /// The margin that 95% of what was left out asks for, where the ITLs ask for `times`.
    fn of(unseen: &[&LeftOut], points: &[Point], times: Vec<f64>) -> Self {
        let time = quantile(times);
        let first = |out: &&LeftOut| asked(out, points, Metric::Ttft, |first| Self { time, first });
        Self { time, first: quantile(unseen.iter().flat_map(first).collect()) }
    }

    fn back(self) -> Self {
        Self { time: -self.time, first: -self.first }
    }
}

/// The least time margin with which each ITL lies between the ends.
fn times(out: &LeftOut, points: &[Point]) -> Vec<f64> {
    asked(out, points, Metric::Itl, |time| Margin { time, first: 0.0 })
}

/// The least margin along a path of margins with which each latency lies between the ends.
fn asked(
    out: &LeftOut,
    points: &[Point],
    metric: Metric,
    path: impl Fn(f64) -> Margin,
) -> Vec<f64> {
    let mut asked = Vec::new();
    for (i, _) in &out.judged {
        let [low, high] = End::BOTH.map(|end| {
            least(|margin| end.missing(out, path(margin), &points[*i], metric).unwrap_or(0.0))
        });
        if metric.measured(&points[*i]).is_some() {
            asked.push(low.max(high));
        }
    }
    asked
}

/// The least margin at which what is missing is nothing. It falls as the margin rises, by about as much: secants
/// close in on where it ends, from one side and the other, and every third look halves the bracket, since what is missing may jump.
fn least(missing: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = ((0.0, missing(0.0)), MOST);
    if low.1 <= 0.0 {
        return 0.0;
    }
    let mut next = low.1 + WIDTH / 2.0;
    for look in 1..LOOKS {
        if high - low.0 <= WIDTH {
            break;
        }
        let halves = look % 3 == 0 || !(next > low.0 && next < high);
        let at = if halves { f64::midpoint(low.0, high) } else { next };
        let here = missing(at);
        let root = low.0 + low.1 * (at - low.0) / (low.1 - here);
        if here > 0.0 {
            low = (at, here);
            next = root + WIDTH / 2.0;
        } else {
            high = at;
            next = root - WIDTH / 2.0;
        }
    }
    high
}

/// An end of a region.
#[derive(Debug, Clone, Copy)]
enum End {
    Optimistic,
    Pessimistic,
}

impl End {
    const BOTH: [Self; 2] = [Self::Optimistic, Self::Pessimistic];

    /// How far a latency is beyond this end at a margin, as a logarithm; `None` where it was not
    /// measured.
    fn missing(self, out: &LeftOut, margin: Margin, point: &Point, metric: Metric) -> Option<f64> {
        let measured = metric.measured(point)?;
        let service = match self {
            Self::Optimistic => widened(out.ends[0], margin.back()),
            Self::Pessimistic => widened(out.ends[1], margin),
        };
        let predicted = predict(service, &out.bench, point);
        let above = predicted.map_or(f64::NAN, |p| (metric.predicted(&p) / measured).ln());
        let missing = match self {
            Self::Optimistic => above,
            Self::Pessimistic => -above,
        };
        // What no number is said of is not between.
        Some(if missing.is_nan() { MOST } else { missing })
    }
}

/// Whether a latency lies between ends that are so far apart; so does one that was not measured.
fn holds(out: &LeftOut, margin: Margin, point: &Point, metric: Metric) -> bool {
    let missing = |end: End| end.missing(out, margin, point, metric);
    End::BOTH.into_iter().filter_map(missing).all(|missing| missing <= 0.0)
}

/// Shares of the latencies of each sweep that the margins of the others hold: ITL, TTFT.
fn coverage(unseen: &[LeftOut], points: &[Point], times: &[Vec<f64>]) -> Option<(f64, f64)> {
    let mut held = [0.0_f64; 2];
    let mut counted = [0.0_f64; 2];
    for out in unseen {
        let is_other = |o: &LeftOut| o.sweep != out.sweep;
        let others: Vec<&LeftOut> = unseen.iter().filter(|o| is_other(o)).collect();
        if others.is_empty() {
            return None;
        }
        let of_others = unseen.iter().zip(times).filter(|(o, _)| is_other(o));
        let of_others = of_others.flat_map(|(_, times)| times.iter().copied());
        let margin = Margin::of(&others, points, of_others.collect());
        for (i, _) in &out.judged {
            for (at, metric) in Metric::BOTH.into_iter().enumerate() {
                if metric.measured(&points[*i]).is_some() {
                    counted[at] += 1.0;
                    held[at] += f64::from(u8::from(holds(out, margin, &points[*i], metric)));
                }
            }
        }
    }
    let share = |at: usize| held[at] / counted[at].max(1.0);
    (!unseen.is_empty()).then(|| (share(0), share(1)))
}

/// The figure that 95% of figures yet to come do not exceed; 0 of nothing.
fn quantile(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let rank = (LEVEL * (figures.len() as f64 + 1.0)).ceil() as usize;
    figures.get(rank.min(figures.len()).wrapping_sub(1)).copied().unwrap_or(0.0)
}

/// `service` with every time longer by a margin. An iteration model, whose parameters all take part in
/// every time, is longer by both parts; so are a linear model's prompts.
fn widened(service: ServiceModel, margin: Margin) -> ServiceModel {
    let (time, both) = (margin.time.exp(), (margin.time + margin.first).exp());
    let times = Factors::of_times(time);
    service.scaled(&match service {
        ServiceModel::Linear(_) => Factors { gamma: both, delta: both, ..times },
        ServiceModel::Iteration(_) => Factors::of_times(both),
        ServiceModel::Roofline(_) => Factors { rest: both, lag: margin.first.exp(), ..times },
    })
}
