//! The names that requests may call a service by.
//!
//! A page can make its own name point at this machine once a browser has opened it, and is then of the same origin as
//! the service, so that the origin tells nothing. The name that the browser asks for does: addresses, and names that
//! nobody can register, cannot be such a page's.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Error;

/// Ends of names that are given within a machine, a network or a cluster.
const PRIVATE: [&str; 5] = [".localhost", ".local", ".internal", ".svc", ".cluster.local"];

/// Names that are let through.
#[derive(Debug, Clone)]
pub enum Hosts {
    /// Any: the token tells who asks.
    Any,
    /// Those that nobody can register, and these.
    Private(Vec<String>),
}

impl Hosts {
    fn allow(&self, host: &str) -> bool {
        let Self::Private(own) = self else { return true };
        let name = without_port(host).trim_end_matches('.').to_ascii_lowercase();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        bare.parse::<IpAddr>().is_ok()
            || !name.is_empty() && !name.contains('.')
            || PRIVATE.iter().any(|end| name.ends_with(end))
            || own.iter().any(|own| own.eq_ignore_ascii_case(&name))
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Turns away requests that call the service by a name that is not its own.
pub async fn own_name(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    // Without the header it is no browser.
    let host = request.headers().get(HOST).map(|value| value.to_str().unwrap_or("."));
    match host.is_none_or(|host| hosts.allow(host)) {
        true => next.run(request).await,
        false => Error::other_name().into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_anybody_can_register_are_not_let_through() {
        let hosts = Hosts::Private(vec!["plans.example.org".to_owned()]);
        for own in [
            "127.0.0.1:8080",
            "[::1]:8080",
            "[::1]",
            "localhost",
            "localhost:80",
            "isocost:8080",
            "optimizer.inferno.svc",
            "optimizer.inferno.svc.cluster.local:8080",
            "box.local",
            "Plans.Example.org:443",
            "plans.example.org.",
        ] {
            assert!(hosts.allow(own), "{own}");
        }
        for foreign in [
            "evil.example",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "",
            ".",
            "svc.evil.example",
        ] {
            assert!(!hosts.allow(foreign), "{foreign}");
        }
        assert!(Hosts::Any.allow("evil.example"));
    }
}
