//! The text of a file or of standard input, and what CSV is within it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Files larger than this are refused: no fleet needs them, and they would not fit in memory.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// What `path` is called in messages.
pub fn name_of(path: &Path) -> String {
    match path.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => path.display().to_string(),
    }
}

/// The text of the file at `path`; `-` is standard input.
///
/// # Errors
/// What is wrong with it.
pub fn read_text(path: &Path) -> Result<String, String> {
    let bytes = match path.to_str() {
        Some("-") => limited(io::stdin().lock()),
        _ => file(path),
    }
    .map_err(|e| cannot(path, &e))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(too_large("more than 256".to_owned()));
    }
    String::from_utf8(bytes).map_err(|e| match e.as_bytes() {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => format!("is UTF-16 and not UTF-8{ANEW}UTF-16"),
        _ => {
            let at = e.utf8_error().valid_up_to();
            format!("is not UTF-8 (from byte {at} on){ANEW}WINDOWS-1252")
        }
    })
}

/// What to do about a file in another encoding, up to that encoding's name.
const ANEW: &str = "; save it as UTF-8, as by iconv -t UTF-8 -f ";

/// What is wrong with a file that cannot be read, and what to do about it: the remedy of its encoding where that
/// is at fault, else `otherwise`.
pub(super) fn with_remedy<'a>(what: &'a str, otherwise: &'a str) -> (&'a str, &'a str) {
    match what.contains(ANEW).then(|| what.split_once("; ")).flatten() {
        Some(parts) => parts,
        None => (what, otherwise),
    }
}

fn file(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    if size > MAX_FILE_BYTES {
        return Err(io::Error::other(too_large(format!("{}", size >> 20))));
    }
    limited(file)
}

/// At most a byte more than may be: what has no size of its own, as a pipe, ends too.
fn limited(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn too_large(mib: String) -> String {
    format!("has {mib} MiB, the limit is {} MiB", MAX_FILE_BYTES >> 20)
}

fn cannot(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::Other => error.to_string(),
        io::ErrorKind::NotFound if path.starts_with("~") => {
            "is not there: only a shell takes `~` for a home, and not in quotes".to_owned()
        }
        _ => format!("cannot be read: {error}"),
    }
}

/// A reader of CSV with a header. Cells are trimmed, and `;` or tabs may stand between them, as
/// spreadsheets have it where a comma is part of numbers.
pub fn csv_rows(text: &str) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .delimiter(csv_mark(text))
        .from_reader(text.as_bytes())
}

/// What stands between the cells of a CSV text: `,`, or what the header has in its place.
pub fn csv_mark(text: &str) -> u8 {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let mark = [b',', b';', b'\t'].into_iter().find(|m| header.as_bytes().contains(m));
    mark.unwrap_or(b',')
}

/// The line of `text` that a row stands in. The reader's own count is of where the row before ended:
/// off where lines end in CR LF, and where some are blank.
pub fn csv_line(text: &str, position: Option<&csv::Position>) -> u32 {
    let Some(position) = position else { return 0 };
    let rest = text.as_bytes().get(position.byte() as usize..).unwrap_or_default();
    let skipped = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
    (position.line() as usize + skipped.filter(|b| **b == b'\n').count()) as u32
}

/// The line of a row that is none, and what is wrong with it.
pub fn csv_defect(text: &str, error: &csv::Error) -> (u32, String) {
    let line = csv_line(text, error.position());
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            (line, format!("{len} cells, expected {expected_len} as in the header"))
        }
        _ => (line, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Vec<String>> {
        let mut reader = csv_rows(text);
        let header = reader.headers().cloned().into_iter();
        let records = reader.records().map_while(Result::ok);
        header.chain(records).map(|r| r.iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn spreadsheets_of_every_country_are_read_alike() {
        let wanted = rows("a,b\n1,2\n");
        assert_eq!(wanted, [["a", "b"], ["1", "2"]]);
        for text in ["a;b\n1;2", "a\tb\r\n1\t2\r\n", "\u{feff}a, b\r\n 1,2", "\n\"a\";\"b\"\n1;2\n"]
        {
            assert_eq!(rows(text), wanted, "{text:?}");
        }
        assert_eq!(rows("a,b;c\n1,2\n")[0], ["a", "b;c"]);
    }

    #[test]
    fn lines_are_counted_as_editors_count_them() {
        for text in
            ["a,b\n1,2\n\n3,4\n5\n", "a,b\r\n1,2\r\n\r\n3,4\r\n5\r\n", "a,b\n\"1\n\",4\n3,4\n5"]
        {
            let mut reader = csv_rows(text);
            let lines = reader.records().map(|row| match row {
                Ok(row) => csv_line(text, row.position()),
                Err(e) => csv_defect(text, &e).0,
            });
            assert_eq!(lines.collect::<Vec<_>>(), [2, 4, 5], "{text:?}");
        }
    }

    #[test]
    fn what_is_no_text_is_said() {
        let dir = tempfile::tempdir().expect("there is room for temporary files");
        let read = |bytes: &[u8]| {
            let path = dir.path().join("file");
            std::fs::write(&path, bytes).expect("there is room for temporary files");
            read_text(&path)
        };
        assert_eq!(read("ä".as_bytes()).as_deref(), Ok("ä"));
        assert_eq!(
            read(b"ab\xff").expect_err("no UTF-8"),
            "is not UTF-8 (from byte 2 on); save it as UTF-8, as by iconv -t UTF-8 -f WINDOWS-1252"
        );
        assert!(read(b"\xff\xfea\0").expect_err("UTF-16").contains("UTF-16"));
        assert!(read_text(dir.path()).expect_err("a directory").contains("cannot be read"));
        assert!(read_text(Path::new("~/none")).expect_err("no such").contains("shell"));
        assert!(read_text(Path::new("/dev/zero")).expect_err("endless").contains("limit"));
    }
}
