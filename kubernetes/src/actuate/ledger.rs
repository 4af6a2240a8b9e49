//! Cards in use while a decision is carried out.

use std::collections::BTreeMap;

use super::Change;
use crate::cluster::Cards;

/// Cards of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Their type.
    pub card_type: String,
    /// How many.
    pub cards: u64,
}

/// Cards that there are, and those in use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    /// Cards by type; a type that is not named has no limit.
    pub capacity: Cards,
    /// Cards in use by type.
    pub used: Cards,
}

impl Ledger {
    /// Whether more cards of a type are in use than there are.
    pub fn is_overdrawn(&self, card_type: &str) -> bool {
        let used = self.used.get(card_type).copied().unwrap_or(0);
        self.capacity.get(card_type).is_some_and(|there_are| used > *there_are)
    }

    /// Parts the changes of a step into those that can go and those that have to wait for cards. The
    /// last ones wait first. A step is judged as a whole: two servers that change places both go.
    pub fn admit(&self, mut step: Vec<Change>) -> (Vec<Change>, Vec<Change>) {
        let mut waiting = Vec::new();
        while let Some(card_type) = self.overdrawn(&step) {
            let takes = |change: &Change| net(change, &card_type) > 0;
            let Some(last) = step.iter().rposition(takes) else { break };
            waiting.push(step.remove(last));
        }
        waiting.reverse();
        (step, waiting)
    }

    /// Books a change that was applied.
    pub fn book(&mut self, change: &Change) {
        if let Some(frees) = &change.frees {
            let used = self.used.entry(frees.card_type.clone()).or_default();
            *used = used.saturating_sub(frees.cards);
        }
        if let Some(takes) = &change.takes {
            *self.used.entry(takes.card_type.clone()).or_default() += takes.cards;
        }
    }

    /// A type of which more cards would be in use than there are, and of which the step takes any.
    fn overdrawn(&self, step: &[Change]) -> Option<String> {
        let mut taken: BTreeMap<&str, i128> = BTreeMap::new();
        for change in step {
            for (part, sign) in [(&change.frees, -1), (&change.takes, 1)] {
                let Some(part) = part else { continue };
                *taken.entry(&part.card_type).or_insert(0) += sign * i128::from(part.cards);
            }
        }
        let over = |(card_type, taken): (&&str, &i128)| {
            let capacity = *self.capacity.get(*card_type)?;
            let used = self.used.get(*card_type).copied().unwrap_or(0);
            let over = i128::from(used) + taken > i128::from(capacity);
            let takes = || step.iter().any(|change| net(change, card_type) > 0);
            (over && takes()).then(|| (*card_type).to_owned())
        };
        taken.iter().find_map(over)
    }
}

/// Cards of a type that a change takes, less those that it frees.
fn net(change: &Change, card_type: &str) -> i128 {
    let of = |part: &Option<Use>| {
        part.as_ref().filter(|u| u.card_type == card_type).map_or(0, |u| i128::from(u.cards))
    };
    of(&change.takes) - of(&change.frees)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actuate::{Allocation, Kind};
    use crate::cluster::Key;

    fn change(server: &str, from: (&str, u64), to: (&str, u64)) -> Change {
        let side = |(accelerator, replicas): (&str, u64)| Allocation {
            accelerator: Some(accelerator.to_owned()),
            replicas: replicas as u32,
            max_batch: None,
        };
        let cards = |(t, n): (&str, u64)| Some(Use { card_type: t.to_owned(), cards: n });
        Change {
            server: server.to_owned(),
            key: Key { namespace: "n".to_owned(), name: server.to_owned() },
            uid: server.to_owned(),
            from: side(from),
            to: side(to),
            reason: String::new(),
            planned_for: None,
            frees: cards(from),
            takes: cards(to),
            marks: Default::default(),
        }
    }

    fn names(changes: &[Change]) -> Vec<&str> {
        changes.iter().map(|c| c.server.as_str()).collect()
    }

    fn ledger(capacity: u64, used: u64) -> Ledger {
        let cards = |n| Cards::from([("A".to_owned(), n)]);
        Ledger { capacity: cards(capacity), used: cards(used) }
    }

    #[test]
    fn what_frees_goes_first_and_what_takes_last() {
        assert_eq!(change("a", ("A", 3), ("A", 1)).kind(), Kind::Down);
        assert_eq!(change("a", ("A", 3), ("A", 3)).kind(), Kind::Down);
        assert_eq!(change("a", ("A", 3), ("B", 9)).kind(), Kind::Move);
        assert_eq!(change("a", ("A", 0), ("B", 1)).kind(), Kind::Up);
        assert_eq!(change("a", ("A", 1), ("B", 0)).kind(), Kind::Down);
        assert_eq!(change("a", ("A", 1), ("A", 2)).kind(), Kind::Up);
        let mut new = change("a", ("A", 1), ("A", 1));
        (new.from.accelerator, new.frees) = (None, None);
        assert_eq!(new.kind(), Kind::Up);
    }

    #[test]
    fn ups_wait_for_cards_that_were_not_freed() {
        // 4 of 4 cards in use; a frees 2, b takes 2.
        let (down, up) = (change("a", ("A", 3), ("A", 1)), change("b", ("A", 1), ("A", 3)));
        let mut freed = ledger(4, 4);
        freed.book(&down);
        assert_eq!(names(&freed.admit(vec![up.clone()]).0), ["b"]);
        let (go, wait) = ledger(4, 4).admit(vec![up]);
        assert_eq!((names(&go), names(&wait)), (vec![], vec!["b"]));
    }

    #[test]
    fn the_last_wait_and_the_rest_goes() {
        let ups = vec![change("a", ("A", 0), ("A", 1)), change("b", ("A", 0), ("A", 1))];
        let (go, wait) = ledger(1, 0).admit(ups);
        assert_eq!((names(&go), names(&wait)), (vec!["a"], vec!["b"]));
    }

    #[test]
    fn a_swap_goes_though_neither_fits_first() {
        let mut full = ledger(2, 2);
        full.capacity.insert("B".to_owned(), 2);
        full.used.insert("B".to_owned(), 2);
        let swap = vec![change("a", ("A", 2), ("B", 2)), change("b", ("B", 2), ("A", 2))];
        assert_eq!(full.admit(swap).0.len(), 2);
    }

    #[test]
    fn too_much_in_use_already_holds_nobody_back_who_frees() {
        let down = vec![change("a", ("A", 5), ("A", 4))];
        assert_eq!(ledger(2, 5).admit(down).0.len(), 1);
    }
}
