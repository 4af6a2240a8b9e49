//! The core: a mixed-integer program over the patterns that are left, for one period at given
//! reservations, or for all of them with the reservations free.
//!
//! ```text
//! minimise    sum_r rho_r R_r + sum_h w_h (sum_s sum_p e_p x_hsp + sum_r (o_r D_hr + sigma_r S_hr))
//! subject to  sum_p x_hsp = 1                                   for each h, s
//!             sum_s sum_p u_pr x_hsp <= R_r + D_hr + S_hr       for each h, r
//!             sum_s sum_p u_pk x_hsp <= C_k                     for each h and budget k
//!             sum_{r in t} m_r (R_r + D_hr + S_hr) <= C_ht      for each h, t
//!             x in {0, 1},  D in Z,  0 <= S_hr <= M_r in Z,  0 <= R_r <= most_r in Z
//! ```
//!
//! A server with too many patterns to list is stated by a mix instead, as in [`crate::server_rows`],
//! with the price that pricing has proven for its patterns as a cut.

use isocost_solver::{Backend, Column, Milp, Row, SolveOptions, SolverError, Status};

use super::relaxation::Relaxed;
use super::statement::{Horizon, Span};
use crate::pattern::column::{Pattern, Shape};
use crate::pattern::core::{mix, pick, prune};
use crate::pattern::pricing::{Most, cheapest, list};
use crate::problem::{Item, ProblemOptions};
use crate::server_rows::{Asks, Rows};

/// Patterns of a server that are listed at most, before the beaten ones are dropped.
const LISTED: usize = 3_000;
/// A server with more patterns than this is left open.
const OPEN_ABOVE: usize = 120;

/// What a core knows of a server's patterns.
#[derive(Debug, Clone)]
pub enum Offer {
    /// All of them that matter.
    Listed(Vec<Pattern>),
    /// Too many: prices of its items and a lower bound on the price of any pattern.
    Open {
        /// Price of a replica of each item.
        prices: Vec<f64>,
        /// No pattern has a lower price.
        least: f64,
    },
}

/// A period's plan: a pattern for each server, and what is rented.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// By server.
    pub patterns: Vec<Pattern>,
    /// (on demand, spot) units by pool.
    pub rented: Vec<(u64, u64)>,
}

impl Chosen {
    /// `f_h`, cents/h.
    pub fn cost(&self, horizon: &Horizon) -> f64 {
        let running: f64 = self.patterns.iter().map(|p| p.cost).sum();
        let rent = self.rented.iter().enumerate().map(|(r, &(d, s))| {
            let pool = &horizon.pools[r];
            let spot = pool.spot.map_or(0.0, |s| s.price);
            pool.on_demand.unwrap_or(0.0) * d as f64 + spot * s as f64
        });
        running + rent.sum::<f64>()
    }
}

/// What solving a core gave.
#[derive(Debug, Clone)]
pub struct Solved {
    /// Reserved units by pool, and the plan of each period of the core, if one was found.
    pub found: Option<(Vec<u64>, Vec<Chosen>)>,
    /// No choice among the offers is cheaper, cents; `inf` if there is none.
    pub bound: f64,
}

/// The patterns of each server of `span` whose reduced cost `at` some prices is at most `delta`, cents/h.
pub fn offers(span: &Span, shape: Shape, at: &Relaxed, delta: f64) -> Vec<Offer> {
    let space = span.space(shape);
    let limits: Vec<usize> = (0..span.problem.limits.len()).collect();
    let of_server = |s: usize| {
        let least = at.least[s];
        let budget = least + delta + 1e-9 * least.abs().max(1.0);
        let most = if shape == Shape::Single { usize::MAX } else { LISTED };
        let open = |item: &Item| {
            item.cost + item.uses.iter().map(|&(k, a)| a * at.duals.lambda[k]).sum::<f64>()
        };
        let listed = (shape == Shape::Single || budget.is_finite())
            .then(|| list(&space, s, &at.duals.lambda, budget, Most::patterns(most)))
            .flatten();
        match listed.map(|patterns| prune(patterns, &limits)) {
            Some(patterns) if shape == Shape::Single || patterns.len() <= OPEN_ABOVE => {
                Offer::Listed(patterns)
            }
            _ => Offer::Open { prices: span.problem.items(s).iter().map(open).collect(), least },
        }
    };
    (0..span.problem.servers.len()).map(of_server).collect()
}

/// What is known of the reservations.
#[derive(Debug, Clone, Copy)]
pub enum Reserve<'a> {
    /// Units by pool.
    Fixed(&'a [u64]),
    /// Free, at least so many by pool.
    From(&'a [u64]),
}

/// Solves the core over `spans`, indices of periods, each with its servers' `offers`.
///
/// # Errors
/// A failure of the backend.
pub fn solve(
    horizon: &Horizon,
    spans: &[usize],
    offers: &[Vec<Offer>],
    reserved: Reserve<'_>,
    backend: &dyn Backend,
    options: &SolveOptions,
) -> Result<Solved, SolverError> {
    let mut core = Core::new(horizon, reserved);
    let periods: Vec<Columns> = spans
        .iter()
        .zip(offers)
        .map(|(&h, offers)| core.period(&horizon.periods[h], offers))
        .collect();
    let solution = backend.solve(&core.milp, options)?;
    let bound = if solution.status == Status::Infeasible { f64::INFINITY } else { solution.bound };
    if solution.values.is_empty() {
        return Ok(Solved { found: None, bound });
    }
    let whole = |column: usize| solution.values[column].round().max(0.0) as u64;
    let units = match reserved {
        Reserve::Fixed(units) => units.to_vec(),
        Reserve::From(_) => core.reserve.iter().map(|r| r.map_or(0, whole)).collect(),
    };
    let chosen = spans.iter().zip(offers).zip(periods).map(|((&h, offers), columns)| {
        let span = &horizon.periods[h];
        let space = span.space(Shape::Mixed);
        let servers = offers.iter().zip(&columns.servers).enumerate();
        let patterns = servers.map(|(s, (offer, &at))| match offer {
            Offer::Listed(patterns) => pick(patterns, &solution.values[at..]),
            Offer::Open { .. } => Some(mix(&space, s, &solution.values[at..])),
        });
        let units = |column: &Option<usize>| column.map_or(0, whole);
        let rented = columns.rented.iter().map(|(d, s)| (units(d), units(s)));
        Some(Chosen { patterns: patterns.collect::<Option<_>>()?, rented: rented.collect() })
    });
    let chosen: Option<Vec<Chosen>> = chosen.collect();
    Ok(Solved { found: chosen.map(|chosen| (units, chosen)), bound })
}

/// Where the columns of a period stand.
struct Columns {
    /// First column of each server.
    servers: Vec<usize>,
    /// (on demand, spot) by pool.
    rented: Vec<(Option<usize>, Option<usize>)>,
}

/// The program as it grows, period by period.
struct Core<'a> {
    horizon: &'a Horizon,
    milp: Milp,
    /// Columns `R_r`, where they are free.
    reserve: Vec<Option<usize>>,
    reserved: Reserve<'a>,
}

impl<'a> Core<'a> {
    fn new(horizon: &'a Horizon, reserved: Reserve<'a>) -> Self {
        let mut milp = Milp { name: "horizon".to_owned(), ..Milp::default() };
        let reserve = horizon.pools.iter().enumerate().map(|(r, pool)| {
            let (Reserve::From(least), Some(price)) = (reserved, pool.reserve) else { return None };
            let (name, least) = (format!("R_{}", pool.name), least[r] as f64);
            Some(milp.add_column(Column::integer(name, price, least, pool.most as f64)))
        });
        let reserve = reserve.collect();
        Self { horizon, milp, reserve, reserved }
    }

    /// Units of pool `r` that are reserved and fixed.
    fn fixed(&self, r: usize) -> f64 {
        match self.reserved {
            Reserve::Fixed(units) => units[r] as f64,
            Reserve::From(_) => 0.0,
        }
    }

    fn period(&mut self, span: &Span, offers: &[Offer]) -> Columns {
        let mut rows = Rows::new("horizon", &span.problem, &ProblemOptions::default());
        rows.milp = std::mem::take(&mut self.milp);
        rows.prefix = format!("{}_", span.name);
        rows.weight = span.hours;
        let mut servers = Vec::with_capacity(offers.len());
        for (s, offer) in offers.iter().enumerate() {
            servers.push(rows.milp.columns.len());
            match offer {
                Offer::Listed(patterns) => rows.listed(s, patterns),
                Offer::Open { prices, least } => open(&mut rows, s, prices, *least),
            }
        }
        let Rows { milp, mut limits, .. } = rows;
        self.milp = milp;
        let pools = self.horizon.pools.len();
        for (r, limit) in limits.iter_mut().enumerate().take(pools) {
            limit.upper = self.fixed(r);
        }
        let rented: Vec<_> = (0..pools).map(|r| self.rented(span, r, &mut limits)).collect();
        self.held(span, &rented);
        for row in limits {
            self.milp.add_row(row);
        }
        Columns { servers, rented }
    }

    /// Columns `D` and `S` of a pool, and what it holds in its row.
    fn rented(
        &mut self,
        span: &Span,
        r: usize,
        limits: &mut [Row],
    ) -> (Option<usize>, Option<usize>) {
        let pool = &self.horizon.pools[r];
        if let Some(reserve) = self.reserve[r] {
            limits[r].terms.push((reserve, -1.0));
        }
        let on_demand = pool.on_demand.map(|price| {
            let name = format!("{}_D_{}", span.name, pool.name);
            let most = (span.cards[pool.card_type] / pool.cards as f64).floor();
            let column = Column::integer(name, price * span.hours, 0.0, most);
            let d = self.milp.add_column(column);
            limits[r].terms.push((d, -1.0));
            d
        });
        let spot = pool.spot.map(|s| {
            let name = format!("{}_S_{}", span.name, pool.name);
            let column = Column::integer(name, s.price * span.hours, 0.0, s.most as f64);
            let column = self.milp.add_column(column);
            limits[r].terms.push((column, -1.0));
            column
        });
        (on_demand, spot)
    }

    fn held(&mut self, span: &Span, rented: &[(Option<usize>, Option<usize>)]) {
        for (t, &cards) in span.cards.iter().enumerate().filter(|(_, c)| c.is_finite()) {
            let mut row = Row::at_most(format!("{}_cards_{t}", span.name), cards, Vec::new());
            for (r, pool) in self.horizon.pools.iter().enumerate().filter(|(_, p)| p.card_type == t)
            {
                row.upper -= pool.cards as f64 * self.fixed(r);
                let columns = [self.reserve[r], rented[r].0, rented[r].1];
                let in_cards = columns.into_iter().flatten().map(|c| (c, pool.cards as f64));
                row.terms.extend(in_cards);
            }
            self.milp.add_row(row);
        }
    }
}

/// A server by its mix, none of which has a price below `least`.
fn open(rows: &mut Rows<'_>, s: usize, prices: &[f64], least: f64) {
    let Some(mix) = rows.mix(s, Asks::default()) else { return };
    let terms = mix.n.into_iter().zip(prices.iter().copied()).collect();
    rows.price(s, Row::at_least("0", least, terms));
}

/// Whether every server of `span` has a pattern at all; the first that has none otherwise.
pub fn unserved(span: &Span, shape: Shape) -> Option<usize> {
    let (space, free) = (span.space(shape), vec![0.0; span.problem.limits.len()]);
    (0..span.problem.servers.len()).find(|&s| cheapest(&space, s, &free).is_none())
}
