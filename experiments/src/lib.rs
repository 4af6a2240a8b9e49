//! isocost-experiments
