//! Answers of other services, read up to a bound: whoever answers without end is not waited for, nor kept.

use reqwest::Response;

use crate::cluster::describe;

/// Largest answer that is read: a thousand times what a fleet of a thousand servers makes of it is less.
const MOST: usize = 64 << 20;

/// An answer that is read up to a bound.
pub(crate) trait Bounded {
    /// The body.
    ///
    /// # Errors
    /// What went wrong on the way, or that it is too long.
    async fn bounded(self) -> Result<Vec<u8>, String>;
}

impl Bounded for Response {
    async fn bounded(mut self) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk().await.map_err(|e| describe(&e.without_url()))? {
            if body.len() + chunk.len() > MOST {
                return Err(format!("an answer of more than {} MiB", MOST >> 20));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}
