//! The points of a sweep: a grid of axes, or a CSV with a row a point.

use std::path::Path;

use isocost_model::input::reading::{csv_defect, csv_line, csv_rows, name_of, read_text};

use super::Setting;
use super::axis::{Axis, Lever};
use super::problem::{AxisError, Problem, Problems};
use super::value::Value;

/// Points of one sweep at most.
pub const MOST_POINTS: usize = 1_000_000;

/// Axes, and for each point a value along each.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    /// The axes.
    pub axes: Vec<Axis>,
    /// For each point a value for each axis; `None` leaves the scenario as it is.
    pub values: Vec<Vec<Option<Value>>>,
}

impl Points {
    /// Every combination of the values of `axes`, each `AXIS=VALUES`; the first axis varies slowest.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn grid(axes: &[String], base: &Setting) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let mut read: Vec<(Axis, Vec<Value>)> = Vec::new();
        for text in axes {
            let mut wrong = |what| {
                problems.push(Problem { place: format!("--vary {text}"), what });
            };
            let Some((name, values)) = text.split_once('=') else {
                wrong(AxisError::Form);
                continue;
            };
            match Axis::new(name, base) {
                Err(what) => wrong(what),
                Ok(axis) if read.iter().any(|r| r.0.name.eq_ignore_ascii_case(&axis.name)) => {
                    wrong(AxisError::Twice { axis: axis.name });
                }
                Ok(axis) => match axis.domain.values(values) {
                    Err(all) => all.into_iter().for_each(wrong),
                    Ok(values) => read.push((axis, values)),
                },
            }
        }
        let points: f64 = read.iter().map(|r| r.1.len() as f64).product();
        if points > MOST_POINTS as f64 {
            let what = AxisError::TooManyPoints { points: points.to_string(), most: MOST_POINTS };
            problems.push(Problem { place: "--vary".to_owned(), what });
        }
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        let mut values: Vec<Vec<Option<Value>>> = vec![Vec::new()];
        for (_, along) in &read {
            let longer = |point: &Vec<Option<Value>>| {
                let point = point.clone();
                along.iter().map(move |value| [&point[..], &[Some(*value)]].concat())
            };
            values = values.iter().flat_map(longer).collect();
        }
        Ok(Self { axes: read.into_iter().map(|r| r.0).collect(), values })
    }

    /// The rows of a CSV file, whose header names the axes; a blank cell leaves the scenario as it
    /// is.
    ///
    /// # Errors
    /// Everything that is wrong, at once, by line and column.
    pub fn from_csv(path: &Path, base: &Setting) -> Result<Self, Problems> {
        let file = name_of(path);
        match read_text(path) {
            Ok(text) => Self::from_text(&file, &text, base),
            Err(what) => {
                let what = AxisError::Unreadable(what);
                Err(Problems(vec![Problem { place: file, what }]))
            }
        }
    }

    /// The same for a text; `file` stands for it in messages.
    ///
    /// # Errors
    /// As [`Self::from_csv`].
    pub fn from_text(file: &str, text: &str, base: &Setting) -> Result<Self, Problems> {
        let at = |line: u32, column: usize, what| Problem {
            place: format!("{file}:{line}:{column}"),
            what,
        };
        let unreadable = |e: csv::Error| {
            let what = AxisError::Unreadable(e.to_string());
            Problems(vec![Problem { place: file.to_string(), what }])
        };
        let mut reader = csv_rows(text);
        let header = reader.headers().map_err(unreadable)?.clone();
        let mut problems = Vec::new();
        let mut axes: Vec<Axis> = Vec::new();
        for (i, name) in header.iter().enumerate() {
            match Axis::new(name, base) {
                Ok(axis) if axes.iter().any(|a| a.name.eq_ignore_ascii_case(&axis.name)) => {
                    problems.push(at(1, i + 1, AxisError::Twice { axis: axis.name }));
                }
                Ok(axis) => axes.push(axis),
                Err(what) => problems.push(at(1, i + 1, what)),
            }
        }
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        let mut values = Vec::new();
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(e) => {
                    let (line, what) = csv_defect(text, &e);
                    problems.push(at(line, 1, AxisError::Unreadable(what)));
                    continue;
                }
            };
            let line = csv_line(text, record.position());
            let cells = axes.iter().zip(record.iter()).enumerate();
            let cells = cells.map(|(i, (axis, cell))| match cell.is_empty() {
                true => None,
                false => axis
                    .domain
                    .value(cell)
                    .map_err(|what| problems.push(at(line, i + 1, what)))
                    .ok(),
            });
            values.push(cells.collect());
        }
        if values.is_empty() && problems.is_empty() {
            problems.push(Problem { place: file.to_string(), what: AxisError::Empty });
        }
        if values.len() > MOST_POINTS {
            let points = values.len().to_string();
            let what = AxisError::TooManyPoints { points, most: MOST_POINTS };
            problems.push(Problem { place: file.to_string(), what });
        }
        if problems.is_empty() { Ok(Self { axes, values }) } else { Err(Problems(problems)) }
    }

    /// `base` with the changes of a point, axis by axis in their order; the batch choice before the
    /// tolerance that is a part of it.
    pub fn setting(&self, point: usize, base: &Setting) -> Setting {
        let mut setting = base.clone();
        let first = |axis: &Axis| axis.lever == Lever::Batch;
        for turn in [true, false] {
            for (axis, value) in self.axes.iter().zip(&self.values[point]) {
                if let Some(value) = value.filter(|_| first(axis) == turn) {
                    axis.apply(value, &mut setting);
                }
            }
        }
        setting
    }

    /// The cells of a point, one for each axis.
    pub fn cells(&self, point: usize) -> impl Iterator<Item = String> {
        self.values[point].iter().map(|v| v.map_or(String::new(), |v| v.to_string()))
    }
}
