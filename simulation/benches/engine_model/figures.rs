//! What is compared.

/// In the order of [`Figures`].
pub const FIGURES: [&str; 9] = [
    "TTFT", "ITL", "P95 TTFT", "P99 TTFT", "P95 gap", "P99 gap", "P95 TPOT", "P99 TPOT", "capacity",
];

/// One value a figure, ms; of capacity requests/s.
pub type Figures = [f64; FIGURES.len()];

/// A line of the file of what was simulated.
pub fn line((rate, figures): &(f64, Option<Figures>)) -> String {
    let numbers = figures.iter().flatten().map(|x| format!(" {x}"));
    format!("{rate}{}", numbers.collect::<String>())
}

/// [`line`] read back.
pub fn parse(line: &str) -> (f64, Option<Figures>) {
    let numbers: Vec<f64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    let figures = numbers.get(1..).and_then(|rest| Figures::try_from(rest).ok());
    (numbers.first().copied().unwrap_or(f64::NAN), figures)
}
