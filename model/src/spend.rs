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

    /// The unit, in words; what it is where nobody says is said here alone.
    pub fn unit(&self) -> &str {
        self.name.as_deref().unwrap_or("x 100 cents")
    }

    /// What all costs of the scenario are in: `EUR cents/h`, or `cents/h` where nobody says whose cents
    /// they are, or the unit is another than that of the prices.
    pub fn per_hour(&self) -> String {
        match &self.name {
            Some(name) if self.rate == 1.0 => format!("{name} cents/h"),
            _ => "cents/h".to_owned(),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cents_are_named_where_it_is_known_whose_they_are() {
        let of = |name: &str, rate| Currency { name: Some(name.to_owned()), rate };
        assert_eq!(of("EUR", 1.0).per_hour(), "EUR cents/h");
        // Prices in cents of something else, shown in euros.
        assert_eq!(of("EUR", 0.9).per_hour(), "cents/h");
        assert_eq!(Currency::default().per_hour(), "cents/h");
        assert_eq!(of("EUR", 0.9).units(1000.0), 9.0);
    }
}
