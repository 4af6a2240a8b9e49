//! What every service of this crate does the same way: listening, TLS, a bearer token, limits on body, time and
//! concurrency, health, metrics, and an orderly end.
//!
//! ```text
//! connection -> as many as may be -> answers that are read
//! request -> counted and logged -> panics caught -> own name -> own pages -> token -> shed above the limit
//!         -> in time -> bytes under way -> route
//!            /healthz, /readyz and open routes skip token and limits
//! ```
//!
//! A service is a [`Router`] of its own routes and what it registers with the metrics:
//!
//! ```no_run
//! # use axum::{Router, routing::get};
//! # use isocost_serve::http::{App, Registry, Settings, listen, terminated};
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings::default();
//! let routes = Router::new().route("/collect", get(async || "..."));
//! let app = App { routes, open: Router::new(), registry: Registry::default() };
//! let listening = listen(&settings, app).await?;
//! println!("listening on {}", listening.url());
//! listening.until(terminated()).await?;
//! # Ok(())
//! # }
//! ```

mod body;
mod budget;
mod connection;
mod error;
mod guard;
mod health;
mod hosts;
mod listen;
mod observe;
mod renewed;

use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::error_handling::HandleErrorLayer;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
pub use prometheus_client::registry::Registry;
use tower::ServiceBuilder;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower_http::catch_panic::CatchPanicLayer;

pub use body::Text;
pub use error::{Error, Problem};
pub use guard::Deadline;
pub use health::Health;
pub use listen::{ListenError, Listening, listen, run, terminated};

/// How a service listens, and what it lets through.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name or address to listen on.
    pub host: String,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Certificate chain and private key, PEM files; without them plain HTTP.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// What requests have to bring as `Authorization: Bearer ...`.
    pub token: Option<String>,
    /// File that the token stands in, where it may be renewed.
    pub token_file: Option<PathBuf>,
    /// Names that requests may call the service by, beside its host, addresses and names within a network; of a
    /// service without a token.
    pub hosts: Vec<String>,
    /// How often certificate and token are looked at anew.
    pub renewal: Duration,
    /// Connections at once; more are closed.
    pub max_connections: usize,
    /// Longest that an answer may stay unread.
    pub patience: Duration,
    /// Largest body of a request, bytes; of all that are under way at once there are two at most.
    pub max_body: usize,
    /// Longest that a request may take, its body included.
    pub time_limit: Duration,
    /// Requests in work at once; more are turned away with 503.
    pub max_requests: usize,
    /// How long to go on listening, not ready any more, once the end is asked for.
    pub linger: Duration,
    /// How long requests in work may then take to end.
    pub drain: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 0,
            tls: None,
            token: None,
            token_file: None,
            hosts: Vec::new(),
            renewal: Duration::from_secs(10),
            max_connections: 1024,
            patience: Duration::from_secs(30),
            max_body: 32 << 20,
            time_limit: Duration::from_secs(30),
            max_requests: 256,
            linger: Duration::ZERO,
            drain: Duration::from_secs(30),
        }
    }
}

/// What a service serves.
pub struct App {
    /// Behind token and limits.
    pub routes: Router,
    /// For everyone: pages that hold no data.
    pub open: Router,
    /// The service's own metrics, to which those of HTTP are added.
    pub registry: Registry,
}

impl App {
    /// The routes with everything around them; requests are held to what `token` keeps.
    fn router(self, settings: &Settings, token: renewed::Kept, health: &Health) -> Router {
        let Self { routes, open, mut registry } = self;
        let observer = observe::Observer::new(&mut registry);
        let shed = ServiceBuilder::new()
            .layer(HandleErrorLayer::new(async |_| Error::overloaded()))
            .layer(LoadShedLayer::new())
            .layer(GlobalConcurrencyLimitLayer::new(settings.max_requests));
        let hosts = match settings.token {
            Some(_) => hosts::Hosts::Any,
            None => {
                let named = settings.hosts.iter().chain([&settings.host]);
                hosts::Hosts::Private(named.cloned().collect())
            }
        };
        let budget = budget::Budget::new(settings.max_body.saturating_mul(2));
        let routes = routes
            .fallback(async |uri: axum::http::Uri| Error::no_route(uri.path()))
            .layer(DefaultBodyLimit::max(settings.max_body))
            .layer(from_fn_with_state(budget, budget::counted))
            .layer(from_fn_with_state(settings.time_limit, guard::in_time))
            .layer(shed)
            .merge(observe::metrics_route(registry))
            .layer(from_fn_with_state(token, guard::authorised))
            .layer(from_fn(guard::own_pages))
            .layer(from_fn_with_state(hosts, hosts::own_name));
        let probes = Router::new()
            .route("/healthz", get(async || "ok\n"))
            .route("/readyz", get(health::ready))
            .with_state(health.clone());
        routes
            .merge(open)
            .merge(probes)
            .method_not_allowed_fallback(guard::wrong_method)
            .layer(CatchPanicLayer::custom(guard::panicked))
            .layer(from_fn_with_state(observer, observe::observed))
            .layer(from_fn(guard::safe_headers))
    }
}
