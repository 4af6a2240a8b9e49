//! A chain whose steps down are short: its stationary distribution, by elimination without subtraction.
//!
//! States are taken out from the highest on, each replaced by where it leads (Grassmann, Taksar and Heyman, Operations
//! Research 33, 1985). None leads down by more than the width of the band, so that what fills in stays within it.

/// Probabilities of steps from state to state, of which none leads down by more than a width.
pub(super) struct Band {
    width: usize,
    /// By state, those from `width` below it on.
    rows: Vec<Vec<f64>>,
}

impl Band {
    pub fn new(states: usize, width: usize) -> Self {
        Self { width, rows: vec![Vec::new(); states] }
    }

    /// States are counted from 1 on.
    pub fn add(&mut self, from: usize, to: usize, odds: f64) {
        let at = to + self.width - from;
        let row = &mut self.rows[from - 1];
        if row.len() <= at {
            row.resize(at + 1, 0.0);
        }
        row[at] += odds;
    }

    fn get(&self, from: usize, to: usize) -> f64 {
        self.rows[from - 1].get((to + self.width).wrapping_sub(from)).copied().unwrap_or(0.0)
    }

    /// The stationary distribution: states are taken out from the highest on, each replaced by where it leads.
    pub fn stationary(mut self) -> Vec<f64> {
        let states = self.rows.len();
        let reach = self.rows.iter().map(Vec::len).max().unwrap_or(1);
        let mut into: Vec<Vec<(usize, f64)>> = vec![Vec::new(); states + 1];
        for s in (2..=states).rev() {
            let low = s.saturating_sub(self.width).max(1);
            let down: Vec<f64> = (low..s).map(|to| self.get(s, to)).collect();
            let out: f64 = down.iter().sum();
            if out <= 0.0 {
                continue;
            }
            for from in s.saturating_sub(reach).max(1)..s {
                let odds = self.get(from, s) / out;
                if odds > 0.0 {
                    into[s].push((from, odds));
                    (low..s).zip(&down).for_each(|(to, p)| self.add(from, to, odds * p));
                }
            }
        }
        let mut shares = vec![0.0; states + 1];
        shares[1] = 1.0;
        for s in 2..=states {
            shares[s] = into[s].iter().map(|(from, odds)| shares[*from] * odds).sum();
        }
        let total: f64 = shares.iter().sum();
        shares.drain(..1);
        shares.iter_mut().for_each(|share| *share /= total);
        shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_with_one_server_falls_off_evenly() {
        // Up with 0.3, down with 0.6: shares fall by half from state to state.
        let mut band = Band::new(40, 1);
        for state in 1..=40 {
            band.add(state, (state + 1).min(40), 0.3);
            band.add(state, if state == 1 { 1 } else { state - 1 }, 0.6);
            band.add(state, state, 0.1);
        }
        let shares = band.stationary();
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for pair in shares.windows(2) {
            assert!((pair[1] / pair[0] - 0.5).abs() < 1e-9, "{pair:?}");
        }
    }
}
