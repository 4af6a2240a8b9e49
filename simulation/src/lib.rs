//! isocost-simulation
