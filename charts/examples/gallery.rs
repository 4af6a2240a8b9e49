//! Draws one chart of each kind into the directory given (default `out/charts`).

use std::path::PathBuf;

use isocost_charts::{Axis, Chart, Panels, Rule, Series, Theme};

fn main() -> std::io::Result<()> {
    let dir = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "out/charts".into()));
    std::fs::create_dir_all(&dir)?;
    for (name, chart) in gallery() {
        std::fs::write(dir.join(format!("{name}.svg")), chart.svg(&Theme::light()))?;
        std::fs::write(dir.join(format!("{name}.png")), chart.png(&Theme::light(), 2.0))?;
    }
    let panels = panels();
    std::fs::write(dir.join("panels.svg"), panels.svg(&Theme::light()))?;
    std::fs::write(dir.join("panels.png"), panels.png(&Theme::light(), 2.0))
}

fn gallery() -> Vec<(&'static str, Chart)> {
    vec![
        ("latency", latency()),
        ("cards", cards()),
        ("servers", servers()),
        ("solvers", solvers()),
        ("grid", grid()),
    ]
}

/// A queue's mean wait, `1 / (rate limit - rate)`, times a scale.
fn wait_ms(rate: f64, scale: f64) -> f64 {
    60.0 + scale / (4.2 - rate)
}

fn latency() -> Chart {
    let rates = || (4..=82).map(|i| f64::from(i) / 20.0);
    Chart::new(
        "Time to first token against rate",
        Axis::linear("Arrival rate", "req/s per replica"),
        Axis::linear("Time to first token", "ms").range(0.0, 400.0),
    )
    .subtitle("llama-70b on H100 x 2, batch 48: the mean and 95 of 100 requests")
    .with(Series::band(
        "mean to 95%",
        rates().map(|r| (r, wait_ms(r, 60.0), wait_ms(r, 180.0))).collect(),
    ))
    .with(Series::line("mean", rates().map(|r| (r, wait_ms(r, 60.0))).collect()))
    .with(Series::line("95%", rates().map(|r| (r, wait_ms(r, 180.0))).collect()).dashed())
    .with(Series::points("planned", vec![(3.1, wait_ms(3.1, 180.0))]))
    .rule(Rule::y(300.0, "objective 300 ms"))
}

fn cards() -> Chart {
    Chart::new(
        "Cards used against capacity",
        Axis::counts("Cards", ""),
        Axis::categories("", ["A100", "H100", "L40S", "MI300X", "Gaudi 3"]),
    )
    .with(Series::bars("used", vec![96.0, 128.0, 40.0, 12.0, 0.0]))
    .with(Series::bars("free", vec![0.0, 0.0, 24.0, 20.0, 64.0]).color(6))
    .stacked()
}

fn servers() -> Chart {
    let names = (0..18).map(|i| format!("premium-chat-{i}-llama_70b"));
    let values = (0..18).map(|i| 2400.0 / f64::from(i + 2)).collect();
    Chart::new("Cost of each server", Axis::categories("", names), Axis::linear("Cost", "cents/h"))
        .with(Series::bars("cost", values))
}

fn solvers() -> Chart {
    let servers = [27.0, 100.0, 270.0, 999.0, 10_000.0];
    let line = |name, a: f64, b: f64| {
        Series::line(name, servers.iter().map(|s: &f64| (*s, a * s.powf(b))).collect())
    };
    Chart::new("Time to a proven optimum", Axis::log("Servers", ""), Axis::log("Time", "s"))
        .with(line("greedy", 0.000_02, 1.0))
        .with(line("single", 0.000_6, 1.25))
        .with(line("mixed by patterns", 0.002, 1.1))
        .with(line("compact", 0.001, 2.3))
        .rule(Rule::y(60.0, "time limit 60 s"))
}

fn grid() -> Chart {
    let rows = (0..6).map(|r| {
        (0..9)
            .map(|c| if r + c == 13 { f64::NAN } else { f64::from(900 + r * 120 - c * 45) })
            .collect()
    });
    Chart::new(
        "Cost by capacity and load",
        Axis::categories("Load", (0..9).map(|i| format!("{}%", 60 + 10 * i))),
        Axis::categories("Capacity", (0..6).map(|i| format!("{}%", 50 + 10 * i))),
    )
    .with(Series::heat("cost", rows.collect()))
}

fn panels() -> Panels {
    let chart = |title: &str, factor: f64| {
        let curve =
            |k: f64| (1..20).map(|i| (f64::from(i), factor * f64::from(i).powf(k))).collect();
        Chart::new(title, Axis::linear("Load", "req/s"), Axis::linear("Cost", "cents/h"))
            .with(Series::line("greedy", curve(1.2)))
            .with(Series::line("single", curve(1.1)))
            .with(Series::line("mixed", curve(1.05)))
    };
    let charts =
        vec![chart("A100", 30.0), chart("H100", 55.0), chart("L40S", 20.0), chart("MI300X", 42.0)];
    Panels::new("Cost by load", charts).subtitle("One panel a card")
}
