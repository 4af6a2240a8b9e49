//! The bearer token of a file, as a kubeconfig's `tokenFile` names one.
//!
//! The client reads such a file as it stands, and a line break at its end, as every editor leaves one, makes
//! a header that cannot be sent. Here it is read without what surrounds it, and anew every minute, as tokens
//! of service accounts rotate.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderValue, Request};

/// How long a token that was read is used.
const KEPT: Duration = Duration::from_secs(60);

/// Sets the header of each request.
#[derive(Debug, Clone)]
pub struct TokenFile(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: PathBuf,
    read: Mutex<Option<(HeaderValue, Instant)>>,
}

impl TokenFile {
    /// Of a file; nothing is read yet.
    pub fn new(file: PathBuf) -> Self {
        Self(Arc::new(Inner { file, read: Mutex::default() }))
    }

    /// The request with the token. Where the file cannot be read any more the last token goes on being
    /// sent; where it never could, none is, and the API server says so.
    pub fn sign<B>(&self, mut request: Request<B>) -> Request<B> {
        if let Some(header) = self.header(Instant::now()) {
            request.headers_mut().insert(AUTHORIZATION, header);
        }
        request
    }

    fn header(&self, now: Instant) -> Option<HeaderValue> {
        let mut read = self.0.read.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = read.as_ref().is_some_and(|(_, since)| now.duration_since(*since) < KEPT);
        if !fresh && let Some(header) = self.read() {
            *read = Some((header, now));
        }
        read.as_ref().map(|(header, _)| header.clone())
    }

    fn read(&self) -> Option<HeaderValue> {
        let text = std::fs::read_to_string(&self.0.file).ok()?;
        let mut header = HeaderValue::try_from(format!("Bearer {}", text.trim())).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_surrounds_a_token_is_no_part_of_it_and_it_is_read_anew() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        let token = TokenFile::new(file.clone());
        let start = Instant::now();
        assert_eq!(token.header(start), None);
        std::fs::write(&file, "one\n").unwrap();
        assert_eq!(token.header(start).unwrap(), "Bearer one");
        std::fs::write(&file, " two\r\n").unwrap();
        assert_eq!(token.header(start + KEPT / 2).unwrap(), "Bearer one");
        assert_eq!(token.header(start + KEPT).unwrap(), "Bearer two");
        std::fs::remove_file(&file).unwrap();
        assert_eq!(token.header(start + KEPT * 3).unwrap(), "Bearer two");
        let request = token.sign(Request::new(()));
        assert_eq!(request.headers()[AUTHORIZATION], "Bearer two");
    }
}
