//! Any text as a CSV of prices.
#![no_main]

use isocost_fuzz::QUICKSTART;
use isocost_model::input::prices_text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match prices_text(&QUICKSTART, "prices.csv", text) {
        Ok((prices, _)) => {
            let offers = prices.pools.iter().flat_map(|p| [p.reserved, p.on_demand]).flatten();
            offers.for_each(|price| assert!(price >= 0.0 && price.is_finite()));
        }
        Err(error) => assert!(!error.problems.is_empty()),
    }
});
