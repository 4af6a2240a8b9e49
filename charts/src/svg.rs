//! A drawing as SVG.

use std::fmt::Write;

use crate::font::FAMILIES;
use crate::scene::{Anchor, Item, Paint, Point, Scene, Shape, Text};
use crate::theme::Theme;

/// One `<svg>` element: an image with a name and a description for readers who cannot see it.
pub(crate) fn write(scene: &Scene, theme: &Theme) -> String {
    let (width, height) = (pixels(scene.width), pixels(scene.height));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" role=\"img\" \
         viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"{FAMILIES}\" aria-label=\"{}\">\n<title>{}</title>\n<desc>{}</desc>\n",
        escape(&format!("{}. {}", scene.title, scene.description)),
        escape(&scene.title),
        escape(&scene.description),
    );
    if !theme.follows_page {
        let background = &theme.background;
        let _ = writeln!(out, "<rect width=\"100%\" height=\"100%\" fill=\"{background}\"/>");
    }
    scene.items.iter().for_each(|item| element(&mut out, item, theme));
    out.push_str("</svg>\n");
    out
}

fn element(out: &mut String, item: &Item, theme: &Theme) {
    let paint = paint(&item.paint, theme);
    if let Shape::Text(text) = &item.shape {
        return write_text(out, text, &paint, theme);
    }
    let (name, geometry) = match &item.shape {
        Shape::Rect { at, size } => {
            let [x, y, w, h] = [at.0, at.1, size.0, size.1].map(pixels);
            ("rect", format!("x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\""))
        }
        Shape::Dot { at, radius, marker } => match &marker.corners(*at, *radius)[..] {
            [] => {
                let [x, y, r] = [at.0, at.1, *radius].map(pixels);
                ("circle", format!("cx=\"{x}\" cy=\"{y}\" r=\"{r}\""))
            }
            corners => ("polygon", points(corners)),
        },
        Shape::Polyline(path) => ("polyline", points(path)),
        Shape::Polygon(path) => ("polygon", points(path)),
        Shape::Text(_) => return,
    };
    let _ = match &item.tip {
        None => writeln!(out, "<{name} {geometry} {paint}/>"),
        Some(tip) => {
            writeln!(out, "<{name} {geometry} {paint}><title>{}</title></{name}>", escape(tip))
        }
    };
}

fn points(path: &[Point]) -> String {
    let pair = |p: &Point| format!("{},{}", pixels(p.0), pixels(p.1));
    format!("points=\"{}\"", path.iter().map(pair).collect::<Vec<_>>().join(" "))
}

fn paint(paint: &Paint, theme: &Theme) -> String {
    match *paint {
        Paint::Fill(ink, opacity) if opacity >= 1.0 => format!("fill=\"{}\"", theme.value(ink)),
        Paint::Fill(ink, opacity) => {
            format!("fill=\"{}\" fill-opacity=\"{}\"", theme.value(ink), pixels(opacity))
        }
        Paint::Stroke { ink, width, dash } => {
            let pattern = dash
                .pattern()
                .map(|[on, off]| format!(" stroke-dasharray=\"{} {}\"", pixels(on), pixels(off)));
            let offset = match dash.offset() {
                0.0 => String::new(),
                offset => format!(" stroke-dashoffset=\"{}\"", pixels(offset)),
            };
            format!(
                "fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"{}",
                theme.value(ink),
                pixels(width),
                pattern.unwrap_or_default() + &offset
            )
        }
    }
}

fn write_text(out: &mut String, text: &Text, paint: &str, theme: &Theme) {
    let [x, y, size] = [text.at.0, text.at.1, text.size].map(pixels);
    let anchor = match text.anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let weight = if text.bold { " font-weight=\"600\"" } else { "" };
    let turn = match text.turn {
        0.0 => String::new(),
        turn => format!(" transform=\"rotate({} {x} {y})\"", pixels(turn)),
    };
    let halo = if text.halo {
        format!(
            " paint-order=\"stroke\" stroke=\"{}\" stroke-width=\"3\" stroke-linejoin=\"round\"",
            theme.value(crate::scene::Ink::Background)
        )
    } else {
        String::new()
    };
    let content = escape(&text.content);
    let _ = writeln!(
        out,
        "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\"{weight}{anchor}{turn}{halo} {paint}>{content}</text>"
    );
}

/// Hundredths of a pixel, without zeros at the end.
fn pixels(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.to_owned() }
}

/// Text as XML holds it; characters that XML cannot hold become U+FFFD.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
