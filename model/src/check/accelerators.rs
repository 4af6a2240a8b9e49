//! Every part stands on an accelerator that exists, runs the model, and is open to the server.

use super::site::Site;
use super::{Found, Rule};

pub(super) fn check(site: &Site<'_>, found: &mut Found) {
    for part in &site.placement.parts {
        let Some(accelerator) = site.scenario.accelerators.get(part.accelerator) else {
            found.unless(false, Rule::Accelerator, site.name(), || "it does not exist".to_owned());
            continue;
        };
        found.unless(site.may_use(part.accelerator), Rule::Accelerator, site.name(), || {
            format!("it may not use {}", accelerator.name)
        });
        found.unless(site.profile(part).is_some(), Rule::Accelerator, site.name(), || {
            format!("its model has no profile on {}", accelerator.name)
        });
    }
}
