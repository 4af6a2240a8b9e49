//! What a chart is: axes, series and reference lines, as plain data.

use crate::layout;
use crate::png;
use crate::svg;
use crate::theme::Theme;

/// One chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// What it shows, in a few words.
    pub title: String,
    /// What a reader needs to know besides; empty for none.
    pub subtitle: String,
    /// What the values are that have no place, said below the axes where there are any; where this is
    /// empty they are counted there.
    pub absent: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What is drawn, in this order. Series of one name share a colour and a legend entry.
    pub series: Vec<Series>,
    /// Reference lines: objectives, limits.
    pub rules: Vec<Rule>,
    /// How bars of several series stand.
    pub bars: BarMode,
    /// Width in pixels, from 160 to 4,000.
    pub width: u32,
    /// Height in pixels, from 120 to 4,000.
    pub height: u32,
}

/// An axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// The quantity.
    pub label: String,
    /// Its unit; empty for none.
    pub unit: String,
    /// How values become positions.
    pub scale: Scale,
    /// Where ticks may stand on an axis of equal steps.
    pub steps: Steps,
    /// The least and the largest value shown; else what the data need.
    pub range: Option<(f64, f64)>,
    /// Whether zero is shown in any case. Axes along which bars run always show it.
    pub zero: bool,
}

/// How values become positions.
#[derive(Debug, Clone, PartialEq)]
pub enum Scale {
    /// Equal steps.
    Linear,
    /// Equal ratios; values have to be positive. Bars, which start at zero, make it linear.
    Log,
    /// One place for each name: 0 for the first, 1 for the second. Bars stand on this axis; on the
    /// vertical axis, where the first name is on top, they lie.
    Categories(Vec<String>),
}

/// Where ticks may stand on an axis of equal steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Steps {
    /// At multiples of 1, 2, 2.5 or 5 times a power of ten.
    #[default]
    Decimal,
    /// At whole numbers alone: things that are counted.
    Whole,
    /// At the parts and multiples that people divide a day and a week into; the axis counts hours.
    Hours,
}

/// How bars of several series stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BarMode {
    /// Side by side.
    #[default]
    Grouped,
    /// On top of each other; negative values pile up below zero.
    Stacked,
}

/// Values and how they are drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Name in the legend; empty for none.
    pub name: String,
    /// The values.
    pub mark: Mark,
    /// Whether its lines are dashed.
    pub dashed: bool,
    /// How opaque its bars or its band are, from 0 to 1; else what suits the mark.
    pub opacity: Option<f64>,
    /// Place in the theme's colours; else the series takes the next that is free.
    pub color: Option<usize>,
}

/// Values and the mark that stands for them. Positions along a category axis are counted from 0.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// A line through (x, y).
    Line(Vec<(f64, f64)>),
    /// A line that keeps each y until the next x.
    Steps(Vec<(f64, f64)>),
    /// A dot at each (x, y).
    Points(Vec<(f64, f64)>),
    /// A filled range (x, low, high), such as a confidence band.
    Band(Vec<(f64, f64, f64)>),
    /// A bar for each category, from zero.
    Bars(Vec<f64>),
    /// A column (from, to, height) for each bin of a histogram.
    Columns(Vec<(f64, f64, f64)>),
    /// A cell for each category of y (outer) and of x (inner); NaN leaves a cell empty.
    Heat(Vec<Vec<f64>>),
}

/// A reference line across the plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Whether `at` is a value of x, which makes the line vertical.
    pub vertical: bool,
    /// Where.
    pub at: f64,
    /// What it stands for.
    pub label: String,
}

impl Chart {
    /// An empty chart, 720 by 400.
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self {
            title: title.into(),
            subtitle: String::new(),
            absent: String::new(),
            x,
            y,
            series: Vec::new(),
            rules: Vec::new(),
            bars: BarMode::Grouped,
            width: 720,
            height: 400,
        }
    }

    /// With a line below the title.
    pub fn subtitle(mut self, text: impl Into<String>) -> Self {
        self.subtitle = text.into();
        self
    }

    /// With words for the values that have no place.
    pub fn absent(mut self, text: impl Into<String>) -> Self {
        self.absent = text.into();
        self
    }

    /// With one more series.
    pub fn with(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// With one more reference line.
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// With bars on top of each other.
    pub fn stacked(mut self) -> Self {
        self.bars = BarMode::Stacked;
        self
    }

    /// With another size in pixels.
    pub fn size(mut self, width: u32, height: u32) -> Self {
        (self.width, self.height) = (width, height);
        self
    }

    /// As one `<svg>` element.
    pub fn svg(&self, theme: &Theme) -> String {
        svg::write(&layout::draw(self), theme)
    }

    /// As a PNG file with `scale` dots a pixel, from 0.5 to 4.
    pub fn png(&self, theme: &Theme, scale: f64) -> Vec<u8> {
        png::write(&layout::draw(self), theme, scale)
    }
}

impl Axis {
    fn new(label: impl Into<String>, unit: impl Into<String>, scale: Scale) -> Self {
        let (label, unit, steps) = (label.into(), unit.into(), Steps::Decimal);
        Self { label, unit, scale, steps, range: None, zero: false }
    }

    /// Equal steps.
    pub fn linear(label: impl Into<String>, unit: impl Into<String>) -> Self {
        Self::new(label, unit, Scale::Linear)
    }

    /// Equal steps, with ticks at whole numbers: for what is counted.
    pub fn counts(label: impl Into<String>, unit: impl Into<String>) -> Self {
        Self { steps: Steps::Whole, ..Self::linear(label, unit) }
    }

    /// Hours, with ticks where a day or a week is divided.
    pub fn hours(label: impl Into<String>) -> Self {
        Self { steps: Steps::Hours, ..Self::linear(label, "h") }
    }

    /// Equal ratios.
    pub fn log(label: impl Into<String>, unit: impl Into<String>) -> Self {
        Self::new(label, unit, Scale::Log)
    }

    /// One place for each name.
    pub fn categories<S: Into<String>>(
        label: impl Into<String>,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        Self::new(label, "", Scale::Categories(names.into_iter().map(Into::into).collect()))
    }

    /// From one value to another, whatever the data need. A range that is not one (not finite, or
    /// empty) is as good as none.
    pub fn range(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }

    /// With zero shown.
    pub fn from_zero(mut self) -> Self {
        self.zero = true;
        self
    }

    /// The quantity with its unit.
    pub(crate) fn caption(&self) -> String {
        match (self.label.is_empty(), self.unit.is_empty()) {
            (false, false) => format!("{} ({})", self.label, self.unit),
            (false, true) => self.label.clone(),
            (true, _) => self.unit.clone(),
        }
    }

    pub(crate) fn names(&self) -> Option<&[String]> {
        match &self.scale {
            Scale::Categories(names) => Some(names),
            _ => None,
        }
    }
}

impl Series {
    /// Any mark.
    pub fn new(name: impl Into<String>, mark: Mark) -> Self {
        Self { name: name.into(), mark, dashed: false, opacity: None, color: None }
    }

    /// A line through (x, y).
    pub fn line(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self::new(name, Mark::Line(points))
    }

    /// A line that keeps each y until the next x.
    pub fn steps(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self::new(name, Mark::Steps(points))
    }

    /// A dot at each (x, y).
    pub fn points(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self::new(name, Mark::Points(points))
    }

    /// A filled range (x, low, high).
    pub fn band(name: impl Into<String>, ranges: Vec<(f64, f64, f64)>) -> Self {
        Self::new(name, Mark::Band(ranges))
    }

    /// A bar for each category.
    pub fn bars(name: impl Into<String>, values: Vec<f64>) -> Self {
        Self::new(name, Mark::Bars(values))
    }

    /// A column (from, to, height) for each bin.
    pub fn columns(name: impl Into<String>, bins: Vec<(f64, f64, f64)>) -> Self {
        Self::new(name, Mark::Columns(bins))
    }

    /// A cell for each category of y (outer) and of x (inner).
    pub fn heat(name: impl Into<String>, rows: Vec<Vec<f64>>) -> Self {
        Self::new(name, Mark::Heat(rows))
    }

    /// With dashed lines.
    pub fn dashed(mut self) -> Self {
        self.dashed = true;
        self
    }

    /// With bars that stand back.
    pub fn faint(mut self) -> Self {
        self.opacity = Some(0.3);
        self
    }

    /// With a band that is an area of its own, not the surroundings of a line.
    pub fn area(mut self) -> Self {
        self.opacity = Some(0.8);
        self
    }

    /// With a colour of the theme by its place.
    pub fn color(mut self, place: usize) -> Self {
        self.color = Some(place);
        self
    }
}

impl Mark {
    /// Whether there is nothing to draw.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Line(points) | Self::Steps(points) | Self::Points(points) => points.is_empty(),
            Self::Band(ranges) | Self::Columns(ranges) => ranges.is_empty(),
            Self::Bars(values) => values.is_empty(),
            Self::Heat(rows) => rows.iter().all(Vec::is_empty),
        }
    }
}

impl Rule {
    /// A vertical line at a value of x.
    pub fn x(at: f64, label: impl Into<String>) -> Self {
        Self { vertical: true, at, label: label.into() }
    }

    /// A horizontal line at a value of y.
    pub fn y(at: f64, label: impl Into<String>) -> Self {
        Self { vertical: false, at, label: label.into() }
    }
}
