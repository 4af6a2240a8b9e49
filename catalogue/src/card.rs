//! Cards: what their data sheets state, and what they cost.

use isocost_model::input::reading::{Report, csv_rows};

use crate::names::{card_core, same_name};

/// A card.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// Name, e.g. `H100`.
    pub name: String,
    /// Other names that mean it.
    pub aliases: Vec<String>,
    /// Who makes it.
    pub vendor: String,
    /// Family of its design, e.g. `Hopper`.
    pub family: String,
    /// Memory as it is advertised, GB.
    pub memory_gb: f64,
    /// Memory that its driver reports, in 10^9 bytes; as advertised where nobody says.
    pub usable_gb: f64,
    /// Memory bandwidth, GB/s.
    pub bandwidth_gb_per_s: f64,
    /// Dense peak with 16-bit numbers, TFLOP/s.
    pub bf16_tflops: f64,
    /// The same with FP8, where it computes with that.
    pub fp8_tflops: Option<f64>,
    /// The same with FP4.
    pub fp4_tflops: Option<f64>,
    /// Link to the other cards of its node.
    pub link: String,
    /// Bandwidth of the link in one direction, GB/s.
    pub link_gb_per_s: f64,
    /// Cards of a node.
    pub node_cards: u32,
    /// Most watts, where the maker states them.
    pub tdp_w: Option<f64>,
    /// Where its figures were read.
    pub source: String,
    /// When they were compared with the source.
    pub checked: String,
    /// What it costs.
    pub prices: Vec<Price>,
}

/// A price.
#[derive(Debug, Clone, PartialEq)]
pub struct Price {
    /// What is bought.
    pub kind: PriceKind,
    /// Cents an hour and card.
    pub cents_per_h: f64,
    /// Who sells it.
    pub provider: String,
    /// What is sold.
    pub offer: String,
    /// Month of the price; empty where the source has none.
    pub date: String,
    /// Where it was read.
    pub source: String,
}

/// What is bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceKind {
    /// By the hour.
    OnDemand,
    /// For a time, in advance.
    Reserved,
    /// What may be taken away again.
    Spot,
}

impl PriceKind {
    /// Name, as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::Reserved => "reserved",
            Self::Spot => "spot",
        }
    }

    fn of(text: &str) -> Option<Self> {
        [Self::OnDemand, Self::Reserved, Self::Spot].into_iter().find(|kind| kind.name() == text)
    }
}

/// A link of which nobody states the bandwidth is taken for PCIe 4, GB/s.
const UNSTATED_LINK: f64 = 32.0;

impl Card {
    /// The first price of a kind.
    pub fn price(&self, kind: PriceKind) -> Option<&Price> {
        self.prices.iter().find(|price| price.kind == kind)
    }

    /// Whether `name` is one of its names; case and `_` aside.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.names().any(|own| same_name(own, name))
    }

    /// Whether `name` means it, as people write names.
    pub(crate) fn is_meant(&self, name: &str) -> bool {
        let core = card_core(name);
        let memory = format!("{}gb", self.memory_gb);
        self.names().map(card_core).any(|own| own == core || own + &memory == core)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.aliases.iter().chain([&self.name]).map(String::as_str)
    }
}

/// Cards and prices of the two tables; `(name of the file, its text)` each.
pub(crate) fn read(cards: (&str, &str), prices: (&str, &str), report: &mut Report) -> Vec<Card> {
    let mut found: Vec<Card> = Vec::new();
    for mut row in rows(cards, report) {
        let card = card(&mut row);
        let known = found.iter().any(|c| c.is_called(&card.name));
        if known {
            row.problem("name", format!("card `{}` is there twice", card.name), "remove one");
        }
        row.finish(report);
        found.push(card);
    }
    for mut row in rows(prices, report) {
        let name = row.text("card");
        let price = price(&mut row);
        match found.iter_mut().find(|card| card.is_called(&name)) {
            Some(card) => card.prices.extend(price),
            None => row.problem("card", format!("unknown card `{name}`"), "add it to cards.csv"),
        }
        row.finish(report);
    }
    found
}

fn card(row: &mut Row<'_>) -> Card {
    let aliases = row.text("aliases");
    let memory_gb = row.positive("memory_gb");
    Card {
        name: row.needed("name"),
        aliases: aliases.split(';').filter(|a| !a.is_empty()).map(str::to_owned).collect(),
        vendor: row.needed("vendor"),
        family: row.needed("family"),
        memory_gb,
        usable_gb: row.optional("usable_gb").unwrap_or(memory_gb),
        bandwidth_gb_per_s: row.positive("bandwidth_gb_per_s"),
        bf16_tflops: row.positive("bf16_tflops"),
        fp8_tflops: row.optional("fp8_tflops"),
        fp4_tflops: row.optional("fp4_tflops"),
        link: row.text("link"),
        link_gb_per_s: row.optional("link_gb_per_s").unwrap_or(UNSTATED_LINK),
        node_cards: row.optional("node_cards").unwrap_or(8.0) as u32,
        tdp_w: row.optional("tdp_w"),
        source: row.needed("source"),
        checked: row.needed("checked"),
        prices: Vec::new(),
    }
}

fn price(row: &mut Row<'_>) -> Option<Price> {
    let text = row.text("kind");
    let kind = PriceKind::of(&text);
    if kind.is_none() {
        let what = format!("unknown kind of price `{text}`");
        row.problem("kind", what, "expected on-demand, reserved or spot");
    }
    let price = Price {
        kind: kind?,
        cents_per_h: row.positive("cents_per_h"),
        provider: row.needed("provider"),
        offer: row.text("offer"),
        date: row.text("date"),
        source: row.needed("source"),
    };
    Some(price)
}

/// A row of a table, and what is wrong with it.
struct Row<'a> {
    file: &'a str,
    line: u32,
    header: csv::StringRecord,
    cells: csv::StringRecord,
    problems: Vec<(String, String, String)>,
}

fn rows<'a>((file, text): (&'a str, &str), report: &mut Report) -> Vec<Row<'a>> {
    let mut reader = csv_rows(text);
    let header = reader.headers().cloned().unwrap_or_default();
    let mut rows = Vec::new();
    for record in reader.records() {
        match record {
            Ok(cells) => {
                let line = cells.position().map_or(0, |p| p.line() as u32);
                let header = header.clone();
                rows.push(Row { file, line, header, cells, problems: Vec::new() });
            }
            Err(error) => report.problem_in(file, error.to_string(), "give every row all columns"),
        }
    }
    rows
}

impl Row<'_> {
    fn text(&self, column: &str) -> String {
        let at = self.header.iter().position(|c| c == column);
        at.and_then(|at| self.cells.get(at)).unwrap_or("").trim().to_owned()
    }

    fn needed(&mut self, column: &str) -> String {
        let text = self.text(column);
        if text.is_empty() {
            self.problem(column, "nothing stands there".to_owned(), "fill it in");
        }
        text
    }

    /// A number above 0, which has to be there.
    fn positive(&mut self, column: &str) -> f64 {
        let number = self.optional(column);
        if number.is_none() && self.text(column).is_empty() {
            self.problem(column, "a number is missing".to_owned(), "fill it in");
        }
        number.unwrap_or(1.0)
    }

    fn optional(&mut self, column: &str) -> Option<f64> {
        let text = self.text(column);
        if text.is_empty() {
            return None;
        }
        let number = text.parse().ok().filter(|n: &f64| n.is_finite() && *n > 0.0 && *n < 1e9);
        if number.is_none() {
            self.problem(column, format!("`{text}` is no number above 0"), "correct it");
        }
        number
    }

    fn problem(&mut self, column: &str, what: String, remedy: &str) {
        self.problems.push((column.to_owned(), what, remedy.to_owned()));
    }

    fn finish(self, report: &mut Report) {
        let place = format!("{}:{}", self.file, self.line);
        for (column, what, remedy) in self.problems {
            report.problem_in(&place, format!("{column}: {what}"), &remedy);
        }
    }
}
