//! What the targets share.

use std::io::Write;
use std::path::Path;

/// Puts `bytes` into a file for readers that take a path.
pub fn as_file<T>(bytes: &[u8], read: impl FnOnce(&Path) -> T) -> T {
    let mut file = tempfile::NamedTempFile::new().expect("there is room for temporary files");
    file.write_all(bytes).expect("there is room for temporary files");
    read(file.path())
}
