//! The problem that every formulation states in its own way, as numbers alone.
//!
//! ```text
//! sets        s in S servers,  j in J(s) candidates of s,  k in K limits
//! data        L_s      rate to cover, requests/s
//!             r_sj     rate that a replica is credited with, requests/s
//!             c_sj     cost of a replica, cents/h
//!             u_sjk    what a replica takes of limit k (cards, watts, cents/h, g CO2/h)
//!             C_k      what there is of limit k
//!             m_s, M_s fewest and most replicas
//! ```
//!
//! Servers with the same needs share one list of items, so that what a formulation works out for a
//! list (dominated items, say) is worked out once.

use isocost_model::candidates::{Candidate, Candidates};
use isocost_model::scenario::{Scenario, Unit};

use crate::nodes::{self, Pool, Sold};

/// The numbers of the planning problem.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Limits `k`.
    pub limits: Vec<Limit>,
    /// Distinct lists of items.
    pub groups: Vec<Vec<Item>>,
    /// Servers `s`.
    pub servers: Vec<Needs>,
    /// Nodes in which cards come, by card type.
    pub pools: Vec<Pool>,
    /// Nodes that are paid as a whole.
    pub sold: Vec<Sold>,
}

/// A limit `k`.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// Name for reports, e.g. `A100`.
    pub name: String,
    /// `C_k`, in what it counts.
    pub capacity: f64,
}

/// A candidate `j`: what one replica gives and takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Index into the server's candidates.
    pub candidate: usize,
    /// `r_j`, requests/s.
    pub rate: f64,
    /// `c_j`, cents/h.
    pub cost: f64,
    /// `u_jk` where it is not 0: (index into [`Problem::limits`], how much of it).
    pub uses: Vec<(usize, f64)>,
    /// Cards of a replica.
    pub cards: u64,
    /// Index of the accelerator.
    pub accelerator: usize,
    /// Index of the card type.
    pub card_type: usize,
}

/// What a server `s` needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Needs {
    /// Index into [`Problem::groups`].
    pub group: usize,
    /// `L_s`, requests/s; 0 asks for `m_s` replicas alone.
    pub demand: f64,
    /// `m_s`.
    pub min_replicas: u64,
    /// `M_s`.
    pub max_replicas: Option<u64>,
    /// Fewest card types that its replicas are spread over.
    pub min_types: u32,
    /// Where it runs now: (accelerator, cost in cents/h), if a move is to be charged.
    pub current: Option<(usize, f64)>,
    /// 1 (highest) to 100.
    pub priority: u32,
    /// `v_s`, what shares are held against where shortage is shared fairly: above 0.
    pub weight: f64,
}

/// What to plan for.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ProblemOptions {
    /// Ignore how many cards exist, and what power they draw.
    pub unlimited: bool,
    /// Minimise the change's value instead of the cost.
    pub transition: bool,
    /// Most servers that may change their accelerator.
    pub max_moves: Option<u64>,
}

/// A load counts as covered once all but this share of it is: arrival rates are never known better.
pub const COVER_TOLERANCE: f64 = 1e-9;

/// Shares of a load that [`Needs::share`] counts in, and how many of them may be left: a billionth.
const SHARES: i64 = 1 << 60;
const LEFT: i64 = SHARES / 1_000_000_000;

/// Share of the old and the new cost that a move to another accelerator is charged.
pub const MOVE_PENALTY: f64 = 0.1;

impl Problem {
    /// States the planning problem of `scenario` over its candidates.
    pub fn new(scenario: &Scenario, candidates: &Candidates, options: &ProblemOptions) -> Self {
        let (limits, rows) = limits(scenario, options.unlimited);
        let items = |group: &[Candidate]| -> Vec<Item> {
            group.iter().enumerate().map(|(i, c)| item(scenario, i, c, &limits, &rows)).collect()
        };
        let groups = candidates.groups.iter().map(|g| items(&g.options)).collect();
        let servers = scenario.servers.iter().zip(&candidates.demands).map(|(server, demand)| {
            let current = server.current.as_ref();
            Needs {
                group: demand.group,
                demand: demand.rate_per_s,
                min_replicas: u64::from(server.min_replicas),
                max_replicas: server.max_replicas.map(u64::from),
                min_types: server.min_types,
                current: current
                    .filter(|_| options.transition || options.max_moves.is_some())
                    .map(|c| (c.accelerator, c.cost_cents_per_h)),
                priority: scenario.classes[server.class].priority,
                weight: scenario.classes[server.class].weight,
            }
        });
        let mut problem = Self {
            limits: limits.into_iter().map(|(l, _)| l).collect(),
            groups,
            servers: servers.collect(),
            pools: Vec::new(),
            sold: Vec::new(),
        };
        nodes::state(scenario, options.unlimited, &mut problem);
        problem
    }

    /// Items that a server chooses from.
    pub fn items(&self, server: usize) -> &[Item] {
        &self.groups[self.servers[server].group]
    }
}

impl Needs {
    /// Replicas of `item` that cover the load alone, `ceil(L / r)`; `u64::MAX` where no number does.
    pub fn cover(&self, item: &Item) -> u64 {
        match (self.need(), self.share(item.rate)) {
            (0, _) => 0,
            (_, 0) => u64::MAX,
            (need, share) => ((need - 1) / share + 1) as u64,
        }
    }

    /// Share of the load that a replica of `item` covers, as a program takes it: what covers the load
    /// within its tolerance does so exactly.
    pub fn part(&self, item: &Item) -> f64 {
        (item.rate / self.demand).max(1.0 / self.cover(item).max(1) as f64)
    }

    /// Replicas that the server needs of `item` alone, `max(ceil(L / r), m)`; `None` where that is
    /// more than it may have.
    pub fn replicas(&self, item: &Item) -> Option<u64> {
        let needed = self.cover(item).max(self.min_replicas);
        let most = self.max_replicas.unwrap_or(u64::MAX - 1);
        (needed <= most).then_some(needed)
    }

    /// What replicas have to cover, in the shares of [`Needs::share`]; 0 without a load.
    pub fn need(&self) -> i64 {
        if self.demand > 0.0 { SHARES - LEFT } else { 0 }
    }

    /// The part of the load that a rate (requests/s) covers, in 2^-60 of it, rounded up; at most all
    /// that is needed. Both rates are taken for the fractions that they are: no mix that covers the load
    /// counts less than [`Needs::need`], and none that misses it by more than 2^-60 for each of its
    /// replicas counts as much.
    pub fn share(&self, rate: f64) -> i64 {
        let need = self.need();
        if need == 0 || rate.is_nan() || rate <= 0.0 {
            return 0;
        }
        if rate >= self.demand {
            return need;
        }
        // The larger one is at most 2^53 2^e, the quotient less than 1.
        let ((a, of_rate), (b, of_demand)) = (fraction(rate), fraction(self.demand));
        let shift = 60 + of_rate - of_demand;
        let quotient = match shift {
            ..-60 => 1,
            -60..0 => u128::from(a).div_ceil(u128::from(b) << -shift),
            _ => (u128::from(a) << shift).div_ceil(u128::from(b)),
        };
        i64::try_from(quotient).unwrap_or(need).min(need)
    }

    /// Most replicas of `item` that are of any use: as many as cover the load, or hold the floor,
    /// alone, one to be spread over its type, and no more than the server may have.
    pub fn most(&self, item: &Item) -> u64 {
        let alone = self.cover(item).max(self.min_replicas).max(1);
        self.max_replicas.map_or(alone, |most| alone.min(most))
    }

    /// Replicas of `item` that a mix may have, where those of no use are left out: as many as are of use alone
    /// where any number covers the load, else what rules of the server's own ask for.
    pub fn useful(&self, item: &Item) -> u64 {
        match self.most(item) {
            u64::MAX => self.min_replicas.max(1),
            most => most.max(1),
        }
    }

    /// Most replicas in all: `M`, and without load no more than floor and spread ask for.
    pub fn ceiling(&self) -> Option<u64> {
        let idle = self.min_replicas.max(u64::from(self.min_types));
        let idle = (self.demand <= 0.0).then_some(idle);
        self.max_replicas.into_iter().chain(idle).min()
    }

    /// Whether `M` replicas do not cover the load on any of `items`, of which there are some.
    pub fn is_capped(&self, items: &[Item]) -> bool {
        let short = |most: u64| items.iter().all(|item| self.cover(item) > most);
        !items.is_empty() && self.max_replicas.is_some_and(short)
    }

    /// Whether the server needs any replica at all.
    pub fn is_idle(&self) -> bool {
        self.demand <= 0.0 && self.min_replicas == 0
    }

    /// Whether replicas of `item` are off the server's current accelerator.
    pub fn is_off(&self, item: &Item) -> bool {
        self.current.is_some_and(|(now, _)| now != item.accelerator)
    }

    /// What running the server at `cost` on `accelerator` alone is charged beside it as a move.
    pub fn move_charge(&self, accelerator: usize, cost: f64) -> f64 {
        let old = self.current.filter(|current| current.0 != accelerator);
        old.map_or(0.0, |(_, old)| MOVE_PENALTY * (old + cost))
    }

    /// Value of running the server at `cost` on `accelerator` alone: the cost, or, where a current
    /// allocation is charged, the change's value.
    pub fn change_value(&self, accelerator: usize, cost: f64) -> f64 {
        let old = self.current.map_or(0.0, |(_, old)| old);
        cost - old + self.move_charge(accelerator, cost)
    }
}

/// A positive number as `m 2^e` with `2^52 <= m < 2^53`.
fn fraction(x: f64) -> (u64, i32) {
    let (bits, stored) = (x.to_bits() & ((1 << 52) - 1), ((x.to_bits() >> 52) & 0x7ff) as i32);
    let (m, e) = if stored == 0 { (bits, -1074) } else { (bits | 1 << 52, stored - 1075) };
    let up = m.leading_zeros() as i32 - 11;
    (m << up, e - up)
}

/// Limits with what each counts, and for each card type the limits that it takes from.
type Limits = (Vec<(Limit, Unit)>, Vec<Vec<usize>>);

fn limits(scenario: &Scenario, unlimited: bool) -> Limits {
    let mut limits = Vec::new();
    let mut rows = vec![Vec::new(); scenario.card_types.len()];
    for (t, card) in scenario.card_types.iter().enumerate() {
        if let Some(available) = card.available().filter(|_| !unlimited) {
            rows[t].push(limits.len());
            limits
                .push((Limit { name: card.name.clone(), capacity: available as f64 }, Unit::Cards));
        }
    }
    for budget in &scenario.budgets {
        let everything: Vec<usize> = (0..scenario.card_types.len()).collect();
        let types = if budget.card_types.is_empty() { &everything } else { &budget.card_types };
        for (unit, capacity) in budget.limits(unlimited) {
            types.iter().for_each(|&t| rows[t].push(limits.len()));
            let name = format!("{} ({})", budget.name, unit.word());
            limits.push((Limit { name, capacity }, unit));
        }
    }
    (limits, rows)
}

fn item(
    scenario: &Scenario,
    i: usize,
    c: &Candidate,
    limits: &[(Limit, Unit)],
    rows: &[Vec<usize>],
) -> Item {
    let amount = |k: usize| match limits[k].1 {
        Unit::Cards => c.cards as f64,
        Unit::Watts => c.full_watts,
        Unit::Cents => c.cost_cents_per_h,
        Unit::Grams => scenario.accelerators[c.accelerator].grams_per_h(c.full_watts),
    };
    Item {
        candidate: i,
        rate: c.rate_per_s,
        cost: c.cost_cents_per_h,
        uses: rows[c.card_type].iter().map(|&k| (k, amount(k))).filter(|u| u.1 > 0.0).collect(),
        cards: c.cards,
        accelerator: c.accelerator,
        card_type: c.card_type,
    }
}
