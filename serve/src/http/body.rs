//! The body of a request as text, whatever content type its client names.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;

use super::Error;

/// A body that is text.
pub struct Text(pub String);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let bytes = Bytes::from_request(request, state).await.map_err(refused)?;
        let text = String::from_utf8(bytes.into()).map_err(|e| {
            let at = e.utf8_error().valid_up_to();
            Error::input(format!("the body is not UTF-8 (from byte {at} on); send it as UTF-8"))
        })?;
        Ok(Self(text))
    }
}

fn refused(rejection: BytesRejection) -> Error {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is larger than this service takes; start it with a larger --max-body",
        ),
        _ => Error::input(format!("the body cannot be read: {rejection}; send it anew")),
    }
}
