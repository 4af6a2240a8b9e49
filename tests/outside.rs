//! `--write-model` and `--read-solution` end to end: the file goes through HiGHS as an outside solver, which
//! knows nothing but the file and writes its own.
#![cfg(feature = "highs")]
#![allow(unsafe_code)]

use std::ffi::CString;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn isocost(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_isocost")).args(args).output().expect("the binary runs")
}

fn plan(args: &[&str]) -> Value {
    let output = isocost(&[&["plan"], args, &["--format", "json"]].concat());
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{args:?}: {e}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// HiGHS minimises the program in the file `model` and writes what it found to `solution`.
fn solve(model: &Path, solution: &Path) {
    let name =
        |path: &Path| CString::new(path.to_str().expect("UTF-8")).expect("no NUL in the path");
    // SAFETY: the instance lives from `create` to `destroy`; names are strings that end in NUL.
    unsafe {
        let highs = highs_sys::Highs_create();
        highs_sys::Highs_setBoolOptionValue(highs, c"output_flag".as_ptr(), 0);
        let ok = highs_sys::kHighsStatusOk;
        assert_eq!(highs_sys::Highs_readModel(highs, name(model).as_ptr()), ok, "{model:?}");
        assert_eq!(highs_sys::Highs_run(highs), ok);
        let optimal = highs_sys::kHighsModelStatusOptimal;
        assert_eq!(highs_sys::Highs_getModelStatus(highs), optimal, "{model:?}");
        assert_eq!(highs_sys::Highs_writeSolution(highs, name(solution).as_ptr()), ok);
        highs_sys::Highs_destroy(highs);
    }
}

#[test]
fn what_an_outside_solver_returns_for_our_file_is_the_plan() {
    let fleet: &[&str] = &["data/fleet-27", "--capacity-scale", "0.75", "--formulation", "single"];
    let cases: [&[&str]; 4] = [
        &["data/quickstart", "--formulation", "single"],
        &["data/quickstart", "--formulation", "mixed"],
        fleet,
        &[fleet, &["--transition", "--max-moves", "5"]].concat(),
    ];
    let dir = tempfile::tempdir().expect("a folder");
    for args in cases {
        let ours = plan(args);
        for extension in ["mps", "lp"] {
            let model = dir.path().join("model").with_extension(extension);
            let solution = dir.path().join("solution.sol");
            let path = model.display().to_string();
            assert!(
                isocost(&[&["plan"], args, &["--write-model", &path]].concat()).status.success()
            );
            solve(&model, &solution);
            let theirs =
                plan(&[args, &["--read-solution", &solution.display().to_string()]].concat());
            assert!(theirs["backend"].as_str().is_some_and(|by| by.contains("outside")));
            let close = |key: &str| {
                let [a, b] = [&ours, &theirs].map(|plan| plan[key].as_f64().expect("a number"));
                assert!(
                    (a - b).abs() <= 1e-6 * a.abs().max(1.0),
                    "{args:?} {extension} {key}: {a} {b}"
                );
            };
            close("objective");
            if !args.contains(&"--transition") {
                close("totalCost");
            }
            let placed = |plan: &Value| plan["allocations"].as_object().map(serde_json::Map::len);
            assert_eq!(placed(&ours), placed(&theirs), "{args:?}");
        }
    }
}

#[test]
fn a_solution_of_another_program_is_refused_by_the_row_that_it_misses() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("none.sol");
    std::fs::write(&path, "x0 0\n").expect("it can be written");
    let read = ["plan", "data/quickstart", "--read-solution"];
    let output = isocost(&[&read[..], &[&path.display().to_string()]].concat());
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("serve_0 is 0, less than 1") && said.contains("--write-model"), "{said}");
}
