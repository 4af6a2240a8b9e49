//! **rule**: the rule of a server's own that keeps every plan away, and what would satisfy it.
//!
//! ```text
//! data        r_1 >= r_2 >= ...   the largest rate of a replica on each card type, requests/s
//!             L, M, T             rate to cover, maxNumReplicas, minTypes (at least 1)
//!
//! needs       T - 1 + max(1, ceil((L - r_2 - ... - r_T) / r_1))   replicas
//! serves      (M - T + 1) r_1 + r_2 + ... + r_T                   requests/s, with M replicas
//! ```
//!
//! The fewest replicas are those with one on each of the next best types and all others on the best:
//! no limit of the fleet has a part in it. `minNumReplicas` can be too much for the cards alone; the
//! most that fit are found by bisection over solves.

use std::fmt;

use isocost_model::Scenario;
use isocost_solver::SolverError;
use serde::Serialize;

use super::probe::Probe;
use super::variant::with_servers;
use isocost_formulations::pattern::Shape;
use isocost_formulations::problem::{COVER_TOLERANCE, Problem};

/// A rule of a server that cannot be kept.
///
/// As JSON: `{"field": "maxNumReplicas", "allows": 10, "needs": 11, "on": ["A"], "loadPerMin": 101, "servesPerMin": 100}`,
/// `{"field": "minTypes", "asks": 3, "on": ["A100", "H100"], "spreads": true}`,
/// `{"field": "minNumReplicas", "asks": 12, "fit": 8}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "field", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Rule {
    /// The load needs more replicas than the server may have.
    MaxNumReplicas {
        /// Most replicas that it may have.
        allows: u64,
        /// Fewest replicas that cover the load.
        needs: u64,
        /// The accelerators that so few are on.
        on: Vec<String>,
        /// The load, requests per minute.
        load_per_min: f64,
        /// The largest load that as many as it may have cover, requests per minute; at most 0 where
        /// they do not even make the spread.
        serves_per_min: f64,
    },
    /// Fewer card types serve it than it has to be spread over.
    MinTypes {
        /// Fewest types.
        asks: u32,
        /// The types that serve it.
        on: Vec<String>,
        /// Whether the formulation spreads a server over types at all.
        spreads: bool,
    },
    /// More replicas are asked for than the limits let it have.
    MinNumReplicas {
        /// Fewest replicas.
        asks: u64,
        /// Most that fit where no other server is.
        fit: u64,
    },
}

/// The rule of server `s` that no plan keeps, however many cards there are; `None` too where no
/// accelerator serves it.
pub fn of(scenario: &Scenario, problem: &Problem, shape: Shape, s: usize) -> Option<Rule> {
    let (needs, best) = (&problem.servers[s], best_by_type(problem, s));
    if needs.is_idle() || best.is_empty() {
        return None;
    }
    let (asks, types) = (needs.min_types, needs.min_types.max(1) as usize);
    let spreads = shape == Shape::Mixed;
    if types > if spreads { best.len() } else { 1 } {
        let on = best.iter().map(|b| scenario.card_types[b.card_type].name.clone()).collect();
        return Some(Rule::MinTypes { asks, on, spreads });
    }
    let allows = needs.max_replicas?;
    let (first, others) = (best[0].rate, best[1..types].iter().map(|b| b.rate).sum::<f64>());
    let left = needs.demand * (1.0 - COVER_TOLERANCE) - others;
    let least = types as u64 - 1 + (left / first).ceil().max(1.0) as u64;
    let free = allows as f64 + 1.0 - types as f64;
    let name = |b: &Best| scenario.accelerators[b.accelerator].name.clone();
    (least > allows).then(|| Rule::MaxNumReplicas {
        allows,
        needs: least,
        on: best[..types].iter().map(name).collect(),
        load_per_min: needs.demand * 60.0,
        serves_per_min: if free > 0.0 { (free * first + others) * 60.0 } else { 0.0 },
    })
}

/// The `minNumReplicas` of server `s`, if it alone keeps the server from fitting within the limits.
///
/// # Errors
/// A failure of the backend.
pub fn floor(probe: &Probe<'_>, problem: &Problem, s: usize) -> Result<Option<Rule>, SolverError> {
    let only: Vec<bool> = (0..problem.servers.len()).map(|i| i == s).collect();
    let mut variant = with_servers(problem, &only);
    let mut fits = |least: u64| {
        variant.servers[s].min_replicas = least;
        Ok::<bool, SolverError>(probe.fits(&variant, probe.asked().max_moves)? == Some(true))
    };
    let asks = problem.servers[s].min_replicas;
    if asks == 0 || !fits(0)? || fits(asks)? {
        return Ok(None);
    }
    let (mut fit, mut too_many) = (0, asks);
    while too_many - fit > 1 {
        let middle = fit + (too_many - fit) / 2;
        if fits(middle)? { fit = middle } else { too_many = middle }
    }
    Ok(Some(Rule::MinNumReplicas { asks, fit }))
}

/// The best that a card type has for a server.
struct Best {
    card_type: usize,
    accelerator: usize,
    rate: f64,
}

/// The accelerator of the largest rate on each card type that serves `s`, the best type first.
fn best_by_type(problem: &Problem, s: usize) -> Vec<Best> {
    let mut best: Vec<Best> = Vec::new();
    for item in problem.items(s) {
        let (card_type, accelerator, rate) = (item.card_type, item.accelerator, item.rate);
        match best.iter_mut().find(|b| b.card_type == card_type) {
            Some(b) if b.rate >= rate => {}
            Some(b) => *b = Best { card_type, accelerator, rate },
            None => best.push(Best { card_type, accelerator, rate }),
        }
    }
    best.sort_by(|a, b| b.rate.total_cmp(&a.rate));
    best
}

/// What the server needs, and the repair, to be read after its name.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MaxNumReplicas { allows, needs, on, load_per_min, serves_per_min } => {
                write!(f, "needs {needs} replica{} of {}", s(*needs), listed(on))?;
                if *load_per_min > 0.0 {
                    write!(f, " for {} requests/min", down(*load_per_min))?;
                }
                write!(f, ", maxNumReplicas allows {allows}: raise it to {needs}")?;
                match down(*serves_per_min) {
                    load if load > 0.0 => write!(f, ", or lower the load to {load}"),
                    _ => Ok(()),
                }
            }
            Self::MinTypes { asks, on, spreads: true } => {
                let (n, verb) = (on.len(), if on.len() == 1 { "serves" } else { "serve" });
                write!(
                    f,
                    "has to be on {asks} card types (minTypes), {n} {verb} it ({}): lower minTypes to \
                     {n}",
                    listed(on)
                )
            }
            Self::MinTypes { asks, .. } => write!(
                f,
                "has to be on {asks} card types (minTypes), and single keeps a server on one: choose \
                 --formulation mixed, or lower minTypes to 1"
            ),
            Self::MinNumReplicas { asks, fit } => write!(
                f,
                "has to have {asks} replica{} (minNumReplicas), {fit} fit if no other server is there: \
                 lower minNumReplicas to {fit}, or raise the limits",
                s(*asks)
            ),
        }
    }
}

fn s(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Six digits of a load, and no more than there is.
fn down(per_min: f64) -> f64 {
    if per_min < 1e-200 || !per_min.is_finite() {
        return per_min;
    }
    let unit = 10f64.powf(per_min.log10().floor() - 5.0);
    let digits = (per_min / unit * (1.0 + COVER_TOLERANCE)).floor();
    // Dividing by a whole power of ten keeps the decimals short.
    if unit < 1.0 { digits / (1.0 / unit).round() } else { digits * unit }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
