//! A person at the terminal, a pseudo-terminal of `script`: the questions of `isocost init`, and tables as wide as there
//! is room for.

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

/// What a command shows on a terminal of so many columns, without colours; `None` where there is no `script`.
fn on_terminal(columns: u32, environment: &str, arguments: &str) -> Option<String> {
    let isocost = env!("CARGO_BIN_EXE_isocost");
    let command = format!("stty cols {columns}; {environment} '{isocost}' {arguments}");
    let mut script = Command::new("script");
    script.args(["-qec", &command, "/dev/null"]).env_remove("COLUMNS").stdin(Stdio::null());
    let Ok(output) = script.output() else {
        println!("skipped: there is no `script`, which makes a terminal");
        return None;
    };
    Some(anstream::adapter::strip_str(&shown(&output)).to_string().replace('\r', ""))
}

fn widest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

/// Lines of the tables: notes and sums are left to the terminal to wrap.
fn tables(text: &str) -> String {
    let is_table = |line: &&str| line.starts_with(' ');
    text.lines().filter(is_table).collect::<Vec<_>>().join("\n")
}

#[test]
fn tables_fit_the_terminal_and_say_what_they_leave_out() {
    let commands = [
        "plan data/quickstart --no-cost-range",
        "plan data/nodes.yaml",
        "plan data/disaggregation.yaml --disaggregate",
        "explain data/quickstart",
        "stress data/quickstart --margins 1.1",
        "compare data/quickstart --growth 1.5",
        "diff data/quickstart data/quickstart --all",
        "simulate data/quickstart --requests 200 --replications 2",
        "horizon data/quickstart --profile data/profiles/quickstart-day.csv --reserved 0.6 --spot 0.4",
        "analyze data/quickstart --server premium-llama-3.1-8b",
        "profile --list",
    ];
    for command in commands {
        for columns in [80, 60] {
            let Some(text) = on_terminal(columns, "", command) else { return };
            let tables = tables(&text);
            assert!(!tables.is_empty(), "{command}: {text}");
            assert!(widest(&tables) <= columns as usize, "{command} in {columns}:\n{tables}");
        }
    }
}

#[test]
fn tables_are_whole_where_there_is_room_or_nobody_looks() {
    let plan = "plan data/quickstart --no-cost-range";
    let Some(narrow) = on_terminal(80, "", plan) else { return };
    assert!(narrow.contains("(--wide: model, class, breaks first, cards"), "{narrow}");
    let isocost = Command::new(env!("CARGO_BIN_EXE_isocost"));
    let piped = |environment: &str| {
        let mut piped = Command::new(isocost.get_program());
        piped.args(plan.split(' ')).env("COLUMNS", environment);
        tables(&shown(&piped.output().expect("it runs")))
    };
    let whole = piped("40");
    assert!(whole.contains("breaks first") && widest(&whole) > 80, "{whole}");
    let wide = format!("{plan} --wide");
    for (columns, environment, arguments) in
        [(80, "", wide.as_str()), (300, "", plan), (80, "COLUMNS=300", plan)]
    {
        let shown = on_terminal(columns, environment, arguments).expect("as before");
        assert_eq!(tables(&shown), whole, "{columns} {environment} {arguments}");
    }
    let stated = on_terminal(300, "COLUMNS=80", plan).expect("as before");
    assert_eq!(tables(&stated), tables(&narrow));
}
