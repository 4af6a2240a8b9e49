//! What layout hands to the writers: shapes in pixels, each with an ink that the theme resolves.

/// A point in pixels, from the top left.
pub(crate) type Point = (f64, f64);

/// A finished drawing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scene {
    pub width: f64,
    pub height: f64,
    pub title: String,
    pub description: String,
    pub items: Vec<Item>,
}

/// A shape with its ink.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    pub shape: Shape,
    pub paint: Paint,
    /// What a reader sees who points at it.
    pub tip: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Rect { at: Point, size: Point },
    Dot { at: Point, radius: f64, marker: Marker },
    Polyline(Vec<Point>),
    Polygon(Vec<Point>),
    Text(Text),
}

/// One line of text; `at` is on its baseline.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Text {
    pub at: Point,
    pub content: String,
    pub size: f64,
    pub bold: bool,
    pub anchor: Anchor,
    /// Degrees, clockwise, around `at`.
    pub turn: f64,
    /// Whether it keeps a rim of background, to be read on top of marks.
    pub halo: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Paint {
    Fill(Ink, f64),
    Stroke { ink: Ink, width: f64, dash: Dash },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dash {
    Solid,
    Dashed,
    Dotted,
    /// The dashes of one of several lines that run along each other.
    Shared {
        nth: usize,
        of: usize,
    },
}

/// Length of a dash of a shared line, pixels.
const SHARE: f64 = 7.0;

impl Dash {
    /// Lengths of ink and gap in pixels.
    pub fn pattern(self) -> Option<[f64; 2]> {
        match self {
            Self::Solid => None,
            Self::Dashed => Some([6.0, 4.0]),
            Self::Dotted => Some([1.5, 3.0]),
            Self::Shared { of, .. } => Some([SHARE, SHARE * (of.max(2) - 1) as f64]),
        }
    }

    /// Pixels of the pattern that are left out at the start.
    pub fn offset(self) -> f64 {
        match self {
            Self::Shared { nth, of } => SHARE * (of - nth % of.max(1)) as f64,
            _ => 0.0,
        }
    }
}

/// A colour by its part in the chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Background,
    Text,
    Muted,
    Grid,
    Rule,
    Series(usize),
}

/// Shapes that tell series apart without colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
}

impl Marker {
    pub fn of(series: usize) -> Self {
        [Self::Circle, Self::Square, Self::Triangle, Self::Diamond][series % 4]
    }

    /// Its corners around `at`; none for the circle.
    pub fn corners(self, (x, y): Point, radius: f64) -> Vec<Point> {
        let around = |offsets: &[Point]| {
            offsets.iter().map(|&(dx, dy)| (x + dx * radius, y + dy * radius)).collect()
        };
        match self {
            Self::Circle => Vec::new(),
            Self::Square => around(&[(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)]),
            Self::Triangle => around(&[(0.0, -1.15), (1.08, 0.8), (-1.08, 0.8)]),
            Self::Diamond => around(&[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)]),
        }
    }
}

impl Scene {
    pub fn push(&mut self, shape: Shape, paint: Paint) {
        self.items.push(Item { shape, paint, tip: None });
    }

    pub fn push_with_tip(&mut self, shape: Shape, paint: Paint, tip: String) {
        self.items.push(Item { shape, paint, tip: Some(tip) });
    }

    pub fn line(&mut self, from: Point, to: Point, ink: Ink, width: f64) {
        let paint = Paint::Stroke { ink, width, dash: Dash::Solid };
        self.push(Shape::Polyline(vec![from, to]), paint);
    }

    pub fn text(&mut self, text: Text, ink: Ink) {
        self.push(Shape::Text(text), Paint::Fill(ink, 1.0));
    }

    /// Takes over another drawing's items, moved by `offset`.
    pub fn absorb(&mut self, other: Scene, (dx, dy): Point) {
        let moved = |(x, y): Point| (x + dx, y + dy);
        self.items.extend(other.items.into_iter().map(|mut item| {
            match &mut item.shape {
                Shape::Rect { at, .. } | Shape::Dot { at, .. } => *at = moved(*at),
                Shape::Polyline(points) | Shape::Polygon(points) => {
                    points.iter_mut().for_each(|p| *p = moved(*p));
                }
                Shape::Text(text) => text.at = moved(text.at),
            }
            item
        }));
    }
}

impl Text {
    /// Text of the common size that starts at `at`.
    pub fn new(at: Point, content: impl Into<String>) -> Self {
        let content = content.into();
        Self { at, content, size: 12.0, bold: false, anchor: Anchor::Start, turn: 0.0, halo: false }
    }

    pub fn anchor(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    pub fn size(self, size: f64) -> Self {
        Self { size, ..self }
    }

    pub fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub fn turn(self, turn: f64) -> Self {
        Self { turn, ..self }
    }

    pub fn halo(self) -> Self {
        Self { halo: true, ..self }
    }
}
