//! How much a document may hold, whatever its length: what is read takes memory by its values, not by its bytes.
//!
//! A fleet's document has 12 to 16 bytes a value and 50 an object where it is written as tightly as can be. One that is
//! denser is none, beyond what memory does not notice. Measurements are lists of numbers, a few bytes each: of these
//! more may be dense, as nobody sends them to a service.

/// Values of a fleet's document, of one of measurements, and the bytes of each beyond them.
const FLEET: usize = 500_000;
const MEASURED: usize = 4_000_000;
const BYTES_A_VALUE: usize = 16;

/// Objects of any document, and the bytes of each beyond them.
const OBJECTS: usize = 200_000;
const BYTES_AN_OBJECT: usize = 64;

/// What a document is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// A fleet and what belongs to it.
    Fleet,
    /// Measurements.
    Measured,
}

/// Values and objects that a document may still hold.
pub(super) struct Room {
    most: [usize; 2],
    values: usize,
    objects: usize,
}

impl Room {
    /// Of a document of so many bytes.
    pub fn new(of: Of, bytes: usize) -> Self {
        let few = if of == Of::Fleet { FLEET } else { MEASURED };
        let (values, objects) = (few + bytes / BYTES_A_VALUE, OBJECTS + bytes / BYTES_AN_OBJECT);
        Self { most: [values, objects], values, objects }
    }

    /// Takes a value, which may be an object.
    ///
    /// # Errors
    /// What there is too much of.
    pub fn take(&mut self, is_object: bool) -> Result<(), String> {
        let left = self.values.checked_sub(1).zip(self.objects.checked_sub(is_object.into()));
        match left {
            Some((values, objects)) => {
                (self.values, self.objects) = (values, objects);
                Ok(())
            }
            None => Err(format!(
                "more values than a document of this length may hold: {}, of which {} are objects",
                self.most[0], self.most[1],
            )),
        }
    }
}

/// Whether a JSON text has room for what it holds, found before any of it is kept: each value but the first stands
/// behind a comma or a bracket.
///
/// # Errors
/// What there is too much of.
pub(super) fn json_fits(of: Of, text: &str) -> Result<(), String> {
    let mut room = Room::new(of, text.len());
    let mut bytes = text.bytes();
    let mut is_text = false;
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => is_text = !is_text,
            b'\\' if is_text => drop(bytes.next()),
            b',' | b'[' | b'{' if !is_text => room.take(byte == b'{')?,
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn density_is_limited_and_size_is_not() {
        let server = r#"{"name":"s","model":"m","currentAlloc":{"accelerator":"A100","numReplicas":1,"load":
            {"arrivalRate":6,"avgInTokens":128,"avgOutTokens":512}}},"#;
        let fleet = format!("[{}]", server.repeat(100_000));
        json_fits(Of::Fleet, &fleet).expect("a large fleet");
        json_fits(Of::Fleet, &format!("[{}0]", "0,".repeat(400_000)))
            .expect("short lists may be dense");
        for dense in ["0,", "{},", "[],", "\"\",", "{\"a\":1},"] {
            let text = format!("[{}0]", dense.repeat(10_000_000 / dense.len()));
            let what = json_fits(Of::Fleet, &text).expect_err("dense");
            assert!(what.contains("may hold"), "{what}");
        }
        // What stands in texts is no value.
        json_fits(Of::Fleet, &format!("[\"{}\"]", ",[{\\\"".repeat(1_000_000))).expect("one text");
    }
}
