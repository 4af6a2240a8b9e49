//! The page of the last cycles: one document and one style sheet, no script, nothing from elsewhere.

use std::fmt::Write;
use std::sync::Arc;

use super::record::Record;
use crate::actuate::Allocation;

/// What the page may load: its style sheet.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; \
                          base-uri 'none'; frame-ancestors 'none'";

/// The style sheet.
pub const STYLE: &str = "\
:root { color-scheme: light dark; --line: #8886; --bad: #b00020; }
@media (prefers-color-scheme: dark) { :root { --bad: #ff8a8a; } }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; width: 100%; }
caption { font-weight: 600; padding: .25rem 0; text-align: left; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top; }
td.number { font-variant-numeric: tabular-nums; text-align: right; }
.wide { overflow-x: auto; }
.bad { color: var(--bad); font-weight: 600; }
:focus-visible { outline: 3px solid; outline-offset: 2px; }
";

/// The page.
pub fn page(holder: &str, leader: bool, cycles: &[Arc<Record>]) -> String {
    let role = if leader { "acts" } else { "stands by" };
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>isocost control</title>\n<link rel=\"stylesheet\" href=\"style.css\">\n</head>\n<body>\n\
         <header><h1>isocost control</h1>\n<p>{} {role}. <a href=\"\">Reload</a></p>\n\
         <form method=\"post\" action=\"invoke\"><button>Run a cycle now</button></form></header>\n<main>\n",
        escape(holder)
    );
    match cycles.first() {
        None => html.push_str("<p>There was no cycle yet.</p>\n"),
        Some(last) => {
            messages(&mut html, last);
            servers(&mut html, last);
            left_alone(&mut html, last);
            table_of_cycles(&mut html, cycles);
        }
    }
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

fn messages(html: &mut String, last: &Record) {
    let lists = [("Errors", &last.errors), ("Warnings", &last.warnings), ("Remarks", &last.notes)];
    for (title, lines) in lists.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        let class = if title == "Remarks" { "" } else { " class=\"bad\"" };
        add(html, format_args!("<h2{class}>{title} of cycle {}</h2>\n<ul>\n", last.cycle));
        for line in lines {
            add(html, format_args!("<li>{}</li>\n", escape(line)));
        }
        html.push_str("</ul>\n");
    }
}

fn servers(html: &mut String, last: &Record) {
    let head =
        ["Server", "Runs on", "Ready", "Requests/min", "Load from", "Decided", "Why", "Outcome"];
    open(html, &format!("Servers in cycle {}, {}", last.cycle, last.time), &head);
    for seen in &last.observed {
        let decided = last.decided.iter().find(|d| d.server == seen.server);
        let applied = last.applied.iter().find(|a| a.server == seen.server);
        let to = decided.map_or_else(|| "stays".to_owned(), |d| allocation(&d.to));
        let why = decided.map_or("", |d| d.reason.as_str());
        let outcome = applied.map_or("", |a| a.outcome);
        let class = if outcome == "failed" { " class=\"bad\"" } else { "" };
        add(
            html,
            format_args!(
                "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"number\">{}</td>\
                 <td class=\"number\">{:.1}</td><td>{}</td><td>{}</td><td>{}</td><td{class}>{outcome}</td></tr>\n",
                escape(&seen.server),
                escape(&allocation(&seen.allocation)),
                seen.ready,
                seen.load.arrival_rate,
                source(seen.source),
                escape(&to),
                escape(why),
            ),
        );
    }
    close(html);
}

fn left_alone(html: &mut String, last: &Record) {
    if last.left_alone.is_empty() {
        return;
    }
    open(html, "Left alone", &["What", "Why"]);
    for left in &last.left_alone {
        let (name, reason) = (escape(&left.name), escape(&left.reason));
        add(html, format_args!("<tr><th scope=\"row\">{name}</th><td>{reason}</td></tr>\n"));
    }
    close(html);
}

fn table_of_cycles(html: &mut String, cycles: &[Arc<Record>]) {
    let head = [
        "Cycle",
        "Time",
        "Seconds",
        "Cents/h before",
        "Cents/h decided",
        "Plan",
        "Changes",
        "Failed",
        "Errors",
    ];
    open(html, "Last cycles", &head);
    for record in cycles {
        let status = if record.status.is_empty() { "none" } else { &record.status };
        add(
            html,
            format_args!(
                "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"number\">{:.2}</td>\
                 <td class=\"number\">{:.1}</td><td class=\"number\">{:.1}</td><td>{}</td>\
                 <td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
                record.cycle,
                escape(&record.time),
                record.seconds.total,
                record.cost.before,
                record.cost.after,
                escape(status),
                record.decided.len(),
                record.count("failed"),
                record.errors.len(),
            ),
        );
    }
    close(html);
}

fn open(html: &mut String, caption: &str, head: &[&str]) {
    let caption = escape(caption);
    // A region that scrolls sideways has to be reachable by keyboard.
    add(
        html,
        format_args!(
            "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\">\n\
             <table>\n<caption>{caption}</caption>\n<thead><tr>"
        ),
    );
    for word in head {
        add(html, format_args!("<th scope=\"col\">{word}</th>"));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
}

fn close(html: &mut String) {
    html.push_str("</tbody>\n</table>\n</div>\n");
}

fn add(html: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = html.write_fmt(what);
}

fn allocation(allocation: &Allocation) -> String {
    let on = allocation.accelerator.as_deref().unwrap_or("nobody knows what");
    match allocation.max_batch {
        Some(batch) => format!("{} x {on}, batch {batch}", allocation.replicas),
        None => format!("{} x {on}", allocation.replicas),
    }
}

fn source(source: crate::collect::Source) -> &'static str {
    match source {
        crate::collect::Source::Measured => "Prometheus",
        crate::collect::Source::RateMeasured => "Prometheus, tokens from labels",
        crate::collect::Source::Labels => "labels",
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_text_and_nothing_comes_from_elsewhere() {
        let mut record = Record::begin(1, "me", false);
        record.errors.push("<script>alert(1)</script>".to_owned());
        let html = page("a\"b", true, &[Arc::new(record)]);
        assert!(html.contains("&lt;script&gt;") && !html.contains("<script"));
        assert!(html.contains("a&quot;b"));
        assert!(!html.contains("http:") && !html.contains("https:"));
    }
}
