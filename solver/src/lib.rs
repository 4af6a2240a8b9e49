//! isocost-solver
