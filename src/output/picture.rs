//! Charts as files: SVG or PNG, by the name.

use std::path::Path;

use isocost_charts::{Chart, Panels, Theme};
use isocost_model::export::write_file;

use crate::Failure;

/// Dots a pixel in PNG.
const PNG_SCALE: f64 = 2.0;

/// What can be drawn.
pub trait Picture {
    /// As SVG text.
    fn svg(&self) -> String;
    /// As a PNG file.
    fn png(&self) -> Vec<u8>;
}

impl Picture for Chart {
    fn svg(&self) -> String {
        self.svg(&Theme::light())
    }

    fn png(&self) -> Vec<u8> {
        self.png(&Theme::light(), PNG_SCALE)
    }
}

impl Picture for Panels {
    fn svg(&self) -> String {
        self.svg(&Theme::light())
    }

    fn png(&self) -> Vec<u8> {
        self.png(&Theme::light(), PNG_SCALE)
    }
}

/// Whether the name is that of a picture; to be asked before any work is done for it.
pub fn check(path: &Path) -> Result<(), Failure> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("svg" | "png") => Ok(()),
        _ => {
            let text = format!("{}: expected a name that ends in .svg or .png", path.display());
            Err(Failure::input(text))
        }
    }
}

/// Draws into a file whose name was checked.
pub fn write(path: &Path, picture: &impl Picture) -> Result<(), Failure> {
    let svg = path.extension().is_some_and(|e| e == "svg");
    let bytes = if svg { picture.svg().into_bytes() } else { picture.png() };
    write_file(path, &bytes).map_err(Failure::failed)
}
