//! Several charts in one picture.

use crate::chart::Chart;
use crate::heading::{self, Colors};
use crate::layout::{self, PAD, Setting};
use crate::png;
use crate::scene::Scene;
use crate::svg;
use crate::theme::Theme;

/// Charts side by side under one title and one legend; their own widths and heights do not count.
#[derive(Debug, Clone, PartialEq)]
pub struct Panels {
    /// What they show together.
    pub title: String,
    /// What a reader needs to know besides; empty for none.
    pub subtitle: String,
    /// The charts, row by row. Series of one name share a colour in all of them.
    pub charts: Vec<Chart>,
    /// Charts in a row.
    pub columns: usize,
    /// Width and height of each chart in pixels.
    pub size: (u32, u32),
}

impl Panels {
    /// Panels of 360 by 260 in rows of two.
    pub fn new(title: impl Into<String>, charts: Vec<Chart>) -> Self {
        let (subtitle, columns, size) = (String::new(), 2, (360, 260));
        Self { title: title.into(), subtitle, charts, columns, size }
    }

    /// With a line below the title.
    pub fn subtitle(self, text: impl Into<String>) -> Self {
        Self { subtitle: text.into(), ..self }
    }

    /// With other rows and sizes.
    pub fn grid(self, columns: usize, width: u32, height: u32) -> Self {
        Self { columns, size: (width, height), ..self }
    }

    /// As one `<svg>` element.
    pub fn svg(&self, theme: &Theme) -> String {
        svg::write(&self.draw(), theme)
    }

    /// As a PNG file with `scale` dots a pixel, from 0.5 to 4.
    pub fn png(&self, theme: &Theme, scale: f64) -> Vec<u8> {
        png::write(&self.draw(), theme, scale)
    }

    fn draw(&self) -> Scene {
        let columns = self.columns.clamp(1, 12).min(self.charts.len().max(1));
        let width = f64::from(self.size.0.clamp(160, 4000));
        let height = f64::from(self.size.1.clamp(120, 4000));
        let rows = self.charts.len().div_ceil(columns);
        let colors = Colors::of(&self.charts);
        let described: Vec<String> =
            self.charts.iter().map(|c| format!("{}: {}", c.title, layout::describe(c))).collect();
        let mut scene = Scene {
            width: width * columns as f64,
            height: 0.0,
            title: self.title.clone(),
            description: described.join(" "),
            items: Vec::new(),
        };
        let room = scene.width - 2.0 * PAD;
        let start = (PAD, PAD - 2.0);
        let below = heading::titles(&mut scene, &self.title, &self.subtitle, 16.0, start, room);
        let entries = heading::entries(self.charts.iter().flat_map(|c| &c.series), &colors);
        let top = heading::legend(&mut scene, &entries, (PAD, below), room) + 4.0;
        scene.height = top + height * rows as f64;
        let setting = Setting { width, height, title_size: 13.0, legend: false, colors };
        for (i, chart) in self.charts.iter().enumerate() {
            let offset = ((i % columns) as f64 * width, top + (i / columns) as f64 * height);
            scene.absorb(layout::draw_in(chart, &setting), offset);
        }
        scene
    }
}
