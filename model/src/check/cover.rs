//! The replicas cover the load, in full but for a shortage.

use super::site::Site;
use super::{Found, ROUNDING, Rule, close};

pub(super) fn check(site: &Site<'_>, found: &mut Found) {
    let (demand, planned) = (site.demand_per_s(), site.placement.demand_per_s);
    let share = site.placement.served_share;
    found.unless(close(demand, planned), Rule::Cover, site.name(), || {
        format!("planned for {planned} requests/s, {demand} arrive")
    });
    let whole = share >= 1.0 - ROUNDING || site.options.partial;
    found.unless(whole && share <= 1.0, Rule::Cover, site.name(), || {
        format!("a share of {share} is served")
    });
    if demand > 0.0 {
        let parts = site.placement.parts.iter();
        let credited: f64 = parts.map(|p| p.credited_rate_per_s * p.replicas as f64).sum();
        let wanted = demand * share * (1.0 - 2.0 * ROUNDING);
        found.unless(credited >= wanted, Rule::Cover, site.name(), || {
            format!("its replicas serve {credited} requests/s of {demand}")
        });
    }
}
