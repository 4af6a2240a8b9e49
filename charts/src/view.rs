//! From values to pixels.

use crate::scene::Point;

/// Largest magnitude that can be placed: differences of two stay finite.
const LARGEST: f64 = 1e300;

/// One axis: a range of values on a stretch of pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Map {
    pub log: bool,
    pub low: f64,
    pub high: f64,
    /// Pixel of `low` and of `high`.
    pub pixels: (f64, f64),
}

/// Whether a value has a place on an axis.
pub(crate) fn placeable(value: f64, log: bool) -> bool {
    value.abs() <= LARGEST && (!log || value >= 1.0 / LARGEST)
}

impl Map {
    /// The pixel of a placeable value, also beyond the range.
    pub fn pixel(&self, value: f64) -> f64 {
        let share = if self.log {
            (value / self.low).log10() / (self.high / self.low).log10()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        let share = if share.is_finite() { share.clamp(-1e6, 1e6) } else { 0.0 };
        self.pixels.0 + share * (self.pixels.1 - self.pixels.0)
    }

    /// The pixel of a placeable value, or of the nearest value in the range.
    pub fn nearest(&self, value: f64) -> f64 {
        self.pixel(value.clamp(self.low, self.high))
    }

    pub fn placeable(&self, value: f64) -> bool {
        placeable(value, self.log)
    }

    /// Whether the range holds the value.
    pub fn holds(&self, value: f64) -> bool {
        let slack = 1e-9 * (self.high - self.low).abs();
        self.placeable(value) && value >= self.low - slack && value <= self.high + slack
    }
}

/// The plot: both axes and the rectangle between them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Plot {
    pub x: Map,
    pub y: Map,
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
    /// Whether bars lie: categories on y, values on x.
    pub lying: bool,
}

impl Plot {
    /// Where a value pair stands, if it can be placed.
    pub fn point(&self, (x, y): (f64, f64)) -> Option<Point> {
        let placeable = self.x.placeable(x) && self.y.placeable(y);
        placeable.then(|| (self.x.pixel(x), self.y.pixel(y)))
    }

    /// The axis along which bars run, and the axis that they stand on.
    pub fn value_and_place(&self) -> (&Map, &Map) {
        if self.lying { (&self.x, &self.y) } else { (&self.y, &self.x) }
    }

    /// The point at a pixel of the axis that bars stand on and a pixel of the axis they run along.
    pub fn oriented(&self, place: f64, value: f64) -> Point {
        if self.lying { (value, place) } else { (place, value) }
    }

    pub fn contains(&self, (x, y): Point) -> bool {
        x >= self.left - 0.5
            && x <= self.right + 0.5
            && y >= self.top - 0.5
            && y <= self.bottom + 0.5
    }
}
