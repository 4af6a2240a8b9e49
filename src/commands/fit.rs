//! `isocost fit`: from measured points to service parameters.

use std::path::PathBuf;

use isocost_calibration::{
    Entry, Forecast, Point, fit_all, mark_single_client, plots, read, systems,
};
use isocost_model::export::json_text;
use isocost_model::export::write_file;

use crate::args::{FitArgs, FitFormat};
use crate::output::fit::Fitted;
use crate::output::print;
use crate::output::style::{Spinner, warning};
use crate::{Failure, exit};

/// Runs the command; returns its exit code.
pub fn run(args: &FitArgs) -> Result<u8, Failure> {
    let (points, single) = measured(args, &args.bench)?;
    let others = match &args.predict {
        Some(path) => Some(measured(args, std::slice::from_ref(path))?.0),
        None => None,
    };
    let fits = {
        let _spinner = Spinner::start("fitting");
        let families = args.service.families();
        fit_all(families, &points, &args.options(&points)).map_err(Failure::input)?
    };
    let best = fits.iter().min_by(|a, b| a.1.unseen_mean().total_cmp(&b.1.unseen_mean()));
    let Some((fit, validation)) = best else {
        return Err(Failure::failed("no service model was fitted"));
    };
    let forecast = others.as_ref().map(|points| Forecast::new(fit, points));
    let entry = Entry::new(fit, &points, validation, &args.placement());
    args.plots.draw(|| plots(fit, &points))?;
    if let Some(path) = &args.out {
        write_file(path, entry.json().as_bytes()).map_err(Failure::failed)?;
    }
    let forecast = forecast.as_ref().zip(others.as_deref());
    let fitted =
        Fitted { points: &points, single, fit, validation, all: &fits, entry: &entry, forecast };
    match args.format {
        FitFormat::Table => fitted.print_table(),
        FitFormat::Json => print(json_text(&fitted.json()).as_bytes())?,
    }
    Ok(exit::OK)
}

/// The points of some files, of the system that was asked for, and how many of them were measured with
/// one client.
fn measured(args: &FitArgs, paths: &[PathBuf]) -> Result<(Vec<Point>, usize), Failure> {
    let measured = read::load(paths).map_err(Failure::input)?;
    for odd in &measured.warnings {
        warning(&odd.to_string());
    }
    let mut points = measured.points;
    if let Some(text) = &args.system {
        points.retain(|point| point.system.contains(text.as_str()));
    }
    let found = systems(&points);
    if found.len() > 1 {
        let names = found.join("\n  ");
        let what = format!("the points are of {} systems; choose one by --system", found.len());
        return Err(Failure::input(format!("{what}:\n  {names}")));
    }
    let single = if args.open { 0 } else { mark_single_client(&mut points) };
    Ok((points, single))
}
