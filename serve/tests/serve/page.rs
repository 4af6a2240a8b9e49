//! The page in a real browser: it plans, sliders plan anew, problems lead to their line. Without Chromium the tests
//! that need it skip and say so; `scripts/setup --tests` installs it.

#[path = "../../../tests/support/chromium.rs"]
mod chromium;

use std::path::Path;
use std::time::{Duration, Instant};

use chromium::Page;
use isocost_serve::http::Settings;
use isocost_serve::planning::Options;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Served, backend, start, stateless};

#[tokio::test]
async fn the_page_lets_nothing_else_run() {
    let served = stateless().await;
    let (one, other) = (served.get("/").await, served.get("/").await);
    assert_eq!(one.status(), StatusCode::OK);
    let policy = |answer: &reqwest::Response| {
        answer.headers()["content-security-policy"].to_str().expect("text").to_owned()
    };
    let (first, second) = (policy(&one), policy(&other));
    assert!(first.starts_with("default-src 'none'; script-src 'nonce-"), "{first}");
    assert!(!first.contains("unsafe"), "{first}");
    assert_ne!(first, second, "each answer has its own word");
    let html = one.text().await.expect("text");
    assert!(!html.contains("{{"), "every place is filled");
    assert!(!html.contains("http://") && !html.contains("https://"), "nothing from elsewhere");
    assert!(html.contains("premium-qwen2.5-32b"), "the example is there");
}

/// Opens the page of a service as it is unless told otherwise.
async fn browse(test: impl FnOnce(&mut Page) + Send + 'static) {
    browse_of(stateless().await, test).await;
}

/// Opens the page on a thread of its own, as the browser's pipe blocks.
async fn browse_of(served: Served, test: impl FnOnce(&mut Page) + Send + 'static) {
    let url = format!("{}/", served.url);
    let work = tokio::task::spawn_blocking(move || {
        let Some(mut page) = Page::open(&url) else {
            eprintln!("skipped: no Chromium here; scripts/setup --tests installs it");
            return;
        };
        test(&mut page);
        assert_eq!(page.complaints(&url), Vec::<String>::new());
    });
    work.await.expect("the page does what it should");
}

/// Waits until an expression is true.
fn until(page: &mut Page, expression: &str) {
    let start = Instant::now();
    while page.value(expression) != json!(true) {
        assert!(start.elapsed() < Duration::from_secs(120), "in vain: {expression}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

const DONE: &str = "document.getElementById('result').getAttribute('aria-busy') === 'false'";
const REPORT: &str = "document.getElementById('report').contentDocument";

fn cost(page: &mut Page) -> f64 {
    let text = page.value("document.querySelector('#figures dd').textContent");
    let text = text.as_str().unwrap_or_default().replace(',', "");
    text.parse().unwrap_or_else(|_| panic!("a cost: {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_plans_by_keyboard_and_shows_the_report() {
    browse(|page| {
        page.value("document.getElementById('plan').focus()");
        page.press("Enter", 13);
        until(page, DONE);
        let summary = page.value("document.getElementById('summary').textContent");
        assert!(summary.as_str().is_some_and(|s| s.starts_with("optimal at ")), "{summary}");
        assert_eq!(page.value("document.getElementById('changes').hidden"), json!(true));
        until(page, &format!("!!{REPORT}.querySelector('#placements-table')"));
        // The report's own style and script run: its headings sort.
        until(page, &format!("!!{REPORT}.querySelector('#placements-table th button')"));
        let font = format!("getComputedStyle({REPORT}.body).maxWidth");
        assert_eq!(page.value(&font), json!("1840px"));
        assert_eq!(page.value(&format!("{REPORT}.scripts.length")), json!(1));
        picture(page, "plan");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sliders_plan_anew_and_say_what_moves() {
    browse(|page| {
        page.value("document.getElementById('plan').click()");
        until(page, DONE);
        let stated = cost(page);
        page.value("document.getElementById('load').focus()");
        for _ in 0..14 {
            page.press("ArrowLeft", 37);
        }
        assert_eq!(page.value("document.getElementById('load-value').value"), json!("0.3"));
        let cheaper = format!(
            "Number(document.querySelector('#figures dd').textContent.replaceAll(',', '')) < {stated}"
        );
        until(page, &cheaper);
        until(page, DONE);
        let change = page.value("document.querySelectorAll('#figures dd')[1].textContent");
        assert!(change.as_str().is_some_and(|c| c.starts_with('-')), "{change}");
        assert_eq!(page.value("document.getElementById('changes').hidden"), json!(false));
        picture(page, "less-load");
        // Few cards: not all can be served, and the page says which.
        page.value(
            "{ const c = document.getElementById('capacity'); c.value = 0.25; \
             c.dispatchEvent(new Event('input')) }",
        );
        until(page, "document.getElementById('summary').textContent.startsWith('infeasible')");
        until(page, DONE);
        let reasons = page.value("document.getElementById('reasons').textContent");
        assert!(reasons.as_str().is_some_and(|r| r.contains("premium-qwen2.5-32b")), "{reasons}");
        picture(page, "few-cards");
        page.value("document.getElementById('reset').click()");
        until(page, "document.getElementById('summary').textContent.startsWith('optimal')");
        assert_eq!(cost(page), stated);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_knows_whose_scenario_is_open() {
    browse(|page| {
        let source = |page: &mut Page| {
            let text = page.value("document.getElementById('source').textContent");
            text.as_str().expect("text").to_owned()
        };
        assert!(source(page).starts_with("The example, to be planned"), "{}", source(page));
        // A file as a reader picks it.
        page.value(
            "(() => { const text = document.getElementById('scenario').value; \
               const picked = new DataTransfer(); \
               picked.items.add(new File([text], 'my-fleet.yaml')); \
               const file = document.getElementById('file'); file.files = picked.files; \
               file.dispatchEvent(new Event('change')) })()",
        );
        until(page, "document.getElementById('source').textContent.includes('my-fleet.yaml')");
        assert!(source(page).contains("as it was when you opened it"), "{}", source(page));
        assert_eq!(page.value("document.title"), json!("my-fleet.yaml: isocost"));
        until(page, DONE);
        page.value(
            "{ const s = document.getElementById('scenario'); s.value += ' '; \
             s.dispatchEvent(new Event('input')) }",
        );
        assert!(source(page).contains("my-fleet.yaml, changed here"), "{}", source(page));
        page.value("document.getElementById('example').click()");
        assert!(source(page).starts_with("The example, to be planned"), "{}", source(page));
        assert_eq!(page.value("document.getElementById('file').files.length"), json!(0));
        until(page, DONE);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn problems_lead_to_their_line() {
    browse(|page| {
        page.value(
            "{ const s = document.getElementById('scenario'); \
             s.value = s.value.replace('class: \"Free\"', 'class: \"Fre\"'); \
             s.dispatchEvent(new Event('input')); document.getElementById('plan').click() }",
        );
        until(page, "!!document.querySelector('#problems button')");
        let said = page.value("document.getElementById('problems').textContent");
        assert!(said.as_str().is_some_and(|s| s.contains("did you mean `Free`?")), "{said}");
        assert_eq!(page.value("document.getElementById('result').hidden"), json!(true));
        page.value("document.querySelector('#problems button').click()");
        let selected = page.value(
            "{ const s = document.activeElement; s.value.slice(s.selectionStart, s.selectionEnd) }",
        );
        assert!(selected.as_str().is_some_and(|s| s.contains("\"Fre\"")), "{selected}");
        picture(page, "problems");
        // The service says so by a status, which a browser notes.
        page.events.retain(|e| !e.to_string().contains("400"));
        page.value("document.getElementById('example').click()");
        until(page, "document.getElementById('summary').textContent.startsWith('optimal')");
        assert_eq!(page.value("document.getElementById('problems').textContent"), json!(""));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_asks_for_the_token_where_there_is_one() {
    let settings = Settings { token: Some("secret".to_owned()), ..Settings::default() };
    let served = start(settings, Options::default(), backend(), false).await;
    browse_of(served, |page| {
        page.value("document.getElementById('plan').click()");
        until(page, "document.getElementById('problems').textContent.includes('bearer token')");
        page.events.retain(|e| !e.to_string().contains("401"));
        page.value("document.getElementById('token').value = 'secret'");
        page.value("document.getElementById('plan').click()");
        until(page, "document.getElementById('summary').textContent.startsWith('optimal')");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_control_is_named_and_text_stands_out_in_light_and_dark() {
    browse(|page| {
        let unnamed = "[...document.querySelectorAll('input, textarea, button, iframe')].filter(e => \
             !(e.labels && e.labels.length) && !e.textContent.trim() && !e.title).map(e => e.outerHTML)";
        assert_eq!(page.value(unnamed), json!([]));
        page.value("document.getElementById('plan').click()");
        until(page, DONE);
        let mut backgrounds = Vec::new();
        for scheme in ["light", "dark"] {
            page.show("screen", scheme);
            let found = page.value(FAINT);
            let found = found.as_array().expect("a list").clone();
            assert!(found[0].as_u64().is_some_and(|pairs| pairs > 5), "{found:?}");
            assert_eq!(found[1..], Vec::<Value>::new(), "{scheme}");
            backgrounds.push(page.value("getComputedStyle(document.body).backgroundColor"));
            picture(page, scheme);
        }
        assert_ne!(backgrounds[0], backgrounds[1]);
        let fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
        for width in [1280, 390] {
            let size = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
            page.call("Emulation.setDeviceMetricsOverride", size);
            assert_eq!(page.value(fits), json!(true), "{width}");
        }
        picture(page, "narrow");
    })
    .await;
}

/// Every text that a reader sees with less contrast than WCAG 2.2 AA asks for (4.5 to 1).
const FAINT: &str = include_str!("../../../tests/support/faint.js");

/// Keeps a picture of the page where `ISOCOST_SCREENSHOTS` names a directory.
fn picture(page: &mut Page, name: &str) {
    let Some(dir) = std::env::var_os("ISOCOST_SCREENSHOTS") else { return };
    let shot = page.call("Page.captureScreenshot", json!({"captureBeyondViewport": true}));
    let file = Path::new(&dir).join(format!("page-{name}.png.base64"));
    std::fs::write(file, shot["data"].as_str().unwrap_or_default()).expect("a directory");
}
