//! What the replicas get adds up to what is served.

use super::site::Site;
use super::{Found, Rule, close};

pub(super) fn check(site: &Site<'_>, found: &mut Found) {
    let parts = site.placement.parts.iter();
    let sum: f64 = parts.map(|p| p.rate_per_s * p.replicas as f64).sum();
    let load = site.demand_per_s() * site.placement.served_share;
    found.unless(close(sum, load), Rule::Split, site.name(), || {
        format!("the replicas get {sum} requests/s of {load}")
    });
}
