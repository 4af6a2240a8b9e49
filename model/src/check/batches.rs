//! Every batch size is within the pair's limit.

use super::site::Site;
use super::{Found, Rule};

pub(super) fn check(site: &Site<'_>, found: &mut Found) {
    for part in &site.placement.parts {
        let Some(profile) = site.profile(part) else { continue };
        let (batch, most) = (f64::from(part.batch), site.most_in_batch(profile));
        found.unless(batch >= 1.0 && batch <= most, Rule::Batch, site.name(), || {
            format!("batch size {batch} is outside 1 to {most}")
        });
    }
}
