//! Connections: how many there may be, and how long one may leave an answer unread.

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready as or_pending};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep_until};

/// Lets connections in, up to a number, and ends those whose client stops reading.
#[derive(Debug, Clone)]
pub struct Gate {
    places: Arc<Semaphore>,
    patience: Duration,
}

impl Gate {
    /// At most `most` at once; an answer that nobody reads for `patience` is given up.
    pub fn new(most: usize, patience: Duration) -> Self {
        Self { places: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))), patience }
    }
}

impl<I, S> Accept<I, S> for Gate {
    type Stream = Patient<I>;
    type Service = S;
    type Future = Ready<io::Result<(Patient<I>, S)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| io::Error::other("as many connections as are taken at once"));
        let Self { patience, .. } = *self;
        ready(place.map(|place| {
            let until = Box::pin(sleep_until(Instant::now()));
            (Patient { stream, patience, waits: false, until, _place: place }, service)
        }))
    }
}

/// A connection whose writes end with an error once its client has taken nothing for a while.
#[derive(Debug)]
pub struct Patient<I> {
    stream: I,
    patience: Duration,
    /// Whether a write waits, and until when.
    waits: bool,
    until: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl<I> Patient<I> {
    /// What a write came to: its result, or an error where it has waited for too long.
    fn waited<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waits = false;
            return written;
        }
        if !self.waits {
            self.waits = true;
            self.until.as_mut().reset(Instant::now() + self.patience);
        }
        or_pending!(self.until.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the answer is not read")))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Patient<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Patient<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.waited(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.waited(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = Pin::new(&mut self.stream).poll_shutdown(context);
        self.waited(context, closed)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.waited(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
