//! One server's covering knapsack, in whole numbers.
//!
//! ```text
//! minimise    b + sum_j p_j n_j + f [n_now = 0] + q [some n_j > 0, j off now]
//! subject to  sum_j r_j n_j >= R,  m <= sum_j n_j <= M,  n on at least T card types,
//!             a_j <= n_j <= b_j,  n_j in Z, >= 0
//! ```
//!
//! Prices `p_j` are whole numbers of a unit that the caller chooses; rates are whole shares of the load
//! ([`Needs::share`]), so that nothing is rounded on the way to an optimum: what [`search`] or [`table`]
//! call the least price is the least price, and what they leave out costs more than they were asked for.

pub mod search;
pub mod table;

use crate::problem::{Item, Needs};

/// A price that is above any other: what costs as much has no place in a plan.
pub const DEAR: i64 = 1 << 60;

/// The knapsack.
#[derive(Debug, Clone)]
pub struct Cover {
    /// Its items, in the order of the server's.
    pub entries: Vec<Entry>,
    /// `R`; 0 where there is no load.
    pub need: i64,
    /// `m`.
    pub min_replicas: u64,
    /// `M`.
    pub max_replicas: u64,
    /// `T`.
    pub min_types: u64,
    /// `b`: charged whatever the mix.
    pub base: i64,
    /// Item that the server runs on now.
    pub now: Option<u32>,
    /// `f`.
    pub give_up: i64,
    /// `q`.
    pub move_price: i64,
}

/// An item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Index of the item.
    pub item: u32,
    /// `p_j`.
    pub price: i64,
    /// `r_j`.
    pub rate: i64,
    /// Card type.
    pub card_type: usize,
    /// `a_j`.
    pub least: u64,
    /// `b_j`.
    pub most: u64,
}

/// A mix and its price: (index of item, replicas), in the order of the search.
pub type Mix = (i64, Vec<(u32, u32)>);

impl Cover {
    /// The knapsack of a server over `items` at `prices`, at least 0 and no more than [`DEAR`], without
    /// charges of its own and without bounds on what it takes of an item.
    pub fn new(needs: &Needs, items: &[Item], prices: impl Iterator<Item = i64>) -> Self {
        let entry = |((j, item), price): ((usize, &Item), i64)| Entry {
            item: j as u32,
            price: price.clamp(0, DEAR),
            rate: needs.share(item.rate),
            card_type: item.card_type,
            least: 0,
            most: u64::MAX,
        };
        Self {
            entries: items.iter().enumerate().zip(prices).map(entry).collect(),
            need: needs.need(),
            min_replicas: needs.min_replicas,
            max_replicas: needs.max_replicas.unwrap_or(u64::MAX),
            min_types: u64::from(needs.min_types),
            base: 0,
            now: None,
            give_up: 0,
            move_price: 0,
        }
    }

    /// Leaves an item out.
    pub fn exclude(&mut self, item: usize) {
        self.entries[item].most = 0;
    }

    /// Whether it asks for nothing but that the load is covered, of items as many as one likes or none.
    pub fn is_plain(&self) -> bool {
        let free = |e: &Entry| e.least == 0 && (e.most == u64::MAX || e.most == 0);
        let ruled = self.min_replicas > 1 || self.max_replicas < u64::MAX || self.min_types > 1;
        let charged = self.give_up > 0 || self.move_price > 0;
        self.need > 0 && !ruled && !charged && self.entries.iter().all(free)
    }

    /// The price of a mix, (index of item, replicas); `None` where it is not one of the knapsack's.
    pub fn price(&self, shares: &[(u32, u32)]) -> Option<i64> {
        let mut price = self.base;
        let (mut covered, mut count, mut moved) = (0_i64, 0_u64, false);
        let mut types: Vec<usize> = Vec::new();
        let mut kept = self.now.is_none();
        for entry in &self.entries {
            let share = shares.iter().find(|share| share.0 == entry.item);
            let n = share.map_or(0, |share| u64::from(share.1));
            if n < entry.least || n > entry.most {
                return None;
            }
            if n == 0 {
                continue;
            }
            price = price.saturating_add(entry.price.saturating_mul(n as i64));
            covered = covered.saturating_add(entry.rate.saturating_mul(n as i64));
            count += n;
            types.push(entry.card_type);
            kept |= self.now == Some(entry.item);
            moved |= self.now != Some(entry.item);
        }
        types.sort_unstable();
        types.dedup();
        let fits = covered >= self.need
            && count >= self.min_replicas
            && count <= self.max_replicas
            && (self.min_types <= 1 || types.len() as u64 >= self.min_types);
        price = price.saturating_add(if kept { 0 } else { self.give_up });
        price = price.saturating_add(if moved { self.move_price } else { 0 });
        fits.then_some(price)
    }
}

/// `left * price / rate`, rounded up: what it costs at least to cover `left` at this ratio.
pub fn at_ratio(left: i64, price: i64, rate: i64) -> i64 {
    if left <= 0 || price == 0 {
        return 0;
    }
    if rate <= 0 {
        return DEAR;
    }
    let exact = i128::from(left) * i128::from(price);
    let cost = (exact + i128::from(rate) - 1) / i128::from(rate);
    i64::try_from(cost).unwrap_or(DEAR).min(DEAR)
}
