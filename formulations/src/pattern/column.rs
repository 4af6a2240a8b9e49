//! Patterns: whole replica mixes of one server.

use crate::problem::Problem;

/// A pattern `p` of a server: it covers the server's load.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    /// `c_p`, cents/h (or the change's value).
    pub cost: f64,
    /// `u_pk` for every limit `k`.
    pub uses: Box<[f64]>,
    /// (index of item, replicas), by index.
    pub shares: Box<[(u32, u32)]>,
}

impl Pattern {
    /// The pattern of `shares` for a server whose items are `items`; `cost` is what it is charged.
    pub fn new(problem: &Problem, server: usize, shares: Vec<(u32, u32)>, cost: f64) -> Self {
        let items = problem.items(server);
        let mut uses = vec![0.0; problem.limits.len()].into_boxed_slice();
        for &(j, n) in &shares {
            for &(k, amount) in &items[j as usize].uses {
                uses[k] += amount * f64::from(n);
            }
        }
        Self { cost, uses, shares: shares.into_boxed_slice() }
    }

    /// `c_p + sum_k lambda_k u_pk`.
    pub fn price(&self, lambda: &[f64]) -> f64 {
        self.cost + self.uses.iter().zip(lambda).map(|(u, l)| u * l).sum::<f64>()
    }
}

/// Which patterns a server may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// All replicas on one item.
    Single,
    /// Any mix.
    Mixed,
}
