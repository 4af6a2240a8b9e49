//! How far apart the ends of an estimate have to be.
//!
//! The factor `exp(time)` on every time is the least with which 80% of the ITLs lie between both ends, and
//! `exp(first)` more on what a prompt takes the least with which 80% of the TTFTs do (split
//! conformal prediction, with whole systems left out).

use std::fmt;

use isocost_calibration::predict;
use isocost_catalogue::{Basis, Efficiency, Margins};
use isocost_model::queue::ServiceModel;
use rayon::prelude::*;

use crate::search::errors;
use crate::systems::System;

/// A system, and efficiencies that it had no part in.
pub struct Left<'a> {
    pub system: &'a System,
    pub efficiency: Efficiency,
}

/// Share of latencies that the ends hold.
const LEVEL: f64 = 0.8;

/// What the ends have to be beyond the estimate.
pub struct Margin {
    time: f64,
    first: f64,
    held: f64,
}

impl fmt::Display for Margin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, first, held } = self;
        write!(
            f,
            "time {time:.2}, first {first:.2}, with which {:.0}% of TTFTs lie there",
            held * 100.0
        )
    }
}

/// The margin that what was left out asks for.
pub fn margin(left: &[Left<'_>]) -> Margin {
    let itl = left.iter().flat_map(|l| errors(l.system, &l.efficiency));
    let mut itl: Vec<f64> = itl.map(|(itl, _)| itl.abs()).collect();
    itl.sort_by(f64::total_cmp);
    let rank = (LEVEL * (itl.len() as f64 + 1.0)).ceil() as usize;
    let time = itl[rank.min(itl.len()) - 1];
    let firsts = (0..=40).map(|i| f64::from(i) * 0.05);
    let mut margin = Margin { time, first: 0.0, held: 0.0 };
    for first in firsts {
        margin = Margin { time, first, held: held(left, time, first) };
        if margin.held >= LEVEL {
            break;
        }
    }
    margin
}

/// Share of the TTFTs that lie between the ends.
fn held(left: &[Left<'_>], time: f64, first: f64) -> f64 {
    let none = (0.0, 0.0);
    let margins = Margins {
        itl_error: 0.0,
        ttft_error: 0.0,
        medians: none,
        level: LEVEL,
        time,
        first,
        basis: Basis::Family,
    };
    let each: Vec<bool> = left
        .par_iter()
        .flat_map_iter(|l| {
            let ends = margins.ends(&l.system.roofline(&l.efficiency));
            let bench = l.system.bench();
            l.system.points.iter().map(move |point| {
                let at = |end| predict(ServiceModel::Roofline(end), &bench, point);
                let [low, high] = ends.map(|end| at(end).map_or(f64::NAN, |p| p.ttft_ms));
                point.ttft_ms.is_some_and(|measured| low <= measured && measured <= high)
            })
        })
        .collect();
    each.iter().filter(|held| **held).count() as f64 / each.len().max(1) as f64
}
