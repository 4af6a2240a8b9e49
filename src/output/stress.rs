//! What `isocost stress` found: a table for people, JSON and CSV for programs.

use isocost_model::Scenario;
use isocost_model::export::{cells, json_text};
use isocost_model::plan::{Plan, Status};
use isocost_model::stress::{Headroom, Kept, MOST_FACTOR, Shift};
use serde_json::{Value, json};

use super::style::BOLD;
use super::table::{cents, table};
use super::width::fitted;
use crate::Failure;
use crate::output::say;

/// A stressed plan.
pub struct Stress<'a> {
    /// The scenario, its loads as stated.
    pub scenario: &'a Scenario,
    /// The plan.
    pub plan: &'a Plan,
    /// How far off loads and service times may be.
    pub factor: f64,
    /// What has to be kept, by headroom.
    pub headroom: &'a [Headroom],
    /// Price of margins, where asked for.
    pub margins: Vec<Price>,
}

/// What plans with a margin cost: (what is known of it, cents/h).
pub struct Price {
    /// The margin.
    pub factor: f64,
    /// On loads alone.
    pub load: (Status, f64),
    /// On service times alone.
    pub service: (Status, f64),
    /// On both.
    pub both: (Status, f64),
}

/// Columns that a narrow terminal does without, in order.
const SPARE: [&str; 6] = ["delta", "gamma", "beta", "alpha", "limit", "planned"];

/// Rows of the table; the rest is counted.
const SHOWN: usize = 20;

impl Stress<'_> {
    /// Prints what breaks first, overall and by server.
    pub fn print_table(&self) {
        let objectives: Vec<&Headroom> = self.headroom.iter().collect();
        let mut rows = table(&header(), 2);
        for h in objectives.iter().take(SHOWN) {
            let mut row = vec![self.server(h).to_owned(), h.kept.word().to_owned()];
            row.extend([amount(h.kept, h.limit), amount(h.kept, h.planned)]);
            row.extend(h.breaks_at.iter().map(|f| factor(*f)));
            rows.add_row(row);
        }
        say!("{}", fitted(&rows, &SPARE));
        if objectives.len() > SHOWN {
            say!("... and {} more (--format csv)", objectives.len() - SHOWN);
        }
        say!();
        for shift in Shift::ALL {
            self.print_first(shift);
        }
        if !self.margins.is_empty() {
            say!("\n{}", fitted(&self.margins_table(), &["%"]));
        }
        say!(
            "\n{BOLD}total {} cents/h{BOLD:#}, {}: {} ({}, {})",
            cents(self.plan.total_cost),
            self.plan.status.word(),
            self.count(),
            self.plan.approach.of(self.plan.status),
            self.plan.backend,
        );
    }

    /// The objective that breaks first when `shift` is off.
    fn print_first(&self, shift: Shift) {
        let first = self
            .headroom
            .iter()
            .filter_map(|h| h.at(shift).map(|f| (f, h)))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let what = match shift {
            Shift::Load => "loads up",
            Shift::Service => "service times up",
            Shift::Both => "loads and service times up",
            _ => shift.word(),
        };
        if let Some((at, h)) = first {
            let within =
                self.headroom.iter().filter(|h| h.breaks_within(shift, self.factor)).count();
            say!(
                "{what}: {} of `{}` breaks first, at x {at:.4}; {within} break within x {}",
                h.kept.word(),
                self.server(h),
                self.factor,
            );
        }
    }

    fn count(&self) -> String {
        let within = |h: &&Headroom| h.breaks_within(Shift::Both, self.factor);
        let broken = self.headroom.iter().filter(within).count();
        let unstable = self.headroom.iter().filter(within).filter(|h| h.kept == Kept::Stable);
        let mut servers: Vec<usize> =
            self.headroom.iter().filter(within).map(|h| h.server).collect();
        servers.sort_unstable();
        servers.dedup();
        format!(
            "with both off by {}, {broken} of {} limits break, on {} servers; {} servers become \
             unstable",
            self.factor,
            self.headroom.len(),
            servers.len(),
            unstable.count(),
        )
    }

    fn server(&self, h: &Headroom) -> &str {
        &self.scenario.servers[h.server].name
    }

    fn margins_table(&self) -> comfy_table::Table {
        let header =
            ["margin", "on loads ¢/h", "%", "on service times ¢/h", "%", "on both ¢/h", "%"];
        let mut rows = table(&header, 0);
        for price in &self.margins {
            let mut row = vec![price.factor.to_string()];
            for (status, cost) in [price.load, price.service, price.both] {
                let has = matches!(status, Status::Optimal | Status::Feasible);
                let more = (cost / self.plan.total_cost - 1.0) * 100.0;
                row.push(if has { cents(cost) } else { status.word().to_owned() });
                row.push(if has { format!("{more:+.1}") } else { String::new() });
            }
            rows.add_row(row);
        }
        rows
    }

    /// One row an objective.
    pub fn csv(&self) -> Result<Vec<u8>, Failure> {
        let mut header = vec!["server", "class", "objective", "limit", "planned"];
        let columns = Shift::ALL.map(|s| format!("breaks_at_{}", s.word()));
        header.extend(columns.iter().map(String::as_str));
        header.push("breaks_within_factor");
        let rows = self.headroom.iter().map(|h| {
            let class = self.scenario.servers[h.server].class;
            let mut row =
                vec![self.server(h).to_owned(), self.scenario.classes[class].name.clone()];
            row.extend([h.kept.word().to_owned(), h.limit.to_string(), h.planned.to_string()]);
            row.extend(h.breaks_at.iter().map(|f| f.map_or(String::new(), |f| f.to_string())));
            row.push(h.breaks_within(Shift::Both, self.factor).to_string());
            row
        });
        written(&header, rows)
    }

    /// One row a margin.
    pub fn margins_csv(&self) -> Result<Vec<u8>, Failure> {
        let header = ["margin", "on", "status", "cost_cents_per_h"];
        let rows = self.margins.iter().flat_map(|price| {
            [("loads", price.load), ("service times", price.service), ("both", price.both)].map(
                |(on, (status, cost))| {
                    let word = status.word().to_owned();
                    vec![price.factor.to_string(), on.to_owned(), word, cost.to_string()]
                },
            )
        });
        written(&header, rows)
    }

    /// Everything.
    pub fn json(&self) -> String {
        let limits: Vec<Value> = self.headroom.iter().map(|h| self.limit(h)).collect();
        let margin = |price: &Price| {
            let of =
                |(status, cost): (Status, f64)| json!({ "status": status.word(), "cost": cost });
            json!({ "factor": price.factor, "load": of(price.load),
                "service": of(price.service), "both": of(price.both) })
        };
        let all = json!({
            "factor": self.factor,
            "mostFactor": MOST_FACTOR,
            "status": self.plan.status.word(),
            "totalCost": self.plan.total_cost,
            "limits": limits,
            "margins": self.margins.iter().map(margin).collect::<Vec<_>>(),
        });
        json_text(&all)
    }

    fn limit(&self, h: &Headroom) -> Value {
        let breaks = Shift::ALL.iter().zip(h.breaks_at);
        let breaks: serde_json::Map<String, Value> =
            breaks.map(|(s, f)| (s.word().to_owned(), json!(f))).collect();
        json!({
            "server": self.server(h),
            "objective": h.kept.word(),
            "limit": h.limit,
            "planned": h.planned,
            "breaksAt": breaks,
            "breaksWithinFactor": h.breaks_within(Shift::Both, self.factor),
        })
    }
}

fn header() -> Vec<&'static str> {
    let mut header = vec!["server", "limit on", "limit", "planned"];
    header.extend(Shift::ALL.map(Shift::word));
    header
}

fn factor(at: Option<f64>) -> String {
    at.map_or("-".to_owned(), |f| format!("{f:.3}"))
}

/// A latency in ms, or a share.
fn amount(kept: Kept, value: f64) -> String {
    match kept {
        Kept::Itl | Kept::Ttft | Kept::Wait | Kept::E2e => format!("{value:.1} ms"),
        _ => format!("{value:.4}"),
    }
}

fn written(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).map_err(Failure::failed)?;
    rows.into_iter()
        .try_for_each(|row| writer.write_record(cells(&row)))
        .map_err(Failure::failed)?;
    writer.into_inner().map_err(Failure::failed)
}
