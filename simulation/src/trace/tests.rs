//! Traces of every kind, and their demand.

use std::path::Path;

use super::*;

fn read(text: &str) -> Result<Trace, TraceError> {
    trace_text("trace.csv", text)
}

fn sound(text: &str) -> Trace {
    read(text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_trace_starts_at_zero_and_knows_its_moments() {
    let trace = sound("arrival_s,input_tokens,output_tokens,user\n10,5,1,a\n11,7,3,b\n14,6,2,a\n");
    let arrivals: Vec<f64> = trace.requests.iter().map(|r| r.arrival_ms).collect();
    assert_eq!(arrivals, [0.0, 1000.0, 4000.0]);
    assert_eq!((trace.rate_per_s, trace.input_tokens, trace.output_tokens), (0.5, 6.0, 2.0));
    assert!((trace.arrival_scv - 0.25).abs() < 1e-12);
    assert!((trace.token_scv - 1.0 / 6.0).abs() < 1e-12);
    assert!((trace.input_scv - 1.0 / 54.0).abs() < 1e-12);
}

#[test]
fn every_problem_is_said_with_its_line() {
    let error =
        read("arrival_s,input_tokens,output_tokens\n1,5,1\n0.5,5,1\n2,-1,nan\n3,5,0\n4,5\n5,5,5\n")
            .expect_err("five problems");
    let found: Vec<bool> = [":3: it arrives", ":4: input_tokens", ":4: output", ":5: output"]
        .iter()
        .zip(&error.problems)
        .map(|(part, problem)| problem.contains(part))
        .collect();
    assert_eq!(found, [true; 4], "{error}");
    assert!(error.problems[4].contains(":6: "), "{error}");
    assert!(error.to_string().ends_with("5 problems in the trace"));
    assert!(read("a,b\n").expect_err("no columns").problems.len() == 3);
    assert!(read("arrival_s,input_tokens,output_tokens\n1,1,1\n").is_err());
    assert!(read("arrival_s,input_tokens,output_tokens\n1,1,1\n1,1,1\n").is_err());
    assert!(read("arrival_s,input_tokens,output_tokens\n0,1,1\n1e-308,1,1\n").is_err());
    let lines = read(
        "{\"timestamp\": 1}\n{\"timestamp\": -1, \"input_length\": 1, \"output_length\": 1}\n{x\n",
    );
    let error = lines.expect_err("four problems");
    assert_eq!(error.problems.len(), 4, "{error}");
    assert!(error.problems[0].starts_with("trace.csv:1: there is no `input_length`"), "{error}");
    assert!(error.problems[3].starts_with("trace.csv:3:"), "{error}");
}

#[test]
fn every_trace_of_the_reference() {
    for (name, requests, failed) in [
        ("azure.csv", 3, false),
        ("azure24.csv", 3, false),
        ("burstgpt.csv", 2, true),
        ("burstgpt3.csv", 2, false),
        ("mooncake.jsonl", 3, false),
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference/formats");
        if !folder.join(name).exists() {
            println!("skipped: {} is not here", folder.join(name).display());
            return;
        }
        let trace = read_trace(&folder.join(name)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            (trace.requests.len(), trace.notes.len()),
            (requests, usize::from(failed)),
            "{name}"
        );
        assert_eq!(trace.requests[0].input_tokens, 300, "{name}");
        assert_eq!(trace.start_s.is_some(), name.starts_with("azure"));
    }
}

#[test]
fn published_traces_in_their_variants() {
    let azure = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 08:00:03.0000000,64,210\r\n\
        2023-11-16 08:00:00.5000000,300,40\r\n2023-11-16 08:00:01.25,1200,0\r\n";
    let trace = sound(azure);
    assert_eq!(trace.requests.iter().map(|r| r.arrival_ms).collect::<Vec<_>>(), [0.0, 2500.0]);
    assert_eq!(trace.notes.len(), 2, "sorted, and one failed: {:?}", trace.notes);
    assert_eq!(trace.start_s, Some(1_700_121_600.5));
    let zoned = sound(
        "GeneratedTokens;ContextTokens;TIMESTAMP\n40;300;2024-05-10T02:00:00+02:00\n7;64;2024-05-10T00:00:03Z\n",
    );
    assert_eq!((zoned.requests[1].arrival_ms, zoned.input_tokens), (3000.0, 182.0));
    let burst = "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n\
        3,6f1c,1.7,ChatGPT,300,40,340,Conversation log\n9.5,,4.1,GPT-4,1200,75,1275,API log\n";
    assert_eq!(sound(burst).requests[1].arrival_ms, 6500.0);
    let vidur = "arrived_at,num_prefill_tokens,num_decode_tokens,pd_ratio\n0,10,5,2\n1.5,20,5,4\n";
    assert_eq!(sound(vidur).input_tokens, 15.0);
    let chats = "{\"chat_id\": 1, \"timestamp\": 61.0, \"input_length\": 10, \"output_length\": 5, \"hash_ids\": [1]}\n\n\
        {\"chat_id\": 2, \"timestamp\": 63.0, \"input_length\": 10, \"output_length\": 5}\n";
    assert_eq!(sound(chats).requests[1].arrival_ms, 2000.0, "in seconds");
    let in_ms = sound(&chats.replace("chat_id", "id")).requests[1].arrival_ms;
    assert!((in_ms - 2.0).abs() < 1e-9, "in milliseconds: {in_ms}");
    let list = "[{\"timestamp\": 0, \"input_length\": 1, \"output_length\": 2},\n{\"timestamp\": 1000, \"input_length\": 1, \"output_length\": 2}]";
    assert_eq!(sound(list).rate_per_s, 1.0);
    assert!(read("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-99-16 08:00:00,1,1\n").is_err());
    let said = read("TIMESTAMP,ContextTokens\n1,1\n").expect_err("a column is missing").to_string();
    assert!(said.contains("no column `generatedtokens`"), "{said}");
}

/// A Mooncake trace of Poisson arrivals, `per_s` a second, stamped every `step_ms`.
fn mooncake(per_s: f64, step_ms: u64) -> String {
    use rand::{RngExt, SeedableRng};
    let mut random = rand::rngs::ChaCha8Rng::seed_from_u64(7);
    let mut now_ms = 0.0;
    let mut text = String::new();
    for _ in 0..20_000 {
        now_ms += -(1.0 - random.random::<f64>()).ln() * 1000.0 / per_s;
        let stamp = now_ms as u64 / step_ms * step_ms;
        text += &format!("{{\"timestamp\": {stamp}, \"input_length\": 9, \"output_length\": 9}}\n");
    }
    text
}

#[test]
fn coarse_stamps_are_no_bursts() {
    for step_ms in [1000, 3000, 10_000] {
        let trace = sound(&mooncake(3.3, step_ms));
        assert!((trace.arrival_scv - 1.0).abs() < 0.05, "{step_ms}: {}", trace.arrival_scv);
        assert!((trace.rate_per_s / 3.3 - 1.0).abs() < 0.03, "{}", trace.rate_per_s);
        let said = format!("steps of {} s", step_ms / 1000);
        assert!(trace.notes[0].contains(&said), "{:?}", trace.notes);
        assert!(trace.requests.is_sorted_by(|a, b| a.arrival_ms <= b.arrival_ms));
        assert_eq!(trace, sound(&mooncake(3.3, step_ms)), "the same at every reading");
    }
    let fine = sound(&mooncake(3.3, 1));
    assert!(fine.notes.is_empty() && (fine.arrival_scv - 1.0).abs() < 0.05);
    // One request a minute at whole minutes: gaps are as they are.
    let even: String = (0..100).map(|i| format!("{},1,1\n", 60 * i)).collect();
    let even = sound(&format!("arrival_s,input_tokens,output_tokens\n{even}"));
    assert!(even.notes.is_empty() && even.arrival_scv < 1e-9);
    // Bursts that are longer than a step are bursts: ten steps full, ten empty.
    let bursts: String = (0..2000).map(|i| format!("{},1,1\n", i / 5 % 10 + i / 50 * 20)).collect();
    let bursts = sound(&format!("arrival_s,input_tokens,output_tokens\n{bursts}"));
    assert!(bursts.notes.len() == 1 && bursts.arrival_scv > 3.0, "{}", bursts.arrival_scv);
}

#[test]
fn demand_by_the_hour() {
    // An hour of a request a minute from half past eight on, then one of two a minute.
    let half = |i: u32| {
        let (hour, minute, second) = (8 + i / 120, i / 2 % 60, i % 2 * 30);
        format!("2023-11-16 {hour:02}:{minute:02}:{second:02},100,{}\n", 10 + i / 2 % 2)
    };
    let rows: String = (60..120).step_by(2).chain(120..240).map(half).collect();
    let trace = sound(&format!("TIMESTAMP,ContextTokens,GeneratedTokens\n{rows}"));
    let demand = Demand::new(&trace, 3600.0, Fold::None).expect("it is sound");
    let names: Vec<&str> = demand.periods.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["2023-11-16 08:00", "2023-11-16 09:00"]);
    let rates: Vec<f64> = demand.periods.iter().map(|p| p.arrival_rate_per_min).collect();
    assert!((rates[0] - 1.0).abs() < 0.05 && (rates[1] - 2.0).abs() < 0.1, "{rates:?}");
    let first = &demand.periods[0];
    assert_eq!((first.requests, first.hours, first.input_tokens), (30, 1.0, Some(100.0)));
    assert_eq!((first.input_scv, first.output_tokens), (Some(0.0), Some(10.5)));
    assert!(first.arrival_scv.is_some_and(|scv| scv < 1e-6));

    let days: String =
        (0..3 * 24).map(|h| format!("{},5,5\n{},5,5\n", h * 3600 + 60, h * 3600 + 3000)).collect();
    let trace = sound(&format!("arrival_s,input_tokens,output_tokens\n{days}"));
    assert_eq!(Demand::new(&trace, 3600.0, Fold::None).expect("sound").periods.len(), 72);
    let day = Demand::new(&trace, 3600.0, Fold::Day).expect("sound");
    assert_eq!((day.periods.len(), day.periods[1].requests), (24, 6));
    assert!((day.periods[1].arrival_rate_per_min - 1.0 / 30.0).abs() < 1e-9);
    assert_eq!(day.periods[23].name, "23:00");
    let quarter = Demand::new(&trace, 900.0, Fold::None).expect("sound");
    assert_eq!(quarter.periods[1].requests, 0, "nothing comes in the second quarter");
    assert_eq!(quarter.periods[1].input_tokens, None);
    assert!(Demand::new(&trace, 5000.0, Fold::Day).is_err());
    assert!(Demand::new(&trace, 1e-3, Fold::None).is_err());
    let week = Demand::new(&trace, 86_400.0, Fold::Week).expect("sound");
    assert_eq!(week.periods[2].name, "day 3 00:00");
}
