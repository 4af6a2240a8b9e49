//! Where the ticks of an axis stand and what they say.

use crate::chart::Steps;
use crate::number::{number, stepped};

/// Hours into which days and weeks are divided; beyond a week, decimal numbers of weeks.
const HOURS: [f64; 12] = [0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 12.0, 24.0, 48.0, 72.0, WEEK];
const WEEK: f64 = 168.0;

/// A step that gives at most about `count` ticks and lies where `steps` lets ticks stand.
fn step(low: f64, high: f64, count: usize, steps: Steps) -> f64 {
    let wanted = high / count.max(1) as f64 - low / count.max(1) as f64;
    match steps {
        Steps::Decimal => nice(wanted, &[1.0, 2.0, 2.5, 5.0]),
        Steps::Whole if wanted < 10.0 => nice(wanted.max(1.0), &[1.0, 2.0, 5.0]),
        Steps::Whole => nice(wanted, &[1.0, 2.0, 2.5, 5.0]),
        Steps::Hours if wanted < HOURS[0] => nice(wanted, &[1.0, 2.0, 2.5, 5.0]),
        Steps::Hours => {
            let hours = HOURS.into_iter().find(|hours| *hours >= wanted * (1.0 - 1e-9));
            hours.unwrap_or_else(|| WEEK * nice(wanted / WEEK, &[1.0, 2.0, 5.0]))
        }
    }
}

/// The least of `multiples` times a power of ten that is no less than what is wanted.
fn nice(wanted: f64, multiples: &[f64]) -> f64 {
    let power = 10f64.powf(wanted.log10().floor());
    let enough = multiples.iter().find(|m| *m * power >= wanted * (1.0 - 1e-9));
    enough.unwrap_or(&10.0) * power
}

/// The range widened to whole steps.
pub(crate) fn widened(low: f64, high: f64, count: usize, steps: Steps) -> (f64, f64) {
    let step = step(low, high, count, steps);
    let (first, last) = ((low / step).floor() * step, (high / step).ceil() * step);
    if (last - first).is_finite() && first <= low && high <= last {
        (first, last)
    } else {
        (low, high)
    }
}

/// About `count` ticks at whole steps.
pub(crate) fn linear(low: f64, high: f64, count: usize, steps: Steps) -> Vec<(f64, String)> {
    let step = step(low, high, count, steps);
    let (first, last) = ((low / step - 1e-6).ceil(), (high / step + 1e-6).floor());
    let largest = low.abs().max(high.abs());
    // Beyond 2^53 steps from zero, whole steps can no longer be told apart.
    if last - first > 60.0 || (last - first).is_nan() || first.abs() > 9e15 || last.abs() > 9e15 {
        return vec![(low, number(low)), (high, number(high))];
    }
    let count = (last - first) as i64;
    let at = |i: i64| (first + i as f64) * step;
    (0..=count).map(|i| (at(i), stepped(at(i), step, largest))).collect()
}

/// Powers of ten, with 2 and 5 between them where there is room; steps where not even one fits.
pub(crate) fn log(low: f64, high: f64, count: usize) -> Vec<(f64, String)> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let decades = f64::from(last - first);
    let within = |v: &f64| *v >= low * (1.0 - 1e-9) && *v <= high * (1.0 + 1e-9);
    let multiples: &[f64] =
        if decades * 3.0 <= count as f64 + 3.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let every = (decades / (count + 2) as f64).ceil().max(1.0) as usize;
    let at: Vec<f64> = (first..=last)
        .step_by(every)
        .flat_map(|e| multiples.iter().map(move |m| m * 10f64.powi(e)))
        .filter(within)
        .collect();
    if at.len() < 3 && high / low < 100.0 {
        let few = linear(low, high, count.min(5), Steps::Decimal);
        return few.into_iter().filter(|t| t.0 > 0.0).collect();
    }
    at.into_iter().map(|v| (v, number(v))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: Vec<(f64, String)>) -> Vec<String> {
        ticks.into_iter().map(|t| t.1).collect()
    }

    #[test]
    fn ticks_stand_at_whole_steps() {
        let linear = |low, high, count| linear(low, high, count, Steps::Decimal);
        assert_eq!(labels(linear(0.0, 100.0, 5)), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(labels(linear(0.0, 1.0, 4)), ["0", "0.25", "0.50", "0.75", "1.00"]);
        assert_eq!(labels(log(1.0, 1e6, 6))[..3], ["1", "10", "100"]);
        assert_eq!(labels(log(1.0, 20.0, 6)), ["1", "2", "5", "10", "20"]);
        assert_eq!(widened(3.0, 97.0, 5, Steps::Decimal), (0.0, 100.0));
    }

    #[test]
    fn a_day_is_divided_as_people_divide_it() {
        let hours = |most, count| labels(linear(0.0, most, count, Steps::Hours));
        assert_eq!(hours(24.0, 10), ["0", "3", "6", "9", "12", "15", "18", "21", "24"]);
        assert_eq!(hours(24.0, 5), ["0", "6", "12", "18", "24"]);
        assert_eq!(hours(168.0, 8), ["0", "24", "48", "72", "96", "120", "144", "168"]);
        assert_eq!(hours(1.0, 4), ["0", "0.25", "0.50", "0.75", "1.00"]);
        assert_eq!(hours(1680.0, 5), ["0", "336", "672", "1,008", "1,344", "1,680"]);
    }

    #[test]
    fn what_is_counted_has_whole_ticks() {
        for most in 1..200 {
            for count in 1..10 {
                let ticks = linear(0.0, f64::from(most), count, Steps::Whole);
                assert!(ticks.iter().all(|t| t.0.fract() == 0.0), "{most} {count}: {ticks:?}");
            }
        }
        assert_eq!(widened(0.0, 1.0, 5, Steps::Whole), (0.0, 1.0));
    }

    #[test]
    fn ranges_of_any_size_have_few_ticks() {
        let ranges =
            [(0.0, 1e300), (-1e300, 1e300), (1e-300, 1e300), (1.0, 1.0 + 1e-9), (1e15, 1e15 + 1.0)];
        for (low, high) in ranges {
            for steps in [Steps::Decimal, Steps::Hours] {
                let count = linear(low, high, 6, steps).len();
                assert!((2..=12).contains(&count), "{low} {high} {steps:?}: {count}");
            }
            if low > 0.0 {
                let count = log(low, high, 6).len();
                assert!((1..=12).contains(&count), "log {low} {high}: {count}");
            }
        }
    }
}
