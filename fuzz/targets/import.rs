//! Any text as fleets of other tools: what comes out is a scenario, or requests by size.
#![no_main]

use isocost_model::import::{Assume, import_texts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for name in ["fleet", "fleet.yaml", "fleet.json"] {
        let texts = [(name.to_owned(), text.to_owned())];
        match import_texts(&texts, &Assume::default()) {
            Ok(imported) => assert!(!imported.text.is_empty() && !imported.assumed.is_empty()),
            Err(error) => assert!(!error.problems.is_empty()),
        }
    }
});
