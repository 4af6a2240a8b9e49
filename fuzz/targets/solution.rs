//! Any text as an outside solver's solution file.
#![no_main]

use std::sync::LazyLock;

use isocost_solver::{Column, Milp, Row, read_solution};
use libfuzzer_sys::fuzz_target;

static PROGRAM: LazyLock<Milp> = LazyLock::new(|| {
    let mut milp = Milp { name: "small".to_owned(), ..Milp::default() };
    let columns: Vec<usize> = ["y_0_0", "y_0_1", "y_1_0"]
        .map(|name| milp.add_column(Column::integer(name, 3.0, 0.0, 1.0)))
        .to_vec();
    milp.add_row(Row::at_most("A100", 2.0, columns.iter().map(|&c| (c, 1.0)).collect()));
    milp
});

fuzz_target!(|text: &str| {
    if let Ok(values) = read_solution(text, &PROGRAM) {
        assert_eq!(values.len(), PROGRAM.columns.len());
        assert!(!PROGRAM.max_violation(&values).is_sign_negative());
    }
});
