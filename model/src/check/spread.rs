//! The replicas of a server are spread over enough card types.

use super::site::Site;
use super::{Found, Rule};

pub(super) fn check(site: &Site<'_>, found: &mut Found) {
    let parts = site.placement.parts.iter();
    let accelerators = &site.scenario.accelerators;
    let types = parts.filter_map(|p| accelerators.get(p.accelerator)).map(|a| a.card_type);
    let mut types: Vec<usize> = types.collect();
    types.sort_unstable();
    types.dedup();
    let (has, least) = (types.len(), site.server.min_types as usize);
    // Without load and without replicas asked for there is nothing to spread.
    let idle = site.demand_per_s() == 0.0 && site.server.min_replicas == 0;
    let spread = has >= least || idle || site.options.partial;
    found.unless(spread, Rule::Spread, site.name(), || format!("on {has} card types of {least}"));
}
