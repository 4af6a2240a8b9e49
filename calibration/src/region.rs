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

/// Halvings in a search for a margin: to 4e-5.
const HALVINGS: u32 = 17;

impl Region {
    pub(crate) fn new(fit: &Fit, points: &[Point], unseen: &[LeftOut]) -> Self {
        let own = [fit.confidence.optimistic, fit.confidence.pessimistic];
        let all: Vec<&LeftOut> = unseen.iter().collect();
        let margin = Margin::of(&all, points);
        let coverage = coverage(unseen, points);
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
    /// The margin that 95% of what was left out asks for.
    fn of(unseen: &[&LeftOut], points: &[Point]) -> Self {
        let time = quantile(asked(unseen, points, Metric::Itl, |time| Self { time, first: 0.0 }));
        let first = quantile(asked(unseen, points, Metric::Ttft, |first| Self { time, first }));
        Self { time, first }
    }

    fn back(self) -> Self {
        Self { time: -self.time, first: -self.first }
    }
}

/// The least margin along a path of margins with which each latency lies between the ends.
fn asked(
    unseen: &[&LeftOut],
    points: &[Point],
    metric: Metric,
    path: impl Fn(f64) -> Margin,
) -> Vec<f64> {
    let mut asked = Vec::new();
    for out in unseen {
        for (i, _) in &out.judged {
            if metric.measured(&points[*i]).is_none() {
                continue;
            }
            let (mut low, mut high) = (0.0, MOST);
            if holds(out, path(0.0), &points[*i], metric) {
                high = 0.0;
            }
            for _ in 0..HALVINGS {
                let middle = f64::midpoint(low, high);
                if holds(out, path(middle), &points[*i], metric) {
                    high = middle;
                } else {
                    low = middle;
                }
            }
            asked.push(high);
        }
    }
    asked
}

/// Whether a latency lies between ends that are so far apart.
fn holds(out: &LeftOut, margin: Margin, point: &Point, metric: Metric) -> bool {
    let Some(measured) = metric.measured(point) else { return true };
    let at = |service| predict(service, &out.bench, point).map(|p| metric.predicted(&p));
    let low = at(widened(out.ends[0], margin.back()));
    let high = at(widened(out.ends[1], margin));
    low.is_some_and(|low| low <= measured) && high.is_some_and(|high| measured <= high)
}

/// Shares of the latencies of each sweep that the margins of the others hold: ITL, TTFT.
fn coverage(unseen: &[LeftOut], points: &[Point]) -> Option<(f64, f64)> {
    let mut held = [0.0_f64; 2];
    let mut counted = [0.0_f64; 2];
    for out in unseen {
        let others: Vec<&LeftOut> = unseen.iter().filter(|o| o.sweep != out.sweep).collect();
        if others.is_empty() {
            return None;
        }
        let margin = Margin::of(&others, points);
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
