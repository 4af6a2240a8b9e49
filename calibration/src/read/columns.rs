//! The columns of our CSV, and where each stands in a file.

use isocost_model::input::reading::{At, Report, csv_mark, known_names};

use super::TOOLS;
use super::cells::cell_at;

/// Columns that every file has; a file of closed loops may leave out the first.
const REQUIRED: [&str; 5] = [
    "request_rate_per_s",
    "mean_input_tokens",
    "mean_output_tokens",
    "ttft_mean_ms",
    "itl_mean_ms",
];

/// Columns that a file may have. `mean_concurrency` is not used: Little's law tells it.
const OPTIONAL: [&str; 23] = [
    "sweep",
    "concurrency",
    "throughput_per_s",
    "load",
    "arrival_scv",
    "run_s",
    "mean_concurrency",
    "sd_input_tokens",
    "sd_output_tokens",
    "ttft_median_ms",
    "ttft_p90_ms",
    "ttft_p95_ms",
    "ttft_p99_ms",
    "itl_median_ms",
    "itl_p90_ms",
    "itl_p95_ms",
    "itl_p99_ms",
    "model",
    "card",
    "engine",
    "precision",
    "tp",
    "ep",
];

/// Other names of columns.
const ALIASES: [(&str, &str); 2] =
    [("arrival_rate_per_s", "request_rate_per_s"), ("completed_rate_per_s", "throughput_per_s")];

/// Where each column stands.
pub(super) struct Columns {
    /// Names by place; empty where the name is not known.
    names: Vec<&'static str>,
}

impl Columns {
    /// The columns of a header; nothing where one is missing, which is said.
    pub fn new(
        file: &str,
        text: &str,
        header: &csv::StringRecord,
        report: &mut Report,
    ) -> Option<Self> {
        let names = header.iter().map(known).collect::<Vec<_>>();
        let columns = Self { names: names.iter().map(|name| name.unwrap_or("")).collect() };
        for (i, name) in header.iter().enumerate().filter(|(i, _)| names[*i].is_none()) {
            let all = REQUIRED.into_iter().chain(OPTIONAL);
            let remedy = known_names(name, all.chain(ALIASES.into_iter().map(|(alias, _)| alias)));
            let what = format!("unknown column `{name}` is ignored");
            let first = text.lines().find(|line| !line.is_empty()).unwrap_or("");
            report.warning_at(file, cell_at(first, csv_mark(text), 1, i), "", what, &remedy);
        }
        let missing: Vec<_> = REQUIRED.into_iter().filter(|name| !columns.has(name)).collect();
        if missing.is_empty() {
            return Some(columns);
        }
        let what = format!("there is no column {}", missing.join(", "));
        let remedy = format!("our header is {}; read are {TOOLS}", REQUIRED.join(","));
        report.problem_at(file, At { line: 1, column: 1 }, "", what, &remedy);
        None
    }

    /// Where a column stands.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| *known == name)
    }

    /// Whether a column is there, or what stands for it: the rate of a closed loop is its
    /// throughput.
    fn has(&self, name: &str) -> bool {
        let closed = self.place("concurrency").and(self.place("throughput_per_s")).is_some();
        self.place(name).is_some() || (name == REQUIRED[0] && closed)
    }
}

fn known(name: &str) -> Option<&'static str> {
    let alias = ALIASES.into_iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name));
    let name = alias.map_or(name, |(_, stands_for)| stands_for);
    REQUIRED.into_iter().chain(OPTIONAL).find(|known| known.eq_ignore_ascii_case(name))
}
