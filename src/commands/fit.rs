//! `isocost fit`: from measured points to service parameters.

use std::path::Path;

use isocost_calibration::{
    Entry, Family, Fit, Point, Validation, fit, mark_single_client, plots, read,
};
use isocost_model::export::write_file;
use rayon::prelude::*;

use crate::args::{FitArgs, FitFormat};
use crate::output::fit::Fitted;
use crate::output::print;
use crate::output::style::{Spinner, warning};
use crate::{Failure, exit};

/// Runs the command; returns its exit code.
pub fn run(args: &FitArgs) -> Result<u8, Failure> {
    let measured = read::load(&args.bench).map_err(Failure::input)?;
    measured.warnings.iter().for_each(|w| warning(&w.to_string()));
    let mut points = measured.points;
    let single = if args.open { 0 } else { mark_single_client(&mut points) };
    let fits = {
        let _spinner = Spinner::start("fitting");
        fit_all(args, &points)?
    };
    let best = fits.iter().min_by(|a, b| unseen(a).total_cmp(&unseen(b)));
    let Some((fit, validation)) = best else {
        return Err(Failure::failed("no service model was fitted"));
    };
    let entry = Entry::new(fit, &points, validation, &args.placement());
    if let Some(dir) = &args.plots {
        write_plots(dir, fit, &points)?;
    }
    if let Some(path) = &args.out {
        write_file(path, entry.json().as_bytes()).map_err(Failure::failed)?;
    }
    let fitted = Fitted { points: &points, single, fit, validation, all: &fits, entry: &entry };
    match args.format {
        FitFormat::Table => fitted.print_table(),
        FitFormat::Json => print(format!("{:#}\n", fitted.json()).as_bytes())?,
    }
    Ok(exit::OK)
}

/// Every family that was asked for. Where all are tried, one with more parameters than there are
/// points is left out; where none can be fitted, the reason is the first one's.
fn fit_all(args: &FitArgs, points: &[Point]) -> Result<Vec<(Fit, Validation)>, Failure> {
    let one = |family: &Family| {
        let fitted = fit(*family, points, &args.options())?;
        let validation = Validation::new(&fitted, points);
        Ok((fitted, validation))
    };
    let families = args.service.families();
    let (done, failed): (Vec<_>, Vec<_>) =
        families.par_iter().map(one).collect::<Vec<_>>().into_iter().partition(Result::is_ok);
    let first = failed.into_iter().find_map(Result::<_, isocost_calibration::FitError>::err);
    match (done.is_empty(), first) {
        (true, Some(error)) => Err(Failure::input(error)),
        _ => Ok(done.into_iter().flatten().collect()),
    }
}

/// What families are compared by: mean errors on what was left out, weighed as in the fit.
fn unseen((_, validation): &(Fit, Validation)) -> f64 {
    let errors = validation.left_out_sweep.as_ref().unwrap_or(&validation.left_out_point);
    errors.itl.mean + errors.ttft.mean / 3.0
}

fn write_plots(dir: &Path, fit: &Fit, points: &[Point]) -> Result<(), Failure> {
    std::fs::create_dir_all(dir)
        .map_err(|e| Failure::failed(format!("{}: cannot be made: {e}", dir.display())))?;
    for (name, svg) in plots(fit, points) {
        write_file(&dir.join(name), svg.as_bytes()).map_err(Failure::failed)?;
    }
    Ok(())
}
