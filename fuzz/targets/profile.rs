//! Any text as loads over time; what stands below a line of `=` is the cards that exist then.
#![no_main]

use isocost_fuzz::QUICKSTART;
use isocost_model::input::profile_text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (loads, cards) = match text.split_once("\n=\n") {
        Some((loads, cards)) => (loads, Some(("cards.csv", cards))),
        None => (text, None),
    };
    match profile_text(&QUICKSTART, ("profile.csv", loads), cards) {
        Ok((profile, _)) => {
            assert!(!profile.periods.is_empty() && profile.hours().is_finite());
            for load in profile.periods.iter().flat_map(|p| &p.loads) {
                assert!(load.arrival_rate_per_min >= 0.0 && load.arrival_rate_per_min.is_finite());
            }
        }
        Err(error) => assert!(!error.problems.is_empty()),
    }
});
