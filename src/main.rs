//! isocost command line.
fn main() {}
