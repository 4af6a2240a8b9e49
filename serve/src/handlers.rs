//! Handlers that ask the kept system, and change it: off the threads that connections are served on.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, get, on, post};
use isocost_model::input::InputError;
use isocost_model::input::reading::{Report, parse_fleet};
use serde_json::Value;

use crate::Optimizer;
use crate::answer::{Json, written};
use crate::http::{Deadline, Error, Text};
use crate::optimize::BODY;
use crate::system::{System, value};

/// Header that says that a change is meant: a page of another site cannot have a browser send it.
const CHANGE: &str = "x-isocost-change";

type Asked = (State<Arc<Optimizer>>, Extension<Deadline>);

/// Bodies of more bytes are read without the places of what is wrong in them but the first: those take some twenty
/// times a body.
const LARGE: usize = 1 << 20;

/// JSON as the model's reader takes it: every problem of its form, with its place.
///
/// # Errors
/// The problems.
pub fn parsed(text: &str) -> Result<Value, Error> {
    if text.len() > LARGE {
        return value(text);
    }
    let mut report = Report::default();
    let is_read = parse_fleet(BODY, text, &mut report).is_some();
    match is_read && report.problems.is_empty() {
        true => serde_json::from_str(text).map_err(|e| Error::input(format!("{BODY}: {e}"))),
        false => Err(InputError { problems: report.problems }.into()),
    }
}

/// Asks the kept system.
pub fn ask(of: fn(&mut System) -> Bytes) -> MethodRouter<Arc<Optimizer>> {
    get(async move |(State(optimizer), Extension(deadline)): Asked| {
        let work = move |optimizer: &Optimizer| Ok(optimizer.kept(|kept| of(kept.system())));
        optimizer.off(deadline, work).await.map(written)
    })
}

/// Asks the kept system by a name in the path, or changes it, as `methods` have it.
pub fn by_name(
    methods: MethodFilter,
    of: impl Fn(&mut System, &str) -> Result<Value, Error> + Clone + Send + Sync + 'static,
) -> MethodRouter<Arc<Optimizer>> {
    let handler = async move |(State(optimizer), Extension(deadline)): Asked,
                              Path(name): Path<String>| {
        let work = move |optimizer: &Optimizer| optimizer.kept(|kept| of(kept.system(), &name));
        optimizer.off(deadline, work).await.map(Json)
    };
    on(methods, handler)
}

/// The same by two names.
pub fn by_names(
    methods: MethodFilter,
    of: fn(&mut System, &str, &str) -> Result<Value, Error>,
) -> MethodRouter<Arc<Optimizer>> {
    let handler = async move |(State(optimizer), Extension(deadline)): Asked,
                              Path((a, b)): Path<(String, String)>| {
        let work = move |optimizer: &Optimizer| optimizer.kept(|kept| of(kept.system(), &a, &b));
        optimizer.off(deadline, work).await.map(Json)
    };
    on(methods, handler)
}

/// Changes the kept system by a body, which comes back, or what stands for it.
pub fn by_body(
    of: impl Fn(&mut System, &Value) -> Result<Option<Value>, Error> + Clone + Send + Sync + 'static,
) -> MethodRouter<Arc<Optimizer>> {
    post(async move |(State(optimizer), Extension(deadline)): Asked, Text(text): Text| {
        let work = move |optimizer: &Optimizer| {
            let body = parsed(&text)?;
            let answer = optimizer.kept(|kept| of(kept.system(), &body))?;
            Ok(answer.unwrap_or(body))
        };
        optimizer.off(deadline, work).await.map(Json)
    })
}

/// Changes the kept system by a body as it is sent; what is answered is written already.
pub fn by_text(
    of: impl Fn(&mut System, String) -> Result<Bytes, Error> + Clone + Send + Sync + 'static,
) -> MethodRouter<Arc<Optimizer>> {
    post(async move |(State(optimizer), Extension(deadline)): Asked, Text(text): Text| {
        let work = move |optimizer: &Optimizer| optimizer.kept(|kept| of(kept.system(), text));
        optimizer.off(deadline, work).await.map(written)
    })
}

/// Methods of a route that changes what its path names. As the reference has it that is a GET, which a page of another
/// site can have a browser send: here it is a POST, or a GET that says by a header that the change is meant.
pub fn changes() -> MethodFilter {
    MethodFilter::GET.or(MethodFilter::POST)
}

/// Turns away what may not be meant.
pub async fn meant(request: Request, next: Next) -> Response {
    let is_said = request.headers().contains_key(CHANGE);
    match is_said || request.method() == axum::http::Method::POST {
        true => next.run(request).await,
        false => Error::not_meant(request.uri().path(), CHANGE).into_response(),
    }
}
