//! A prefill pool and a decode pool together keep what their server is held to.
//!
//! Limits up to the first and the last token are kept where those of the pools come to no more, and where no more
//! requests may miss one or the other than may miss the whole. Gaps between tokens are the decode pool's.

use super::site::Site;
use super::{Found, ROUNDING, Rule};
use crate::disaggregation::Role;
use crate::queue::{Objective, Objectives};
use crate::scenario::Server;

pub(super) fn check(site: &Site<'_>, sites: &[Site<'_>], found: &mut Found) {
    let Some(pool) = &site.server.pool else { return };
    let is_other = |other: &&Site<'_>| {
        let of = other.server.pool.as_ref().filter(|other| other.role != pool.role);
        of.is_some_and(|other| other.whole == pool.whole)
    };
    let Some(other) = sites.iter().find(is_other) else {
        found.unless(false, Rule::Pool, site.name(), || "it has no pool beside it".to_owned());
        return;
    };
    let (rate, of) = (&site.server.load.arrival_rate_per_min, &other.server.load);
    let same = (rate - of.arrival_rate_per_min).abs() <= ROUNDING * rate.abs();
    found.unless(same, Rule::Pool, site.name(), || {
        "it gets other requests than the pool beside it".to_owned()
    });
    if pool.role == Role::Decode {
        for what in broken(&whole(site, &pool.whole), &other.targets(), &site.targets()) {
            found.unless(false, Rule::Pool, &pool.whole.name, || what.clone());
        }
    }
}

/// What the server itself is held to.
fn whole(site: &Site<'_>, server: &Server) -> Objectives {
    Site { server, ..*site }.targets()
}

/// Limits of the whole that the pools' do not keep.
fn broken(whole: &Objectives, prefill: &Objectives, decode: &Objectives) -> Vec<String> {
    let ends = [
        ("time to first token", whole.ttft, prefill.ttft, decode.ttft),
        ("wait", whole.wait, prefill.wait, decode.wait),
        ("time to last token", whole.e2e, prefill.e2e, decode.e2e),
    ];
    let kept = |whole: Objective, prefill: Option<Objective>, decode: Option<Objective>| {
        let (Some(a), Some(b)) = (prefill, decode) else { return false };
        let within = a.limit_ms + b.limit_ms <= whole.limit_ms * (1.0 + ROUNDING);
        let missed = |o: Objective| o.percentile.map(|p| 100.0 - p);
        within
            && match (missed(whole), missed(a), missed(b)) {
                (None, None, None) => true,
                (Some(all), Some(a), Some(b)) => a + b <= all * (1.0 + ROUNDING),
                _ => false,
            }
    };
    let mut broken: Vec<String> = ends
        .into_iter()
        .filter(|(_, whole, a, b)| whole.is_some_and(|whole| !kept(whole, *a, *b)))
        .map(|(what, ..)| format!("its pools do not keep its limit of the {what}"))
        .collect();
    if whole.itl.is_some() && (decode.itl, decode.itl_over) != (whole.itl, whole.itl_over) {
        broken.push("its decode pool has another limit between tokens".to_owned());
    }
    broken
}
