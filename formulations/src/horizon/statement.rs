//! The numbers of the horizon problem, from a scenario, a profile and prices.

use isocost_model::Scenario;
use isocost_model::candidates::{Candidates, Demand, SizingOptions};
use isocost_model::horizon::{Pool, Prices, Profile};
use rustc_hash::FxHashMap;

use crate::pattern::{Shape, Space};
use crate::problem::{Limit, Problem, ProblemOptions};
use crate::server_rows::most_used;

/// The horizon problem as numbers alone; `mod.rs` states it.
#[derive(Debug, Clone)]
pub struct Horizon {
    /// Pools `r`.
    pub pools: Vec<PoolTerms>,
    /// Distinct periods `h`: those of the profile that agree in every load and card count are one.
    pub periods: Vec<Span>,
    /// For each period of the profile, its distinct one.
    pub of_period: Vec<usize>,
}

/// What a pool costs over the horizon, and how much of it may be reserved.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolTerms {
    /// Name for reports.
    pub name: String,
    /// `rho_r`: a reserved unit for all hours, cents; `None` where none can be reserved.
    pub reserve: Option<f64>,
    /// Most units that it makes sense to reserve.
    pub most: u64,
    /// `o_r`, cents/h; `None` where none can be rented.
    pub on_demand: Option<f64>,
    /// Spot.
    pub spot: Option<SpotTerms>,
    /// `m_r`: cards in a unit.
    pub cards: u64,
    /// Index of the card type.
    pub card_type: usize,
}

/// Spot units of a pool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpotTerms {
    /// `sigma_r`: an hour of work, cents.
    pub price: f64,
    /// `M_r`.
    pub most: u64,
}

/// One distinct period.
#[derive(Debug, Clone)]
pub struct Span {
    /// Name for reports.
    pub name: String,
    /// `w_h`, hours in all.
    pub hours: f64,
    /// The servers' needs and items. Its limits are the pools (what an item takes of each, in units;
    /// their capacity is not read) and after them the budgets. An item's cost is its energy.
    pub problem: Problem,
    /// `C_th`, cards by type; `inf` without a limit.
    pub cards: Vec<f64>,
}

/// Sized choices of each period's servers.
#[derive(Debug, Clone)]
pub struct Sized {
    /// Candidates by period.
    pub periods: Vec<Candidates>,
}

impl Sized {
    /// Sizes the servers of every period; periods that agree in tokens share every sizing.
    pub fn new(scenario: &Scenario, profile: &Profile, sizing: &SizingOptions) -> Self {
        // One scenario whose servers are the servers of all periods, so that each key is sized once.
        let mut all = scenario.clone();
        all.servers = (0..profile.periods.len())
            .flat_map(|h| profile.scenario(scenario, h).servers)
            .collect();
        let Candidates { groups, demands, keys } = Candidates::build(&all, sizing);
        let of_period = |demands: &[Demand]| {
            let mut index: FxHashMap<usize, usize> = FxHashMap::default();
            let mut own = Candidates { groups: Vec::new(), demands: Vec::new(), keys };
            for demand in demands {
                let group = *index.entry(demand.group).or_insert_with(|| {
                    own.groups.push(groups[demand.group].clone());
                    own.groups.len() - 1
                });
                own.demands.push(Demand { group, ..*demand });
            }
            own
        };
        let servers = scenario.servers.len().max(1);
        let periods = demands.chunks(servers).map(of_period).collect();
        Self { periods }
    }
}

impl Span {
    /// The patterns of its servers.
    pub fn space(&self, shape: Shape) -> Space<'_> {
        Space::new(&self.problem, shape, &ProblemOptions::default())
    }
}

impl Horizon {
    /// States the problem over the candidates of each period.
    pub fn new(
        scenario: &Scenario,
        profile: &Profile,
        prices: &Prices,
        sized: &Sized,
        unlimited: bool,
    ) -> Self {
        let mut horizon = Self { pools: Vec::new(), periods: Vec::new(), of_period: Vec::new() };
        let mut index: FxHashMap<Vec<u64>, usize> = FxHashMap::default();
        for (h, period) in profile.periods.iter().enumerate() {
            let loads = period.loads.iter().flat_map(|l| {
                [
                    l.arrival_rate_per_min,
                    l.input_tokens,
                    l.output_tokens,
                    l.arrival_scv,
                    l.token_scv,
                    l.input_scv,
                    l.prefix_hit_share,
                ]
            });
            let counts = period.counts.iter().map(|c| c.unwrap_or(u64::MAX));
            let key: Vec<u64> = loads.map(f64::to_bits).chain(counts).collect();
            let next = horizon.periods.len();
            let at = *index.entry(key).or_insert(next);
            horizon.of_period.push(at);
            if at < next {
                horizon.periods[at].hours += period.hours;
                continue;
            }
            let then = profile.scenario(scenario, h);
            horizon.periods.push(Span {
                name: period.name.clone(),
                hours: period.hours,
                problem: problem(&then, prices, &sized.periods[h], unlimited),
                cards: (0..then.card_types.len()).map(|t| cards(&then, t, unlimited)).collect(),
            });
        }
        horizon.pools = pools(scenario, prices, profile.hours(), &horizon.periods);
        horizon
    }

    /// Hours of the horizon.
    pub fn hours(&self) -> f64 {
        self.periods.iter().map(|p| p.hours).sum()
    }
}

/// Why replicas do not nest in nodes, if they do not: a plan over time knows nodes of one kind to a card type, in which
/// each size of replica divides the next and the node, so that as many cards as there are hold them.
pub fn apart_from_nodes(scenario: &Scenario, sized: &Sized) -> Option<String> {
    scenario.nodes.iter().enumerate().find_map(|(k, node)| {
        let [(card_type, cards)] = node.cards[..] else {
            return Some(format!("node `{}` has cards of several types", node.name));
        };
        if !node.geometries.is_empty() {
            return Some(format!("cards of node `{}` are cut by geometries", node.name));
        }
        if scenario.nodes_of(card_type).any(|other| other != k) {
            let card = &scenario.card_types[card_type].name;
            return Some(format!("cards of type `{card}` come in several kinds of node"));
        }
        let groups = sized.periods.iter().flat_map(|candidates| &candidates.groups);
        let own = groups.flat_map(|group| &group.options).filter(|o| o.card_type == card_type);
        let mut sizes: Vec<u64> = own.map(|o| o.cards).chain([u64::from(cards)]).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let nest = sizes.windows(2).all(|pair| pair[1].is_multiple_of(pair[0]));
        (!nest).then(|| {
            let sizes: Vec<String> = sizes.iter().map(u64::to_string).collect();
            format!(
                "replicas on node `{}`, of {cards} cards, do not nest: {} cards",
                node.name,
                sizes.join(", ")
            )
        })
    })
}

/// Cards of a type that a plan may use: those that are counted, and no more than nodes hold.
fn cards(scenario: &Scenario, card_type: usize, unlimited: bool) -> f64 {
    let in_nodes = scenario.nodes_of(card_type).map(|k| {
        let node = &scenario.nodes[k];
        node.available().map(|n| n.saturating_mul(u64::from(node.cards_of(card_type))))
    });
    let in_nodes: Option<Vec<u64>> = in_nodes.collect();
    let in_nodes = in_nodes.filter(|all| !all.is_empty());
    let in_nodes = in_nodes.map(|all| all.into_iter().fold(0, u64::saturating_add));
    let counted = scenario.card_types[card_type].available().into_iter().chain(in_nodes).min();
    counted.filter(|_| !unlimited).map_or(f64::INFINITY, |n| n as f64)
}

/// The servers of one period, over pools and budgets.
fn problem(
    scenario: &Scenario,
    prices: &Prices,
    candidates: &Candidates,
    unlimited: bool,
) -> Problem {
    let options = ProblemOptions { unlimited, ..ProblemOptions::default() };
    // Replicas that nest fill nodes whole: cards say all of them.
    let loose = Scenario { nodes: Vec::new(), ..scenario.clone() };
    let mut problem = Problem::new(&loose, candidates, &options);
    // Limits on one card type become pools; what several types share stays a limit.
    let shared: Vec<usize> = {
        let single = scenario.card_types.iter().filter(|c| !unlimited && c.available().is_some());
        (single.count()..problem.limits.len()).collect()
    };
    let budgets: Vec<Limit> = shared.iter().map(|&k| problem.limits[k].clone()).collect();
    let pool_limit =
        |pool: &Pool| Limit { name: pool.name(scenario).to_owned(), capacity: f64::INFINITY };
    problem.limits = prices.pools.iter().map(pool_limit).chain(budgets).collect();
    for (items, group) in problem.groups.iter_mut().zip(&candidates.groups) {
        for (item, candidate) in items.iter_mut().zip(&group.options) {
            let unit = &scenario.accelerators[candidate.accelerator];
            let units = candidate.cards as f64 / f64::from(unit.multiplicity);
            let by_node = scenario.is_paid_by_node(unit.card_type);
            // Rounding apart, what a replica costs beyond its rent is energy.
            let energy = item.cost - if by_node { 0.0 } else { units * unit.cost_cents_per_h };
            item.cost = if energy.abs() <= 1e-9 * item.cost { 0.0 } else { energy };
            let taken = prices.pools.iter().enumerate().filter_map(|(r, pool)| {
                let units = candidate.cards as f64 / pool.cards(scenario) as f64;
                pool.holds(scenario, candidate.accelerator).then_some((r, units))
            });
            let budgets = item.uses.iter().filter_map(|&(k, amount)| {
                let at = shared.iter().position(|&s| s == k)?;
                Some((prices.pools.len() + at, amount))
            });
            item.uses = taken.chain(budgets).collect();
        }
    }
    problem
}

fn pools(scenario: &Scenario, prices: &Prices, hours: f64, periods: &[Span]) -> Vec<PoolTerms> {
    let terms = |(r, pool): (usize, &Pool)| {
        let (cards, card_type) = (pool.cards(scenario), pool.card_type(scenario));
        let useful = periods.iter().map(|p| most_used(&p.problem, r)).fold(0.0, f64::max).ceil();
        let exist = periods.iter().map(|p| p.cards[card_type]).fold(f64::INFINITY, f64::min);
        let most = useful.min((exist / cards as f64).floor()).max(0.0);
        let spot = pool.spot.map(|s| SpotTerms {
            price: s.cost(),
            most: s.most.unwrap_or(u64::MAX).min(useful.max(0.0) as u64),
        });
        PoolTerms {
            name: pool.name(scenario).to_owned(),
            reserve: pool.reserved.map(|p| p * hours),
            most: if pool.reserved.is_some() { most as u64 } else { 0 },
            on_demand: pool.on_demand,
            spot: spot.filter(|s| s.most > 0),
            cards,
            card_type,
        }
    };
    prices.pools.iter().enumerate().map(terms).collect()
}
