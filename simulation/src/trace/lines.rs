//! Traces in JSON, one request a line, as Mooncake published them: milliseconds and tokens. What a
//! prompt shares with others (`hash_ids`) is not read. The traces that name conversations
//! (`chat_id`) have their time stamps in seconds.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{MAX_SECONDS, MAX_TOKENS, Recorded, Stamped};
use isocost_model::input::reading::figure;

/// A request; what else is there is skipped.
#[derive(Deserialize)]
struct Line {
    timestamp: Option<f64>,
    #[serde(alias = "input_tokens")]
    input_length: Option<f64>,
    #[serde(alias = "output_tokens")]
    output_length: Option<f64>,
    chat_id: Option<IgnoredAny>,
}

pub(super) fn read(name: &str, text: &str) -> Recorded {
    let mut recorded = Recorded { sort: true, ..Recorded::default() };
    if text.trim_start().starts_with('[') {
        match serde_json::from_str::<Vec<Line>>(text) {
            Ok(list) => list.into_iter().zip(1..).for_each(|(line, number)| {
                take(&line, || format!("{name}: request {number}"), &mut recorded);
            }),
            Err(e) => recorded.problems.push(format!("{name}:{}: {e}; mend the JSON", e.line())),
        }
        return recorded;
    }
    for (line, number) in text.lines().zip(1_u32..).filter(|(line, _)| !line.trim().is_empty()) {
        match serde_json::from_str::<Line>(line) {
            Ok(line) => take(&line, || format!("{name}:{number}"), &mut recorded),
            Err(e) => {
                let what = e.to_string();
                let what = what.split(" at line ").next().unwrap_or("");
                recorded
                    .problems
                    .push(format!("{name}:{number}:{}: {what}; mend the line", e.column()));
            }
        }
    }
    recorded
}

fn take(line: &Line, place: impl Fn() -> String, recorded: &mut Recorded) {
    let scale = if line.chat_id.is_some() { 1.0 } else { 1e-3 };
    let mut number = |key: &str, value: Option<f64>, most: f64| {
        let found = value.filter(|x| (0.0..=most).contains(x));
        if found.is_none() {
            let what = match value {
                Some(x) => format!("`{key}` is {}", figure(x)),
                None => format!("there is no `{key}`"),
            };
            let remedy = format!("expected a number from 0 to {}", figure(most));
            recorded.problems.push(format!("{}: {what}; {remedy}", place()));
        }
        found
    };
    let timestamp = number("timestamp", line.timestamp, MAX_SECONDS / scale);
    let input = number("input_length", line.input_length, MAX_TOKENS);
    let output = number("output_length", line.output_length, MAX_TOKENS);
    let (Some(timestamp), Some(input_tokens), Some(output_tokens)) = (timestamp, input, output)
    else {
        return;
    };
    match output_tokens < 1.0 {
        true => recorded.failed += 1,
        false => {
            let arrival_s = timestamp * scale;
            recorded.requests.push(Stamped { arrival_s, input_tokens, output_tokens });
        }
    }
}
