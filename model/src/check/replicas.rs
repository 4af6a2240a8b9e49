//! A server has neither fewer nor more replicas than it may have, and none that it has no use for.

use super::site::Site;
use super::{Found, Rule};

pub(super) fn check(site: &Site<'_>, found: &mut Found) {
    let (server, n) = (site.server, site.placement.replicas());
    // Under shortage the floor is a matter of what cards are left over.
    let enough = n >= u64::from(server.min_replicas) || site.options.partial;
    found.unless(enough, Rule::Replicas, site.name(), || {
        format!("{n} replicas, at least {} are asked for", server.min_replicas)
    });
    let most = server.max_replicas.map(u64::from);
    found.unless(most.is_none_or(|most| n <= most), Rule::Replicas, site.name(), || {
        format!("{n} replicas are more than it may have")
    });
    let idle = site.demand_per_s() == 0.0;
    let spread = if server.min_replicas > 0 { server.min_types } else { 0 };
    let least = u64::from(server.min_replicas).max(u64::from(spread));
    found.unless(!idle || n <= least, Rule::Replicas, site.name(), || {
        format!("{n} replicas without load, {least} would do")
    });
    let empty = site.placement.parts.iter().any(|p| p.replicas == 0);
    found.unless(!empty, Rule::Replicas, site.name(), || "a part has no replica".to_owned());
}
