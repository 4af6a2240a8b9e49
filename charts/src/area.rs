//! Rectangles, to tell what covers what.

use crate::font;
use crate::scene::{Anchor, Point, Text};

/// A rectangle, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Area {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

impl Area {
    /// The least that holds all points; nothing meets that of none.
    pub fn around(points: &[Point]) -> Self {
        let (far, near) = (f64::NEG_INFINITY, f64::INFINITY);
        let none = Self { left: near, right: far, top: near, bottom: far };
        points.iter().fold(none, |a, p| Self {
            left: a.left.min(p.0),
            right: a.right.max(p.0),
            top: a.top.min(p.1),
            bottom: a.bottom.max(p.1),
        })
    }

    /// What a line of text covers as the common fonts set it, with a hair around it.
    pub fn of(text: &Text) -> Self {
        let width = font::width(&text.content, text.size, text.bold);
        let left = match text.anchor {
            Anchor::Start => text.at.0,
            Anchor::Middle => text.at.0 - width / 2.0,
            Anchor::End => text.at.0 - width,
        };
        let (ascent, descent) = (0.8 * text.size, 0.25 * text.size);
        let (top, bottom) = (text.at.1 - ascent, text.at.1 + descent);
        Self { left, right: left + width, top, bottom }.grown(1.0)
    }

    /// With so much more at each side.
    pub fn grown(self, by: f64) -> Self {
        let Self { left, right, top, bottom } = self;
        Self { left: left - by, right: right + by, top: top - by, bottom: bottom + by }
    }

    /// Whether both cover a point.
    pub fn meets(self, other: Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}
