//! Under shortage nobody goes without what is left over.
//!
//! What an optimal plan leaves of cards, budgets and moves is too little for any one server to be
//! raised by itself, the others left as they are:
//!
//! * to its floor, by one more replica;
//! * by best effort, by one more replica within its ceiling that serves more of its load;
//! * where servers are served in full or not at all, to full service on one accelerator, in place of
//!   what it has; or, where its ceiling forbids that everywhere, to its ceiling.
//!
//! That is necessary and not sufficient: it looks at one server at a time.

use super::budgets::{Used, counts, used};
use super::objectives::broken;
use super::site::Site;
use super::{CheckOptions, Found, Rule, capacity, moves, nodes};
use crate::candidates::{Reading, Search};
use crate::disaggregation::Transfer;
use crate::nodes::Filled;
use crate::plan::{Plan, Status};
use crate::queue::MAX_BATCH;
use crate::scenario::Budget;

/// Shares of the load that a solver's tolerance may leave unserved: less is no reason.
const TOO_LITTLE: f64 = 2e-6;
/// Sizings that are made at most, so that a large fleet is not checked for minutes.
const SIZINGS: usize = 2000;

pub(super) fn check(sites: &[Site<'_>], options: &CheckOptions, plan: &Plan, found: &mut Found) {
    let Some(policy) = options.policy.filter(|_| options.partial && !sites.is_empty()) else {
        return;
    };
    if plan.status != Status::Optimal {
        return;
    }
    let mut raise = Raise {
        left: Left::of(sites, plan),
        mixed: policy.mixed,
        demand_per_s: sites.iter().map(Site::demand_per_s).sum(),
        servers: sites.len() as f64,
        sizings: SIZINGS,
    };
    for site in sites {
        let floor = raise.up_to_floor(site);
        let what =
            floor.or_else(|| if policy.whole { raise.in_full(site) } else { raise.by_one(site) });
        found.unless(what.is_none(), Rule::Shortage, site.name(), || what.unwrap_or_default());
    }
}

/// What a plan leaves over.
struct Left<'a> {
    /// Cards by type; `None` without a limit.
    cards: Vec<Option<u64>>,
    /// What is taken of each budget.
    budgets: Vec<(&'a Budget, Used)>,
    /// Servers that may still move.
    moves: Option<u64>,
    /// Nodes in use.
    filled: &'a [Filled],
    /// Whether there are more of any kind.
    unlimited: bool,
}

impl<'a> Left<'a> {
    fn of(sites: &[Site<'a>], plan: &'a Plan) -> Self {
        let (scenario, options) = (sites[0].scenario, sites[0].options);
        let cards = scenario.card_types.iter().zip(capacity::used(scenario, plan));
        Self {
            cards: cards
                .map(|(card, used)| {
                    let most = card.available().filter(|_| !options.unlimited)?;
                    Some(most.saturating_sub(used))
                })
                .collect(),
            budgets: scenario.budgets.iter().map(|b| (b, used(scenario, b, plan))).collect(),
            moves: options.max_moves.map(|most| most.saturating_sub(moves::count(sites))),
            filled: &plan.nodes,
            unlimited: options.unlimited,
        }
    }

    /// Whether `replicas` of a server fit on an accelerator, beside what it has or in place of it.
    fn fits(&self, site: &Site<'_>, accelerator: usize, replicas: u64, instead: bool) -> bool {
        let Some(profile) = site.profile_on(accelerator) else { return false };
        let units = &site.scenario.accelerators;
        let unit = &units[accelerator];
        let taken = u64::from(profile.units_per_replica).saturating_mul(replicas);
        let cards = taken.saturating_mul(unit.multiplicity.into());
        // What it has itself is free if it is replaced.
        let own = |of: &dyn Fn(usize) -> bool| {
            let mut own = Used::default();
            for part in site.placement.parts.iter().filter(|_| instead) {
                if of(units[part.accelerator].card_type) {
                    own.add(site.scenario, part.accelerator, part.cards, part.cost);
                }
            }
            own
        };
        let of_type = |t: usize| t == unit.card_type;
        let enough = self.cards[unit.card_type].is_none_or(|l| cards <= l + own(&of_type).cards);
        // Energy is paid at full load at the most.
        let cents_per_kwh = site.sizing.energy_cents_per_kwh + unit.carbon_cents_per_kwh;
        let energy = cents_per_kwh * unit.power.full_w / 1000.0;
        let cost = taken as f64 * (unit.cost_cents_per_h + energy);
        let mut more = Used::default();
        more.add(site.scenario, accelerator, cards, cost);
        let within = self.budgets.iter().filter(|b| counts(b.0, unit.card_type)).all(|b| {
            let own = own(&|t: usize| counts(b.0, t));
            let mut limits = b.0.limits(site.options.unlimited);
            limits.all(|(unit, most)| more.of(unit) <= most - b.1.of(unit) + own.of(unit))
        });
        enough
            && within
            && self.may_move(site, accelerator)
            && self.has_node(site, accelerator, replicas, instead)
    }

    /// Whether the nodes as they are filled have a place for it; what another filling has room for is not
    /// looked for.
    fn has_node(&self, site: &Site<'_>, accelerator: usize, replicas: u64, instead: bool) -> bool {
        let scenario = site.scenario;
        if !scenario.nodes.iter().any(|node| {
            node.cards.iter().any(|c| c.0 == scenario.accelerators[accelerator].card_type)
        }) {
            return true;
        }
        replicas == 1 && !instead && nodes::has_room(site, self.filled, self.unlimited, accelerator)
    }

    fn may_move(&self, site: &Site<'_>, accelerator: usize) -> bool {
        let now = site.server.current.as_ref().map(|c| c.accelerator);
        let leaves = now.is_some_and(|now| now != accelerator);
        !leaves || site.moves() || self.moves.is_none_or(|left| left > 0)
    }
}

/// Tries to raise servers.
struct Raise<'a> {
    left: Left<'a>,
    /// Several accelerators may serve a server.
    mixed: bool,
    /// Requests per second of all servers.
    demand_per_s: f64,
    servers: f64,
    /// Sizings that may still be made.
    sizings: usize,
}

impl Raise<'_> {
    fn up_to_floor(&mut self, site: &Site<'_>) -> Option<String> {
        let (n, least) = (site.placement.replicas(), u64::from(site.server.min_replicas));
        if n >= least {
            return None;
        }
        let on = self
            .open(site)
            .into_iter()
            .find(|&a| self.left.fits(site, a, 1, false) && self.serves(site, a))?;
        let on = &site.scenario.accelerators[on].name;
        Some(format!("it has {n} of the {least} replicas of its floor, and one more fits on {on}"))
    }

    /// An accelerator that serves a server at all.
    fn serves(&mut self, site: &Site<'_>, accelerator: usize) -> bool {
        site.demand_per_s() == 0.0 || self.rate_per_s(site, accelerator).is_some()
    }

    fn by_one(&mut self, site: &Site<'_>) -> Option<String> {
        let (demand, n) = (site.demand_per_s(), site.placement.replicas());
        let missing = demand * (1.0 - site.placement.served_share);
        if site.server.max_replicas.is_some_and(|most| n >= u64::from(most)) {
            return None;
        }
        for a in self.open(site) {
            if self.matters(missing, demand) && self.left.fits(site, a, 1, false) {
                let Some(rate) = self.rate_per_s(site, a) else { continue };
                if self.matters(rate.min(missing), demand) {
                    let on = &site.scenario.accelerators[a].name;
                    return Some(format!("a replica more on {on} serves more of it, and fits"));
                }
            }
        }
        None
    }

    fn in_full(&mut self, site: &Site<'_>) -> Option<String> {
        let (demand, server) = (site.demand_per_s(), site.server);
        let missing = demand * (1.0 - site.placement.served_share);
        if !self.matters(missing, demand) || server.min_types > 1 {
            return None;
        }
        let most = server.max_replicas.map_or(u64::MAX, u64::from);
        let (mut best, mut capped) = (None, true);
        let usable = (0..site.scenario.accelerators.len()).filter(|&a| site.may_use(a));
        for a in usable.collect::<Vec<_>>() {
            let Some(rate) = self.rate_per_s(site, a) else { continue };
            let needed = ((demand / rate).ceil() as u64).max(server.min_replicas.into());
            if needed > most {
                best = best.filter(|(_, other)| *other >= rate).or(Some((a, rate)));
                continue;
            }
            capped = false;
            if self.left.fits(site, a, needed, true) {
                let on = &site.scenario.accelerators[a].name;
                return Some(format!("{needed} replicas on {on} serve it in full, and fit"));
            }
        }
        let (a, _) = best.filter(|_| capped && most > 0 && site.placement.parts.is_empty())?;
        let on = &site.scenario.accelerators[a].name;
        let fits = self.left.fits(site, a, most, false);
        fits.then(|| format!("the {most} replicas that it may have fit on {on}"))
    }

    /// Whether a rate is more than what a solver's tolerance may leave unserved.
    fn matters(&self, rate_per_s: f64, demand_per_s: f64) -> bool {
        rate_per_s > TOO_LITTLE * self.demand_per_s
            && rate_per_s > TOO_LITTLE * self.servers * demand_per_s
    }

    /// What a replica on an accelerator is credited with, if it serves the server at all.
    fn rate_per_s(&mut self, site: &Site<'_>, accelerator: usize) -> Option<f64> {
        let own = site.placement.parts.iter().find(|part| part.accelerator == accelerator);
        if let Some(part) = own {
            return Some(part.credited_rate_per_s);
        }
        let profile = site.profile_on(accelerator)?;
        self.sizings = self.sizings.checked_sub(1)?;
        let station = site.station(profile);
        let mut targets = site.targets();
        targets.max_loss = site.sizing.max_loss;
        if site.sizing.reading == Reading::Engine {
            targets = targets.at_any_lower_rate();
        }
        let most = site.most_in_batch(profile).min(f64::from(MAX_BATCH)) as u32;
        let search = Search::of(site.server, profile, site.sizing);
        let sized = search.size(&station, most, &targets).ok()?;
        let most = Transfer::of(site.scenario, site.server, profile)?.most_per_s;
        let kept =
            broken(site, profile, sized.batch, sized.arrival_rate_per_s.min(most)).is_empty();
        let there = site.scenario.accelerators[accelerator].availability;
        kept.then_some(sized.throughput_per_s.min(most) * there)
    }

    /// Accelerators on which a server may have one replica more: where it stands, if it may not stand
    /// on several.
    fn open(&self, site: &Site<'_>) -> Vec<usize> {
        let stands = site.placement.parts.first().filter(|_| !self.mixed);
        let all = 0..site.scenario.accelerators.len();
        let open = |a: &usize| stands.is_none_or(|part| part.accelerator == *a) && site.may_use(*a);
        all.filter(open).collect()
    }
}
