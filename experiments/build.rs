//! Which commit this is: measurements carry it. Without git, or outside a checkout, it is `unknown`,
//! or what ISOCOST_COMMIT says.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=ISOCOST_COMMIT");
    // The log of HEAD grows with every commit and checkout. Not the index, which `git status` writes
    // too: everything after it would be built anew.
    for name in ["HEAD", "logs/HEAD"] {
        // What is not there would count as changed every time.
        let path = git(&["rev-parse", "--git-path", name]);
        if let Some(path) = path.filter(|path| Path::new(path).exists()) {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    let told = std::env::var("ISOCOST_COMMIT").ok().filter(|c| !c.is_empty());
    let commit = told.or_else(from_git).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo:rustc-env=ISOCOST_COMMIT={commit}");
}

/// The commit, marked where the checkout differs from it.
fn from_git() -> Option<String> {
    let commit = git(&["rev-parse", "--short=10", "HEAD"])?;
    let changed = git(&["--no-optional-locks", "status", "--porcelain", "--untracked-files=no"])?;
    Some(if changed.is_empty() { commit } else { format!("{commit}+changes") })
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
