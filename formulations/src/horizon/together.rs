//! One program over all periods, for horizons of few of them, and where the search starts.
//!
//! At the root's optimum each period has a mean of multipliers, weighted by the duals of its cuts in the
//! master. Their sum balances what is reserved, so that a choice with a pattern of reduced cost `d` in
//! period `h` costs at least the root's bound and `w_h d`: patterns beyond a width are left out, and
//! the bound says so.

use isocost_solver::{Column, Milp, Row, SolveOptions, SolverError};

use super::WIDTHS;
use super::core::{self, Reserve};
use super::relaxation::{Multipliers, Relaxed};
use super::search::{Node, Search};

impl Search<'_> {
    /// A first plan: the periods at the root's reservations, rounded.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn start(&mut self, root: &[f64]) -> Result<(), SolverError> {
        let mut point: Vec<f64> = root.iter().map(|r| r.round()).collect();
        self.keep_cards(&mut point);
        let (relaxed, _) = self.cut_at(&point)?;
        self.evaluate(&point, &relaxed)
    }

    /// Takes reservations back where they are more than there are cards.
    fn keep_cards(&self, point: &mut [f64]) {
        let pools = &self.horizon.pools;
        let types = self.horizon.periods.first().map_or(0, |p| p.cards.len());
        for t in 0..types {
            let cards = self.horizon.periods.iter().map(|p| p.cards[t]);
            let cards = cards.fold(f64::INFINITY, f64::min);
            let mut held: f64 = (0..pools.len())
                .filter(|&r| pools[r].card_type == t)
                .map(|r| point[r] * pools[r].cards as f64)
                .sum();
            for r in (0..pools.len()).filter(|&r| pools[r].card_type == t) {
                while held > cards && point[r] > 0.0 {
                    point[r] -= 1.0;
                    held -= pools[r].cards as f64;
                }
            }
        }
    }

    /// Programs over all periods, of patterns up to a growing reduced cost.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn together(&mut self, root: &[f64]) -> Result<(), SolverError> {
        let Some((base, at)) = self.balanced()? else { return Ok(()) };
        let (periods, spans) =
            (&self.horizon.periods, (0..self.horizon.periods.len()).collect::<Vec<_>>());
        let none = vec![0; self.horizon.pools.len()];
        let scale = base.abs().max(root.len() as f64);
        for width in WIDTHS.iter().map(|w| w * scale).chain([f64::INFINITY]) {
            let gap = self.best.as_ref().map_or(f64::INFINITY, |b| b.cost - base);
            let width = width.min(gap.max(0.0));
            let offers: Vec<Vec<core::Offer>> = spans
                .iter()
                .map(|&h| core::offers(&periods[h], self.shape, &at[h], width / periods[h].hours))
                .collect();
            let options = self.watch.slice();
            let solved = core::solve(
                self.horizon,
                &spans,
                &offers,
                Reserve::From(&none),
                self.backend,
                &options,
            )?;
            if let Some((reserved, chosen)) = solved.found {
                self.offer(reserved, chosen);
            }
            self.raise_bound(solved.bound.min(base + width));
            let proven = self.bound >= self.target();
            if proven || width >= gap || self.watch.is_over() {
                break;
            }
        }
        Ok(())
    }

    /// The bound of the periods' mean multipliers, cents, and what they say of each period.
    fn balanced(&mut self) -> Result<Option<(f64, Vec<Relaxed>)>, SolverError> {
        let mut node = self.everything();
        if self.lowest(&mut node)?.is_none() {
            return Ok(None);
        }
        let Some(duals) = self.master_duals(&node)? else { return Ok(None) };
        let mut at = Vec::new();
        for (h, relaxation) in self.relaxations.iter().enumerate() {
            let own = node.cuts.iter().zip(&duals).filter(|((of, _), y)| *of == h && **y > 0.0);
            let parts = own.map(|(&(_, i), &y)| (y, &self.cuts[h][i].1));
            let Some(mean) = Multipliers::mean(parts) else { return Ok(None) };
            let Some(relaxed) = relaxation.priced(mean) else { return Ok(None) };
            at.push(relaxed);
        }
        let fixed: f64 =
            at.iter().zip(&self.horizon.periods).map(|(a, p)| a.cut.fixed * p.hours).sum();
        let reserved = self.horizon.pools.iter().enumerate().map(|(r, pool)| {
            let saved: f64 =
                at.iter().zip(&self.horizon.periods).map(|(a, p)| a.cut.slope[r] * p.hours).sum();
            (pool.reserve.unwrap_or(0.0) - saved).min(0.0) * pool.most as f64
        });
        Ok(Some((fixed + reserved.sum::<f64>(), at)))
    }

    /// Duals of the node's cuts in the master over the whole box.
    fn master_duals(&self, node: &Node) -> Result<Option<Vec<f64>>, SolverError> {
        let pools = &self.horizon.pools;
        let mut milp = Milp::default();
        for pool in pools {
            let price = pool.reserve.unwrap_or(0.0);
            milp.add_column(Column::continuous("", price, 0.0, f64::INFINITY));
        }
        for span in &self.horizon.periods {
            milp.add_column(Column::continuous("", span.hours, 0.0, f64::INFINITY));
        }
        for &(h, i) in &node.cuts {
            let cut = &self.cuts[h][i].0;
            let slopes = cut.slope.iter().enumerate().filter(|b| *b.1 != 0.0);
            let terms = slopes.map(|(r, b)| (r, *b)).chain([(pools.len() + h, 1.0)]).collect();
            milp.add_row(Row::at_least("", cut.fixed, terms));
        }
        for (r, &most) in node.high.iter().enumerate() {
            milp.add_row(Row::at_most("", most, vec![(r, 1.0)]));
        }
        let relaxation = self.backend.master(&milp)?.solve()?;
        Ok(relaxation.map(|r| r.row_duals[..node.cuts.len()].to_vec()))
    }

    /// Period `h` has no plan at `reserved`: with more reserved it may have one, or it never has.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn without_plan(&mut self, h: usize, reserved: &[u64]) -> Result<(), SolverError> {
        if self.horizon.pools.iter().any(|p| p.on_demand.is_none())
            && let Some(more) = self.fewest(h, reserved)?.0
        {
            let point: Vec<f64> = more.iter().map(|r| *r as f64).collect();
            let (relaxed, _) = self.cut_at(&point)?;
            return self.evaluate(&point, &relaxed);
        }
        if self.is_hopeless(h)? {
            self.hopeless.push(h);
        }
        Ok(())
    }

    /// Whether no plan serves period `h`, whatever is reserved.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn is_hopeless(&self, h: usize) -> Result<bool, SolverError> {
        let none = vec![0; self.horizon.pools.len()];
        Ok(self.fewest(h, &none)?.1)
    }

    /// Reservations of at least `least` that have a plan for period `h`, and whether there are none.
    fn fewest(&self, h: usize, least: &[u64]) -> Result<(Option<Vec<u64>>, bool), SolverError> {
        let span = &self.horizon.periods[h];
        let limits = span.problem.limits.len();
        let free = Relaxed::free(
            limits,
            span.cards.len(),
            self.horizon.pools.len(),
            span.problem.servers.len(),
        );
        let offers = core::offers(span, self.shape, &free, f64::INFINITY);
        // A plan that is not far off will do.
        let options = SolveOptions { relative_gap: 0.02, ..self.watch.options() };
        let solved = core::solve(
            self.horizon,
            &[h],
            &[offers],
            Reserve::From(least),
            self.backend,
            &options,
        )?;
        let none = solved.found.is_none() && solved.bound == f64::INFINITY;
        Ok((solved.found.map(|f| f.0), none))
    }

    /// Every period that no plan serves.
    ///
    /// # Errors
    /// A failure of the backend.
    pub fn all_hopeless(&self) -> Result<Vec<usize>, SolverError> {
        let mut all = Vec::new();
        for h in 0..self.horizon.periods.len() {
            if self.hopeless.contains(&h) || self.is_hopeless(h)? {
                all.push(h);
            }
        }
        Ok(all)
    }
}
