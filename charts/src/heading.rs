//! What stands above a plot: title, subtitle and legend.

use crate::chart::{Chart, Mark, Series};
use crate::font;
use crate::scene::{Dash, Ink, Marker, Paint, Point, Scene, Shape, Text};

/// Which colour each name has.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Colors(Vec<(String, usize)>);

impl Colors {
    /// Gives each name its colour: the one asked for, else the next that nobody asked for.
    pub fn of<'a>(charts: impl IntoIterator<Item = &'a Chart> + Clone) -> Self {
        let series = || charts.clone().into_iter().flat_map(|c| &c.series);
        let taken: Vec<usize> = series().filter_map(|s| s.color).collect();
        let mut free = (0..).filter(|i| !taken.contains(i));
        let mut colors: Vec<(String, usize)> = Vec::new();
        for series in series() {
            if colors.iter().all(|(name, _)| *name != series.name) {
                let next = || free.next().unwrap_or(0);
                colors.push((series.name.clone(), series.color.unwrap_or_else(next)));
            }
        }
        Self(colors)
    }

    /// The place of a series in the theme's colours.
    pub fn place(&self, series: &Series) -> usize {
        let named = self.0.iter().find(|(name, _)| *name == series.name);
        series.color.or(named.map(|n| n.1)).unwrap_or(0)
    }
}

/// The sign of a series in the legend.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Sign {
    Box(f64),
    Line(Dash),
    Marker,
}

impl Sign {
    fn of(series: &Series) -> Self {
        match series.mark {
            Mark::Line(_) | Mark::Steps(_) if series.dashed => Self::Line(Dash::Dashed),
            Mark::Line(_) | Mark::Steps(_) => Self::Line(Dash::Solid),
            Mark::Points(_) => Self::Marker,
            Mark::Band(_) => Self::Box(0.25),
            Mark::Bars(_) | Mark::Columns(_) | Mark::Heat(_) => Self::Box(1.0),
        }
    }

    fn draw(self, scene: &mut Scene, (x, y): Point, place: usize) {
        let ink = Ink::Series(place);
        let middle = y - 4.0;
        match self {
            Self::Box(opacity) => {
                let shape = Shape::Rect { at: (x, y - 9.0), size: (10.0, 10.0) };
                scene.push(shape, Paint::Fill(ink, opacity));
            }
            Self::Line(dash) => {
                let shape = Shape::Polyline(vec![(x, middle), (x + 18.0, middle)]);
                scene.push(shape, Paint::Stroke { ink, width: 2.0, dash });
            }
            Self::Marker => {
                let shape =
                    Shape::Dot { at: (x + 5.0, middle), radius: 4.0, marker: Marker::of(place) };
                scene.push(shape, Paint::Fill(ink, 1.0));
            }
        }
    }

    fn width(self) -> f64 {
        if matches!(self, Self::Line(_)) { 18.0 } else { 10.0 }
    }
}

/// Title and subtitle from `at` down; returns where they end.
pub(crate) fn titles(
    scene: &mut Scene,
    title: &str,
    subtitle: &str,
    size: f64,
    (x, mut y): Point,
    room: f64,
) -> f64 {
    for line in font::wrap(title, room, size, true, 2) {
        y += size * 1.25;
        scene.text(Text::new((x, y - size * 0.25), line).size(size).bold(), Ink::Text);
    }
    for line in font::wrap(subtitle, room, 12.0, false, 3) {
        y += 17.0;
        scene.text(Text::new((x, y - 4.0), line), Ink::Muted);
    }
    y
}

/// The legend from `at` down, in as many rows as it takes; returns where it ends. One name alone
/// needs none.
pub(crate) fn legend<'a>(
    scene: &mut Scene,
    series: impl Iterator<Item = &'a Series>,
    colors: &Colors,
    (left, top): Point,
    room: f64,
) -> f64 {
    let entries = entries(series);
    if entries.len() < 2 {
        return top;
    }
    let (mut x, mut y) = (left, top + 20.0);
    for (series, sign) in entries {
        let label = font::shorten(&series.name, room - sign.width() - 6.0, 12.0, false);
        let width = sign.width() + 6.0 + font::width(&label, 12.0, false);
        if x > left && x + width > left + room {
            (x, y) = (left, y + 18.0);
        }
        sign.draw(scene, (x, y), colors.place(series));
        scene.text(Text::new((x + sign.width() + 6.0, y), label), Ink::Text);
        x += width + 18.0;
    }
    y + 4.0
}

/// One entry a name: a solid sign rather than that of a band.
fn entries<'a>(series: impl Iterator<Item = &'a Series>) -> Vec<(&'a Series, Sign)> {
    let mut entries: Vec<(&Series, Sign)> = Vec::new();
    for series in series.filter(|s| !s.name.is_empty()) {
        let sign = Sign::of(series);
        match entries.iter_mut().find(|(known, _)| known.name == series.name) {
            Some(entry) if matches!(entry.1, Sign::Box(opacity) if opacity < 1.0) => entry.1 = sign,
            Some(_) => {}
            None => entries.push((series, sign)),
        }
    }
    entries
}
