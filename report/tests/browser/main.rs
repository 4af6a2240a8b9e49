//! The report in a real browser: it sorts, it asks for nothing, it can be read in light and dark.
//! Without Chromium the tests skip and say so; `scripts/setup` installs it.

#[path = "../../../tests/support/chromium.rs"]
mod chromium;
#[path = "../common/mod.rs"]
mod common;
mod paper;
mod sight;

use std::path::Path;

use chromium::Page;
use common::{Planned, fleet, large, plan};
use isocost_planner::Formulation;
use serde_json::{Value, json};

/// A report on disk, open in a browser.
struct Opened {
    page: Page,
    file: String,
    _dir: tempfile::TempDir,
}

fn open(planned: &Planned) -> Option<Opened> {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("report.html");
    std::fs::write(&file, planned.html()).expect("a file");
    let file = format!("file://{}", file.display());
    let page = Page::open(&file);
    if page.is_none() {
        eprintln!("skipped: no Chromium here; scripts/setup installs it");
    }
    Some(Opened { page: page?, file, _dir: dir })
}

fn column(page: &mut Page, table: &str, nth: usize) -> Vec<Value> {
    let cells = format!(
        "[...document.querySelectorAll('#{table} tbody tr')].map(r => {{ const c = r.cells[{nth}]; \
         return c.dataset.value === undefined ? c.textContent : Number(c.dataset.value) }})"
    );
    page.value(&cells).as_array().cloned().unwrap_or_default()
}

fn numbers(values: &[Value]) -> Vec<f64> {
    values.iter().filter_map(Value::as_f64).collect()
}

#[test]
fn tables_sort_by_keyboard_and_nothing_is_fetched() {
    let planned = plan(fleet(), Formulation::MIXED, false);
    let Some(Opened { mut page, file, _dir }) = open(&planned) else { return };
    let heading = "document.querySelector('#placements-table thead th:nth-child(8)')";
    assert_eq!(page.value(&format!("{heading}.textContent")), json!("Cost, cents/h"));
    page.value(&format!("{heading}.querySelector('button').focus()"));
    for (key, code, way) in [("Enter", 13, "descending"), ("Enter", 13, "ascending")] {
        page.press(key, code);
        assert_eq!(page.value(&format!("{heading}.getAttribute('aria-sort')")), json!(way));
        let costs = numbers(&column(&mut page, "placements-table", 7));
        assert_eq!(costs.len(), 33);
        let sorted = match way {
            "ascending" => costs.is_sorted(),
            _ => costs.iter().rev().is_sorted(),
        };
        assert!(sorted, "{way}: {costs:?}");
        let spoken = page.value("document.getElementById('announce').textContent");
        assert!(spoken.as_str().is_some_and(|s| s.ends_with(way)), "{spoken}");
    }
    // On to the next heading as a reader goes, and back to words.
    page.press("Tab", 9);
    let focused = page.value("document.activeElement.textContent");
    assert_eq!(focused, json!("Rate, req/s"));
    page.value("document.querySelector('#placements-table thead th button').click()");
    let names = column(&mut page, "placements-table", 0);
    assert_eq!(names.first(), Some(&json!("bronze-gemma-2-9b")));
    assert_eq!(page.value("document.querySelectorAll('[aria-sort]').length"), json!(1));
    assert_eq!(page.complaints(&file), Vec::<String>::new());
}

#[test]
fn a_long_table_can_be_searched() {
    let planned = large(37);
    let Some(Opened { mut page, file, _dir }) = open(&planned) else { return };
    let rows = |page: &mut Page| {
        page.value("[...document.querySelectorAll('#placements-table tbody tr')].filter(r => !r.hidden).length")
    };
    assert_eq!(rows(&mut page), json!(planned.plan.placements.len()));
    page.value(
        "{ const i = document.querySelector('section[aria-labelledby=placements] input'); \
         i.value = 'PREMIUM-phi-4-7'; i.dispatchEvent(new Event('input')) }",
    );
    assert_eq!(rows(&mut page), json!(1));
    // Neither table nor chart makes the page itself wider than the window.
    let fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
    assert_eq!(page.value(fits), json!(true));
    let narrow = json!({"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": false});
    page.call("Emulation.setDeviceMetricsOverride", narrow);
    assert_eq!(page.value(fits), json!(true));
    assert_eq!(page.complaints(&file), Vec::<String>::new());
}

/// Every text that a reader sees with less contrast than WCAG 2.2 AA asks for (4.5 to 1).
const FAINT: &str = include_str!("../../../tests/support/faint.js");

#[test]
fn text_stands_out_in_light_and_dark() {
    let planned = plan(fleet(), Formulation::MIXED, false);
    let Some(Opened { mut page, file, _dir }) = open(&planned) else { return };
    let mut backgrounds = Vec::new();
    for scheme in ["light", "dark"] {
        page.show("screen", scheme);
        let found = page.value(FAINT);
        let found = found.as_array().expect("a list");
        assert!(found[0].as_u64().is_some_and(|pairs| pairs > 5), "{found:?}");
        assert_eq!(found[1..], Vec::<Value>::new(), "{scheme}");
        backgrounds.push(page.value("getComputedStyle(document.body).backgroundColor"));
        picture(&mut page, scheme);
    }
    assert_ne!(backgrounds[0], backgrounds[1]);
    // On paper: light whatever the screen, no navigation, whole tables.
    page.show("print", "dark");
    assert_eq!(
        page.value("getComputedStyle(document.querySelector('nav')).display"),
        json!("none")
    );
    let ink = "getComputedStyle(document.documentElement).getPropertyValue('--chart-background')";
    assert_eq!(page.value(ink), json!("#ffffff"));
    let scrolls =
        "[...document.querySelectorAll('.scroll')].some(s => s.scrollHeight > s.clientHeight + 1)";
    assert_eq!(page.value(scrolls), json!(false));
    assert_eq!(page.complaints(&file), Vec::<String>::new());
}

/// Keeps a picture of the page where `ISOCOST_SCREENSHOTS` names a directory.
fn picture(page: &mut Page, name: &str) {
    let Some(dir) = std::env::var_os("ISOCOST_SCREENSHOTS") else { return };
    let shot = page.call("Page.captureScreenshot", json!({"captureBeyondViewport": true}));
    let file = Path::new(&dir).join(format!("report-{name}.png.base64"));
    std::fs::write(file, shot["data"].as_str().unwrap_or_default()).expect("a directory");
}

#[test]
fn a_hostile_name_runs_nothing() {
    let mut scenario = fleet();
    for server in &mut scenario.servers {
        server.name.push_str("<script>document.title='owned'</script><img src=x onerror=alert(1)>");
    }
    let planned = plan(scenario, Formulation::SINGLE, false);
    let Some(Opened { mut page, file, _dir }) = open(&planned) else { return };
    let title = page.value("document.title");
    assert!(title.as_str().is_some_and(|t| t.contains("fleet-27")), "{title}");
    assert_eq!(page.value("document.images.length"), json!(0));
    assert_eq!(page.complaints(&file), Vec::<String>::new());
}
