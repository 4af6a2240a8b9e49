//! Experiments: tasks by a seed, measured one after the other, summarised from their CSV alone.
//!
//! ```text
//! tasks -> (each in a process of its own) Measurement -> journal -> measurements.csv -> summary.md, SVG
//! ```
//!
//! Tasks run one at a time, so that none slows another down, and repeat by repeat: what is compared
//! runs next to each other, and a change of the machine's mood meets all arms alike.

use std::path::{Path, PathBuf};

use isocost_charts::{Chart, Panels, Theme};
use isocost_model::export::{ExportError, write_file};
use isocost_solver::Interrupt;

use crate::data::Data;
use crate::families::Peer;
use crate::journal::{Header, Journal, JournalError, Record, fingerprint};
use crate::measure::{MeasureError, Measurement, PLACEMENT, Task};
use crate::sweep::{Progress, Shard};
use crate::table::csv_text;
use crate::{backends, batch, examples, families, formulations, scale};

/// A comparison that one command makes again.
pub trait Experiment: Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// What it compares, in a sentence.
    fn about(&self) -> &'static str;

    /// What to measure, in order.
    fn tasks(&self, scope: &Scope) -> Vec<Task>;

    /// Tables and plots, from the measurements and placements alone.
    fn summary(&self, measured: &Data, placed: &Data) -> Summary;
}

/// How much to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Only so much that every step is seen to work.
    pub quick: bool,
    /// Seed of the fleets.
    pub seed: u64,
    /// Most copies of the fleet in the experiment on scale.
    pub most_copies: u32,
    /// Backends of this build, the default first.
    pub backends: Vec<&'static str>,
    /// Solvers to compare with, in the experiment on families.
    pub peers: Vec<Peer>,
}

/// What an experiment says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// Markdown, without the heading; plots are referred to by their files' names.
    pub text: String,
    /// Plots: name of the file without `.svg`, and the SVG.
    pub plots: Vec<(String, String)>,
}

impl Summary {
    /// Adds a paragraph.
    pub fn say(&mut self, text: impl AsRef<str>) {
        self.text.push_str(text.as_ref().trim_end());
        self.text.push_str("\n\n");
    }

    /// Adds a plot.
    pub fn plot(&mut self, name: &str, chart: &Chart) {
        self.picture(name, &chart.title, chart.svg(&Theme::light()));
    }

    /// Adds several plots in one picture.
    pub fn panels(&mut self, name: &str, panels: &Panels) {
        self.picture(name, &panels.title, panels.svg(&Theme::light()));
    }

    fn picture(&mut self, name: &str, title: &str, svg: String) {
        self.say(format!("![{title}]({name}.svg)"));
        self.plots.push((name.to_owned(), svg));
    }
}

/// All experiments, in the order in which `run all` runs them.
pub fn experiments() -> [&'static dyn Experiment; 6] {
    [
        &examples::Examples,
        &formulations::Formulations,
        &batch::Batches,
        &backends::Backends,
        &scale::Scale,
        &families::Families,
    ]
}

/// An experiment that cannot be brought to its end.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A file of results.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// Measurements that cannot be read.
    #[error("{}: {what}; run the experiment first", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        what: String,
    },
}

/// Names of the files in an experiment's directory.
const MEASUREMENTS: &str = "measurements.csv";
const PLACEMENTS: &str = "placements.csv";
const SUMMARY: &str = "summary.md";

/// Columns of `measurements.csv`.
const COLUMNS: [&str; 30] = [
    "arm",
    "instance",
    "seed",
    "copies",
    "servers",
    "accelerators",
    "pairs",
    "supply",
    "supply_factor",
    "loads",
    "batch",
    "percentile",
    "formulation",
    "backend",
    "time_limit_s",
    "repeat",
    "status",
    "cost_cents_per_h",
    "objective_cents_per_h",
    "bound_cents_per_h",
    "gap",
    "served_share",
    "cards",
    "sizing_s",
    "building_s",
    "solving_s",
    "cpu_s",
    "peak_mib",
    "note",
    "commit",
];

/// Version and commit of this build.
pub fn version() -> String {
    format!("{} ({})", env!("CARGO_PKG_VERSION"), env!("ISOCOST_COMMIT"))
}

/// Runs what is not measured yet; `measure` makes one measurement, `listen` hears of each.
/// Returns whether all is measured, which it is unless `interrupt` was raised.
///
/// # Errors
/// [`ExperimentError`]; what is measured stays in the journal. A measurement that fails is a row that
/// says so.
pub fn run(
    experiment: &dyn Experiment,
    scope: &Scope,
    dir: &Path,
    interrupt: &Interrupt,
    measure: &dyn Fn(&Task) -> Result<Measurement, MeasureError>,
    listen: &dyn Fn(Progress),
) -> Result<bool, ExperimentError> {
    let tasks = experiment.tasks(scope);
    let header = Header {
        run: format!("experiment {}", experiment.name()),
        version: version(),
        input: fingerprint(&scope.seed),
        options: fingerprint(&scope.quick),
        parts: fingerprint(&tasks),
        total: tasks.len(),
        shard: Shard::WHOLE,
        columns: COLUMNS.map(str::to_owned).to_vec(),
        timings: Vec::new(),
    };
    let (mut journal, mut records) = Journal::open(dir, &header)?;
    let mut measured = vec![false; tasks.len()];
    records.iter().for_each(|record| measured[record.part] = true);
    let resumed = records.len();
    listen(Progress { done: resumed, resumed, of: tasks.len() });
    for (part, task) in tasks.iter().enumerate().filter(|(part, _)| !measured[*part]) {
        if interrupt.is_raised() {
            return Ok(false);
        }
        let result = measure(task);
        // A measurement that was cut short is none.
        if interrupt.is_raised() {
            return Ok(false);
        }
        let details = result.as_ref().map_or(Vec::new(), |m| m.placements.clone());
        let record = Record { part, cells: cells(task, &result), seconds: Vec::new(), details };
        journal.append(&record)?;
        records.push(record);
        listen(Progress { done: records.len(), resumed, of: tasks.len() });
    }
    journal.sync()?;
    records.sort_by_key(|record| record.part);
    write(dir, &records)?;
    summarise(experiment, dir)?;
    Ok(true)
}

fn write(dir: &Path, records: &[Record]) -> Result<(), ExperimentError> {
    let rows: Vec<Vec<String>> = records.iter().map(|record| record.cells.clone()).collect();
    let placed = records.iter().flat_map(|record| {
        let cell = |name: &str| {
            let at = COLUMNS.iter().position(|c| *c == name);
            at.map_or(String::new(), |at| record.cells[at].clone())
        };
        let keys = ["arm", "formulation", "repeat"].map(cell);
        record.details.iter().map(move |row| [&keys[..], &row[..]].concat())
    });
    let placed: Vec<Vec<String>> = placed.collect();
    if !placed.is_empty() {
        let header = [&["arm", "formulation", "repeat"][..], &PLACEMENT[..]].concat();
        write_file(&dir.join(PLACEMENTS), &csv_text(&header, &placed))?;
    }
    write_file(&dir.join(MEASUREMENTS), &csv_text(&COLUMNS, &rows))?;
    Ok(())
}

/// Writes the summary and the plots of the measurements in `dir` anew.
///
/// # Errors
/// [`ExperimentError`].
pub fn summarise(experiment: &dyn Experiment, dir: &Path) -> Result<(), ExperimentError> {
    let read = |name: &str| {
        let path = dir.join(name);
        let unreadable = |what: String| ExperimentError::Unreadable { path: path.clone(), what };
        let bytes = std::fs::read(&path).map_err(|e| unreadable(e.to_string()))?;
        Data::read(&bytes).map_err(|e| unreadable(e.to_string()))
    };
    let measured = read(MEASUREMENTS)?;
    let placed = if dir.join(PLACEMENTS).exists() { read(PLACEMENTS)? } else { Data::empty() };
    let summary = experiment.summary(&measured, &placed);
    for (name, svg) in &summary.plots {
        write_file(&dir.join(name).with_extension("svg"), svg.as_bytes())?;
    }
    let text = format!("{}{}", heading(experiment, &measured), summary.text);
    write_file(&dir.join(SUMMARY), format!("{}\n", text.trim_end()).as_bytes())?;
    Ok(())
}

fn heading(experiment: &dyn Experiment, measured: &Data) -> String {
    let commits = measured.distinct("commit").join(", ");
    let failed = measured.only(&[("status", "failed")]).count();
    let failures = match failed {
        0 => String::new(),
        n => format!(" {n} failed; their rows say why."),
    };
    format!(
        "# {}\n\n{}\n\n{} measurements of isocost {commits}, seeds {}.{failures}\n\n",
        experiment.name(),
        experiment.about(),
        measured.rows().count(),
        measured.distinct("seed").join(", "),
    )
}

/// The row of a measurement, or of its failure.
fn cells(task: &Task, result: &Result<Measurement, MeasureError>) -> Vec<String> {
    let (supply, factor) = task.instance.supply();
    let measured = result.as_ref().ok();
    let of = |value: &dyn Fn(&Measurement) -> Option<f64>| {
        measured.and_then(value).map_or(String::new(), |x| x.to_string())
    };
    let status = match result {
        Ok(measured) => measured.status.clone(),
        Err(MeasureError::Stopped(_)) => "stopped".to_owned(),
        Err(_) => "failed".to_owned(),
    };
    vec![
        task.arm.clone(),
        task.instance.name(),
        task.instance.seed().to_string(),
        task.instance.copies().map_or(String::new(), |k| k.to_string()),
        of(&|m| Some(m.servers as f64)),
        of(&|m| Some(m.accelerators as f64)),
        of(&|m| Some(m.pairs as f64)),
        supply.to_owned(),
        factor.map_or(String::new(), |factor| factor.to_string()),
        if task.changed { "changed" } else { "stated" }.to_owned(),
        task.batch_tolerance.map_or("max".to_owned(), |t| format!("best within {t}")),
        task.percentile.map_or("mean".to_owned(), |p| p.to_string()),
        match task.shortage {
            true => format!("{}, partial under shortage", task.formulation),
            false => task.formulation.clone(),
        },
        task.backend.clone(),
        task.time_limit_s.to_string(),
        task.repeat.to_string(),
        status,
        of(&|m| m.cost),
        of(&|m| m.objective),
        of(&|m| m.bound),
        of(&|m| m.gap),
        of(&|m| m.served_share),
        of(&|m| m.cards.map(|c| c as f64)),
        of(&|m| Some(m.sizing_s)),
        of(&|m| Some(m.building_s)),
        of(&|m| Some(m.solving_s)),
        of(&|m| m.cpu_s),
        of(&|m| m.peak_mib),
        result.as_ref().err().map_or(String::new(), ToString::to_string),
        version(),
    ]
}

/// Every arm of every repeat, repeat by repeat.
pub fn repeated(arms: &[Task], repeats: u32) -> Vec<Task> {
    let of_repeat = |repeat: u32| arms.iter().map(move |arm| Task { repeat, ..arm.clone() });
    (1..=repeats).flat_map(of_repeat).collect()
}
