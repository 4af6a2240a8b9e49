//! What a reader has in sight: type that can be read and columns that are not cut off, whatever the
//! width of the window.

use serde_json::{Value, json};

use crate::chromium::Page;
use crate::common::{fleet, plan};
use crate::{Opened, open};
use isocost_planner::Formulation;

/// Widths of windows, with the least type that a chart shows there, pixels.
const WINDOWS: [(u32, f64); 7] =
    [(320, 9.0), (400, 11.0), (600, 10.0), (768, 10.0), (1156, 10.0), (1280, 10.0), (1920, 10.0)];

pub fn widen(page: &mut Page, width: u32) {
    let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
    page.call("Emulation.setDeviceMetricsOverride", size);
    // What watches the size of tables answers before the next picture.
    let drawn = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))";
    page.call("Runtime.evaluate", json!({"expression": drawn, "awaitPromise": true}));
}

#[test]
fn charts_can_be_read_at_every_width() {
    let planned = plan(fleet(), Formulation::MIXED, false);
    let Some(Opened { mut page, file: _, _dir }) = open(&planned) else { return };
    for (width, least) in WINDOWS {
        widen(&mut page, width);
        let sizes = page.value(
            "[...document.querySelectorAll('svg.chart')].filter(s => s.getClientRects().length).map(s => { \
               const scale = s.getBoundingClientRect().width / s.viewBox.baseVal.width; \
               const sizes = [...s.querySelectorAll('text')].map(t => t.getAttribute('font-size')); \
               return scale * Math.min(...sizes) })",
        );
        let sizes: Vec<f64> =
            sizes.as_array().expect("a list").iter().filter_map(Value::as_f64).collect();
        let smallest = sizes.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(sizes.len() > 70, "{width}: {} charts", sizes.len());
        assert!(smallest >= least, "{width}: type of {smallest:.1} px");
    }
}

#[test]
fn no_tile_stands_alone() {
    let planned = plan(fleet(), Formulation::MIXED, false);
    let Some(Opened { mut page, file: _, _dir }) = open(&planned) else { return };
    for (width, _) in WINDOWS {
        widen(&mut page, width);
        // Lines of charts have as many each; the last line of figures is as long as the first.
        let torn = page.value(
            "[...document.querySelectorAll('.plots')].filter(p => { const tops = {}; \
               for (const f of p.children) { const y = Math.round(f.getBoundingClientRect().top); \
                 tops[y] = (tops[y] || 0) + 1 } \
               return new Set(Object.values(tops)).size > 1 }).length",
        );
        assert_eq!(torn, json!(0), "{width}: charts");
        let ends = page.value(
            "(() => { const all = [...document.querySelectorAll('header .figures div')] \
               .map(d => d.getBoundingClientRect()); \
               const right = Math.max(...all.map(r => r.right)); \
               return Math.abs(right - all[all.length - 1].right) })()",
        );
        assert!(ends.as_f64().is_some_and(|gap| gap < 1.5), "{width}: figures end {ends} px early");
    }
}

/// Headings of a table whose column is cut off at the edge of what is in sight.
fn cut_off(page: &mut Page, table: &str) -> Vec<String> {
    let found = page.value(&format!(
        "(() => {{ const table = document.getElementById('{table}'); \
           const sight = table.closest('.scroll').getBoundingClientRect(); \
           return [...table.tHead.rows[0].cells].filter(c => {{ const r = c.getBoundingClientRect(); \
             return r.width === 0 || r.left < sight.left - 1 || r.right > sight.right + 1 }}) \
             .map(c => c.textContent) }})()"
    ));
    let words = |value: &Value| value.as_str().map(str::to_owned);
    found.as_array().expect("a list").iter().filter_map(words).collect()
}

#[test]
fn what_a_planner_looks_for_is_in_sight() {
    let planned = plan(fleet(), Formulation::MIXED, false);
    let Some(Opened { mut page, file, _dir }) = open(&planned) else { return };
    for (width, _) in &WINDOWS[1..] {
        widen(&mut page, *width);
        for (table, wanted) in [
            ("placements-table", ["Server", "Accelerator", "Replicas", "Cost, cents/h"]),
            ("objectives-table", ["Server", "Objective", "Verdict", "Of the limit, %"]),
        ] {
            let cut = cut_off(&mut page, table);
            assert!(wanted.iter().all(|name| !cut.contains(&(*name).into())), "{width}: {cut:?}");
        }
        let wide = "[...document.querySelectorAll('.scroll')].filter(s => s.scrollWidth > \
                    s.clientWidth + 1).map(s => s.querySelector('table').id)";
        assert_eq!(page.value(wide), json!([]), "{width}: tables as they open fit");
    }
    assert_eq!(page.complaints(&file), Vec::<String>::new());
}

#[test]
fn a_wide_table_shows_that_it_scrolls() {
    let planned = plan(fleet(), Formulation::MIXED, false);
    let Some(Opened { mut page, file, _dir }) = open(&planned) else { return };
    widen(&mut page, 400);
    let of = |at: &str| {
        format!(
            "document.getElementById('placements-table').closest('.table').querySelector('{at}')"
        )
    };
    let (button, hint, scroll) = (of(".columns"), of(".hint"), of(".scroll"));
    assert_eq!(page.value(&format!("{hint}.hidden")), json!(true), "all that is shown is in sight");
    let columns = page.value("document.querySelectorAll('#placements-table thead th').length");
    let text = format!("All {columns} columns");
    assert_eq!(page.value(&format!("{button}.textContent")), json!(text));
    page.value(&format!("{button}.click()"));
    widen(&mut page, 400);
    let shown =
        "[...document.querySelectorAll('#placements-table thead th')].every(c => c.offsetWidth)";
    assert_eq!(page.value(shown), json!(true));
    let hint_shows = format!("{hint}.getClientRects().length > 0");
    assert_eq!(page.value(&hint_shows), json!(true));
    assert_eq!(page.value(&format!("{scroll}.classList.contains('more-right')")), json!(true));
    // At the end nothing more is promised, and the names still stand at the side.
    page.value(&format!("{scroll}.scrollLeft = 1e6"));
    widen(&mut page, 400);
    assert_eq!(page.value(&hint_shows), json!(false));
    let name = "document.querySelector('#placements-table tbody th').getBoundingClientRect().left";
    assert!(page.value(name).as_f64().is_some_and(|left| (0.0..60.0).contains(&left)));
    page.value(&format!("{button}.click()"));
    widen(&mut page, 400);
    assert!(cut_off(&mut page, "placements-table").contains(&"Batch".into()));
    assert_eq!(page.complaints(&file), Vec::<String>::new());
}
