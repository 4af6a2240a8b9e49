//! isocost-model
