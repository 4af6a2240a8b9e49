//! The tree: splits that leave no case out, and leaves that reach the claim.

use rustc_hash::FxHashMap;

use crate::Refusal;
use crate::instance::Instance;
use crate::price::{Held, Priced};
use crate::text::{Node, Prices, Proof, Split};
use crate::totals;
use crate::whole::Numbers;
use crate::within::{Lists, least};

/// By server: what it is held to.
pub type AllHeld = FxHashMap<usize, Held>;

/// A kind of leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Prices alone.
    Prices,
    /// Tables over totals, which take servers apart as if limits did not hold their items.
    Totals,
    /// Replicas free of charge.
    Excluded,
}

/// A check on its way.
pub struct Check<'a> {
    pub instance: &'a Instance,
    pub numbers: &'a Numbers,
    pub proof: &'a Proof,
    pub leaves: usize,
}

impl Check<'_> {
    /// Checks a node: under `held`, and of what is listed, no plan costs less than the proof claims.
    pub fn node(
        &mut self,
        node: &Node,
        held: &mut AllHeld,
        lists: Option<&Lists>,
    ) -> Result<(), Refusal> {
        match node {
            Node::Split(split) => return self.split(split, held, lists),
            Node::Within(line, prices, node) => {
                return self.within(*line, (prices, node), held, lists);
            }
            Node::Prices(line, prices) => self.prices(*line, prices, held, lists)?,
            Node::Excluded(line, prices) => self.excluded(*line, prices, held)?,
            Node::Totals(line, prices, counted, watched) => {
                totals::check(self, *line, (prices, counted, watched), held, self.claim(*line)?)?;
            }
        }
        self.leaves += 1;
        Ok(())
    }

    /// The cost that no plan is to be below.
    pub fn claim(&self, line: usize) -> Result<i128, Refusal> {
        self.proof.bound.ok_or_else(|| short(line, "a cost", "that there is no plan"))
    }

    /// Whatever a server's replicas are, they are at most so many or more: both cases are proven.
    fn split(
        &mut self,
        split: &Split,
        held: &mut AllHeld,
        lists: Option<&Lists>,
    ) -> Result<(), Refusal> {
        let (server, item) = &split.at;
        let found = self.instance.servers.iter().position(|s| s.name == *server);
        let s = found.ok_or_else(|| Refusal::Other(format!("there is no server `{server}`")))?;
        let found = self.instance.servers[s].items.iter().position(|i| i.name == *item);
        let what = || Refusal::Other(format!("`{item}` cannot serve `{server}`"));
        let item = found.ok_or_else(what)?;
        let known = held.get(&s).and_then(|held| held.get(&item)).copied();
        let (least, most) = known.unwrap_or((0, u64::MAX));
        let sides = [
            (least, most.min(split.most), &split.fewer),
            (least.max(split.most.saturating_add(1)), most, &split.more),
        ];
        for (least, most, node) in sides {
            held.entry(s).or_default().insert(item, (least, most));
            self.node(node, held, lists)?;
        }
        held.entry(s).or_default().insert(item, (least, most));
        Ok(())
    }

    /// `min_p price` of each server, of what is listed; `None` where a server has no mix at all.
    pub fn parts(
        &self,
        line: usize,
        prices: &Prices,
        held: &AllHeld,
        lists: Option<&Lists>,
    ) -> Result<Option<Vec<i128>>, Refusal> {
        let Some(lists) = lists else { return self.all_parts(line, prices, held, Kind::Prices) };
        let of = self.numbers.of(prices);
        let least = |(s, rows): (usize, &Vec<_>)| least(rows, &of, prices.shift, held.get(&s));
        Ok(lists.iter().enumerate().map(least).collect())
    }

    /// The same of all mixes, as a kind of leaf has it.
    fn all_parts(
        &self,
        line: usize,
        prices: &Prices,
        held: &AllHeld,
        kind: Kind,
    ) -> Result<Option<Vec<i128>>, Refusal> {
        let (of, free) = (self.numbers.of(prices), kind == Kind::Excluded);
        let mut parts = Vec::new();
        for (s, server) in self.instance.servers.iter().enumerate() {
            let at = (self.numbers, server, s);
            let priced = Priced::new(at, (&of, prices.shift, free), held.get(&s));
            let priced =
                if kind == Kind::Totals { priced } else { priced.within_room(self.numbers) };
            let least = priced.least(self.instance.asked.single);
            let what = || effort(line, &format!("the least price of `{}`", server.name));
            let Some(least) = least.ok_or_else(what)? else { return Ok(None) };
            parts.push(least);
        }
        Ok(Some(parts))
    }

    /// `sum_s min_p price - sum_k l_k C_k`, of all mixes; `None` where a server has none.
    pub fn value(
        &self,
        line: usize,
        prices: &Prices,
        held: &AllHeld,
        kind: Kind,
    ) -> Result<Option<i128>, Refusal> {
        let parts = self.all_parts(line, prices, held, kind)?;
        Ok(parts.map(|parts| self.value_of(&self.numbers.of(prices), &parts)))
    }

    /// The same of its parts.
    pub fn value_of(&self, of: &[i128], parts: &[i128]) -> i128 {
        let there: i128 = self.numbers.capacity.iter().zip(of).map(|(c, l)| c * l).sum();
        parts.iter().sum::<i128>() - there
    }

    fn prices(
        &self,
        line: usize,
        prices: &Prices,
        held: &AllHeld,
        lists: Option<&Lists>,
    ) -> Result<(), Refusal> {
        let Some(parts) = self.parts(line, prices, held, lists)? else { return Ok(()) };
        let (value, bound) = (self.value_of(&self.numbers.of(prices), &parts), self.claim(line)?);
        // Costs are whole: what is above one unit less is that unit at least.
        if value > (bound - 1) << prices.shift {
            return Ok(());
        }
        Err(short(line, &(value >> prices.shift).to_string(), &bound.to_string()))
    }

    fn excluded(&self, line: usize, prices: &Prices, held: &AllHeld) -> Result<(), Refusal> {
        match self.value(line, prices, held, Kind::Excluded)? {
            Some(value) if value <= 0 => {
                Err(short(line, "nothing", "that the limits cannot be kept"))
            }
            _ => Ok(()),
        }
    }
}

pub fn effort(line: usize, what: &str) -> Refusal {
    Refusal::Effort { line, what: what.to_owned() }
}

pub fn short(line: usize, proven: &str, claimed: &str) -> Refusal {
    Refusal::Short { line, proven: proven.to_owned(), claimed: claimed.to_owned() }
}
