//! What a plan costs by class and by model, by the hour and by the month, in a currency.

use crate::plan::Plan;
use crate::scenario::Scenario;

/// Hours of a month: a twelfth of 365 days.
pub const HOURS_A_MONTH: f64 = 730.0;

/// Money as it is shown. Prices of a scenario are in cents, hundredths of one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Currency {
    /// Name of the unit, e.g. `EUR`; none where nobody says.
    pub name: Option<String>,
    /// Units shown for 100 cents of the scenario.
    pub rate: f64,
}

impl Default for Currency {
    fn default() -> Self {
        Self { name: None, rate: 1.0 }
    }
}

impl Currency {
    /// Cents of the scenario in units.
    pub fn units(&self, cents: f64) -> f64 {
        cents / 100.0 * self.rate
    }

    /// The unit, in words.
    pub fn unit(&self) -> &str {
        self.name.as_deref().unwrap_or("hundreds of cents")
    }
}

/// A cost by the hour and what it is of.
#[derive(Debug, Clone, PartialEq)]
pub struct Share<'a> {
    /// Class or model.
    pub name: &'a str,
    /// Cents an hour.
    pub cents_per_h: f64,
}

/// What the servers of each class cost, in the order of the classes; classes without servers are left out.
pub fn by_class<'a>(scenario: &'a Scenario, plan: &Plan) -> Vec<Share<'a>> {
    let names = scenario.classes.iter().map(|class| class.name.as_str());
    shares(names, plan, |s| scenario.servers[s].whole().class)
}

/// The same of each model.
pub fn by_model<'a>(scenario: &'a Scenario, plan: &Plan) -> Vec<Share<'a>> {
    let names = scenario.models.iter().map(String::as_str);
    shares(names, plan, |s| scenario.servers[s].model)
}

fn shares<'a>(
    names: impl Iterator<Item = &'a str>,
    plan: &Plan,
    of: impl Fn(usize) -> usize,
) -> Vec<Share<'a>> {
    let mut shares: Vec<(Share<'a>, bool)> =
        names.map(|name| (Share { name, cents_per_h: 0.0 }, false)).collect();
    for (server, placement) in plan.placements.iter().enumerate() {
        let (share, is_asked) = &mut shares[of(server)];
        share.cents_per_h += placement.cost();
        *is_asked = true;
    }
    shares.into_iter().filter(|(_, is_asked)| *is_asked).map(|(share, _)| share).collect()
}
