//! Cells of a heat map: the stronger the ink, the larger the value.

use super::Pen;
use crate::font;
use crate::number::number;
use crate::scene::{Anchor, Ink, Paint, Shape, Text};

pub(super) fn draw(pen: &mut Pen<'_>, rows: &[Vec<f64>], place: usize) {
    let finite = || rows.iter().flatten().copied().filter(|v| v.is_finite());
    let low = finite().fold(f64::INFINITY, f64::min);
    let high = finite().fold(f64::NEG_INFINITY, f64::max);
    let plot = pen.plot;
    let size = (
        (plot.x.pixel(1.0) - plot.x.pixel(0.0)).abs(),
        (plot.y.pixel(1.0) - plot.y.pixel(0.0)).abs(),
    );
    let gap = if size.0.min(size.1) > 6.0 { 1.0 } else { 0.0 };
    for (r, row) in rows.iter().enumerate() {
        for (c, &value) in row.iter().enumerate() {
            let (x, y) = (c as f64, r as f64);
            if !value.is_finite() || !plot.x.holds(x) || !plot.y.holds(y) {
                continue;
            }
            let share =
                if high > low { (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0) } else { 1.0 };
            let strength = 0.08 + 0.92 * share;
            let middle = (plot.x.pixel(x), plot.y.pixel(y));
            let at = (middle.0 - size.0 / 2.0, middle.1 - size.1 / 2.0);
            let shape = Shape::Rect { at, size: (size.0 - gap, size.1 - gap) };
            let label = number(value);
            let text = format!("{}, {}: {label}", pen.value(false, y), pen.value(true, x));
            pen.scene.push_with_tip(shape, Paint::Fill(Ink::Series(place), strength), text);
            if size.1 >= 15.0 && font::width(&label, 11.0, false) + 4.0 <= size.0 {
                let ink = if strength > 0.75 { Ink::Background } else { Ink::Text };
                let at = (middle.0, middle.1 + 4.0);
                pen.scene.text(Text::new(at, label).size(11.0).anchor(Anchor::Middle), ink);
            }
        }
    }
}
