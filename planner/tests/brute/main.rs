//! Every rule at once against trying everything: tiny problems at random, each solved by every
//! method and backend, directly and the whole way from a scenario to a checked plan.
//!
//! What is right is said by [`rules`], which shares no code with the crate and is short enough to be
//! read as the specification. [`case`](mod@case) holds a problem in whole numbers and turns it into
//! what the crate takes; [`draw`] draws one from a seed; [`shrink`] makes a failing one small, so
//! that what is printed can be pasted into [`regressions`].
//!
//! `ISOCOST_CASES` says how many are drawn, `ISOCOST_SEED` from which seed on; a failure names its own.
//! `scripts/test --long` draws a million in a release build.

mod case;
mod draw;
mod near_ties;
mod nodes;
mod problems;
mod proofs;
mod regressions;
mod rules;
mod run;
mod scenarios;
mod shortage;
mod shrink;
