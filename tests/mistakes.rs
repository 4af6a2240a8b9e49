//! Plausible mistakes: each is taken as it is meant, or told with place, problem and remedy.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs isocost in the project's root with `input` on standard input.
fn run(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_isocost"))
        .args(args)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    // A run that ends before it reads is no failure of this test.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input));
    child.wait_with_output().expect("it ends")
}

/// What a run says of wrong input.
fn told(args: &[&str], input: &[u8]) -> String {
    let output = run(args, input);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
    assert!(output.stdout.is_empty(), "{args:?} printed a result");
    said
}

fn plan_csv(args: &[&str], input: &[u8]) -> String {
    let output = run(&[&["plan"], args, &["--format", "csv"]].concat(), input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn a_scenario_is_the_same_with_any_line_ends_and_from_standard_input() {
    let yaml = std::fs::read_to_string(root().join("data/quickstart.yaml")).expect("it is there");
    let wanted = plan_csv(&["data/quickstart.yaml"], b"");
    for text in [yaml.clone(), yaml.replace('\n', "\r\n"), format!("\u{feff}{yaml}")] {
        assert_eq!(plan_csv(&["-"], text.as_bytes()), wanted);
    }
    let utf_16: Vec<u8> = ['\u{feff}']
        .into_iter()
        .chain(yaml.chars())
        .collect::<String>()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert!(told(&["plan", "-"], &utf_16).contains("is UTF-16 and not UTF-8"));
}

#[test]
fn loads_are_the_same_from_every_spreadsheet() {
    let header = "server,arrival_rate_per_min,input_tokens,output_tokens";
    let loads = format!("{header}\npremium-qwen2.5-32b,90,,300\n");
    let args = ["data/quickstart", "--loads", "-"];
    let wanted = plan_csv(&args, loads.as_bytes());
    for mark in [";", "\t"] {
        let sheet = loads.replace(',', mark).replace('\n', "\r\n");
        assert_eq!(plan_csv(&args, sheet.as_bytes()), wanted, "{mark:?}");
    }
    let args = ["plan", "data/quickstart", "--loads", "-"];
    let comma = format!("{header}\n\nx,1,1,1\n").replace(',', ";").replace(";1;1\n", ";1,5;1\n");
    let comma = comma.replace("x;1;", "premium-qwen2.5-32b;1;");
    let said = told(&args, comma.replace("1,5", "1,500").as_bytes());
    let wanted =
        "input:3:1: input_tokens is `1,500`; write 1500 or 1.5, whichever of the two is meant";
    assert!(said.contains(wanted), "{said}");
    // A column of which a cell can only have a decimal comma is read with one.
    let point = comma.replace("1,5", "1.5");
    let args = ["data/quickstart", "--loads", "-"];
    assert_eq!(plan_csv(&args, comma.as_bytes()), plan_csv(&args, point.as_bytes()));
    let args = ["plan", "data/quickstart", "--loads", "-"];
    let said = told(&args, loads.replace("arrival_rate_per_min", "arrival_rate").as_bytes());
    assert!(said.contains("rename arrival_rate to arrival_rate_per_min"), "{said}");
    assert!(told(&args, b"").contains("the file is empty; the columns are server,"));
}

#[test]
fn the_wrong_file_or_path_is_told_with_what_to_do() {
    for (args, wanted) in [
        (
            &["plan", "data/quickstart/server-data.json"][..],
            "`servers` is one section of a scenario",
        ),
        (&["plan", "data"], "holds no scenario"),
        (&["plan", "data/loads/quickstart-evening.csv"], "expected an object with the sections"),
        (&["plan", "data/quickstart", "--loads", "data/quickstart.yaml"], "there is no column"),
        (&["plan", "data/quickstart", "--out=~/plans"], "write $HOME"),
        (&["plan", "~"], "write $HOME"),
        (&["simulate", "data/quickstart", "--server", "premium-qwen2.5-32B"], "did you mean"),
        (
            &[
                "horizon",
                "data/quickstart",
                "--profile",
                "data/profiles/demand.csv",
                "--reserved",
                "60",
            ],
            "such as 0.6",
        ),
        (&["fit", "data/quickstart.yaml"], "this is a scenario"),
    ] {
        let said = told(args, b"");
        assert!(said.contains(wanted), "{args:?}: {said}");
    }
    assert!(!root().join("~").exists());
}

#[test]
fn what_may_be_meant_by_other_arguments_is_said() {
    for (args, wanted) in [
        (&["data/quickstart.yaml"][..], "to plan a scenario: isocost plan data/quickstart.yaml"),
        (&["data/quickstart"], "isocost plan data/quickstart"),
        (&["my-fleet.xlsx"], "isocost plan my-fleet.xlsx"),
        (&["explain", "data/quickstart", "--json"], "write --format json"),
        (&["buckets", "data/buckets/llama-8b.json"], "isocost experiment buckets"),
        (
            &["sweep", "data/quickstart", "--vary", "load=0.5-2", "--out", "/dev/null/none"],
            "write lo..hi/n with n points, such as 0.5..2/16",
        ),
    ] {
        let said = told(args, b"");
        assert!(said.contains(wanted), "{args:?}: {said}");
    }
    let said = told(&["plam"], b"");
    assert!(!said.contains("hint"), "{said}");
    let said = run(&["serve", "--help"], b"");
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.success() || text.contains("this build has no `serve`"), "{text}");
}

#[test]
fn a_plan_is_shown_though_its_files_cannot_be_written() {
    let wanted = plan_csv(&["data/quickstart"], b"");
    for flag in ["--out", "--report", "--plots"] {
        let args = ["plan", "data/quickstart", "--format", "csv", flag, "/dev/null/none"];
        let output = run(&args, b"");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{flag}: {said}");
        assert!(said.contains("/dev/null/none"), "{flag}: {said}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), wanted, "{flag}");
    }
}

#[test]
fn dollars_for_cents_are_told_and_planned_as_they_are_written() {
    let yaml = std::fs::read_to_string(root().join("data/quickstart.yaml")).expect("it is there");
    let sound = run(&["plan", "-"], yaml.as_bytes());
    let said = String::from_utf8_lossy(&sound.stderr);
    assert!(sound.status.success() && !said.contains("is sold for"), "{said}");
    let line =
        yaml.lines().find(|line| line.contains("cost: 688.0")).expect("the price of an H100");
    let dollars = yaml.replace(line, &line.replace("cost: 688.0", "cost: 6.88"));
    let output = run(&["plan", "-"], dollars.as_bytes());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("standard input: accelerator `H100`, cost: a card costs 6.88 cents/h"),
        "{said}"
    );
}
