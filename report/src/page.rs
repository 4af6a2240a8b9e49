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

/// What a page says.
#[derive(Serialize)]
pub(crate) struct Page {
    /// In the window's frame.
    pub title: String,
    pub heading: String,
    pub summary: Summary,
    pub sections: Vec<Section>,
}

#[derive(Serialize)]
struct Filled {
    #[serde(flatten)]
    page: Page,
    version: &'static str,
    style: String,
    script: &'static str,
}

/// The report as one HTML file, which needs nothing but itself.
pub fn html(input: &Input<'_>) -> String {
    let summary = summary(input);
    filled(Page {
        title: format!("{}: {} plan", input.name, summary.status),
        heading: format!("Plan of {}", input.name),
        summary,
        sections: crate::sections(input),
    })
}

/// The page as one HTML file.
pub(crate) fn filled(page: Page) -> String {
    // All four lines rest on the template, which is part of the program; the tests fill it.
    let tight = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    let mut environment = Environment::new();
    environment.set_syntax(tight.expect("the usual delimiters"));
    let page = Filled {
        page,
        version: env!("CARGO_PKG_VERSION"),
        style: format!("{}{STYLE}", isocost_charts::css()),
        script: SCRIPT,
    };
    environment.render_named_str("report.html", PAGE, Serde(page)).expect("the template is sound")
}
