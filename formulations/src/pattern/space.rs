//! The space of patterns: which mixes a server may have, and what they cost and take.
//!
//! ```text
//! c_p = sum_j c_j n_pj                                           the cost, or, with transition,
//!     = sum_j c_j n_pj (1 + 0.1 [j off now]) + 0.1 old [now not in p] - old
//! u_pk = sum_j u_jk n_pj                                         for cards and watts
//! u_pm = [p has a replica off now]                               for the limit on moves
//! ```
//!
//! Spread over card types, the change's value and moves are all properties of one server's pattern;
//! of them only the number of moves couples servers, as one more limit.

use super::column::Shape;
use crate::problem::{Item, MOVE_PENALTY, Needs, Problem, ProblemOptions};

/// The patterns of a problem.
#[derive(Debug, Clone)]
pub struct Space<'a> {
    /// The problem.
    pub problem: &'a Problem,
    /// Which mixes count.
    pub shape: Shape,
    /// What there is of each limit: those of the problem, then the moves where they are limited.
    pub capacity: Vec<f64>,
    options: ProblemOptions,
    /// 1, or 0 to look at what patterns take alone.
    cost_weight: f64,
}

/// What a server is charged besides its replicas.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Charges {
    /// Index of the item on the accelerator where the server runs now.
    pub now: Option<u32>,
    /// Charged in any case, cents/h.
    pub base: f64,
    /// Charged where no replica is on `now`, cents/h.
    pub give_up: f64,
    /// Factor on the cost of replicas off `now`.
    pub factor: f64,
    /// Index of the limit that a replica off `now` takes one of.
    pub moves: Option<usize>,
}

impl<'a> Space<'a> {
    /// The patterns of `problem` for what `options` ask.
    pub fn new(problem: &'a Problem, shape: Shape, options: &ProblemOptions) -> Self {
        let mut capacity: Vec<f64> = problem.limits.iter().map(|l| l.capacity).collect();
        capacity.extend(options.max_moves.map(|most| most as f64));
        Self { problem, shape, capacity, options: *options, cost_weight: 1.0 }
    }

    /// The same patterns, free of charge: what is left is how much of the limits they take.
    pub fn free(&self) -> Self {
        Self { cost_weight: 0.0, ..self.clone() }
    }

    /// Whether the change's value is minimised.
    pub fn is_transition(&self) -> bool {
        self.options.transition
    }

    /// What is asked besides the problem's numbers.
    pub fn options(&self) -> &ProblemOptions {
        &self.options
    }

    /// What server `s` needs.
    pub fn needs(&self, s: usize) -> &'a Needs {
        &self.problem.servers[s]
    }

    /// What server `s` chooses from.
    pub fn items(&self, s: usize) -> &'a [Item] {
        self.problem.items(s)
    }

    /// What server `s` is charged besides its replicas.
    pub fn charges(&self, s: usize) -> Charges {
        let nothing = Charges { factor: self.cost_weight, ..Charges::default() };
        let Some((accelerator, old)) = self.needs(s).current else { return nothing };
        let now = self.items(s).iter().position(|item| item.accelerator == accelerator);
        let now = now.map(|j| j as u32);
        let moves = self.options.max_moves.map(|_| self.problem.limits.len());
        if !self.options.transition {
            return Charges { now, moves, ..nothing };
        }
        let old = self.cost_weight * old;
        let idle = self.needs(s).is_idle();
        Charges {
            now,
            base: -old,
            give_up: if idle { 0.0 } else { MOVE_PENALTY * old },
            factor: self.cost_weight * (1.0 + MOVE_PENALTY),
            moves,
        }
    }

    /// Whether a replica takes no more than there is.
    pub fn fits(&self, item: &Item) -> bool {
        item.uses.iter().all(|&(k, u)| u <= self.capacity[k].max(0.0) * (1.0 + 1e-12))
    }

    /// Cost of a replica of each item of server `s` at prices `lambda` of the limits, cents/h.
    pub fn prices(&self, s: usize, charges: &Charges, lambda: &[f64]) -> Vec<f64> {
        let price = |(j, item): (usize, &Item)| {
            let uses: f64 = item.uses.iter().map(|&(k, amount)| amount * lambda[k]).sum();
            item.cost * self.factor(charges, j as u32) + uses
        };
        self.items(s).iter().enumerate().map(price).collect()
    }

    fn factor(&self, charges: &Charges, j: u32) -> f64 {
        if charges.now == Some(j) { self.cost_weight } else { charges.factor }
    }

    /// Cost and uses of the mix `shares`, (index of item, replicas).
    pub fn weigh(&self, s: usize, shares: &[(u32, u32)]) -> (f64, Box<[f64]>) {
        let (items, charges) = (self.items(s), self.charges(s));
        let mut uses = vec![0.0; self.capacity.len()].into_boxed_slice();
        let mut cost = charges.base;
        for &(j, n) in shares {
            let item = &items[j as usize];
            cost += item.cost * self.factor(&charges, j) * f64::from(n);
            item.uses.iter().for_each(|&(k, amount)| uses[k] += amount * f64::from(n));
        }
        let is_now = |share: &(u32, u32)| charges.now == Some(share.0);
        if !shares.iter().any(is_now) {
            cost += charges.give_up;
        }
        if let Some(k) = charges.moves.filter(|_| !shares.iter().all(is_now)) {
            uses[k] = 1.0;
        }
        (cost, uses)
    }

    /// Thousandths of a cent that every plan's cost is a multiple of: the greatest common divisor of
    /// what can be charged; 0 where some charge is no hundredth of a cent. A charge within 1e-12 of itself
    /// of a hundredth is that hundredth.
    pub fn grain(&self) -> u64 {
        let mut divisor = 0_u64;
        let mut take = |cents: f64, in_thousandths: &[u64]| {
            let hundredths = cents * 100.0;
            let whole = hundredths.round();
            let coarse = (hundredths - whole).abs() <= 1e-12 * whole && whole <= 1e13;
            if coarse {
                in_thousandths.iter().for_each(|m| divisor = gcd(divisor, m * whole as u64));
            }
            coarse
        };
        // The penalty is a tenth, so that a moved replica costs eleven tenths of its price.
        let (replica, old): (&[u64], &[u64]) = match self.options.transition {
            true => (&[10, 11], &[10, 1]),
            false => (&[10], &[]),
        };
        let mut items = self.problem.groups.iter().flatten();
        let mut servers = self.problem.servers.iter().filter_map(|needs| needs.current);
        let coarse = items.all(|item| take(item.cost, replica))
            && (!self.options.transition || servers.all(|(_, cost)| take(cost, old)));
        if coarse { divisor } else { 0 }
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
