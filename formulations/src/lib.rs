//! isocost-formulations
