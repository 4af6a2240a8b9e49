//! The page at `/`: plain HTML, CSS and JavaScript, in one answer that asks for nothing else.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use crate::http::Error;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// What the page begins with.
const EXAMPLE: &str = include_str!("../../../data/quickstart.yaml");

/// The page's route.
pub fn router() -> Router {
    Router::new().route("/", get(page))
}

/// The page. Its style and script, and those of a report within it, run by a word that only this answer
/// knows; nothing else runs, and nothing is fetched from elsewhere.
async fn page() -> Result<Response, Error> {
    let mut word = [0; 16];
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut word).map_err(|_| Error::failed("this machine gives no random numbers"))?;
    let nonce = format!("{:032x}", u128::from_be_bytes(word));
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; \
         img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let html = PAGE
        .replace("{{nonce}}", &nonce)
        .replace("{{version}}", env!("CARGO_PKG_VERSION"))
        .replace("{{style}}", STYLE)
        .replace("{{script}}", SCRIPT)
        .replace("{{example}}", &EXAMPLE.replace('&', "&amp;").replace('<', "&lt;"));
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    // Letters, digits and signs that headers may hold.
    headers.extend(HeaderValue::try_from(policy).ok().map(|p| (CONTENT_SECURITY_POLICY, p)));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}
