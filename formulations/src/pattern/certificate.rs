//! What proves a bound, as a tree that anybody can check: `docs/src/formulations/proofs.md` has the format.

use std::fmt::Write;

use super::exact::Held;
use super::numbers::Prices;

/// A fraction of whole numbers.
pub type Fraction = (i128, i128);

/// A proven bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Cents in a unit of cost.
    pub unit: Fraction,
    /// By limit: its name, and cards, watts or moves in a unit of it.
    pub limits: Vec<(String, Fraction)>,
    /// No plan costs less, in units of cost; `None` where there is no plan at all.
    pub bound: Option<i64>,
    /// What proves it.
    pub root: Node,
}

impl Certificate {
    /// The proof as text; `name` gives the names of a server and an accelerator by the indices of the
    /// server and of the item.
    pub fn text(&self, name: impl Fn(usize, u32) -> (String, String)) -> String {
        let mut text = format!("isocost-proof 1\nunit {} {}\n", self.unit.0, self.unit.1);
        for (name, (top, under)) in &self.limits {
            let _ = writeln!(text, "limit {top} {under} {name}");
        }
        let bound = self.bound.map_or("none".to_owned(), |bound| bound.to_string());
        let _ = writeln!(text, "bound {bound}");
        self.root.write(&mut text, &name);
        text
    }
}

/// A node of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// The Lagrangian bound at these prices.
    Prices(Prices),
    /// The dynamic program over what is taken of the `counted` limits, while the `watched` ones are kept.
    Totals {
        /// Prices of the limits.
        prices: Prices,
        /// Limits whose totals are counted.
        counted: Vec<usize>,
        /// Limits whose sums are watched.
        watched: Vec<usize>,
    },
    /// At these prices, and with replicas free of charge, what servers take is worth more than there is.
    Excluded(Prices),
    /// Below, servers choose from the patterns alone that a plan cheaper than the claim may use at these prices.
    Within(Prices, Box<Self>),
    /// Either server `s` has at most so many replicas of an item, or more.
    Split {
        /// The server.
        server: usize,
        /// Index of the item.
        item: u32,
        /// Most replicas in the first case; at least one more in the second.
        most: u64,
        /// Proof in the first case.
        fewer: Box<Node>,
        /// Proof in the second.
        more: Box<Node>,
    },
}

impl Node {
    /// The bound at `prices`.
    pub fn prices(prices: &Prices) -> Self {
        Self::Prices(prices.clone())
    }

    /// Totals of `counted` at `prices`, keeping the rest of `scarce`.
    pub fn totals(prices: &Prices, counted: &[usize], scarce: &[usize]) -> Self {
        let watched = scarce.iter().copied().filter(|k| !counted.contains(k)).collect();
        Self::Totals { prices: prices.clone(), counted: counted.to_vec(), watched }
    }

    fn write(&self, text: &mut String, name: &impl Fn(usize, u32) -> (String, String)) {
        // Writing to a string does not fail.
        let _ = match self {
            Self::Prices(prices) => writeln!(text, "prices {}", priced(prices)),
            Self::Excluded(prices) => writeln!(text, "excluded {}", priced(prices)),
            Self::Totals { prices, counted, watched } => {
                let (counted, watched) = (listed(counted), listed(watched));
                writeln!(text, "totals {counted} {watched} {}", priced(prices))
            }
            Self::Within(prices, node) => {
                let _ = writeln!(text, "within {}", priced(prices));
                node.write(text, name);
                Ok(())
            }
            Self::Split { server, item, most, fewer, more } => {
                let (server, accelerator) = name(*server, *item);
                let _ = writeln!(text, "split {most} {server}\t{accelerator}");
                fewer.write(text, name);
                more.write(text, name);
                Ok(())
            }
        };
    }
}

/// The two sides of a split of what a server's replicas are held to.
pub fn sides(held: &[Held], item: u32, most: u64) -> (Vec<Held>, Vec<Held>) {
    let known = held.iter().find(|h| h.item == item).copied();
    let known = known.unwrap_or(Held { item, least: 0, most: u64::MAX });
    let with = |new: Held| {
        let others = held.iter().copied().filter(|h| h.item != item);
        others.chain([new]).collect()
    };
    (with(Held { most, ..known }), with(Held { least: most + 1, ..known }))
}

fn priced(prices: &Prices) -> String {
    let words = prices.of.iter().map(|l| format!(" {l}"));
    prices.shift.to_string() + &words.collect::<String>()
}

fn listed(limits: &[usize]) -> String {
    let words: Vec<String> = limits.iter().map(ToString::to_string).collect();
    if words.is_empty() { "-".to_owned() } else { words.join(",") }
}
