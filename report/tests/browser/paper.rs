//! The report on paper: few pages, nothing torn, and the headings of a table on each page that it
//! goes on to.

use std::path::Path;
use std::process::Command;

use isocost_planner::Formulation;

use crate::chromium::print;
use crate::common::{Planned, fleet, plan};

/// Prints a report; `None` where no Chromium is installed.
fn printed(planned: &Planned, dir: &Path) -> Option<Vec<u8>> {
    let (page, paper) = (dir.join("report.html"), dir.join("report.pdf"));
    std::fs::write(&page, planned.html()).expect("a file");
    let paper = print(&page, &paper);
    if paper.is_none() {
        eprintln!("skipped: no Chromium here; scripts/setup installs it");
    }
    paper
}

#[test]
fn the_fleet_takes_less_than_half_of_the_pages_it_took() {
    let dir = tempfile::tempdir().expect("a directory");
    let Some(paper) = printed(&plan(fleet(), Formulation::MIXED, false), dir.path()) else {
        return;
    };
    let pages =
        paper.windows(12).filter(|w| w.starts_with(b"/Type /Page") && w[11] != b's').count();
    assert!((5..=13).contains(&pages), "{pages} pages, once 27");
}

#[test]
fn headings_of_tables_stand_on_every_page_of_them() {
    let dir = tempfile::tempdir().expect("a directory");
    if printed(&plan(fleet(), Formulation::MIXED, false), dir.path()).is_none() {
        return;
    }
    let mut reader = Command::new("pdftotext");
    let text = reader.args(["-layout", "report.pdf", "-"]).current_dir(dir.path()).output();
    let Ok(text) = text else {
        return eprintln!("skipped: no pdftotext here; scripts/setup installs it");
    };
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    let mut continued = 0;
    for (nth, page) in text.split('\x0c').enumerate() {
        let lines: Vec<&str> = page.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
        // A row of a table names a server and its cards; what stands above it is a row or a heading.
        let is_row = |line: &&&str| {
            let names = ["premium-", "bronze-", "free-"].iter().any(|n| line.starts_with(n));
            names && line.split_whitespace().count() > 5 && !line.contains(" on ")
        };
        let Some(first) = lines.iter().position(|l| is_row(&l)) else { continue };
        let above = lines[..first].iter().any(|line| line.starts_with("Server"));
        assert!(above, "page {}: `{}` stands under no heading", nth + 1, lines[first]);
        continued += usize::from(first <= 3);
    }
    assert!(continued >= 3, "{continued} pages go on with a table: {text}");
}
