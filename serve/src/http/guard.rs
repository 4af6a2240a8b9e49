//! What a request has to pass on its way to a route.

use std::any::Any;
use std::hint::black_box;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Error;
use super::renewed::Kept;

/// When a request is given up; handlers find it among its extensions.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(pub Instant);

impl Deadline {
    /// What is left until then.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// Gives a request up that takes too long: what it started is dropped, and stops.
pub async fn in_time(State(limit): State<Duration>, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(Deadline(Instant::now() + limit));
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let seconds = limit.as_secs_f64();
            let message = format!(
                "the request took longer than {seconds} s, and was given up; send a smaller one, or \
                 start the service with a larger --request-limit"
            );
            Error::new(StatusCode::REQUEST_TIMEOUT, message).into_response()
        }
    }
}

/// What the header `Authorization` has to be.
#[derive(Debug, Clone)]
pub struct Token(String);

impl Token {
    pub fn new(token: &str) -> Self {
        Self(format!("Bearer {token}"))
    }

    /// Whether they are equal, in a time that tells nothing of where they differ.
    pub fn is(&self, header: &[u8]) -> bool {
        let own = self.0.as_bytes();
        let differs = own.iter().zip(header).fold(0, |all, (a, b)| black_box(all | (a ^ b)));
        own.len() == header.len() && differs == 0
    }
}

/// Lets a request through that brings the token, if there is one.
pub async fn authorised(State(token): State<Kept>, request: Request, next: Next) -> Response {
    let brought = request.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes);
    match token.allows(brought) {
        true => next.run(request).await,
        false => Error::unauthorised().into_response(),
    }
}

/// Turns away what a page of another site makes a browser send: whoever opens such a page asks for nothing here.
/// Programs send neither header.
pub async fn own_pages(request: Request, next: Next) -> Response {
    match is_foreign(request.headers()) {
        true => Error::foreign().into_response(),
        false => next.run(request).await,
    }
}

fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin"), text("host")) {
        (Some(site), _, _) => !matches!(site, "same-origin" | "none"),
        (None, Some(origin), host) => origin.split_once("://").map(|(_, place)| place) != host,
        (None, None, _) => false,
    }
}

/// The answer where a route takes other methods.
pub async fn wrong_method(method: Method, uri: Uri) -> Error {
    Error::wrong_method(method.as_str(), uri.path())
}

/// The answer where a route panicked: that is this program's fault, and its end is not.
pub fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let what = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    let what = what.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    tracing::error!(what, "a request panicked");
    Error::failed("the service failed on this request; its log says why").into_response()
}

/// What every answer carries: browsers take its type as it is stated.
pub async fn safe_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_itself_alone() {
        let token = Token::new("secret");
        assert!(token.is(b"Bearer secret"));
        for wrong in ["", "Bearer ", "Bearer secre", "Bearer secrets", "bearer secret", "secret"] {
            assert!(!token.is(wrong.as_bytes()), "{wrong}");
        }
    }
}
