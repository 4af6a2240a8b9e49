//! Sweeps end to end: the same bytes in one go, after kills, and from shards.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

fn scenario(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name).display().to_string()
}

fn isocost(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isocost"));
    command.args(args);
    for name in ["JOB_COMPLETION_INDEX", "ISOCOST_SHARDS", "SLURM_ARRAY_TASK_ID"] {
        command.env_remove(name);
    }
    command
}

fn output(command: &mut Command) -> Output {
    command.output().expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

/// Runs `isocost sweep` on the quickstart; returns its output.
fn sweep(out: &Path, more: &[&str]) -> Output {
    output(&mut sweep_command(out, more))
}

fn sweep_command(out: &Path, more: &[&str]) -> Command {
    let (scenario, out) = (scenario("quickstart"), out.display().to_string());
    isocost(&[&["sweep", scenario.as_str(), "--out", out.as_str()], more].concat())
}

fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

const GRID: [&str; 4] = ["--vary", "load=0.25..4/16", "--vary", "capacity=0,0.5..2/7"];
const POINTS: usize = 16 * 8;

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

#[test]
fn every_problem_is_said_at_once_and_nothing_is_written() {
    let dir = temporary();
    let out = dir.path().join("out");
    let wrong = [
        ("lod=1", "did you mean `load`?"),
        ("capacity:L5=1", "did you mean `L4`?"),
        ("cards=1", "write cards:NAME"),
        ("load", "expected AXIS=VALUES"),
        ("load=0.5..2", "write lo..hi/n, such as 0.5..2/16"),
        ("price=-1", "expected a factor of at least 0"),
        ("tps=2", "no target sets this objective"),
        ("batch:L4=max", "leave `:L4` out"),
        ("itl=1,2", "is there twice"),
    ];
    let mut args = vec!["--vary", "itl=1", "--shard", "3/2"];
    wrong.iter().for_each(|(axis, _)| args.extend(["--vary", axis]));
    let output = sweep(&out, &args);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for (axis, remedy) in wrong {
        let line = said.lines().find(|l| l.contains(&format!("--vary {axis}: ")));
        assert!(line.is_some_and(|l| l.contains(remedy)), "{axis} wants {remedy:?} in\n{said}");
    }
    assert!(said.contains("--shard 3/2: expected i/n"), "{said}");
    assert!(!out.exists());
    assert_eq!(sweep(&out, &[]).status.code(), Some(2), "neither --vary nor --points");
}

#[test]
fn a_point_is_the_plan_with_the_same_options() {
    let dir = temporary();
    let fleet = scenario("fleet-27");
    let out = dir.path().display().to_string();
    let axes = ["--vary", "formulation=single,greedy", "--vary", "capacity=0.3,0.9,1"];
    let args = [&["sweep", fleet.as_str(), "--out", out.as_str()], &axes[..]].concat();
    succeeds(&output(&mut isocost(&args)));
    let mut rows = csv::Reader::from_path(dir.path().join("points.csv")).expect("a table");
    let header = rows.headers().expect("a header").clone();
    let rows: Vec<csv::StringRecord> = rows.records().map(|r| r.expect("a row")).collect();
    assert_eq!(rows.len(), 6);
    for row in rows {
        let cell = |name: &str| &row[header.iter().position(|h| h == name).expect(name)];
        let options = ["--formulation", cell("formulation"), "--capacity-scale", cell("capacity")];
        let plan = [&["plan", fleet.as_str(), "--format", "json"], &options[..]].concat();
        let plan: serde_json::Value =
            serde_json::from_slice(&output(&mut isocost(&plan)).stdout).expect("JSON");
        assert_eq!(plan["status"], cell("status"), "{options:?}");
        if cell("cost_cents_per_h").is_empty() {
            assert!(["infeasible", "unknown"].contains(&cell("status")), "{options:?}");
        } else {
            let cost: f64 = cell("cost_cents_per_h").parse().expect("a number");
            assert_eq!(plan["totalCost"], cost, "{options:?}");
        }
    }
}

#[test]
fn points_from_a_csv_are_the_points_of_the_grid() {
    let dir = temporary();
    let file = dir.path().join("points.csv");
    std::fs::write(&file, "load,capacity:L4,batch\n0.5,1,max\n2,,best\n,0.5,\n").expect("writes");
    let file = file.display().to_string();
    let (by_file, by_grid) = (dir.path().join("file"), dir.path().join("grid"));
    succeeds(&sweep(&by_file, &["--points", &file]));
    let table = read(by_file.join("points.csv"));
    let row = |i: usize| table.lines().nth(i).map(|l| l.split(',').skip(4).collect::<Vec<_>>());
    assert!(table.starts_with("point,load,capacity:L4,batch,status,cost_cents_per_h,"), "{table}");
    succeeds(&sweep(&by_grid, &["--vary", "load=2", "--vary", "batch=best"]));
    let grid = read(by_grid.join("points.csv"));
    let wanted = grid.lines().nth(1).map(|l| l.split(',').skip(3).collect::<Vec<_>>());
    assert_eq!(row(2), wanted);

    std::fs::write(dir.path().join("wrong.csv"), "load,x\n").expect("writes");
    let wrong = dir.path().join("wrong.csv").display().to_string();
    let output = sweep(&by_file, &["--points", &wrong]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("wrong.csv:1:2: unknown axis `x`"));
    std::fs::write(dir.path().join("wrong.csv"), "load\n1\n-1\nx\n").expect("writes");
    let said = text(&sweep(&by_file, &["--points", &wrong]).stderr);
    assert!(said.contains("wrong.csv:3:1: `-1`") && said.contains("wrong.csv:4:1: `x`"), "{said}");
}

/// Numbers that look random, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

#[test]
fn kills_at_random_moments_leave_no_trace() {
    let dir = temporary();
    let (whole, killed) = (dir.path().join("whole"), dir.path().join("killed"));
    succeeds(&sweep(&whole, &GRID));
    let mut random = Random(7);
    let mut kills = 0;
    loop {
        let mut child = sweep_command(&killed, &GRID)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        std::thread::sleep(Duration::from_millis(random.below(2 + 10 * kills)));
        // A file is whole, or is not there.
        let table = std::fs::read_to_string(killed.join("points.csv"));
        assert!(table.is_err() || table.is_ok_and(|t| t == read(whole.join("points.csv"))));
        child.kill().expect("it is ours to kill");
        let ended = child.wait().expect("it ends");
        if ended.success() {
            break;
        }
        assert_eq!(ended.code(), None, "it ended by itself after {kills} kills");
        kills += 1;
        assert!(kills < 200, "it never gets to the end");
    }
    assert!(kills > 0, "nothing was killed: make the grid larger");
    assert_eq!(read(killed.join("points.csv")), read(whole.join("points.csv")));
    assert_eq!(read(whole.join("points.csv")).lines().count(), POINTS + 1);
    // Every point once: nothing that was finished was done again.
    assert_eq!(read(killed.join("journal.jsonl")).lines().count(), POINTS + 1);
}

#[test]
fn a_finished_sweep_is_not_run_again_and_another_is_refused() {
    let dir = temporary();
    succeeds(&sweep(dir.path(), &["--vary", "load=1,2"]));
    let journal = read(dir.path().join("journal.jsonl"));
    let again = sweep(dir.path(), &["--vary", "load=1,2"]);
    succeeds(&again);
    assert!(text(&again.stdout).contains("2 of them from an earlier run"));
    for (other, what) in [
        (&["--vary", "load=1,3"][..], "differs in the points"),
        (&["--vary", "load=1,2", "--formulation", "mixed"], "differs in the options"),
        (&["--vary", "load=1,2", "--capacity-scale", "3"], "differs in the scenario"),
    ] {
        let output = sweep(dir.path(), other);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(what), "{said}");
    }
    assert_eq!(read(dir.path().join("journal.jsonl")), journal);
}

fn merge(dirs: &[&Path], out: &Path) -> Output {
    let mut command = isocost(&["merge", "--out"]);
    output(command.arg(out).args(dirs))
}

#[test]
fn shards_merge_into_the_whole() {
    let dir = temporary();
    let (whole, parts) = (dir.path().join("whole"), dir.path().join("parts"));
    let merged = dir.path().join("merged.csv");
    succeeds(&sweep(&whole, &GRID));
    for shard in ["1/3", "3/3"] {
        succeeds(&sweep(&parts, &[&GRID[..], &["--shard", shard]].concat()));
    }
    let output = merge(&[&parts], &merged);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("shard 2/3 is not among the directories"), "{said}");
    assert!(!merged.exists());
    // The second part as a Kubernetes index would have it.
    let mut job = sweep_command(&parts, &[&GRID[..], &["--shard", "auto/3"]].concat());
    succeeds(&self::output(job.env("JOB_COMPLETION_INDEX", "1")));
    succeeds(&merge(&[&parts], &merged));
    assert_eq!(read(&merged), read(whole.join("points.csv")));
    assert!(dir.path().join("merged-timings.csv").exists());

    // A journal that was cut short names its points.
    let journal = parts.join("shard-2-of-3/journal.jsonl");
    let lines: Vec<String> = read(&journal).lines().map(|l| format!("{l}\n")).collect();
    std::fs::write(&journal, lines[..lines.len() - 2].concat()).expect("writes");
    let said = text(&merge(&[&parts], &merged).stderr);
    assert!(said.contains("2 of 128 points are missing: shard 2/3 lacks"), "{said}");

    let other = dir.path().join("other");
    succeeds(&sweep(&other, &["--vary", "load=1,2", "--shard", "2/3"]));
    let shards = [parts.join("shard-1-of-3"), other];
    let said = text(&merge(&[&shards[0], &shards[1]], &merged).stderr);
    assert!(said.contains("are not of one sweep: they differ in the points"), "{said}");
}

#[test]
fn a_slurm_array_covers_every_point_once() {
    let dir = temporary();
    let (whole, parts) = (dir.path().join("whole"), dir.path().join("parts"));
    let axes = ["--vary", "load=0.5..2/7"];
    succeeds(&sweep(&whole, &axes));
    for id in ["4", "5"] {
        let mut task = sweep_command(&parts, &[&axes[..], &["--shard", "auto"]].concat());
        task.env("SLURM_ARRAY_TASK_ID", id);
        task.env("SLURM_ARRAY_TASK_MIN", "4").env("SLURM_ARRAY_TASK_COUNT", "2");
        succeeds(&output(&mut task));
    }
    let merged = dir.path().join("merged.csv");
    succeeds(&merge(&[&parts], &merged));
    assert_eq!(read(&merged), read(whole.join("points.csv")));
}

#[test]
fn a_hundred_sweeps_in_one_folder_leave_each_other_alone() {
    let dir = temporary();
    let load = |i: usize| format!("0.{}", 100 + i);
    let axes = |i: usize| ["--vary".to_owned(), format!("load={}..2/3", load(i))];
    let start = |i: usize| -> (PathBuf, Child) {
        let out = dir.path().join(i.to_string());
        let axes = axes(i);
        let mut command = sweep_command(&out, &[&axes[0], &axes[1], "--jobs", "1"]);
        let child = command.stdout(Stdio::null()).spawn().expect("the binary runs");
        (out, child)
    };
    let started: Vec<(PathBuf, Child)> = (0..100).map(start).collect();
    for (i, (out, mut child)) in started.into_iter().enumerate() {
        assert!(child.wait().expect("it ends").success(), "sweep {i}");
        let table = read(out.join("points.csv"));
        let first = table.lines().nth(1).and_then(|l| l.split(',').nth(1)).map(str::to_owned);
        assert_eq!(first, Some(load(i).trim_end_matches('0').to_owned()));
    }
}

#[test]
fn a_directory_at_work_is_refused() {
    let dir = temporary();
    let lock = File::create(dir.path().join("journal.lock")).expect("a file");
    lock.lock().expect("nobody else has it");
    let output = sweep(dir.path(), &["--vary", "load=1,2"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("another run is at work here"));
    assert!(!dir.path().join("journal.jsonl").exists());
    lock.unlock().expect("it is ours");
    succeeds(&sweep(dir.path(), &["--vary", "load=1,2"]));
}

#[test]
fn infeasible_points_are_rows() {
    let dir = temporary();
    succeeds(&sweep(dir.path(), &["--vary", "capacity=0,1"]));
    let table = read(dir.path().join("points.csv"));
    let row = table.lines().nth(1).expect("a row");
    assert!(row.starts_with("0,0,infeasible,,,,,,,"), "{row}");
}

#[test]
fn a_sweep_prints_its_costs_and_draws_them() {
    let dir = temporary();
    let (out, plots) = (dir.path().join("out"), dir.path().join("plots"));
    let plots = plots.display().to_string();
    let run = sweep(&out, &[&GRID[..], &["--plots", &plots]].concat());
    succeeds(&run);
    let said = text(&run.stdout);
    let header: Vec<&str> = said.lines().next().unwrap_or("").split_whitespace().collect();
    assert_eq!(header, ["load", "capacity", "cost", "¢/h", "status"], "{said}");
    let second: Vec<&str> = said.lines().nth(2).unwrap_or("").split_whitespace().collect();
    assert_eq!((second[1], second[3]), ("0.5", "optimal"), "{said}");
    let cost: f64 = second[2].replace(',', "").parse().expect("a cost");
    let table = read(out.join("points.csv"));
    let row: Vec<&str> = table.lines().nth(2).expect("a row").split(',').collect();
    assert_eq!(row[4].parse(), Ok(cost), "{table}");
    assert!(said.contains("infeasible"), "{said}");
    assert!(said.contains(&format!("... {} more in points.csv", POINTS - 40)), "{said}");
    assert!(said.lines().count() < 50, "{said}");
    // Of the 16 lines along the capacity 8 are drawn.
    for (name, infeasible) in [("cost-against-load", 32), ("cost-against-capacity", 16)] {
        let file = |extension: &str| Path::new(&plots).join(name).with_extension(extension);
        let svg = read(file("svg"));
        let note = format!("{infeasible} points are infeasible: no plan");
        assert!(svg.contains(&note) && !svg.contains("no place"), "{name}");
        assert!(std::fs::read(file("png")).is_ok_and(|png| png.starts_with(b"\x89PNG")), "{name}");
        assert!(!out.join(name).with_extension("svg").exists(), "plots are drawn where asked for");
    }
}
