//! Bytes of bodies that may be held at once, over all requests.
//!
//! Each body is limited by itself, and so are requests; their product is more than a machine has. What arrives is
//! counted as it arrives and given back with the answer, so that who only announces a large body takes nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Error;

/// A budget, shared by its clones.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Semaphore>);

impl Budget {
    /// Of so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }
}

/// What one request holds.
struct Held {
    budget: Budget,
    taken: Mutex<Option<OwnedSemaphorePermit>>,
    is_over: AtomicBool,
}

impl Held {
    /// Takes what a part of the body needs.
    fn take(&self, bytes: usize) -> Result<(), std::io::Error> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let permit = Arc::clone(&self.budget.0).try_acquire_many_owned(bytes).map_err(|_| {
            self.is_over.store(true, Ordering::SeqCst);
            std::io::Error::other("too many bytes are under way")
        })?;
        match &mut *taken {
            Some(before) => before.merge(permit),
            None => *taken = Some(permit),
        }
        Ok(())
    }
}

/// Counts the body of a request for as long as the request is in work.
pub async fn counted(State(budget): State<Budget>, request: Request, next: Next) -> Response {
    let held = Held { budget, taken: Mutex::default(), is_over: AtomicBool::new(false) };
    let held = Arc::new(held);
    let own = Arc::clone(&held);
    let request = request.map(|body| {
        let counted = body.into_data_stream().map(move |frame| {
            let frame: Bytes = frame.map_err(std::io::Error::other)?;
            held.take(frame.len()).map(|()| frame)
        });
        Body::from_stream(counted)
    });
    let response = next.run(request).await;
    match own.is_over.load(Ordering::SeqCst) {
        true => Error::overloaded().into_response(),
        false => response,
    }
}
