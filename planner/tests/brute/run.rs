//! How many cases are tried, and what is printed of one that fails.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::case::Case;
use super::draw;
use super::shrink::{as_code, shrink};

/// What trying a case told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All are served, and it is the optimum.
    Served,
    /// Not all can be served, and that is what was said.
    Short,
    /// It cannot be put so, or is too large to be tried in full.
    Skipped,
}

/// Cases to try: `ISOCOST_CASES`, or so many.
pub fn cases(default: u64) -> u64 {
    number("ISOCOST_CASES").unwrap_or(default)
}

/// The first seed: `ISOCOST_SEED`, or 0.
pub fn first_seed() -> u64 {
    number("ISOCOST_SEED").unwrap_or(0)
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a whole number, not `{text}`")))
}

/// Tries `count` drawn cases, each by its seed; fails by one that fails, made small. Of those tried
/// at least a tenth are served and a tenth are short, so that neither goes untested.
pub fn all(what: &str, count: u64, attempt: fn(&Case) -> Result<Outcome, String>) {
    let first = first_seed();
    let counts = [const { AtomicU64::new(0) }; 3];
    let failed = (first..first + count).into_par_iter().find_any(|seed| {
        let Ok(outcome) = guarded(&draw::case(*seed), attempt) else { return true };
        counts[outcome as usize].fetch_add(1, Ordering::Relaxed);
        false
    });
    if let Some(seed) = failed {
        let (case, how) = shrink(&draw::case(seed), |case| guarded(case, attempt).err());
        panic!("{what}, seed {seed}: {how}\n{}\n{}", as_code(&case), case.scenario());
    }
    let [served, short, skipped] = counts.map(AtomicU64::into_inner);
    println!(
        "{what}, seeds {first} to {}: {served} served, {short} short, {skipped} skipped",
        first + count - 1
    );
    let few = count >= 200 && served.min(short) < (count - skipped) / 10;
    assert!(!few && skipped <= count / 2, "{what}: the cases are too much alike");
}

/// How what is said of a panic begins.
pub const PANIC: &str = "it panics: ";

/// A panic is a failure like any other.
fn guarded(case: &Case, attempt: fn(&Case) -> Result<Outcome, String>) -> Result<Outcome, String> {
    catch_unwind(AssertUnwindSafe(|| attempt(case))).unwrap_or_else(|payload| {
        let what = payload.downcast_ref::<String>().map(String::as_str);
        let what = what.or_else(|| payload.downcast_ref::<&str>().copied());
        Err(format!("{PANIC}{}", what.unwrap_or_default()))
    })
}
