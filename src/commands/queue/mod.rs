//! `isocost analyze` and `isocost size`: one replica, without any planning.

mod analyze;
mod cases;
mod compare;
mod plot;
mod replica;
mod size;

pub use analyze::run as analyze;
pub use replica::station;
pub use size::run as size;
