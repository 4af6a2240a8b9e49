//! Charts as files: one as SVG or PNG, by the name (`--plot`), or all of a command as both (`--plots`).

use std::path::Path;

use isocost_charts::{Chart, Panels, Theme};
use isocost_model::export::write_file;

use crate::Failure;

/// Dots a pixel in PNG.
const PNG_SCALE: f64 = 2.0;
/// The option that asks for all charts of a command.
const PLOTS: &str = "--plots";

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

/// Draws each picture into a directory, as NAME.svg and NAME.png: what `--plots` asks for, of any
/// command.
pub fn write_all<P: Picture>(
    dir: &Path,
    pictures: impl IntoIterator<Item = (String, P)>,
) -> Result<(), Failure> {
    std::fs::create_dir_all(dir).map_err(|e| unwritten(dir, &e, PLOTS))?;
    for (name, picture) in pictures {
        let file = |extension: &str| dir.join(format!("{name}.{extension}"));
        save(&file("svg"), picture.svg().as_bytes(), PLOTS)?;
        save(&file("png"), &picture.png(), PLOTS)?;
    }
    Ok(())
}

/// Writes a file that an option asks for.
pub fn save(path: &Path, bytes: &[u8], flag: &str) -> Result<(), Failure> {
    write_file(path, bytes).map_err(|e| unwritten(path, &e.source, flag))
}

fn unwritten(path: &Path, why: &std::io::Error, flag: &str) -> Failure {
    let path = path.display();
    Failure::failed(format!("{path}: cannot be written: {why}; choose another place by {flag}"))
}
