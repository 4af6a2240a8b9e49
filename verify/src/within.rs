//! What servers choose from below a node: the mixes that a plan cheaper than the claim may use.
//!
//! ```text
//! p is in no cheaper plan           if price_p - min_q price_q > 2^shift (bound - 1) - V
//! p is in none that is needed       if another takes no more of any limit and costs no more
//! ```

use std::rc::Rc;

use crate::Refusal;
use crate::leaf::{AllHeld, Check, effort};
use crate::price::{Held, Priced};
use crate::text::{Node, Prices};

/// A mix: (index of item, replicas), by index.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    cost: i128,
    /// By limit.
    uses: Vec<i128>,
    mix: Vec<(usize, u64)>,
}

/// By server.
pub type Lists = Vec<Vec<Rc<Row>>>;

impl Row {
    fn price(&self, of: &[i128], shift: u32) -> i128 {
        (self.cost << shift) + self.uses.iter().zip(of).map(|(u, l)| u * l).sum::<i128>()
    }

    fn keeps(&self, held: Option<&Held>) -> bool {
        let count = |item| self.mix.iter().find(|share| share.0 == item).map_or(0, |share| share.1);
        let within =
            |(&item, &(least, most)): (&usize, &(u64, u64))| (least..=most).contains(&count(item));
        held.is_none_or(|held| held.iter().all(within))
    }
}

/// The least price of a list's mixes that keep what the server is held to.
pub fn least(rows: &[Rc<Row>], of: &[i128], shift: u32, held: Option<&Held>) -> Option<i128> {
    rows.iter().filter(|row| row.keeps(held)).map(|row| row.price(of, shift)).min()
}

impl Check<'_> {
    /// Checks the node below a line `within`.
    pub fn within(
        &mut self,
        line: usize,
        (prices, node): (&Prices, &Node),
        held: &mut AllHeld,
        lists: Option<&Lists>,
    ) -> Result<(), Refusal> {
        let (of, shift) = (self.numbers.of(prices), prices.shift);
        let Some(parts) = self.parts(line, prices, held, lists)? else { return Ok(()) };
        let slack = ((self.claim(line)? - 1) << shift) - self.value_of(&of, &parts);
        if slack < 0 {
            return Ok(());
        }
        let mut narrowed = Vec::new();
        for (s, least) in parts.iter().enumerate() {
            let stays =
                |row: &&Rc<Row>| row.price(&of, shift) <= least + slack && row.keeps(held.get(&s));
            narrowed.push(match lists {
                Some(lists) => lists[s].iter().filter(stays).cloned().collect(),
                None => self.list(s, prices, held.get(&s), least + slack).ok_or_else(|| {
                    effort(line, &format!("the mixes of `{}`", self.instance.servers[s].name))
                })?,
            });
        }
        self.node(node, held, Some(&narrowed))
    }

    /// The mixes of server `s` of a price of at most `most`, the beaten ones left out.
    fn list(
        &self,
        s: usize,
        prices: &Prices,
        held: Option<&Held>,
        most: i128,
    ) -> Option<Vec<Rc<Row>>> {
        let (server, of) = (&self.instance.servers[s], self.numbers.of(prices));
        let at = (self.numbers, server, s);
        let priced = Priced::new(at, (&of, prices.shift, false), held).within_room(self.numbers);
        let free = vec![0; of.len()];
        let unpriced = Priced::new(at, (&free, 0, false), None);
        let mut rows = Vec::new();
        let mut meet = |price: i128, mix: &[(usize, u64)]| {
            let cost = unpriced.price(mix).filter(|_| price <= most);
            rows.extend(cost.map(|cost| {
                let uses = (0..of.len()).map(|k| priced.taken(mix, k)).collect();
                let mut mix = mix.to_vec();
                mix.sort_unstable();
                Row { cost, uses, mix }
            }));
        };
        if server.is_idle() {
            meet(priced.base, &[]);
        } else if self.instance.asked.single {
            priced.alone().for_each(|(price, mix)| meet(price, &mix));
        } else {
            priced.all(most, &mut meet)?;
        }
        rows.sort_by_cached_key(|row| (row.cost, row.uses.iter().sum::<i128>(), row.mix.clone()));
        let mut kept: Vec<Rc<Row>> = Vec::new();
        for row in rows {
            let beats = |known: &Rc<Row>| known.uses.iter().zip(&row.uses).all(|(a, b)| a <= b);
            if !kept.iter().any(beats) {
                kept.push(Rc::new(row));
            }
        }
        Some(kept)
    }
}
