//! Certificate and token as their files have them now: both are renewed while a service runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use axum_server::tls_rustls::RustlsConfig;

use super::guard::Token;

/// What may be written anew, and where it is used.
pub struct Renewed {
    /// Certificate chain and key with what serves them.
    pub tls: Option<(PathBuf, PathBuf, RustlsConfig)>,
    /// The token's file, and what requests are held to.
    pub token: Option<(PathBuf, Kept)>,
}

/// A token that may be replaced.
#[derive(Debug, Clone, Default)]
pub struct Kept(Arc<RwLock<Option<Token>>>);

impl Kept {
    pub fn new(token: Option<&str>) -> Self {
        Self(Arc::new(RwLock::new(token.map(Token::new))))
    }

    /// Whether a header lets its request through.
    pub fn allows(&self, header: Option<&[u8]>) -> bool {
        let token = self.0.read().unwrap_or_else(PoisonError::into_inner);
        token.as_ref().is_none_or(|token| header.is_some_and(|header| token.is(header)))
    }

    fn set(&self, token: &str) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Token::new(token));
    }
}

impl Renewed {
    /// Looks at the files every `period`, and takes what is new; what cannot be used is said, and the last stays.
    pub async fn watch(self, period: Duration) {
        let mut seen = self.written();
        loop {
            tokio::time::sleep(period).await;
            let now = self.written();
            if now == seen {
                continue;
            }
            self.take().await;
            seen = now;
        }
    }

    async fn take(&self) {
        if let Some((certificate, key, config)) = &self.tls {
            match config.reload_from_pem_file(certificate, key).await {
                Ok(()) => tracing::info!(certificate = %certificate.display(), "TLS is renewed"),
                Err(error) => {
                    let file = certificate.display();
                    tracing::error!(certificate = %file, %error, "TLS is not renewed; the last stays");
                }
            }
        }
        if let Some((file, kept)) = &self.token {
            match std::fs::read_to_string(file).map(|text| text.trim().to_owned()) {
                Ok(token) if !token.is_empty() => kept.set(&token),
                Ok(_) => {
                    tracing::error!(file = %file.display(), "the token is empty; the last stays")
                }
                Err(error) => {
                    tracing::error!(file = %file.display(), %error, "no token; the last stays");
                }
            }
        }
    }

    /// When each file was written last.
    fn written(&self) -> Vec<Option<SystemTime>> {
        let tls = self.tls.iter().flat_map(|(certificate, key, _)| [certificate, key]);
        let files = tls.chain(self.token.iter().map(|(file, _)| file));
        files.map(|file| modified(file)).collect()
    }
}

fn modified(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file).and_then(|metadata| metadata.modified()).ok()
}
