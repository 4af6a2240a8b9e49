//! Traces in CSV: ours, and those that others have published.

use isocost_model::input::reading::{as_written, csv_defect, csv_line, csv_rows};

use super::stamp::stamp;
use super::{MAX_SECONDS, MAX_TOKENS, Recorded, Stamped};

/// Columns of arrivals, tokens of prompts and of answers, in lower case with blanks: ours first, then
/// Azure's of 2023 and 2024, BurstGPT's of every version, and those of the Vidur simulator.
const KINDS: [[&str; 3]; 4] = [
    ["arrival s", "input tokens", "output tokens"],
    ["timestamp", "contexttokens", "generatedtokens"],
    ["timestamp", "request tokens", "response tokens"],
    ["arrived at", "num prefill tokens", "num decode tokens"],
];

/// The columns in words.
const HEADERS: &str = "the header is arrival_s,input_tokens,output_tokens; those of Azure's, BurstGPT's and \
                       Mooncake's traces are known too";

pub(super) fn read(name: &str, text: &str) -> Recorded {
    let mut recorded = Recorded::default();
    let mut reader = csv_rows(text);
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(e) => {
            recorded.problems.push(format!("{name}:1: {e}; mend the header"));
            return recorded;
        }
    };
    let (kind, places) = places(&header);
    let [Some(arrival), Some(input), Some(output)] = places else {
        let missing = kind.iter().zip(places).filter(|(_, place)| place.is_none());
        let said = |column: &str| {
            format!("{name}:1: there is no column `{}`; {HEADERS}", column.replace(' ', "_"))
        };
        recorded.problems = missing.map(|(column, _)| said(column)).collect();
        return recorded;
    };
    let ours = kind == KINDS[0];
    recorded.sort = !ours;
    let mut record = csv::StringRecord::new();
    let mut last_s = f64::NEG_INFINITY;
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => return recorded,
            Ok(true) => {}
            Err(e) => {
                let (line, what) = csv_defect(text, &e);
                recorded.problems.push(format!("{name}:{line}: {what}; mend the row"));
                continue;
            }
        }
        let line = || csv_line(text, record.position());
        let mut row =
            Row { name, line: &line, header: &header, record: &record, recorded: &mut recorded };
        let arrival_s = row.arrival(arrival);
        let input = row.number(input, 0.0);
        let output = row.number(output, if ours { 1.0 } else { 0.0 });
        let (Some(arrival_s), Some(input), Some(output)) = (arrival_s, input, output) else {
            continue;
        };
        if ours && arrival_s < last_s {
            let what = format!("it arrives at {arrival_s} s, before the row above ({last_s} s)");
            row.problem(&what, "sort the rows by arrival_s");
            continue;
        }
        last_s = arrival_s;
        match output < 1.0 {
            true => recorded.failed += 1,
            false => recorded.requests.push(Stamped {
                arrival_s,
                input_tokens: input,
                output_tokens: output,
            }),
        }
    }
}

/// The kind whose columns the header has most of, and where they stand.
fn places(header: &csv::StringRecord) -> ([&'static str; 3], [Option<usize>; 3]) {
    let names: Vec<String> = header.iter().map(|h| h.to_lowercase().replace('_', " ")).collect();
    let of = |kind: [&'static str; 3]| {
        (kind, kind.map(|column| names.iter().position(|name| name == column)))
    };
    let found = |(_, places): &([&str; 3], [Option<usize>; 3])| places.iter().flatten().count();
    // Of equals the first.
    KINDS.map(of).into_iter().rev().max_by_key(found).unwrap_or_else(|| of(KINDS[0]))
}

/// One row as it is read.
struct Row<'a> {
    name: &'a str,
    line: &'a dyn Fn() -> u32,
    header: &'a csv::StringRecord,
    record: &'a csv::StringRecord,
    recorded: &'a mut Recorded,
}

impl Row<'_> {
    fn problem(&mut self, what: &str, remedy: &str) {
        let problem = format!("{}:{}: {what}; {remedy}", self.name, (self.line)());
        self.recorded.problems.push(problem);
    }

    /// Seconds, from a number or a date.
    fn arrival(&mut self, at: usize) -> Option<f64> {
        let text = self.record.get(at).unwrap_or("");
        if let Some((seconds, dated)) =
            stamp(text).filter(|(s, dated)| *dated || (0.0..=MAX_SECONDS).contains(s))
        {
            self.recorded.dated |= dated;
            return Some(seconds);
        }
        let what = format!("{} is `{}`", &self.header[at], as_written(text));
        let expected =
            "expected seconds from 0 to 1000000000, or a date such as 2024-05-10 00:00:01.25";
        self.problem(&what, expected);
        None
    }

    fn number(&mut self, at: usize, least: f64) -> Option<f64> {
        let text = self.record.get(at).unwrap_or("");
        let value = text.parse::<f64>().ok().filter(|v| (least..=MAX_TOKENS).contains(v));
        if value.is_none() {
            let what = format!("{} is `{}`", &self.header[at], as_written(text));
            self.problem(&what, &format!("expected a number from {least} to {MAX_TOKENS}"));
        }
        value
    }
}
