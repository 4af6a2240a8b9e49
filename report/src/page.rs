//! The page: templates filled with the sections.

use minijinja::Environment;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use serde::Serialize;

use crate::Input;
use crate::content::Section;
use crate::summary::{Summary, summary};

const PAGE: &str = include_str!("../templates/report.html");
const STYLE: &str = include_str!("../templates/style.css");
const SCRIPT: &str = include_str!("../templates/tables.js");

#[derive(Serialize)]
struct Page<'a> {
    name: &'a str,
    version: &'static str,
    summary: Summary,
    sections: Vec<Section>,
    style: String,
    script: &'static str,
}

/// The report as one HTML file, which needs nothing but itself.
pub fn html(input: &Input<'_>) -> String {
    // All four lines rest on the template, which is part of the program; the tests fill it.
    let tight = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    let mut environment = Environment::new();
    environment.set_syntax(tight.expect("the usual delimiters"));
    let page = Page {
        name: input.name,
        version: env!("CARGO_PKG_VERSION"),
        summary: summary(input),
        sections: crate::sections(input),
        style: format!("{}{STYLE}", isocost_charts::css()),
        script: SCRIPT,
    };
    environment.render_named_str("report.html", PAGE, Serde(page)).expect("the template is sound")
}
