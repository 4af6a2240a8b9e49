//! What is answered instead of a result: JSON with the words of the command line.

use axum::Json;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use isocost_model::input::{InputError, KEPT};
use isocost_model::queue::stop::Stopped;
use serde::Serialize;
use utoipa::ToSchema;

/// An answer that is no result.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Error)]
pub struct Error {
    /// What is wrong.
    pub message: String,
    /// Each problem of the input.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// Status of the answer.
    #[serde(skip)]
    pub status: StatusCode,
    #[serde(skip)]
    header: Option<(&'static str, &'static str)>,
}

/// A problem of the input.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// Where: document, line and column.
    pub place: String,
    /// Entity and field; empty for the whole document.
    pub entity: String,
    /// What is wrong, and what was expected.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl From<isocost_model::input::Problem> for Problem {
    fn from(problem: isocost_model::input::Problem) -> Self {
        let isocost_model::input::Problem { place, entity, what, remedy } = problem;
        Self { place, entity, what, remedy }
    }
}

impl Error {
    /// An error of `status`.
    pub fn new(status: StatusCode, message: impl ToString) -> Self {
        Self { message: message.to_string(), problems: Vec::new(), status, header: None }
    }

    /// Wrong input.
    pub fn input(message: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Something of that name is not there.
    pub fn not_found(message: impl ToString) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// Something of that name is there already.
    pub fn conflict(message: impl ToString) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// A failure that is not the client's.
    pub fn failed(message: impl ToString) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// No route is called so.
    pub(super) fn no_route(path: &str) -> Self {
        Self::not_found(format!(
            "nothing is served at `{path}`; GET /openapi.json lists the routes"
        ))
    }

    /// More requests than are taken at once.
    pub(super) fn overloaded() -> Self {
        let message = "as many requests are in work as are taken at once; try again in a second";
        Self {
            header: Some(("retry-after", "1")),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
        }
    }

    /// The token is missing or wrong.
    pub(super) fn unauthorised() -> Self {
        let message = "the bearer token is missing or wrong; send `Authorization: Bearer TOKEN`";
        let scheme = Some(("www-authenticate", "Bearer"));
        Self { header: scheme, ..Self::new(StatusCode::UNAUTHORIZED, message) }
    }

    /// A page of another site asks.
    pub(super) fn foreign() -> Self {
        let message =
            "pages of other sites may not ask this service; use the page at / or a program";
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// A GET that changes something may not be meant.
    pub(crate) fn not_meant(path: &str, header: &'static str) -> Self {
        let message = format!(
            "`{path}` changes what is kept; ask by POST, send the header {header}, or start the service with \
             --compatible"
        );
        let allow = Some(("allow", "POST"));
        Self { header: allow, ..Self::new(StatusCode::METHOD_NOT_ALLOWED, message) }
    }

    /// It is asked by a name that anybody may have registered.
    pub(super) fn other_name() -> Self {
        let message = "this service does not go by the name in `Host`; ask it by its address, or start it with \
                       --allow-host NAME";
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// The route takes other methods.
    pub(super) fn wrong_method(method: &str, path: &str) -> Self {
        let message =
            format!("`{path}` does not take {method}; the header Allow says what it takes");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, message)
    }
}

impl From<Stopped> for Error {
    fn from(_: Stopped) -> Self {
        let message = "the request took longer than it may, and was given up; send a smaller one, or start the \
                       service with a larger --request-limit";
        Self::new(StatusCode::REQUEST_TIMEOUT, message)
    }
}

impl From<InputError> for Error {
    fn from(error: InputError) -> Self {
        let message = match error.problems.len() {
            1 => "1 problem in the input".to_owned(),
            n if n >= KEPT => format!("{n} problems in the input, and no further ones are kept"),
            n => format!("{n} problems in the input"),
        };
        let problems = error.problems.into_iter().map(Problem::from).collect();
        Self { problems, ..Self::input(message) }
    }
}

impl IntoResponse for Error {
    fn into_response(mut self) -> Response {
        let (status, header) = (self.status, self.header.take());
        let mut response = (status, Json(self)).into_response();
        if let Some((name, value)) = header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
