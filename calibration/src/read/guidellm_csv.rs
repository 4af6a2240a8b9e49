//! GuideLLM's `benchmarks.csv`: a benchmark a row.
//!
//! Until 0.3 a header of one row (`Successful Time to first token ms mean`); from 0.4 on one of three,
//! group over field over statistic (`Time to First Token | Successful ms | Mean`). Here the three are
//! one name with bars between. The first form tells the strategy with its rate (`constant@14.90`, or
//! `Args`); the second its kind alone, and the rate of what was sent is requests over time.

use std::collections::HashMap;

use isocost_model::input::reading::{At, Node, Report, csv_line, parse_foreign};

use super::run::{End, Given, Run, Source};
use super::{Reading, guidellm};
use crate::point::{Arrivals, Percentile};
use isocost_model::input::reading::dig;

/// Names that tell either form, in lower case.
const MARKS: [&str; 3] = ["time to first token ms mean", "server throughput", "token metrics"];

/// Entries of a list of percentiles, `[min, 0.1, 1, 5, 10, 25, 75, 90, 95, 99, max]`.
const PERCENTILES: [(f64, usize); 3] = [(90.0, 7), (95.0, 8), (99.0, 9)];
const ENTRIES: usize = 11;

/// Whether a CSV text is such a file.
pub(super) fn is(text: &str) -> bool {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("").to_lowercase();
    MARKS.iter().any(|mark| header.contains(mark))
}

pub(super) fn read(file: &str, text: &str, reading: &mut Reading) {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut records = reader.records().map_while(Result::ok);
    let mut names: Vec<String> =
        records.next().map(|r| r.iter().map(str::to_lowercase).collect()).unwrap_or_default();
    if !names.iter().any(|name| name.contains(MARKS[0])) {
        // A group that spans columns may stand over the first of them alone.
        for i in 1..names.len() {
            if names[i].is_empty() {
                names[i] = names[i - 1].clone();
            }
        }
        for row in records.by_ref().take(2) {
            for (name, part) in names.iter_mut().zip(&row) {
                *name += &format!("|{}", part.to_lowercase());
            }
        }
    }
    let mut earlier: HashMap<String, usize> = HashMap::new();
    for (record, number) in records.zip(1..) {
        let at = At { line: csv_line(text, record.position()), column: 1 };
        let entity = format!("benchmark {number}");
        let source = Source { file, at, entity: &entity, gap_scv: None };
        reading.run(|report| {
            let row = Row { names: &names, record: &record, source };
            if record.len() != names.len() {
                let what = format!("{} cells, and the header has {}", record.len(), names.len());
                let remedy = "the tool leaves columns out: export the report as JSON";
                report.problem_at(file, at, &entity, what, remedy);
                return None;
            }
            let (arrivals, offered) = row.strategy(&mut earlier, report)?;
            row.run(arrivals, offered).point(source, report)
        });
    }
}

/// A benchmark's cells by the names of their columns.
struct Row<'a> {
    names: &'a [String],
    record: &'a csv::StringRecord,
    source: Source<'a>,
}

impl Row<'_> {
    /// The cell of the first of several columns that is there and not blank.
    fn text(&self, columns: &[&str]) -> Option<&str> {
        columns.iter().find_map(|column| {
            let at = self.names.iter().position(|name| name == column)?;
            self.record.get(at).filter(|cell| !cell.is_empty())
        })
    }

    fn number(&self, columns: &[&str]) -> Option<f64> {
        self.text(columns)?.parse().ok().filter(|x: &f64| x.is_finite())
    }

    fn given(&self, columns: &[&'static str], scale: f64) -> Given {
        let value = self.number(columns).map(|x| x * scale);
        Given { key: columns.first().copied().unwrap_or(""), value }
    }

    fn run(&self, arrivals: Arrivals, offered: Option<f64>) -> Run {
        let answered = self.given(
            &[
                "successful requests per second mean",
                "server throughput|successful requests/sec|mean",
            ],
            1.0,
        );
        let measured = |columns: &[&'static str], scale| {
            let given = self.given(columns, scale);
            Given { value: given.value.filter(|x| *x != 0.0), ..given }
        };
        Run {
            arrivals: Some(arrivals),
            rate_per_s: Given { value: answered.value.and(offered.or(answered.value)), ..answered },
            input_tokens: self.given(
                &[
                    "successful prompt token count mean",
                    "token metrics|successful input tokens|mean",
                ],
                1.0,
            ),
            output_tokens: self.given(
                &[
                    "successful output token count mean",
                    "token metrics|successful output tokens|mean",
                ],
                1.0,
            ),
            ttft_ms: self.given(
                &[
                    "successful time to first token ms mean",
                    "time to first token|successful ms|mean",
                ],
                1.0,
            ),
            e2e_ms: measured(
                &["successful request latency mean", "request latency|successful sec|mean"],
                1000.0,
            ),
            own_itl_ms: [
                measured(
                    &[
                        "successful inter token latency ms mean",
                        "inter token latency|successful ms|mean",
                    ],
                    1.0,
                ),
                Given::default(),
            ],
            input_sd: self.number(&[
                "successful prompt token count std dev",
                "token metrics|successful input tokens|std dev",
            ]),
            output_sd: self.number(&[
                "successful output token count std dev",
                "token metrics|successful output tokens|std dev",
            ]),
            ttft_percentiles: self.percentiles(),
            end: self.end(offered),
            ..Run::default()
        }
    }

    fn percentiles(&self) -> Vec<Percentile> {
        let list = self.text(&[
            "successful time to first token ms [min, 0.1, 1, 5, 10, 25, 75, 90, 95, 99, max]",
            "time to first token|successful ms|percentiles",
        ]);
        let list: Vec<f64> = list
            .map(|list| list.trim_matches(['[', ']']).split(','))
            .into_iter()
            .flatten()
            .map(|cell| cell.trim().parse().unwrap_or(0.0))
            .collect();
        match list.len() == ENTRIES {
            true => PERCENTILES.map(|(percent, at)| Percentile { percent, ms: list[at] }).to_vec(),
            false => Vec::new(),
        }
    }

    fn requests(&self, status: &str) -> Option<f64> {
        self.number(&[&format!("{status} requests"), &format!("request counts|{status}|")])
    }

    fn duration_s(&self) -> Option<f64> {
        self.number(&["duration", "timings|duration|sec"]).filter(|x| *x > 0.0)
    }

    /// The run ends at a time, with requests under way.
    fn end(&self, offered: Option<f64>) -> End {
        let errored = self.requests("errored").unwrap_or(0.0);
        let late = offered.zip(self.duration_s()).zip(self.requests("successful"));
        let late = late.map(|((rate, run_s), answered)| rate * run_s - answered - errored);
        let told = [self.requests("incomplete"), late].into_iter().flatten().reduce(f64::max);
        told.map_or(End::Untold, End::Cut)
    }

    /// Requests in the system by Little's law: of a closed loop its clients.
    fn in_system(&self) -> Option<f64> {
        let run = self.run(Arrivals::POISSON, None);
        let decode_ms = (run.output_tokens.value? - 1.0) * run.own_itl_ms[0].value.unwrap_or(0.0);
        let e2e_ms = run.e2e_ms.value.or(run.ttft_ms.value.map(|ttft_ms| ttft_ms + decode_ms))?;
        Some(run.rate_per_s.value? * e2e_ms / 1000.0)
    }

    /// How requests came, and the rate at which they were sent in an open loop. `earlier` counts the
    /// benchmarks of a run and strategy: a profile lists its streams and rates in that order.
    fn strategy(
        &self,
        earlier: &mut HashMap<String, usize>,
        report: &mut Report,
    ) -> Option<(Arrivals, Option<f64>)> {
        let json = |columns: &[&str]| self.text(columns).and_then(document);
        let args = json(&["args"]);
        let profile = json(&["run info|profile|", "profile"]);
        let name = self.text(&["name", "benchmark|strategy|"]).unwrap_or("");
        let (name, amount) = name.split_once('@').unwrap_or((name, ""));
        let told = args.as_ref().and_then(|args| dig::text(args, "strategy.type_"));
        let kind = told.unwrap_or(name).trim().to_lowercase();
        let run = self.text(&["run id", "run info|run id|"]).unwrap_or("");
        let index = earlier.entry(format!("{run}/{kind}")).or_default();
        let listed = |key: &str| {
            let profile = profile.as_ref()?;
            let list = dig::numbers(profile, key);
            list.get(*index).copied().or_else(|| dig::number(profile, key))
        };
        let of_args = |key: &str| dig::number(args.as_ref()?, &format!("strategy.{key}"));
        let amount: Option<f64> = amount.trim().parse().ok();
        let amount = |key: &str| of_args(key).or(amount).or_else(|| listed(key));
        let in_flight = [
            "server throughput|successful concurrency|mean",
            "successful request concurrency mean",
        ];
        let streams = amount("streams").or_else(|| self.number(&in_flight));
        let streams = streams.or_else(|| self.in_system()).map(f64::round);
        let streams = streams.filter(|x| (1.0..=1e6).contains(x)).map(|x| x as u32);
        let sent =
            self.requests("total").zip(self.duration_s()).map(|(total, run_s)| total / run_s);
        // A sweep's profile lists the rates of other strategies too.
        let of_sweep = profile.as_ref().and_then(|p| dig::text(p, "type_")) == Some("sweep");
        let rate = match of_sweep {
            true => of_args("rate").or(sent),
            false => amount("rate").or(sent),
        };
        *index += 1;
        guidellm::arrivals(&kind, streams, rate, self.source, report)
    }
}

/// JSON in a cell.
fn document(cell: &str) -> Option<Node> {
    cell.starts_with('{').then(|| parse_foreign("cell.json", cell, 1, &mut Report::default()))?
}
