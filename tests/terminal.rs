//! `isocost init` with a person at the terminal: the questions, answered through a pseudo-terminal of `script`.

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// `isocost init` with `flags` at a terminal where `answers` are typed; `None` where there is no `script`.
fn typed(flags: &str, answers: &str) -> Option<(Output, String)> {
    let directory = tempfile::tempdir().expect("a directory");
    let command = format!("'{}' init --out made.yaml {flags}", env!("CARGO_BIN_EXE_isocost"));
    let mut script = Command::new("script");
    script.args(["-qec", &command, "/dev/null"]).current_dir(directory.path());
    script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = script.spawn() else {
        println!("skipped: there is no `script`, which makes a terminal");
        return None;
    };
    child.stdin.take().expect("piped").write_all(answers.as_bytes()).expect("it reads all");
    let output = child.wait_with_output().expect("it ends");
    let made = std::fs::read_to_string(directory.path().join("made.yaml")).unwrap_or_default();
    Some((output, made))
}

fn shown(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn what_is_answered_is_in_the_scenario() {
    let answers = "qwen3-32b, Llama 3.1 8B\nL40S,NVIDIA-H100-80GB-HBM3\n120\n\n300\n40\n1500\n";
    let Some((output, made)) = typed("", answers) else { return };
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    for part in ["qwen3-32b", "llama-3.1-8b", "L40S", "H100"] {
        assert!(made.contains(&format!("\"{part}\"")), "{part} is missing:\n{made}");
    }
    for part in ["arrivalRate: 120 ", "avgInTokens: 1024", "avgOutTokens: 300", "slo-itl: 40 "] {
        assert!(made.contains(part), "{part} is missing:\n{made}");
    }
}

#[test]
fn what_is_no_answer_is_asked_for_again() {
    let answers = "\nqwen3-23b\nqwen3-32b\nH2000\nH200\nmany\n-3\n90\n\n\n\n\n";
    let Some((output, made)) = typed("", answers) else { return };
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    let shown = shown(&output);
    for part in ["expected one at least", "did you mean `qwen3-32b`", "did you mean `H200`"] {
        assert!(shown.contains(part), "{part} is missing:\n{shown}");
    }
    assert_eq!(shown.matches("expected a number above 0").count(), 2, "{shown}");
    assert!(made.contains("arrivalRate: 90 "), "{made}");
}

#[test]
fn flags_are_not_asked_for() {
    let Some((output, made)) = typed("--cards H200 --rate 30 --itl 70", "qwen3-8b\n\n\n\n") else {
        return;
    };
    let shown = shown(&output);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(!shown.contains("Cards, with") && !shown.contains("Requests per minute"), "{shown}");
    assert!(made.contains("arrivalRate: 30 ") && made.contains("slo-itl: 70 "), "{made}");
}

/// A card without a price is never taken to cost nothing.
#[test]
fn a_price_that_the_catalogue_lacks_is_asked_for() {
    let Some((output, made)) = typed("--rate 10", "qwen3-8b\nGaudi 3\n0\n525\n\n\n\n\n") else {
        return;
    };
    let shown = shown(&output);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(shown.contains("Price of Gaudi3, cents an hour"), "{shown}");
    assert!(made.contains("cost: 525 ") && made.contains("as given"), "{made}");
}

#[test]
fn an_end_of_input_is_no_answer() {
    let Some((output, made)) = typed("", "qwen3-8b\n") else { return };
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    assert!(shown(&output).contains("no answer") && made.is_empty(), "{made}");
}
