//! A drawing as PNG.

use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint as Brush, Path, PathBuilder, Pixmap, Rect, Stroke,
    StrokeDash, Transform,
};
use ttf_parser::OutlineBuilder;

use crate::color;
use crate::font;
use crate::scene::{Anchor, Dash, Ink, Item, Paint, Point, Scene, Shape, Text};
use crate::theme::Theme;

/// Largest width or height in dots.
const LARGEST: f64 = 16_000.0;

/// The file's bytes, with `scale` dots a pixel as far as [`LARGEST`] lets.
pub(crate) fn write(scene: &Scene, theme: &Theme, scale: f64) -> Vec<u8> {
    let scale = if scale.is_finite() { scale.clamp(0.5, 4.0) } else { 1.0 };
    let scale = scale.min(LARGEST / scene.width.max(scene.height));
    let dots = |length: f64| ((length * scale).round() as u32).max(1);
    // Sizes are between 1 and 16,000: never zero, never too large for a pixmap.
    let mut pixmap =
        Pixmap::new(dots(scene.width), dots(scene.height)).expect("the size is in range");
    let [r, g, b] = color::parse(&theme.background);
    pixmap.fill(Color::from_rgba8(r, g, b, 255));
    let mut canvas =
        Canvas { pixmap, theme, view: Transform::from_scale(scale as f32, scale as f32) };
    scene.items.iter().for_each(|item| canvas.item(item));
    // Encoding into memory fails for no image of a legal size.
    canvas.pixmap.encode_png().expect("the image is legal")
}

struct Canvas<'a> {
    pixmap: Pixmap,
    theme: &'a Theme,
    view: Transform,
}

impl Canvas<'_> {
    fn item(&mut self, item: &Item) {
        match &item.shape {
            Shape::Rect { at, size } => {
                let [x, y, w, h] = [at.0, at.1, size.0, size.1].map(|v| v as f32);
                if let Some(rect) = Rect::from_xywh(x, y, w, h) {
                    self.draw(&PathBuilder::from_rect(rect), &item.paint);
                }
            }
            Shape::Dot { at, radius, marker } => {
                let path = match &marker.corners(*at, *radius)[..] {
                    [] => PathBuilder::from_circle(at.0 as f32, at.1 as f32, *radius as f32),
                    corners => path(corners, true),
                };
                path.iter().for_each(|p| self.draw(p, &item.paint));
            }
            Shape::Polyline(points) => {
                path(points, false).iter().for_each(|p| self.draw(p, &item.paint));
            }
            Shape::Polygon(points) => {
                path(points, true).iter().for_each(|p| self.draw(p, &item.paint));
            }
            Shape::Text(text) => self.text(text, &item.paint),
        }
    }

    fn draw(&mut self, path: &Path, paint: &Paint) {
        match *paint {
            Paint::Fill(ink, opacity) => {
                let brush = self.brush(ink, opacity);
                self.pixmap.fill_path(path, &brush, FillRule::Winding, self.view, None);
            }
            Paint::Stroke { ink, width, dash } => {
                let brush = self.brush(ink, 1.0);
                self.pixmap.stroke_path(path, &brush, &stroke(width, dash), self.view, None);
            }
        }
    }

    fn text(&mut self, text: &Text, paint: &Paint) {
        let Some(path) = outline(text) else { return };
        if text.halo {
            let rim = Paint::Stroke { ink: Ink::Background, width: 3.0, dash: Dash::Solid };
            self.draw(&path, &rim);
        }
        self.draw(&path, paint);
    }

    fn brush(&self, ink: Ink, opacity: f64) -> Brush<'static> {
        let [r, g, b] = color::parse(self.theme.hex(ink));
        let mut brush = Brush::default();
        brush.set_color_rgba8(r, g, b, (opacity.clamp(0.0, 1.0) * 255.0).round() as u8);
        brush
    }
}

fn stroke(width: f64, dash: Dash) -> Stroke {
    let pattern = dash.pattern().map(|lengths| lengths.map(|l| l as f32).to_vec());
    Stroke {
        width: width as f32,
        line_join: LineJoin::Round,
        line_cap: LineCap::Butt,
        dash: pattern.and_then(|p| StrokeDash::new(p, dash.offset() as f32)),
        ..Stroke::default()
    }
}

fn path(points: &[Point], closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    let (first, rest) = points.split_first()?;
    builder.move_to(first.0 as f32, first.1 as f32);
    rest.iter().for_each(|p| builder.line_to(p.0 as f32, p.1 as f32));
    if closed {
        builder.close();
    }
    builder.finish()
}

/// The outlines of a line of text where it stands.
fn outline(text: &Text) -> Option<Path> {
    let face = font::face(text.bold);
    let width = font::width(&text.content, text.size, text.bold);
    let start = match text.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => -width / 2.0,
        Anchor::End => -width,
    };
    let (sin, cos) = text.turn.to_radians().sin_cos();
    let mut pen = GlyphPen {
        builder: PathBuilder::new(),
        at: text.at,
        x: start,
        scale: text.size / f64::from(face.units_per_em()),
        sin,
        cos,
    };
    for c in text.content.chars() {
        face.outline_glyph(font::glyph(face, c), &mut pen);
        pen.x += font::advance(face, c, text.size);
    }
    pen.builder.finish()
}

/// Places the outline of one glyph after the other on a baseline, which may be turned.
struct GlyphPen {
    builder: PathBuilder,
    at: Point,
    x: f64,
    scale: f64,
    sin: f64,
    cos: f64,
}

impl GlyphPen {
    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        let (x, y) = (self.x + f64::from(x) * self.scale, -f64::from(y) * self.scale);
        let turned = (x * self.cos - y * self.sin, x * self.sin + y * self.cos);
        ((self.at.0 + turned.0) as f32, (self.at.1 + turned.1) as f32)
    }
}

impl OutlineBuilder for GlyphPen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.builder.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.builder.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.place(x1, y1), self.place(x, y));
        self.builder.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2)) = (self.place(x1, y1), self.place(x2, y2));
        let (x, y) = self.place(x, y);
        self.builder.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.builder.close();
    }
}
