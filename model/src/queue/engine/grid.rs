//! A distribution of a time on a grid: uniform parts are put on it, exponential times are added.

use super::times::Mixture;

/// Cells of a grid.
const CELLS: usize = 512;

/// A density over `0..top`, in cells of one width; what lies beyond is in the last.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    width: f64,
    /// Changes of the density from cell to cell until [`Grid::settle`], then masses of the cells.
    cells: Vec<f64>,
}

impl Mixture for Grid {
    fn add(&mut self, from: f64, length: f64, mass: f64) {
        // A point is as wide as a cell.
        let length = (length / self.width).max(1.0);
        let from = from / self.width;
        self.change(from, mass / length);
        self.change(from + length, -mass / length);
    }

    /// [`Grid::delay`] adds waits, when all that waits is on the grid.
    fn wait(&mut self, _: f64) {}
}

impl Grid {
    pub fn new(top: f64) -> Self {
        Self { width: top / CELLS as f64, cells: vec![0.0; CELLS + 2] }
    }

    fn change(&mut self, at: f64, by: f64) {
        let at = at.min(CELLS as f64);
        let cell = at as usize;
        let part = at - cell as f64;
        self.cells[cell] += by * (1.0 - part);
        self.cells[cell + 1] += by * part;
    }

    /// Turns changes of the density into masses.
    pub fn settle(&mut self) {
        let mut density = 0.0;
        for cell in &mut self.cells {
            density += *cell;
            *cell = density;
        }
    }

    /// Adds, with probability `odds`, an exponential time of that mean.
    pub fn delay(&mut self, odds: f64, mean: f64) {
        let keep = (-self.width / mean.max(self.width * 1e-3)).exp();
        let mut carried = 0.0;
        for cell in &mut self.cells {
            carried = carried * keep + *cell * odds * (1.0 - keep);
            *cell = *cell * (1.0 - odds) + carried;
        }
    }

    /// The time that `share` of the mass, of 1 in all, does not exceed.
    pub fn quantile(&self, share: f64) -> f64 {
        let mut left = share;
        for (i, cell) in self.cells.iter().enumerate() {
            if *cell >= left && *cell > 0.0 {
                return self.width * (i as f64 + left / cell);
            }
            left -= cell;
        }
        self.width * CELLS as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniform_and_exponential_times_add_up() {
        let mut grid = Grid::new(60.0);
        grid.add(2.0, 4.0, 1.0);
        grid.settle();
        assert!((grid.quantile(0.5) - 4.0).abs() < 0.07, "{}", grid.quantile(0.5));
        grid.delay(0.3, 5.0);
        // P(X > x) far out: 0.3 e^(-(x - 2)/5) (e^(4/5) - 1) / (4/5).
        let far = 2.0 + 5.0 * (0.3 * (0.8_f64.exp() - 1.0) / 0.8 / 0.01).ln();
        assert!((grid.quantile(0.99) - far).abs() < 0.02 * far, "{} {far}", grid.quantile(0.99));
    }
}
