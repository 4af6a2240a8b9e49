//! Listening, and the orderly end of it.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use super::connection::Gate;
use super::renewed::{Kept, Renewed};
use super::{App, Health, Settings};
use crate::runtime;

/// How long the head of a request may take, and a connection be idle.
const HEAD: Duration = Duration::from_secs(60);

/// How long what has to end may take to end.
const GRACE: Duration = Duration::from_millis(250);

/// A service that cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address is not to be had.
    #[error("{host}:{port}: cannot listen: {source}; choose another --host or --port")]
    Address {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// Certificate or key are not to be used.
    #[error(
        "{}, {}: no TLS with these: {source}; give a certificate chain and its private key as PEM \
         files",
        certificate.display(), key.display()
    )]
    Tls {
        /// The certificate chain.
        certificate: PathBuf,
        /// The private key.
        key: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Listening ended early.
    #[error("listening ended: {0}")]
    Ended(io::Error),
}

/// A service that listens.
pub struct Listening {
    /// Where.
    pub address: SocketAddr,
    /// Whether it takes work.
    pub health: Health,
    encrypted: bool,
    linger: Duration,
    drain: Duration,
    handle: Handle<SocketAddr>,
    task: JoinHandle<io::Result<()>>,
}

/// Listens, and serves from now on.
///
/// # Errors
/// [`ListenError`].
pub async fn listen(settings: &Settings, app: App) -> Result<Listening, ListenError> {
    let (host, port) = (settings.host.clone(), settings.port);
    let refused = |source| ListenError::Address { host: host.clone(), port, source };
    let tls = match &settings.tls {
        Some((certificate, key)) => Some(encryption(certificate.clone(), key.clone()).await?),
        None => None,
    };
    let listener = TcpListener::bind((settings.host.as_str(), port)).map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let (health, handle) = (Health::default(), Handle::new());
    let token = Kept::new(settings.token.as_deref());
    let service = app.router(settings, token.clone(), &health).into_make_service();
    let encrypted = tls.is_some();
    renew(settings, token, tls.clone());
    // HTTP/1 alone: what a connection may hold open, and for how long, has one rule.
    let mut server = axum_server::from_tcp(listener).map_err(refused)?.http1_only();
    server.http_builder().http1().header_read_timeout(HEAD);
    let server = server.first_request_timeout(HEAD).handle(handle.clone());
    let gate = Gate::new(settings.max_connections, settings.patience);
    let task = match tls {
        Some(tls) => {
            let acceptor = RustlsAcceptor::new(tls).acceptor(gate);
            tokio::spawn(server.acceptor(acceptor).serve(service))
        }
        None => tokio::spawn(server.acceptor(gate).serve(service)),
    };
    let Settings { linger, drain, .. } = *settings;
    Ok(Listening { address, health, encrypted, linger, drain, handle, task })
}

/// Serves until the process is told to end, in a runtime of its own; `listens` hears when it begins.
///
/// # Errors
/// [`ListenError`].
pub fn run(
    settings: &Settings,
    app: App,
    listens: impl FnOnce(&Listening),
) -> Result<(), ListenError> {
    let service = async {
        let listening = listen(settings, app).await?;
        listens(&listening);
        listening.until(terminated()).await
    };
    runtime::block_on(service).map_err(ListenError::Ended)?
}

/// Looks at the files of certificate and token for as long as the service runs.
fn renew(settings: &Settings, token: Kept, tls: Option<RustlsConfig>) {
    let files = settings.tls.clone().zip(tls);
    let tls = files.map(|((certificate, key), config)| (certificate, key, config));
    let token = settings.token_file.clone().map(|file| (file, token));
    if tls.is_some() || token.is_some() {
        tokio::spawn(Renewed { tls, token }.watch(settings.renewal));
    }
}

async fn encryption(certificate: PathBuf, key: PathBuf) -> Result<RustlsConfig, ListenError> {
    // Another part of the program may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = RustlsConfig::from_pem_file(&certificate, &key).await;
    config.map_err(|source| ListenError::Tls { certificate, key, source })
}

impl Listening {
    /// The address as a URL.
    pub fn url(&self) -> String {
        let scheme = if self.encrypted { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Serves until `stop`, then says that it is not ready, goes on for the linger, takes no more, and
    /// lets requests in work end. A second signal ends it at once.
    ///
    /// # Errors
    /// Listening that ended by itself.
    pub async fn until(self, stop: impl Future<Output = ()>) -> Result<(), ListenError> {
        let Self { health, linger, drain, handle, mut task, .. } = self;
        tokio::select! {
            ended = &mut task => return outcome(ended),
            () = stop => {}
        }
        health.set_ready(false);
        tracing::info!(linger_s = linger.as_secs_f64(), "draining");
        tokio::select! {
            () = tokio::time::sleep(linger) => {}
            () = terminated() => {}
        }
        handle.graceful_shutdown(Some(drain));
        tokio::select! {
            ended = &mut task => return outcome(ended),
            () = tokio::time::sleep(drain + GRACE) => {}
            () = terminated() => {}
        }
        handle.shutdown();
        // A connection that does not end is left to the end of the process.
        tokio::time::timeout(GRACE, task).await.map_or(Ok(()), outcome)
    }
}

fn outcome(ended: Result<io::Result<()>, tokio::task::JoinError>) -> Result<(), ListenError> {
    ended.unwrap_or_else(|e| Err(io::Error::other(e))).map_err(ListenError::Ended)
}

/// Ends with the first SIGTERM or interrupt from the keyboard.
pub async fn terminated() {
    let keyboard = async { drop(tokio::signal::ctrl_c().await) };
    let Ok(mut term) = signal(SignalKind::terminate()) else { return keyboard.await };
    tokio::select! {
        () = keyboard => {}
        _ = term.recv() => {}
    }
}
