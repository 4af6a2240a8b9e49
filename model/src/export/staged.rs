//! Files on their way to their names: who may write beside them, who may read them, and what a kill leaves behind.

use std::fs::File;
use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

/// How a file is called until it is complete.
const PREFIX: &str = ".isocost-";

/// A file that is not complete yet. It may be read by whom the process's mask lets read.
pub(super) fn temporary(dir: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(dir)
}

/// A directory that is written into. Its lock ends with the process, however that ends; where there are no locks it is
/// written into all the same.
pub(super) struct Held(
    #[expect(dead_code, reason = "the lock lives as long as the file")] Option<File>,
);

impl Held {
    /// Waits until nobody else writes into the directory, and removes what a killed run left there.
    pub fn alone(dir: &Path) -> Self {
        let file = File::open(dir).ok().filter(|file| file.lock().is_ok());
        if file.is_some() {
            sweep(dir);
        }
        Self(file)
    }

    /// The same where nobody else writes; else beside others, whose files are their own.
    pub fn beside(dir: &Path) -> Self {
        let Ok(file) = File::open(dir) else { return Self(None) };
        if file.try_lock().is_ok() {
            sweep(dir);
            return Self(Some(file));
        }
        Self(Some(file).filter(|file| file.lock_shared().is_ok()))
    }
}

/// Removes files that were never completed: nobody is at work on them while the directory is held alone.
fn sweep(dir: &Path) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_left = name.to_str().is_some_and(|n| n.starts_with(PREFIX) && n.ends_with(".tmp"));
        if is_left {
            // Another may have removed it already.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::export::write_file;

    #[test]
    fn what_a_kill_left_is_gone_and_files_are_as_open_as_any() {
        let dir = tempfile::tempdir().expect("a directory");
        let (_, left) = temporary(dir.path()).and_then(|file| Ok(file.keep()?)).expect("a file");
        let path = dir.path().join("plan.json");
        write_file(&path, b"{}").expect("written");
        let names: Vec<_> = std::fs::read_dir(dir.path())
            .expect("a directory")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        assert_eq!(names, ["plan.json"], "{} is gone", left.display());
        // As a file that is made plainly.
        std::fs::write(dir.path().join("plain"), b"").expect("written");
        let mode = |name: &str| {
            let metadata = std::fs::metadata(dir.path().join(name)).expect("there");
            metadata.permissions().mode() & 0o777
        };
        assert_eq!(mode("plan.json"), mode("plain"));
    }

    #[test]
    fn runs_into_one_directory_write_one_after_the_other() {
        let dir = tempfile::tempdir().expect("a directory");
        let held = Held::alone(dir.path());
        let path = dir.path().to_owned();
        let other = std::thread::spawn(move || drop(Held::alone(&path)));
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(!other.is_finished(), "the directory is held");
        drop(held);
        other.join().expect("no panic");
    }
}
