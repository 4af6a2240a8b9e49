//! Ticks of time axes: whole minutes, hours, days, months and years, in UTC.

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3_600.0;
const DAY: f64 = 86_400.0;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const STEPS: [f64; 21] = [
    1.0,
    2.0,
    5.0,
    10.0,
    15.0,
    30.0,
    MINUTE,
    2.0 * MINUTE,
    5.0 * MINUTE,
    10.0 * MINUTE,
    15.0 * MINUTE,
    30.0 * MINUTE,
    HOUR,
    2.0 * HOUR,
    3.0 * HOUR,
    6.0 * HOUR,
    12.0 * HOUR,
    DAY,
    2.0 * DAY,
    7.0 * DAY,
    14.0 * DAY,
];
const MONTH_STEPS: [i64; 8] = [1, 3, 6, 12, 24, 60, 120, 240];

/// Beyond this many seconds from 1970 (31,000 years) times are shown as plain numbers.
pub(crate) const FARTHEST: f64 = 1e12;

/// About `count` ticks from `low` to `high`, seconds since 1970-01-01 00:00 UTC.
pub(crate) fn ticks(low: f64, high: f64, count: usize) -> Vec<(f64, String)> {
    let wanted = (high - low) / count.max(1) as f64;
    match STEPS.into_iter().find(|&s| s >= wanted) {
        Some(step) => even(low, high, step),
        None => monthly(low, high, wanted),
    }
}

fn even(low: f64, high: f64, step: f64) -> Vec<(f64, String)> {
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (first..=last).map(|i| i as f64 * step).map(|t| (t, label(t, step))).collect()
}

fn label(t: f64, step: f64) -> String {
    let (day, second) = (t.div_euclid(DAY), t.rem_euclid(DAY) as u32);
    let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
    let (_, month, date) = civil(day as i64);
    match () {
        () if second == 0 => format!("{date} {}", MONTHS[month]),
        () if step < MINUTE => format!("{h:02}:{m:02}:{s:02}"),
        () => format!("{h:02}:{m:02}"),
    }
}

fn monthly(low: f64, high: f64, wanted: f64) -> Vec<(f64, String)> {
    let months = wanted / (30.44 * DAY);
    let mut step = MONTH_STEPS.into_iter().find(|&s| s as f64 >= months).unwrap_or(240);
    while (step as f64) < months {
        step *= 2;
    }
    let index = |t: f64| {
        let (year, month, _) = civil((t / DAY).floor() as i64);
        year * 12 + month as i64
    };
    let first = index(low).div_euclid(step) * step;
    let place = |i: i64| days(i.div_euclid(12), i.rem_euclid(12)) as f64 * DAY;
    let text = |i: i64| match step % 12 {
        0 => i.div_euclid(12).to_string(),
        _ => format!("{} {}", MONTHS[i.rem_euclid(12) as usize], i.div_euclid(12)),
    };
    let all = (0..1000).map(|k| first + k * step).map(|i| (place(i), text(i)));
    all.skip_while(|&(t, _)| t < low).take_while(|&(t, _)| t <= high).collect()
}

/// Year, month from 0 and day of the month, of a day since 1970-01-01 (Hinnant, "chrono-Compatible
/// Low-Level Date Algorithms").
fn civil(day: i64) -> (i64, usize, i64) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = (mp + 2) % 12;
    (yoe + era * 400 + i64::from(month < 2), month as usize, doy - (153 * mp + 2) / 5 + 1)
}

/// The first day of a month from 0, in days since 1970-01-01; from the same source.
fn days(year: i64, month: i64) -> i64 {
    let y = if month < 2 { year - 1 } else { year };
    let (era, yoe) = (y.div_euclid(400), y.rem_euclid(400));
    let doy = (153 * ((month + 10) % 12) + 2) / 5;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        assert_eq!(civil(0), (1970, 0, 1));
        assert_eq!(civil(11_016), (2000, 1, 29));
        assert_eq!(days(2026, 10), 20_758);
        for month in -24_000..24_000 {
            let (year, m) = (1970 + i64::div_euclid(month, 12), i64::rem_euclid(month, 12));
            assert_eq!(civil(days(year, m)), (year, m as usize, 1));
        }
    }

    #[test]
    fn ticks_fall_on_whole_units() {
        let labels = |low, high| ticks(low, high, 6).into_iter().map(|t| t.1).collect::<Vec<_>>();
        let start = 20_758.0 * DAY;
        assert_eq!(labels(start, start + 6.0 * HOUR)[..2], ["1 Nov", "01:00"]);
        assert_eq!(labels(start, start + 7.0 * DAY)[..2], ["1 Nov", "3 Nov"]);
        assert_eq!(labels(start, start + 400.0 * DAY)[..2], ["Jan 2027", "Apr 2027"]);
        assert_eq!(labels(start + 1.0, start + 25.0)[..2], ["00:00:05", "00:00:10"]);
        assert!((2..=10).contains(&labels(-FARTHEST, FARTHEST).len()));
    }
}
