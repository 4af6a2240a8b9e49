//! How many cards there are, as far as that can be believed.
//!
//! Counts come from a file that somebody writes or from nodes that come and go; what runs is seen beside
//! them. A count that contradicts what runs takes nothing away from what runs:
//!
//! ```text
//! in doubt   the file has no entry for a type of which cards are in use;
//!            no node has cards of a type on which replicas are ready;
//!            all types together are fewer than half of the cards in use
//!            -> servers on the type are held as they are, and count as cards that there are
//! raised     the nodes have some cards of a type, and fewer than replicas that are ready hold
//!            -> as many as are held
//! ```
//!
//! The last doubt is about every server. A count that is less than what is in use and not in doubt is
//! believed; whether it may take replicas away is then a question of what they serve: see `decide`.

use super::data::Counts;
use super::entry::Entry;
use super::fleet::Fleet;
use crate::cluster::Cards;

/// Cards of a type, as they are counted and as they are seen to be in use.
struct Type<'a> {
    name: &'a str,
    there_are: u64,
    used: u64,
    /// By replicas that are ready.
    ready: u64,
}

/// Books the cards in use, finds the counts in doubt, and holds the servers that depend on them.
pub fn believe(fleet: &mut Fleet, counts: &Counts) {
    let used = cards(&fleet.entries, |entry| entry.observation.managed.replicas);
    let ready = cards(&fleet.entries, Entry::ready);
    let collapsed = collapse(fleet, &used);
    let Fleet { scenario, entries, ledger, in_doubt, warnings, .. } = fleet;
    for (t, card) in scenario.card_types.iter_mut().enumerate() {
        let Some(there_are) = card.available().filter(|_| !scenario.optimizer.unlimited) else {
            continue;
        };
        let name = card.name.as_str();
        let seen = Type { name, there_are, used: of(&used, name), ready: of(&ready, name) };
        let doubt = collapsed.clone().filter(|_| seen.used > 0).or_else(|| doubt(&seen, t, counts));
        let believed = if doubt.is_some() {
            seen.used.max(there_are)
        } else if *counts == Counts::Nodes {
            seen.ready.max(there_are)
        } else {
            there_are
        };
        if let Some(doubt) = doubt {
            in_doubt.push(name.to_owned());
            hold(entries, name, &doubt);
            warnings.push(doubt);
        } else if seen.used > there_are {
            let Type { used, ready, .. } = seen;
            warnings.push(format!(
                "{used} {name} cards are in use, {ready} of them by replicas that are ready, and there are {there_are}"
            ));
        }
        ledger.capacity.insert(name.to_owned(), believed);
        card.count = Some(believed + card.spare);
    }
    ledger.used = used;
    if let Some(collapsed) = collapsed {
        entries.iter_mut().for_each(|entry| entry.hold(&collapsed));
        // One reason for all types is told once.
        warnings.dedup();
    }
}

/// Why the count of one type is in doubt.
fn doubt(seen: &Type<'_>, t: usize, counts: &Counts) -> Option<String> {
    let Type { name, there_are, used, ready } = *seen;
    match counts {
        Counts::File { uncounted } if used > 0 && uncounted.contains(&t) => Some(format!(
            "the capacity data has no entry for {name}, and {used} of its cards are in use: add one; until then what runs \
             on it stays as it is"
        )),
        Counts::Nodes if ready > 0 && there_are == 0 => Some(format!(
            "no node that takes pods has {name} cards, and replicas that are ready hold {ready}: until one of the two \
             changes, what runs on it stays as it is"
        )),
        _ => None,
    }
}

/// Why all counts together are in doubt.
fn collapse(fleet: &Fleet, used: &Cards) -> Option<String> {
    if fleet.scenario.optimizer.unlimited {
        return None;
    }
    let limited = fleet.scenario.card_types.iter().filter_map(|c| Some((c, c.available()?)));
    let (mut there_are, mut in_use) = (0, 0);
    for (card, available) in limited {
        there_are += available;
        in_use += of(used, &card.name);
    }
    (there_are.saturating_mul(2) < in_use).then(|| {
        format!(
            "there are said to be {there_are} cards in all, and {in_use} are in use: nothing is changed; mend the card \
             counts, or, if they are right, scale Deployments down by hand until half of what runs has cards"
        )
    })
}

fn of(cards: &Cards, name: &str) -> u64 {
    cards.get(name).copied().unwrap_or(0)
}

/// Cards by type, of as many replicas as are asked for of each server.
fn cards(entries: &[Entry], replicas: impl Fn(&Entry) -> u32) -> Cards {
    let mut cards = Cards::new();
    for entry in entries {
        let on = entry.observation.managed.accelerator.as_deref();
        if let Some(taken) = entry.cards_of(on, replicas(entry)) {
            *cards.entry(taken.card_type).or_default() += taken.cards;
        }
    }
    cards
}

fn hold(entries: &mut [Entry], card_type: &str, reason: &str) {
    for entry in entries {
        if entry.cards.as_ref().is_some_and(|c| c.card_type == card_type) {
            entry.hold(reason);
        }
    }
}
