//! What stands above a plot: title, subtitle and legend.

use crate::chart::{Chart, Mark, Rule, Series};
use crate::font;
use crate::marks::BAND;
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

/// A line of the legend: a sign and what it stands for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    label: String,
    sign: Sign,
    ink: Ink,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Sign {
    Box(f64),
    Line(Dash),
    Marker(Marker),
}

impl Entry {
    /// A reference line.
    pub fn rule(rule: &Rule) -> Self {
        Self { label: rule.label.clone(), sign: Sign::Line(Dash::Dashed), ink: Ink::Rule }
    }

    fn series(series: &Series, place: usize) -> Self {
        let sign = match series.mark {
            Mark::Line(_) | Mark::Steps(_) if series.dashed => Sign::Line(Dash::Dashed),
            Mark::Line(_) | Mark::Steps(_) => Sign::Line(Dash::Solid),
            Mark::Points(_) => Sign::Marker(Marker::of(place)),
            Mark::Band(_) => Sign::Box(series.opacity.unwrap_or(BAND)),
            Mark::Bars(_) => Sign::Box(series.opacity.unwrap_or(1.0)),
            Mark::Columns(_) | Mark::Heat(_) => Sign::Box(1.0),
        };
        Self { label: series.name.clone(), sign, ink: Ink::Series(place) }
    }

    fn is_faint(&self) -> bool {
        matches!(self.sign, Sign::Box(opacity) if opacity < 1.0)
    }

    fn draw(&self, scene: &mut Scene, (x, y): Point) {
        let (ink, middle) = (self.ink, y - 4.0);
        match self.sign {
            Sign::Box(opacity) => {
                let shape = Shape::Rect { at: (x, y - 9.0), size: (10.0, 10.0) };
                scene.push(shape, Paint::Fill(ink, opacity));
            }
            Sign::Line(dash) => {
                let shape = Shape::Polyline(vec![(x, middle), (x + 18.0, middle)]);
                scene.push(shape, Paint::Stroke { ink, width: 2.0, dash });
            }
            Sign::Marker(marker) => {
                let shape = Shape::Dot { at: (x + 5.0, middle), radius: 4.0, marker };
                scene.push(shape, Paint::Fill(ink, 1.0));
            }
        }
    }

    /// Room that the sign takes, with the gap to its label.
    fn indent(&self) -> f64 {
        if matches!(self.sign, Sign::Line(_)) { 24.0 } else { 16.0 }
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
    // A reader's own font may be wider than the one that is measured.
    let room = room * 0.9;
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

/// One entry a name of the series: a solid sign rather than that of a band. One name alone needs none.
pub(crate) fn entries<'a>(
    series: impl IntoIterator<Item = &'a Series>,
    colors: &Colors,
) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for series in series.into_iter().filter(|s| !s.name.is_empty()) {
        let entry = Entry::series(series, colors.place(series));
        match entries.iter_mut().find(|known| known.label == entry.label) {
            Some(known) if known.is_faint() => *known = entry,
            Some(_) => {}
            None => entries.push(entry),
        }
    }
    if entries.len() < 2 { Vec::new() } else { entries }
}

/// The legend from `at` down, in as many rows as it takes; returns where it ends.
pub(crate) fn legend(scene: &mut Scene, entries: &[Entry], (left, top): Point, room: f64) -> f64 {
    if entries.is_empty() {
        return top;
    }
    let (mut x, mut y) = (left, top + 20.0);
    for entry in entries {
        let indent = entry.indent();
        let label = font::shorten(&entry.label, room - indent, 12.0, false);
        let width = indent + font::width(&label, 12.0, false);
        if x > left && x + width > left + room {
            (x, y) = (left, y + 18.0);
        }
        entry.draw(scene, (x, y));
        scene.text(Text::new((x + indent, y), label), Ink::Text);
        x += width + 18.0;
    }
    y + 4.0
}
