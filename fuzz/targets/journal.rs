//! Any bytes as the journal of a sweep, and joined as its only part.
#![no_main]

use std::path::Path;

use isocost_experiments::journal::parse;
use isocost_experiments::sweep::merge::join;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok((header, records)) = parse(Path::new("journal.jsonl"), bytes) {
        let total = header.total;
        if let Ok(table) = join(vec![("shard".into(), header, records)]) {
            assert_eq!(table.rows.len(), total);
        }
    }
});
