//! One run of a benchmark: what every tool says of it, and the one way from there to a point.
//!
//! ```text
//! ITL = (E2E - TTFT) / (out - 1)
//! ```
//!
//! from the means, wherever a file gives the end-to-end latency. Tools mean different things by their
//! own times between tokens: some count chunks, which may hold no token or several, some include the
//! first token. Where a file's own is more than 20% off, that is said, and its percentiles are left
//! alone.
//!
//! A value that cannot be makes the run a broken one: it is left out and the others count.

use std::ops::RangeInclusive;

use isocost_model::input::reading::{At, Node, Report, between, figure};

use super::{MOST, MOST_TOKENS, place, sweep_of};
use crate::point::{Arrivals, Percentile, Point};
use isocost_model::input::reading::dig;

/// The file's own time between tokens may be off by this share.
const ODD: f64 = 0.2;

/// The longest of some answers over their mean, where the answers are not told one by one.
const LONGEST: f64 = 4.0;

/// Where a run stands.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub file: &'a str,
    pub at: At,
    /// What it is in messages.
    pub entity: &'a str,
    /// Variation of the gaps, where a configuration beside the file tells it.
    pub gap_scv: Option<f64>,
}

/// A quantity as a file gives it, and what the file calls it.
#[derive(Clone, Copy, Default)]
pub(super) struct Given {
    pub key: &'static str,
    pub value: Option<f64>,
}

impl Given {
    /// The first of several keys that holds a number, times `scale`; the first of all where none does.
    pub fn of(node: &Node, keys: &[&'static str], scale: f64) -> Self {
        let found = keys.iter().find_map(|key| Some((*key, dig::number(node, key)?)));
        let key = keys.first().copied().unwrap_or("");
        found.map_or(Self { key, value: None }, |(key, x)| Self { key, value: Some(x * scale) })
    }

    /// The same where 0 stands for what was not measured.
    pub fn measured(node: &Node, keys: &[&'static str], scale: f64) -> Self {
        let given = Self::of(node, keys, scale);
        Self { value: given.value.filter(|x| *x != 0.0), ..given }
    }

    /// The value, where it is there and within `range`; what is wrong with it is said.
    pub fn within(
        self,
        range: RangeInclusive<f64>,
        source: Source<'_>,
        report: &mut Report,
    ) -> Option<f64> {
        let Some(value) = self.value else {
            let what = format!("`{}` is missing", self.key);
            report.problem_at(
                source.file,
                source.at,
                source.entity,
                what,
                "give the file as it was written",
            );
            return None;
        };
        if range.contains(&value) {
            return Some(value);
        }
        let what = format!("`{}` is {}", self.key, figure(value));
        let remedy = format!("expected {}", between(*range.start(), *range.end()));
        report.problem_at(source.file, source.at, source.entity, what, &remedy);
        None
    }
}

/// How a run ended, which tells a queue that grew.
#[derive(Clone, Copy, Default)]
pub(super) enum End {
    /// Nobody says.
    #[default]
    Untold,
    /// At a time, with so many requests under way.
    Cut(f64),
    /// With the last answer.
    Drained {
        /// How long it took, s.
        run_s: f64,
        /// Requests that were sent.
        sent: f64,
        /// Tokens of the longest answer, where they are known.
        longest: Option<f64>,
    },
}

/// What a file says of a run.
#[derive(Clone, Default)]
pub(super) struct Run {
    pub arrivals: Option<Arrivals>,
    /// Requests that arrived, per second; of a closed loop those that were answered.
    pub rate_per_s: Given,
    pub input_tokens: Given,
    pub output_tokens: Given,
    pub ttft_ms: Given,
    /// End-to-end latency.
    pub e2e_ms: Given,
    /// Times between tokens as the file has them, the best first.
    pub own_itl_ms: [Given; 2],
    pub input_sd: Option<f64>,
    pub output_sd: Option<f64>,
    pub ttft_percentiles: Vec<Percentile>,
    pub tpot_percentiles: Vec<Percentile>,
    pub end: End,
}

impl Run {
    /// The point that was measured; nothing where the run is broken, which is a problem each.
    pub fn point(self, source: Source<'_>, report: &mut Report) -> Option<Point> {
        let tiny = f64::MIN_POSITIVE;
        let rate_per_s = self.rate_per_s.within(tiny..=MOST, source, report);
        let input_tokens = self.input_tokens.within(0.0..=MOST_TOKENS, source, report);
        let output_tokens = self.output_tokens.within(tiny..=MOST_TOKENS, source, report);
        let ttft_ms = self.ttft_ms.within(tiny..=MOST, source, report);
        let output_tokens = output_tokens.map(|tokens| tokens.max(1.0));
        let itl_ms = self.itl_ms(output_tokens?, source, report);
        let (rate_per_s, input_tokens, output_tokens) =
            (rate_per_s?, input_tokens?, output_tokens?);
        let (arrivals, ttft_ms, (itl_ms, odd)) = (self.arrivals?, ttft_ms?, itl_ms?);
        let sweep = sweep_of(input_tokens, output_tokens);
        let mut point = Point::new(sweep, arrivals, rate_per_s, input_tokens, output_tokens);
        point.place = place(source.file, source.at);
        point.ttft_ms = Some(ttft_ms);
        point.itl_ms = itl_ms;
        point.input_scv = variation(self.input_sd, input_tokens);
        point.token_scv = variation(self.output_sd, output_tokens);
        let sound = |p: &Percentile| p.ms > 0.0 && p.ms <= MOST;
        point.ttft_percentiles = self.ttft_percentiles.into_iter().filter(sound).collect();
        if !odd && itl_ms.is_some() {
            point.tpot_percentiles = self.tpot_percentiles.into_iter().filter(sound).collect();
        }
        if let Arrivals::Open { .. } = arrivals {
            point.in_flight = in_flight(&point, self.end);
        }
        Some(point)
    }

    /// The time between tokens, none where there is one token only, and whether the file's own is
    /// another; nothing where it is not told or cannot be, which is a problem.
    fn itl_ms(
        &self,
        output_tokens: f64,
        source: Source<'_>,
        report: &mut Report,
    ) -> Option<(Option<f64>, bool)> {
        if output_tokens <= 1.0 {
            return Some((None, false));
        }
        let own = || self.own_itl_ms.iter().filter(|own| own.value.is_some());
        if self.e2e_ms.value.is_none() || self.ttft_ms.value.is_none() {
            let first = own().next().copied().unwrap_or(self.own_itl_ms[0]);
            let itl_ms = first.within(f64::MIN_POSITIVE..=MOST, source, report)?;
            return Some((Some(itl_ms), false));
        }
        let e2e_ms = self.e2e_ms.within(f64::MIN_POSITIVE..=MOST, source, report)?;
        let ttft_ms = self.ttft_ms.value?;
        let itl_ms = (e2e_ms - ttft_ms) / (output_tokens - 1.0);
        if itl_ms <= 0.0 {
            let what = format!(
                "an answer of {} tokens takes {} ms, of which its first token takes {}",
                figure(output_tokens),
                figure(e2e_ms),
                figure(ttft_ms)
            );
            let remedy = "measure with streaming, or leave the run out";
            report.problem_at(source.file, source.at, source.entity, what, remedy);
            return None;
        }
        let odd = own().find(|own| own.value.is_some_and(|x| (x / itl_ms - 1.0).abs() > ODD));
        if let Some(Given { key, value: Some(own) }) = odd {
            let what = format!(
                "`{key}` is {} ms, and the end-to-end latency, the TTFT and the tokens give {}",
                figure(*own),
                figure(itl_ms)
            );
            let remedy = "the latter is taken: a tool may count chunks instead of tokens";
            report.warning_at(source.file, source.at, source.entity, what, remedy);
        }
        Some((Some(itl_ms), odd.is_some()))
    }
}

/// Squared coefficient of variation, from a standard deviation.
fn variation(sd: Option<f64>, mean: f64) -> Option<f64> {
    let sd = sd.filter(|sd| (0.0..=MOST_TOKENS).contains(sd))?;
    (mean > 0.0).then(|| (sd / mean).powi(2))
}

/// Requests in flight when the last one arrived. Of a run that lasted until the last answer, those
/// that were answered in the time that it took beyond the arrivals and the longest answer, and those
/// that a steady run leaves.
fn in_flight(point: &Point, end: End) -> Option<f64> {
    match end {
        End::Untold => None,
        End::Cut(under_way) => Some(under_way.max(0.0)),
        End::Drained { run_s, sent, longest } => {
            let longest = longest.unwrap_or(LONGEST * point.output_tokens);
            let (ttft_ms, itl_ms) = (point.ttft_ms.unwrap_or(0.0), point.itl_ms.unwrap_or(0.0));
            let answer_s = (ttft_ms + longest * itl_ms) / 1000.0;
            let late_s = (run_s - sent / point.rate_per_s - answer_s).max(0.0);
            Some(point.concurrency().unwrap_or(0.0) + late_s * sent / run_s)
        }
    }
}

/// Percentiles of a latency from the keys that hold them, in milliseconds times `scale`.
pub(super) fn percentiles(node: &Node, keys: &[(f64, &str)], scale: f64) -> Vec<Percentile> {
    let mut found: Vec<Percentile> = Vec::new();
    for (percent, key) in keys {
        let known = found.iter().any(|p| p.percent == *percent);
        if let Some(x) = dig::positive(node, key).filter(|_| !known) {
            found.push(Percentile { percent: *percent, ms: x * scale });
        }
    }
    found
}
