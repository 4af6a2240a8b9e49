//! JSON as text: indented, and whole numbers written as such.
//!
//! `128` and `128.0` are one number in JSON and two in programs that read it by types: a reader that decodes into an
//! integer refuses the second. A quantity that is whole is therefore written without a fraction, whatever its type is
//! here.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};

/// Whole numbers up to this are exact in the type that they come in.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A value as indented text that ends its line. Numbers that are not finite are null.
pub fn json_text(value: &impl Serialize) -> String {
    let mut text = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, Whole::default());
    // Values with text keys always serialise, and a vector takes every write.
    let _ = value.serialize(&mut serializer);
    text.push(b'\n');
    String::from_utf8(text).unwrap_or_default()
}

/// Indents, and writes whole numbers without a fraction.
#[derive(Default)]
struct Whole(PrettyFormatter<'static>);

impl Formatter for Whole {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        match value.fract() == 0.0 && value.abs() <= EXACT {
            true => self.0.write_i64(writer, value as i64),
            false => self.0.write_f64(writer, value),
        }
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(w, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(w, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn whole_numbers_have_no_fraction_and_all_else_is_as_it_was() {
        let value = json!({
            "tokens": 128.0, "rate": 0.5, "none": f64::NAN, "much": 1e300, "minus": -3.0, "zero": -0.0,
            "names": ["a", {"b": []}], "count": 7, "empty": {},
        });
        let text = json_text(&value);
        for line in ["\"tokens\": 128,", "\"rate\": 0.5,", "\"minus\": -3,", "\"zero\": 0"] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(text.contains("\"none\": null") && text.contains("\"much\": 1e+300"), "{text}");
        // But for the fractions it is what serde_json writes.
        let back: Value = serde_json::from_str(&text).expect("JSON");
        let whole = json!({
            "tokens": 128, "rate": 0.5, "none": null, "much": 1e300, "minus": -3, "zero": 0,
            "names": ["a", {"b": []}], "count": 7, "empty": {},
        });
        assert_eq!(back, whole);
        assert_eq!(text.trim_end(), serde_json::to_string_pretty(&whole).expect("JSON"));
    }
}
