//! Patterns: whole replica mixes of one server.

use super::space::Space;
pub use isocost_model::plan::Shape;

/// A pattern `p` of a server: it covers the server's load.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    /// `c_p`, cents/h (or the change's value).
    pub cost: f64,
    /// `u_pk` for every limit `k` of the space.
    pub uses: Box<[f64]>,
    /// (index of item, replicas), by index.
    pub shares: Box<[(u32, u32)]>,
}

impl Pattern {
    /// The pattern of `shares` for server `s`.
    pub fn new(space: &Space<'_>, s: usize, mut shares: Vec<(u32, u32)>) -> Self {
        shares.sort_unstable();
        let (cost, uses) = space.weigh(s, &shares);
        Self { cost, uses, shares: shares.into_boxed_slice() }
    }

    /// `c_p + sum_k lambda_k u_pk`.
    pub fn price(&self, lambda: &[f64]) -> f64 {
        self.cost + self.uses.iter().zip(lambda).map(|(u, l)| u * l).sum::<f64>()
    }
}
