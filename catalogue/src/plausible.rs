//! Prices that are hardly meant: dollars where cents belong, or cents taken a hundredfold.

use isocost_model::Scenario;
use isocost_model::input::reading::figure;

use crate::catalogue::{CURRENCY, Catalogue};

/// Prices so many times under or over the median of those that are known are in another unit: rebates, old cards
/// and spot prices stay within.
const TIMES: f64 = 20.0;

/// Currencies whose unit is worth about that of the catalogue's prices: in others they say nothing.
const ALIKE: [&str; 8] = [CURRENCY, "EUR", "GBP", "CHF", "CAD", "AUD", "SGD", "NZD"];

/// What is odd about the prices of cards that the catalogue knows, each with what to do.
pub fn odd_prices(scenario: &Scenario, catalogue: &Catalogue) -> Vec<String> {
    let mut odd = Vec::new();
    let currency = scenario.currency.name.as_deref().unwrap_or(CURRENCY);
    if !ALIKE.iter().any(|alike| alike.eq_ignore_ascii_case(currency)) {
        return odd;
    }
    for accelerator in &scenario.accelerators {
        let type_name = &scenario.card_types[accelerator.card_type].name;
        let Ok(card) = catalogue.card(type_name).or_else(|_| catalogue.card(&accelerator.name))
        else {
            continue;
        };
        let mut known: Vec<f64> = card.prices.iter().map(|price| price.cents_per_h).collect();
        known.sort_by(f64::total_cmp);
        let Some(&median) = known.get(known.len() / 2) else { continue };
        let cents = accelerator.cost_cents_per_h / f64::from(accelerator.multiplicity);
        let is_odd = cents > 0.0 && (cents * TIMES < median || cents > median * TIMES);
        if is_odd {
            let [cents, median] = [cents, median].map(figure);
            let name = &accelerator.name;
            odd.push(format!(
                "accelerator `{name}`, cost: a card costs {cents} cents/h, and a {} is sold for about {median}; cost is in \
                 cents an hour: 100 of them are 1 {currency}",
                card.name
            ));
        }
    }
    odd
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use isocost_model::input::load;

    use super::*;

    #[test]
    fn dollars_are_told_and_true_prices_are_not() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let catalogue = Catalogue::builtin();
        let scenarios = [
            "data/quickstart",
            "data/fleet-27",
            "data/nodes.yaml",
            "../shared/reference/small",
            "../shared/reference/large",
        ];
        for name in scenarios {
            let path = root.join(name);
            if !path.exists() {
                eprintln!("{name} is not here: skipped");
                continue;
            }
            let scenario = load(&path).expect("sound").scenario;
            assert_eq!(odd_prices(&scenario, &catalogue), Vec::<String>::new(), "{name}");
        }
        let mut scenario = load(&root.join("data/quickstart")).expect("sound").scenario;
        let all = scenario.accelerators.len();
        for factor in [0.01, 100.0] {
            let mut wrong = scenario.clone();
            wrong.accelerators.iter_mut().for_each(|a| a.cost_cents_per_h *= factor);
            assert_eq!(odd_prices(&wrong, &catalogue).len(), all, "x {factor}");
            wrong.currency.name = Some("eur".to_owned());
            let told = odd_prices(&wrong, &catalogue);
            assert!(told.len() == all && told[0].ends_with("1 eur"), "x {factor}: {told:?}");
            wrong.currency.name = Some("KRW".to_owned());
            assert!(odd_prices(&wrong, &catalogue).is_empty(), "won are worth less");
        }
        scenario.accelerators.iter_mut().for_each(|a| a.cost_cents_per_h = 0.0);
        assert!(odd_prices(&scenario, &catalogue).is_empty(), "what is owned may cost nothing");
    }
}
