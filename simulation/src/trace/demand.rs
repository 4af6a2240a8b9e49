//! A trace by periods: what arrives in each hour, for plans over time.
//!
//! A period has its rate, tokens and variation from its own requests. Periods start at full hours (or
//! what a period is) of the file's dates, or at its first arrival. The first and the last are there in
//! part: their rates are over the time that they are. Folded into a day or a week, periods of the same
//! time of day are one, with the requests of all of them.

use std::ops::AddAssign;

use super::Trace;

/// Periods of less than this share of their length are left out where there are others.
const LEAST_COVERED: f64 = 0.05;

/// Of fewer values than this no variation is stated: it would be chance.
const FEWEST: u64 = 20;

/// No demand has more periods.
const MOST_PERIODS: f64 = 100_000.0;

/// What periods are gathered over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// Each stands for itself.
    None,
    /// Those of the same time of day are one.
    Day,
    /// Those of the same time of week are one.
    Week,
}

/// The demand of a trace, period by period.
#[derive(Debug, Clone, PartialEq)]
pub struct Demand {
    /// The periods, in order; those without a request have a rate of 0.
    pub periods: Vec<Period>,
    /// What was left out.
    pub notes: Vec<String>,
}

/// What arrives in a period.
#[derive(Debug, Clone, PartialEq)]
pub struct Period {
    /// When it is.
    pub name: String,
    /// How long it lasts.
    pub hours: f64,
    /// Requests of the trace in it.
    pub requests: u64,
    /// Requests per minute.
    pub arrival_rate_per_min: f64,
    /// Mean tokens of a prompt; where there is a request.
    pub input_tokens: Option<f64>,
    /// Mean tokens of an answer, likewise.
    pub output_tokens: Option<f64>,
    /// Squared coefficient of variation of inter-arrival times; where there are twenty gaps.
    pub arrival_scv: Option<f64>,
    /// Squared coefficient of variation of answers; where there are twenty requests.
    pub token_scv: Option<f64>,
    /// The same of prompts.
    pub input_scv: Option<f64>,
}

const DAY_S: f64 = 86_400.0;

impl Fold {
    /// Its length, s.
    fn seconds(self) -> Option<f64> {
        match self {
            Self::None => None,
            Self::Day => Some(DAY_S),
            Self::Week => Some(7.0 * DAY_S),
        }
    }
}

impl Demand {
    /// The demand of `trace` in periods of `period_s` seconds.
    ///
    /// # Errors
    /// What is wrong with the period, in words.
    pub fn new(trace: &Trace, period_s: f64, fold: Fold) -> Result<Self, String> {
        let last_s = trace.requests.last().map_or(0.0, |r| r.arrival_ms) / 1000.0;
        if last_s / period_s > MOST_PERIODS {
            return Err(format!(
                "the trace has more than {MOST_PERIODS} periods: take longer ones"
            ));
        }
        let folded = match fold.seconds() {
            Some(whole_s) if (whole_s / period_s).fract() != 0.0 || whole_s < period_s => {
                return Err("no whole number of periods makes what they are folded into".to_owned());
            }
            whole_s => whole_s.map(|whole_s| (whole_s / period_s) as u64),
        };
        let start_s = trace.start_s.unwrap_or(0.0);
        let first = (start_s / period_s).floor();
        let count = ((start_s + last_s) / period_s).floor() - first + 1.0;
        let mut sums = vec![Sums::default(); count as usize];
        let mut before: Option<(usize, f64)> = None;
        for request in &trace.requests {
            let arrival_s = start_s + request.arrival_ms / 1000.0;
            let at = ((arrival_s / period_s).floor() - first) as usize;
            let at = at.min(sums.len() - 1);
            sums[at].input.add(f64::from(request.input_tokens));
            sums[at].output.add(f64::from(request.output_tokens));
            if let Some((_, before_s)) = before.filter(|(period, _)| *period == at) {
                sums[at].gaps.add(arrival_s - before_s);
            }
            before = Some((at, arrival_s));
        }
        for (sum, at) in sums.iter_mut().zip(0..) {
            let begin_s = (first + f64::from(at)) * period_s;
            let end_s = (begin_s + period_s).min(start_s + last_s);
            sum.covered_s = (end_s - begin_s.max(start_s)).max(0.0);
        }
        let clock = Clock { dated: trace.start_s.is_some(), period_s, fold };
        Ok(gathered(sums, first as i64, folded, &clock))
    }
}

/// Periods from their sums, folded where asked for.
fn gathered(sums: Vec<Sums>, first: i64, folded: Option<u64>, clock: &Clock) -> Demand {
    let mut notes = Vec::new();
    let several = sums.len() > 1;
    let mut kept: Vec<(i64, Sums)> = Vec::new();
    for (sum, index) in sums.into_iter().zip(first..) {
        if several && sum.covered_s < LEAST_COVERED * clock.period_s {
            let (name, requests) = (clock.name(index), sum.input.count);
            notes.push(format!(
                "period {name} is hardly in the trace and left out, with {requests} requests"
            ));
            continue;
        }
        let Some(folded) = folded else {
            kept.push((index, sum));
            continue;
        };
        let index = index.rem_euclid(folded as i64);
        match kept.iter_mut().find(|(known, _)| *known == index) {
            Some((_, known)) => *known += sum,
            None => kept.push((index, sum)),
        }
    }
    if folded.is_some() {
        kept.sort_by_key(|(index, _)| *index);
    }
    let periods =
        kept.into_iter().map(|(index, sum)| sum.period(clock.name(index), clock.period_s));
    Demand { periods: periods.collect(), notes }
}

/// What is summed up of a period.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    covered_s: f64,
    gaps: Moments,
    input: Moments,
    output: Moments,
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        self.covered_s += other.covered_s;
        self.gaps += other.gaps;
        self.input += other.input;
        self.output += other.output;
    }
}

impl Sums {
    fn period(self, name: String, period_s: f64) -> Period {
        let rate_per_s = match self.covered_s > 0.0 {
            true => self.input.count as f64 / self.covered_s,
            false => 0.0,
        };
        Period {
            name,
            hours: period_s / 3600.0,
            requests: self.input.count,
            arrival_rate_per_min: rate_per_s * 60.0,
            input_tokens: self.input.mean(),
            output_tokens: self.output.mean(),
            arrival_scv: self.gaps.scv(),
            token_scv: self.output.scv(),
            input_scv: self.input.scv(),
        }
    }
}

/// Number, sum and sum of squares.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    count: u64,
    sum: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, x: f64) {
        self.count += 1;
        self.sum += x;
        self.squares += x * x;
    }

    fn mean(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    fn scv(self) -> Option<f64> {
        let mean = self.mean().filter(|mean| self.count >= FEWEST && *mean > 0.0)?;
        Some((self.squares / self.count as f64 / (mean * mean) - 1.0).max(0.0))
    }
}

impl AddAssign for Moments {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.squares += other.squares;
    }
}

/// What periods are called.
struct Clock {
    dated: bool,
    period_s: f64,
    fold: Fold,
}

impl Clock {
    /// The name of the period of an index, which counts from 1970 or from the first arrival.
    fn name(&self, index: i64) -> String {
        let begin_s = (index as f64 * self.period_s).round();
        let second = begin_s.rem_euclid(DAY_S) as u32;
        let mut time = format!("{:02}:{:02}", second / 3600, second / 60 % 60);
        if self.period_s % 60.0 != 0.0 {
            time += &format!(":{:02}", second % 60);
        }
        let day = begin_s.div_euclid(DAY_S);
        match (self.fold, self.dated) {
            (Fold::Day, _) => time,
            // The first of January 1970 was a Thursday.
            (Fold::Week, true) => format!("{} {time}", WEEKDAYS[day.rem_euclid(7.0) as usize]),
            (Fold::Week, false) | (Fold::None, false) => format!("day {} {time}", day + 1.0),
            (Fold::None, true) => {
                let date = jiff::Timestamp::from_second(begin_s as i64);
                let date = date.map(|at| jiff::tz::Offset::UTC.to_datetime(at).date().to_string());
                format!("{} {time}", date.unwrap_or_default())
            }
        }
    }
}

const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
