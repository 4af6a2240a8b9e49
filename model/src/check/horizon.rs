//! The checker of horizons: proves a plan anew, period by period, from the scenario, the profile and
//! the prices alone.
//!
//! Every period's placements go through [`crate::check`] under the period's loads. What is in use of
//! each pool is counted a second time from the replicas, and the cost is summed a second time from
//! what is reserved and rented.

use super::proof::{bounded, closed};
use super::{CheckOptions, Found, ROUNDING, Rule, Violation, check};
use crate::candidates::SizingOptions;
use crate::horizon::{HorizonPlan, PeriodPlan, Pool, Prices, Profile};
use crate::scenario::Scenario;

/// Every rule that `plan` breaks; none if it may be carried out.
pub fn check_horizon(
    scenario: &Scenario,
    sizing: &SizingOptions,
    profile: &Profile,
    prices: &Prices,
    unlimited: bool,
    plan: &HorizonPlan,
) -> Vec<Violation> {
    let mut found = Found(Vec::new());
    if !plan.has_plan() {
        found.unless(plan.periods.is_empty(), Rule::Complete, "horizon", || {
            "there are periods without a plan".to_owned()
        });
        return found.0;
    }
    bounded("horizon", plan.cost, plan.bound, plan.cost.abs(), &mut found);
    closed("horizon", plan.status, plan.cost, plan.bound, &mut found);
    let counts = (plan.periods.len(), plan.reserved.len());
    if counts != (profile.periods.len(), prices.pools.len()) {
        found.unless(false, Rule::Complete, "horizon", || "periods or pools are missing".into());
        return found.0;
    }
    reserved(scenario, prices, plan, &mut found);
    for (h, planned) in plan.periods.iter().enumerate() {
        let then = profile.scenario(scenario, h);
        let name = profile.periods[h].name.as_str();
        let at = Place { scenario: &then, prices, unlimited, name, planned };
        let options = CheckOptions { unlimited, ..CheckOptions::default() };
        for violation in check(&then, sizing, &options, &planned.plan) {
            let Violation { rule, place, what } = violation;
            found.unless(false, rule, at.name, || format!("{place}: {what}"));
        }
        if planned.rented.len() == prices.pools.len() {
            at.pools(&plan.reserved, &mut found);
            at.capacity(&plan.reserved, &mut found);
            at.running(&mut found);
        } else {
            found.unless(false, Rule::Complete, at.name, || "pools are missing".into());
        }
    }
    cost(profile, prices, plan, &mut found);
    found.0
}

fn reserved(scenario: &Scenario, prices: &Prices, plan: &HorizonPlan, found: &mut Found) {
    for (pool, &units) in prices.pools.iter().zip(&plan.reserved) {
        let may = units == 0 || pool.reserved.is_some();
        found.unless(may, Rule::Capacity, pool.name(scenario), || {
            format!("{units} reserved, none can be")
        });
    }
}

/// Cards of each type that `reserved` and `rented` units hold.
fn held_by_type(
    scenario: &Scenario,
    prices: &Prices,
    reserved: &[u64],
    rented: &[u64],
) -> Vec<u64> {
    let mut held = vec![0; scenario.card_types.len()];
    for ((pool, r), d) in prices.pools.iter().zip(reserved).zip(rented) {
        held[pool.card_type(scenario)] += pool.cards(scenario) * (r + d);
    }
    held
}

/// One period with what is planned for it.
struct Place<'a> {
    scenario: &'a Scenario,
    prices: &'a Prices,
    unlimited: bool,
    name: &'a str,
    planned: &'a PeriodPlan,
}

impl Place<'_> {
    /// Units of a pool that the replicas take, counted anew by their cards.
    fn used(&self, pool: &Pool) -> u64 {
        let parts = self.planned.plan.placements.iter().flat_map(|p| &p.parts);
        let own = parts.filter(|part| pool.holds(self.scenario, part.accelerator));
        own.map(|part| part.cards).sum::<u64>().div_ceil(pool.cards(self.scenario))
    }

    fn pools(&self, reserved: &[u64], found: &mut Found) {
        for ((pool, &r), rented) in self.prices.pools.iter().zip(reserved).zip(&self.planned.rented)
        {
            let name = pool.name(self.scenario);
            let used = self.used(pool);
            found.unless(used == rented.used, Rule::Cards, self.name, || {
                format!("{} units of {name} are said to be in use, {used} are", rented.used)
            });
            let held = r + rented.on_demand + rented.spot;
            found.unless(used <= held, Rule::Cards, self.name, || {
                format!("{used} units of {name} are in use, {held} are held")
            });
            let on_demand = rented.on_demand == 0 || pool.on_demand.is_some();
            found.unless(on_demand, Rule::Capacity, self.name, || {
                format!("{name} cannot be had on demand")
            });
            let spot = match pool.spot {
                None => rented.spot == 0,
                Some(spot) => spot.most.is_none_or(|most| rented.spot <= most),
            };
            found.unless(spot, Rule::Capacity, self.name, || {
                format!("{} spot units of {name}", rented.spot)
            });
        }
    }

    fn capacity(&self, reserved: &[u64], found: &mut Found) {
        let rented: Vec<u64> = self.planned.rented.iter().map(|r| r.on_demand + r.spot).collect();
        let held = held_by_type(self.scenario, self.prices, reserved, &rented);
        for (card, held) in self.scenario.card_types.iter().zip(held) {
            let within = self.unlimited || card.available().is_none_or(|most| held <= most);
            found.unless(within, Rule::Capacity, self.name, || {
                format!("{held} cards of {} are held, more than exist", card.name)
            });
        }
    }

    /// What replicas cost beyond the rent of their accelerators and the nodes that they are in is energy.
    fn running(&self, found: &mut Found) {
        let nodes = self.planned.plan.nodes.iter().map(|filled| {
            let price = self.scenario.nodes[filled.node].price_cents_per_h.unwrap_or(0.0);
            price * filled.nodes() as f64
        });
        let parts = self.planned.plan.placements.iter().flat_map(|p| &p.parts);
        let energy: f64 = parts
            .map(|part| {
                let unit = &self.scenario.accelerators[part.accelerator];
                let units = part.cards as f64 / f64::from(unit.multiplicity);
                let by_node = self.scenario.is_paid_by_node(unit.card_type);
                part.cost - if by_node { 0.0 } else { units * unit.cost_cents_per_h }
            })
            .sum();
        let energy = energy - nodes.sum::<f64>();
        let said = self.planned.running_cents_per_h;
        let scale = self.planned.plan.total_cost.max(1.0);
        found.unless((energy - said).abs() <= ROUNDING * scale, Rule::Cost, self.name, || {
            format!("energy costs {energy} cents/h, {said} are planned for")
        });
    }
}

/// The cost, summed anew.
fn cost(profile: &Profile, prices: &Prices, plan: &HorizonPlan, found: &mut Found) {
    let mut total = 0.0;
    for (pool, &units) in prices.pools.iter().zip(&plan.reserved) {
        total += pool.reserved.unwrap_or(0.0) * units as f64 * profile.hours();
    }
    for (period, planned) in profile.periods.iter().zip(&plan.periods) {
        let rent: f64 = prices
            .pools
            .iter()
            .zip(&planned.rented)
            .map(|(pool, rented)| {
                pool.on_demand.unwrap_or(0.0) * rented.on_demand as f64
                    + pool.spot.map_or(0.0, |s| s.price / s.availability) * rented.spot as f64
            })
            .sum();
        total += (rent + planned.running_cents_per_h) * period.hours;
    }
    found.unless(
        (total - plan.cost).abs() <= ROUNDING * total.max(1.0),
        Rule::Cost,
        "horizon",
        || format!("the cost is said to be {}, it sums to {total}", plan.cost),
    );
}
