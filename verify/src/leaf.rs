//! The tree: splits that leave no case out, and leaves that reach the claim.

use rustc_hash::FxHashMap;

use crate::Refusal;
use crate::instance::Instance;
use crate::price::{Held, Priced};
use crate::text::{Node, Prices, Proof, Split};
use crate::totals;
use crate::whole::Numbers;

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
    /// Checks a node: under `held` no plan costs less than the proof claims.
    pub fn node(&mut self, node: &Node, held: &mut AllHeld) -> Result<(), Refusal> {
        if let Node::Split(split) = node {
            return self.split(split, held);
        }
        self.leaves += 1;
        match node {
            Node::Prices(line, prices) => self.prices(*line, prices, held),
            Node::Excluded(line, prices) => self.excluded(*line, prices, held),
            Node::Totals(line, prices, counted, watched) => {
                let Some(bound) = self.proof.bound else {
                    return Err(short(*line, "a cost", "that there is no plan"));
                };
                totals::check(self, *line, (prices, counted, watched), held, bound)
            }
            Node::Split(_) => Ok(()),
        }
    }

    /// Whatever a server's replicas are, they are at most so many or more: both cases are proven.
    fn split(&mut self, split: &Split, held: &mut AllHeld) -> Result<(), Refusal> {
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
            self.node(node, held)?;
        }
        held.entry(s).or_default().insert(item, (least, most));
        Ok(())
    }

    /// `sum_s min_p price - sum_k l_k C_k`, as a kind of leaf has it; `None` where a server has no mix at all.
    pub fn value(
        &self,
        line: usize,
        prices: &Prices,
        held: &AllHeld,
        kind: Kind,
    ) -> Result<Option<i128>, Refusal> {
        let free = kind == Kind::Excluded;
        let of = self.numbers.of(prices);
        let mut value: i128 =
            -self.numbers.capacity.iter().zip(&of).map(|(c, l)| c * l).sum::<i128>();
        for (s, server) in self.instance.servers.iter().enumerate() {
            let at = (self.numbers, server, s);
            let priced = Priced::new(at, (&of, prices.shift, free), held.get(&s));
            let priced =
                if kind == Kind::Totals { priced } else { priced.within_room(self.numbers) };
            let what = || format!("the least price of `{}`", server.name);
            let least = priced.least(self.instance.asked.single);
            match least.ok_or_else(|| Refusal::Effort { line, what: what() })? {
                Some(least) => value += least,
                None => return Ok(None),
            }
        }
        Ok(Some(value))
    }

    fn prices(&self, line: usize, prices: &Prices, held: &AllHeld) -> Result<(), Refusal> {
        let Some(value) = self.value(line, prices, held, Kind::Prices)? else { return Ok(()) };
        let Some(bound) = self.proof.bound else {
            return Err(short(line, "a cost", "that there is no plan"));
        };
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

pub fn short(line: usize, proven: &str, claimed: &str) -> Refusal {
    Refusal::Short { line, proven: proven.to_owned(), claimed: claimed.to_owned() }
}
