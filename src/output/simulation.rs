//! What `isocost simulate` found: predictions beside simulated values, and which objectives hold.

use isocost_model::export::{cells, json_text};
use isocost_model::queue::{Analysis, Objective, Objectives, Reading};
use isocost_simulation::{CONFIDENCE, Effort, Estimate, Latency, Report};
use serde_json::{Value, json};

use super::style::{BOLD, GREEN, RED, YELLOW};
use super::table::table;
use super::width::fitted;
use crate::Failure;
use crate::output::say;

/// Simulated replicas.
pub struct Simulation {
    /// One entry for each kind of replica.
    pub rows: Vec<Row>,
    /// How much was simulated.
    pub effort: Effort,
    /// Whether requests were drawn, with a warm-up before those counted, not read from a trace.
    pub is_drawn: bool,
    /// Seconds that it took.
    pub seconds: f64,
}

/// Equal replicas: what was predicted, and what was simulated.
pub struct Row {
    server: String,
    accelerator: String,
    replicas: u64,
    batch: u32,
    rate_per_s: f64,
    predicted: Option<Analysis>,
    report: Report,
    objectives: Vec<Checked>,
}

/// An objective, held against the simulation.
struct Checked {
    latency: Latency,
    objective: Objective,
    verdict: Verdict,
}

/// Whether an objective holds in simulation.
#[derive(Clone, Copy, PartialEq)]
enum Verdict {
    /// The whole confidence interval is within the limit.
    Holds,
    /// The limit lies within the confidence interval.
    Open,
    /// The whole confidence interval is beyond the limit, or the queue grows without end.
    Missed,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Open => "open",
            Self::Missed => "missed",
        }
    }
}

/// The latencies shown, and the percentile shown beside the mean.
const SHOWN: [(Latency, &str); 5] = [
    (Latency::Wait, "wait"),
    (Latency::Ttft, "TTFT"),
    (Latency::Itl, "ITL"),
    (Latency::Tpot, "TPOT"),
    (Latency::Response, "E2E"),
];
const PERCENT: f64 = 99.0;

/// The percentiles in JSON.
const PERCENTS: [f64; 4] = [50.0, 90.0, 95.0, PERCENT];

impl Row {
    /// Holds a simulation against what was predicted and asked for; `names` are those of the server
    /// and the accelerator, `replicas` their number, batch size and requests/s each.
    pub fn new(
        names: [String; 2],
        replicas: (u64, u32, f64),
        predicted: Option<Analysis>,
        objectives: &Objectives,
        report: Report,
    ) -> Self {
        let [server, accelerator] = names;
        let (replicas, batch, rate_per_s) = replicas;
        let Objectives { itl, ttft, wait, e2e, .. } = *objectives;
        let asked = [
            (Latency::of_itl(objectives), itl),
            (Latency::Ttft, ttft),
            (Latency::Wait, wait),
            (Latency::Response, e2e),
        ];
        let check = |(latency, objective): (Latency, Option<Objective>)| {
            let objective = objective?;
            Some(Checked { latency, objective, verdict: verdict(&report, latency, objective) })
        };
        let objectives = asked.into_iter().filter_map(check).collect();
        Self { server, accelerator, replicas, batch, rate_per_s, predicted, report, objectives }
    }

    fn predicted_ms(&self, latency: Latency, percentile: Option<f64>) -> Option<f64> {
        let a = self.predicted.as_ref()?;
        match (latency, percentile) {
            (Latency::Wait, None) => Some(a.mean_wait_ms),
            (Latency::Wait, Some(p)) => Some(a.wait_percentile_ms(p)),
            (Latency::Ttft, None) => Some(a.ttft_ms),
            (Latency::Ttft, Some(p)) => Some(a.ttft_percentile_ms(p)),
            (Latency::Itl, None) => Some(a.itl_ms),
            (Latency::Itl, Some(p)) => Some(a.itl_percentile_ms(p)),
            (Latency::Response, None) => Some(a.e2e_ms()),
            (Latency::Response, Some(p)) => Some(a.e2e_percentile_ms(p)),
            (Latency::Tpot, Some(p)) if a.station.reading == Reading::Engine => {
                Some(a.tpot_percentile_ms(p))
            }
            (Latency::Tpot, _) => None,
        }
    }

    /// Whether the warm-up is over before what starts empty has turned its requests over twice.
    fn is_fuller_than(&self, effort: &Effort) -> bool {
        let in_service = self.report.in_service().map_or(0.0, |e| e.value);
        2.0 * in_service > effort.warmup_requests(self.rate_per_s) as f64
    }

    fn checked(&self, latency: Latency) -> Option<&Checked> {
        self.objectives.iter().find(|c| c.latency == latency)
    }
}

fn verdict(report: &Report, latency: Latency, objective: Objective) -> Verdict {
    if latency == Latency::Ttft && !report.is_steady() {
        return Verdict::Missed;
    }
    match report.used(latency, objective) {
        None if report.pooled().served() == 0 => Verdict::Open,
        // Answers of one token have no latency between tokens.
        None => Verdict::Holds,
        Some(used) if used.value + used.half_width <= 1.0 => Verdict::Holds,
        Some(used) if used.value - used.half_width > 1.0 => Verdict::Missed,
        Some(_) => Verdict::Open,
    }
}

/// Columns that a narrow terminal does without, in order.
const SPARE: [&str; 7] = ["±", "req/s", "batch", "replicas", "P99", "sim. P99", "on"];

impl Simulation {
    /// Prints a few lines for each kind of replica, and a summary.
    pub fn print_table(&self) {
        let header = [
            "server",
            "on",
            "replicas",
            "batch",
            "req/s",
            "ms",
            "mean",
            "simulated",
            "±",
            "P99",
            "sim. P99",
            "±",
            "objective",
            "",
        ];
        let mut rows = table(&header, 2);
        for row in &self.rows {
            for (i, (latency, name)) in SHOWN.into_iter().enumerate() {
                let mut cells = match i {
                    0 => row.cells().to_vec(),
                    _ => vec![String::new(); 5],
                };
                cells.push(name.to_owned());
                for percentile in [None, Some(PERCENT)] {
                    cells.push(row.predicted_ms(latency, percentile).map_or("-".into(), short));
                    let simulated = row.report.latency_ms(latency, percentile);
                    cells.push(simulated.map_or("-".into(), |e| short(e.value)));
                    cells.push(simulated.map_or(String::new(), |e| short(e.half_width)));
                }
                let checked = row.checked(latency);
                cells.push(checked.map_or(String::new(), |c| limit(c.objective)));
                cells.push(match checked {
                    Some(checked) => checked.verdict.word().to_owned(),
                    None if i == 0 => row.queue_word().to_owned(),
                    None => String::new(),
                });
                rows.add_row(cells);
            }
        }
        say!("{}\n", fitted(&rows, &SPARE));
        for row in self.rows.iter().filter(|r| !r.report.is_steady()) {
            let per_min = 60.0 * row.rate_per_s * row.report.pooled().drift.share();
            say!(
                "{RED}{}: the queue grows without end in simulation, by {} requests a minute{RED:#}",
                row.place(),
                short(per_min)
            );
        }
        for row in self.rows.iter().filter(|r| r.report.pooled().preempted > 0) {
            let pooled = row.report.pooled();
            say!(
                "note: {}: {} preemptions for lack of KV cache, at {} requests",
                row.place(),
                pooled.preempted,
                pooled.arrived
            );
        }
        let is_short = |r: &&Row| self.is_drawn && r.is_fuller_than(&self.effort);
        let short = self.rows.iter().filter(is_short).count();
        if short > 0 {
            say!(
                "note: {short} of {} kinds of replica hold about as many requests as are left out \
                 as warm-up; raise {} or --warmup",
                self.rows.len(),
                if self.effort.time_ms.is_some() { "--duration" } else { "--requests" }
            );
        }
        self.print_summary();
    }

    fn print_summary(&self) {
        let count = |verdict| self.checked().filter(|c| c.verdict == verdict).count();
        let all = self.checked().count();
        let (holds, open, missed) =
            (count(Verdict::Holds), count(Verdict::Open), count(Verdict::Missed));
        if all > 0 {
            let style = match (open, missed) {
                (0, 0) => GREEN,
                (_, 0) => YELLOW,
                _ => RED,
            };
            say!(
                "{BOLD}{holds} of {all} objectives hold in simulation{BOLD:#}, \
                 {style}{missed} missed, {open} within the error{style:#}"
            );
        }
        let requests: u64 = self.rows.iter().map(|r| r.report.pooled().arrived).sum();
        say!(
            "{requests} requests counted, {} replications{}, seed {}, intervals at {}%; \
             simulating {:.1} s",
            self.effort.replications,
            self.effort.time_ms.map_or(String::new(), |ms| format!(" of {} s", ms / 1000.0)),
            self.effort.seed,
            CONFIDENCE * 100.0,
            self.seconds,
        );
    }

    fn checked(&self) -> impl Iterator<Item = &Checked> {
        self.rows.iter().flat_map(|r| &r.objectives)
    }

    /// As JSON.
    pub fn json(&self) -> String {
        let rows: Vec<Value> = self.rows.iter().map(Row::json).collect();
        let effort = &self.effort;
        let value = json!({
            "seed": effort.seed,
            "requests": effort.time_ms.is_none().then_some(effort.requests),
            "durationSeconds": effort.time_ms.map(|ms| ms / 1000.0),
            "replications": effort.replications,
            "warmup": effort.warmup,
            "confidence": CONFIDENCE,
            "replicas": rows,
        });
        json_text(&value)
    }

    /// As CSV, a line for each latency of each kind of replica.
    pub fn csv(&self) -> Result<Vec<u8>, Failure> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let header = [
            "server",
            "accelerator",
            "replicas",
            "batch",
            "rate_per_replica_per_s",
            "latency",
            "mean_predicted_ms",
            "mean_ms",
            "mean_half_width_ms",
            "p99_predicted_ms",
            "p99_ms",
            "p99_half_width_ms",
            "objective_ms",
            "objective_percentile",
            "objective",
            "steady",
            "queue_growth",
            "preempted",
        ];
        writer.write_record(header).map_err(Failure::failed)?;
        for row in &self.rows {
            for (latency, name) in SHOWN {
                let cell = |x: Option<f64>| x.map_or(String::new(), |x| x.to_string());
                let mut columns = row.names().to_vec();
                columns.push(name.to_lowercase());
                for percentile in [None, Some(PERCENT)] {
                    let simulated = row.report.latency_ms(latency, percentile);
                    columns.push(cell(row.predicted_ms(latency, percentile)));
                    columns.push(cell(simulated.map(|e| e.value)));
                    columns.push(cell(simulated.map(|e| e.half_width)));
                }
                let checked = row.checked(latency);
                columns.push(cell(checked.map(|c| c.objective.limit_ms)));
                columns.push(cell(checked.and_then(|c| c.objective.percentile)));
                columns.push(checked.map_or(String::new(), |c| c.verdict.word().to_owned()));
                columns.push(row.report.is_steady().to_string());
                columns.push(row.report.pooled().drift.share().to_string());
                columns.push(row.report.pooled().preempted.to_string());
                writer.write_record(cells(&columns)).map_err(Failure::failed)?;
            }
        }
        writer.into_inner().map_err(Failure::failed)
    }
}

impl Row {
    fn names(&self) -> [String; 5] {
        [
            self.server.clone(),
            self.accelerator.clone(),
            self.replicas.to_string(),
            self.batch.to_string(),
            self.rate_per_s.to_string(),
        ]
    }

    /// The replica in words.
    fn place(&self) -> String {
        match self.server.is_empty() {
            true => "the replica".to_owned(),
            false => format!("{} on {}", self.server, self.accelerator),
        }
    }

    fn queue_word(&self) -> &'static str {
        if self.report.is_steady() { "steady" } else { "grows" }
    }

    fn cells(&self) -> [String; 5] {
        let mut cells = self.names();
        cells[4] = format!("{:.3}", self.rate_per_s);
        cells
    }

    fn json(&self) -> Value {
        let mut value = json!({
            "server": self.server,
            "accelerator": self.accelerator,
            "numReplicas": self.replicas,
            "maxBatch": self.batch,
            "ratePerSecond": self.rate_per_s,
            "steady": self.report.is_steady(),
            "queueGrowth": self.report.pooled().drift.share(),
            "arrived": self.report.pooled().arrived,
            "lost": self.report.pooled().lost,
            "preempted": self.report.pooled().preempted,
            "kvPeakTokens": self.report.pooled().kv_peak_tokens,
            "lossProbability": pair(self.predicted.map(|a| a.loss_probability), self.report.loss()),
            "inService": pair(self.predicted.map(|a| a.mean_in_service), self.report.in_service()),
            "inSystem": pair(self.predicted.map(|a| a.mean_in_system), self.report.in_system()),
        });
        for (latency, name) in SHOWN {
            let of = |p| pair(self.predicted_ms(latency, p), self.report.latency_ms(latency, p));
            let mut fields = json!({ "mean": of(None) });
            for percent in PERCENTS {
                fields[format!("p{percent}")] = of(Some(percent));
            }
            if let Some(checked) = self.checked(latency) {
                let Objective { limit_ms, percentile } = checked.objective;
                fields["objective"] = json!({
                    "limit": limit_ms,
                    "percentile": percentile,
                    "simulated": estimate(self.report.latency_ms(latency, percentile)),
                    "verdict": checked.verdict.word(),
                });
            }
            value[name.to_lowercase()] = fields;
        }
        value
    }
}

fn estimate(estimate: Option<Estimate>) -> Value {
    json!(estimate.map(|e| json!({ "value": e.value, "halfWidth": e.half_width })))
}

fn pair(predicted: Option<f64>, simulated: Option<Estimate>) -> Value {
    json!({ "predicted": predicted, "simulated": estimate(simulated) })
}

/// Milliseconds, with the digits that matter.
fn short(ms: f64) -> String {
    match ms {
        m if m >= 100.0 => format!("{m:.0}"),
        m if m >= 10.0 => format!("{m:.1}"),
        m => format!("{m:.2}"),
    }
}

/// An objective in few words.
fn limit(objective: Objective) -> String {
    let ms = objective.limit_ms;
    let limit = if ms.fract() == 0.0 { ms.to_string() } else { short(ms) };
    match objective.percentile {
        Some(percentile) => format!("P{percentile} {limit}"),
        None => format!("mean {limit}"),
    }
}
