//! The fonts that PNG is set in and that layout measures with.

use std::sync::OnceLock;

use ttf_parser::{Face, GlyphId};

static REGULAR: &[u8] = include_bytes!("../fonts/Inter-Regular.otf");
static BOLD: &[u8] = include_bytes!("../fonts/Inter-SemiBold.otf");

/// The families that SVG asks for.
pub(crate) const FAMILIES: &str =
    "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

pub(crate) fn face(bold: bool) -> &'static Face<'static> {
    static FACES: [OnceLock<Face<'static>>; 2] = [OnceLock::new(), OnceLock::new()];
    let data = if bold { BOLD } else { REGULAR };
    // Both files are part of the program, and the tests read them.
    FACES[usize::from(bold)].get_or_init(|| Face::parse(data, 0).expect("the font is well formed"))
}

/// The glyph of a character; glyph 0, a box, where the font has none.
pub(crate) fn glyph(face: &Face<'_>, c: char) -> GlyphId {
    face.glyph_index(c).unwrap_or(GlyphId(0))
}

/// Distance to the next character, pixels.
pub(crate) fn advance(face: &Face<'_>, c: char, size: f64) -> f64 {
    let units = f64::from(face.glyph_hor_advance(glyph(face, c)).unwrap_or(0));
    units * size / f64::from(face.units_per_em())
}

/// Width of a line of text, pixels.
pub(crate) fn width(text: &str, size: f64, bold: bool) -> f64 {
    let face = face(bold);
    text.chars().map(|c| advance(face, c, size)).sum()
}

/// The text, or as much of its start as fits with an ellipsis.
pub(crate) fn shorten(text: &str, room: f64, size: f64, bold: bool) -> String {
    if width(text, size, bold) <= room {
        return text.to_owned();
    }
    let face = face(bold);
    let mut left = room - advance(face, '…', size);
    let fits = |c: &char| {
        left -= advance(face, *c, size);
        left >= 0.0
    };
    let start: String = text.chars().take_while(fits).collect();
    format!("{}…", start.trim_end())
}

/// The text, or as much of its start and of its end as fits with an ellipsis between: names that begin
/// alike differ at the end.
pub(crate) fn shorten_middle(text: &str, room: f64, size: f64) -> String {
    if width(text, size, false) <= room {
        return text.to_owned();
    }
    let face = face(false);
    let (mut start, mut end) = (String::new(), Vec::new());
    let mut left = room - advance(face, '…', size);
    let mut chars = text.chars();
    loop {
        let from_start = start.chars().count() <= end.len();
        let next = if from_start { chars.next() } else { chars.next_back() };
        let Some(c) = next else { break };
        left -= advance(face, c, size);
        if left < 0.0 {
            break;
        }
        if from_start { start.push(c) } else { end.push(c) }
    }
    format!("{}…{}", start.trim_end(), end.iter().rev().collect::<String>().trim_start())
}

/// The text in at most `lines` lines, broken at spaces; the last is shortened.
pub(crate) fn wrap(text: &str, room: f64, size: f64, bold: bool, lines: usize) -> Vec<String> {
    let mut done: Vec<String> = Vec::new();
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let mut line = word.to_owned();
        let last = done.len() + 1 == lines;
        while let Some(next) = words.peek() {
            if !last && width(&format!("{line} {next}"), size, bold) > room {
                break;
            }
            line = format!("{line} {next}");
            words.next();
        }
        done.push(shorten(&line, room, size, bold));
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_measured_shortened_and_wrapped() {
        assert!(width("mmm", 12.0, false) > width("iii", 12.0, false));
        assert!(width("cost", 12.0, true) > width("cost", 12.0, false));
        assert_eq!(shorten("cost", 100.0, 12.0, false), "cost");
        let short = shorten("a name that nobody would give to a server", 80.0, 12.0, false);
        assert!(short.ends_with('…') && width(&short, 12.0, false) <= 80.0, "{short}");
        let names = ["premium-llama-3.1-8b", "premium-llama-3.1-70b"];
        let short = names.map(|name| shorten_middle(name, 90.0, 12.0));
        assert!(short[0] != short[1] && short[1].ends_with("-70b"), "{short:?}");
        assert!(short.iter().all(|name| width(name, 12.0, false) <= 90.0), "{short:?}");
        assert_eq!(shorten_middle("äöü", 1.0, 12.0), "…");
        let lines = wrap("one two three four five six seven", 60.0, 12.0, false, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].ends_with('…'));
        assert_eq!(wrap("", 60.0, 12.0, false, 2), Vec::<String>::new());
    }

    #[test]
    fn the_signs_that_charts_use_have_glyphs() {
        for bold in [false, true] {
            for c in "0123456789,.−×…≤≥·µλäß€→—".chars() {
                assert_ne!(glyph(face(bold), c), GlyphId(0), "{c}");
            }
        }
    }
}
