//! `isocost analyze --cases --compare`: how far the results computed are from those in the file.
//! Where the file says 0, its relative error is the absolute one.

use isocost_model::export::json_text;
use isocost_model::input::cases::{Case, STATED};
use serde_json::json;

use super::cases::computed;
use crate::Failure;
use crate::args::Format;
use crate::output::print;
use crate::output::say;
use crate::output::table::table;
use crate::output::width::fitted;

/// Errors of one column.
struct Accuracy {
    column: &'static str,
    cases: usize,
    median: f64,
    largest: f64,
    /// In the column's own unit: where a value is next to 0 it says more than the relative one.
    largest_absolute: f64,
}

/// Prints the errors, a line a column.
pub fn print_accuracy(cases: &[Case], format: Format) -> Result<(), Failure> {
    let rows: Vec<Accuracy> = (0..STATED.len()).map(|i| accuracy(cases, i)).collect();
    match format {
        Format::Table => {
            let header = ["column", "cases", "median rel.", "largest rel.", "largest abs."];
            let mut table = table(&header, 1);
            for row in rows {
                let error = |e: f64| if e.is_nan() { "-".to_owned() } else { format!("{e:.1e}") };
                let errors = [row.median, row.largest, row.largest_absolute].map(error);
                let names = [row.column.to_owned(), row.cases.to_string()];
                table.add_row(names.into_iter().chain(errors));
            }
            say!("{}", fitted(&table, &[]));
            Ok(())
        }
        Format::Json => {
            let object = |r: &Accuracy| {
                json!({
                    "column": r.column,
                    "cases": r.cases,
                    "median_relative_error": r.median,
                    "largest_relative_error": r.largest,
                    "largest_absolute_error": r.largest_absolute,
                })
            };
            let list: Vec<_> = rows.iter().map(object).collect();
            print(json_text(&list).as_bytes())
        }
        Format::Csv => {
            let mut text = "column,cases,median_relative_error,largest_relative_error,\
                            largest_absolute_error\n"
                .to_owned();
            for r in rows {
                let Accuracy { column, cases, median, largest, largest_absolute } = r;
                text += &format!("{column},{cases},{median},{largest},{largest_absolute}\n");
            }
            print(text.as_bytes())
        }
    }
}

fn accuracy(cases: &[Case], column: usize) -> Accuracy {
    let pair = |case: &Case| Some((case.stated[column]?, computed(case)[column]));
    let pairs: Vec<(f64, f64)> = cases.iter().filter_map(pair).collect();
    let absolute = |&(stated, computed): &(f64, f64)| (computed - stated).abs();
    let relative = |pair: &(f64, f64)| match pair.0 {
        0.0 => absolute(pair),
        stated => absolute(pair) / stated.abs(),
    };
    let mut errors: Vec<f64> = pairs.iter().map(relative).collect();
    errors.sort_by(f64::total_cmp);
    Accuracy {
        column: STATED[column],
        cases: pairs.len(),
        median: errors.get(errors.len() / 2).copied().unwrap_or(f64::NAN),
        largest: errors.last().copied().unwrap_or(f64::NAN),
        largest_absolute: pairs.iter().map(absolute).fold(f64::NAN, f64::max),
    }
}
