//! The text of a proof.

use crate::Refusal;

/// A proof as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Proof {
    /// Cents in a unit of cost: a fraction.
    pub unit: (i128, i128),
    /// By limit: (name, units in what it counts as a fraction).
    pub limits: Vec<(String, (i128, i128))>,
    /// No plan costs less, in units; `None`: there is no plan.
    pub bound: Option<i128>,
    /// The tree.
    pub root: Node,
}

/// Prices of the limits, in `2^-shift` units of cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices {
    /// Bits after the point.
    pub shift: u32,
    /// By limit of the proof.
    pub of: Vec<i128>,
}

/// A node, with the line that it begins on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// The Lagrangian bound.
    Prices(usize, Prices),
    /// Totals of the counted limits, while others are watched.
    Totals(usize, Prices, Vec<usize>, Vec<usize>),
    /// The limits cannot be kept.
    Excluded(usize, Prices),
    /// Below, servers choose from what a plan cheaper than the claim may use.
    Within(usize, Prices, Box<Node>),
    /// A server's replicas of an accelerator: at most so many, or more.
    Split(Box<Split>),
}

/// A split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Line.
    pub line: usize,
    /// Server and accelerator, by name.
    pub at: (String, String),
    /// Most replicas in the first case.
    pub most: u64,
    /// The first case.
    pub fewer: Node,
    /// The second: one more at least.
    pub more: Node,
}

/// Splits below each other, at most.
const DEPTH: usize = 2_000;

struct Lines<'a> {
    lines: Vec<(usize, &'a str)>,
    at: usize,
}

impl<'a> Lines<'a> {
    /// The next line, as its words after the first, which is to be `word`.
    fn take(&mut self, expected: &str) -> Result<(usize, &'a str, &'a str), Refusal> {
        let end = self.lines.last().map_or(1, |line| line.0 + 1);
        let Some(&(line, text)) = self.lines.get(self.at) else {
            return Err(refusal(end, "the proof ends here", expected));
        };
        self.at += 1;
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        Ok((line, word, rest))
    }
}

fn refusal(line: usize, what: impl Into<String>, expected: &str) -> Refusal {
    Refusal::Text { line, what: what.into(), expected: expected.to_owned() }
}

fn number<T: std::str::FromStr>(line: usize, word: Option<&str>) -> Result<T, Refusal> {
    let word = word.unwrap_or("nothing");
    word.parse().map_err(|_| refusal(line, format!("`{word}`"), "a whole number"))
}

/// A positive fraction of two words.
fn fraction<'a>(
    line: usize,
    words: &mut impl Iterator<Item = &'a str>,
) -> Result<(i128, i128), Refusal> {
    let parts: (i128, i128) = (number(line, words.next())?, number(line, words.next())?);
    let sound = (1..1 << 90).contains(&parts.0) && (1..1 << 90).contains(&parts.1);
    let what = format!("{} / {}", parts.0, parts.1);
    if sound { Ok(parts) } else { Err(refusal(line, what, "a positive fraction")) }
}

impl Proof {
    /// Reads a proof.
    ///
    /// # Errors
    /// [`Refusal::Text`].
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let lines = text.lines().enumerate().map(|(i, line)| (i + 1, line.trim_end()));
        let lines = lines.filter(|line| !line.1.is_empty() && !line.1.starts_with('#')).collect();
        let mut lines = Lines { lines, at: 0 };
        let (line, word, rest) = lines.take("isocost-proof 1")?;
        if (word, rest) != ("isocost-proof", "1") {
            return Err(refusal(line, format!("`{word} {rest}`"), "isocost-proof 1"));
        }
        let (line, word, rest) = lines.take("unit")?;
        if word != "unit" {
            return Err(refusal(line, format!("`{word}`"), "unit"));
        }
        let unit = fraction(line, &mut rest.split(' '))?;
        let mut limits = Vec::new();
        let bound = loop {
            let (line, word, rest) = lines.take("limit or bound")?;
            match word {
                "limit" => {
                    let mut words = rest.splitn(3, ' ');
                    let amount = fraction(line, &mut words)?;
                    let name = words.next().unwrap_or_default().to_owned();
                    limits.push((name, amount));
                }
                "bound" if rest == "none" => break None,
                "bound" => break Some(number(line, Some(rest))?),
                _ => return Err(refusal(line, format!("`{word}`"), "limit or bound")),
            }
        };
        let root = node(&mut lines, limits.len(), 0)?;
        match lines.take("the end") {
            Ok((line, word, _)) => Err(refusal(line, format!("`{word}`"), "the end")),
            Err(_) => Ok(Self { unit, limits, bound, root }),
        }
    }

    /// Cents of so many units.
    pub fn cents(&self, units: i128) -> f64 {
        units as f64 * self.unit.0 as f64 / self.unit.1 as f64
    }
}

const EXPECTED: &str = "prices, totals, excluded, within or split";

fn node(lines: &mut Lines<'_>, limits: usize, depth: usize) -> Result<Node, Refusal> {
    let (line, word, rest) = lines.take(EXPECTED)?;
    match word {
        "prices" => Ok(Node::Prices(line, prices(line, rest, limits)?)),
        "excluded" => Ok(Node::Excluded(line, prices(line, rest, limits)?)),
        "within" if depth < DEPTH => {
            let prices = prices(line, rest, limits)?;
            Ok(Node::Within(line, prices, Box::new(node(lines, limits, depth + 1)?)))
        }
        "totals" => {
            let mut parts = rest.splitn(3, ' ');
            let counted = indices(line, parts.next(), limits)?;
            let watched = indices(line, parts.next(), limits)?;
            let prices = prices(line, parts.next().unwrap_or_default(), limits)?;
            Ok(Node::Totals(line, prices, counted, watched))
        }
        "split" if depth < DEPTH => {
            let (most, names) = rest.split_once(' ').unwrap_or((rest, ""));
            let most = number(line, Some(most))?;
            let expected = "server and accelerator, with a tab between";
            let Some((server, item)) = names.split_once('\t') else {
                return Err(refusal(line, format!("`{names}`"), expected));
            };
            let at = (server.to_owned(), item.to_owned());
            let fewer = node(lines, limits, depth + 1)?;
            let more = node(lines, limits, depth + 1)?;
            Ok(Node::Split(Box::new(Split { line, at, most, fewer, more })))
        }
        _ => Err(refusal(line, format!("`{word}`"), EXPECTED)),
    }
}

fn prices(line: usize, rest: &str, limits: usize) -> Result<Prices, Refusal> {
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    let shift = number(line, words.next())?;
    let of: Vec<i128> = words.map(|word| number(line, Some(word))).collect::<Result<_, _>>()?;
    if shift > 60 || of.len() != limits || of.iter().any(|l| !(0..1 << 62).contains(l)) {
        let expected =
            format!("a shift up to 60 and a price of at least 0 for each of {limits} limits");
        return Err(refusal(line, format!("`{rest}`"), &expected));
    }
    Ok(Prices { shift, of })
}

/// Indices of limits, comma-separated, or `-`.
fn indices(line: usize, word: Option<&str>, limits: usize) -> Result<Vec<usize>, Refusal> {
    let word = word.unwrap_or("nothing");
    if word == "-" {
        return Ok(Vec::new());
    }
    let read = |part: &str| {
        let k: usize = number(line, Some(part))?;
        if k < limits { Ok(k) } else { Err(refusal(line, part, "the index of a limit")) }
    };
    let mut indices: Vec<usize> = word.split(',').map(read).collect::<Result<_, _>>()?;
    indices.sort_unstable();
    indices.dedup();
    Ok(indices)
}
