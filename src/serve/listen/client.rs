//! The connection of one client: its socket with deadlines, and the responses being sent on it.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::extensions::Lasting;
use super::places::State;

/// A connection is closed if its client reads nothing for this long while bytes wait for it.
const LONGEST_STALL: Duration = Duration::from_secs(60);
/// The same during shutdown, which a client that does not read must not delay.
const LONGEST_STALL_AT_SHUTDOWN: Duration = Duration::from_millis(500);

/// A socket that fails when its client takes too long for a request's head, or reads nothing for too long.
pub(super) struct ClientStream {
    stream: TcpStream,
    state: Arc<State>,
    header_timeout: Duration,
    /// Deadline of the head of a request: of the first from the start, of later ones from their first byte.
    head: Option<Pin<Box<Sleep>>>,
    /// Heads received when `head` was set.
    heads: usize,
    /// None during shutdown.
    shutdown: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    /// Deadline while the client reads nothing of what is written.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl ClientStream {
    pub(super) fn new(
        stream: TcpStream,
        state: Arc<State>,
        header_timeout: Duration,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            stream,
            state,
            header_timeout,
            head: Some(Box::pin(tokio::time::sleep(header_timeout))),
            heads: 0,
            shutdown: Some(Box::pin(shutdown.cancelled_owned())),
            stalled: None,
        }
    }

    /// The result of a read, or an error if a head takes too long.
    fn or_late(&mut self, cx: &mut Context<'_>, read: Poll<io::Result<()>>, bytes: usize) -> Poll<io::Result<()>> {
        if self.heads != self.state.heads() {
            self.heads = self.state.heads();
            self.head = None;
        }
        if self.state.is_answering() {
            return read;
        }
        if bytes > 0 && self.head.is_none() {
            self.head = Some(Box::pin(tokio::time::sleep(self.header_timeout)));
        }
        match &mut self.head {
            Some(head) if read.is_pending() => {
                head.as_mut().poll(cx).map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "no request came in time")))
            }
            _ => read,
        }
    }

    /// The result of a write, or an error if the client has read nothing for too long.
    fn or_stalled(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        if self.shutdown.as_mut().is_some_and(|shutdown| shutdown.as_mut().poll(cx).is_ready()) {
            self.shutdown = None;
            self.stalled = None;
        }
        let longest = if self.shutdown.is_some() { LONGEST_STALL } else { LONGEST_STALL_AT_SHUTDOWN };
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(longest)));
        stalled.as_mut().poll(cx).map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "the client reads nothing")))
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let bytes = buffer.filled().len() - before;
        self.or_late(cx, read, bytes)
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.or_stalled(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.or_stalled(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// A request in progress, until the end of its response was handed to the connection.
pub(super) struct Answering {
    state: Arc<State>,
    lasts: bool,
}

impl Answering {
    pub(super) fn begin(state: Arc<State>) -> Self {
        state.request_began();
        Self { state, lasts: false }
    }

    /// Continues with the body of its response.
    pub(super) fn until_sent(mut self, response: Response) -> Response<AnsweringBody> {
        if response.extensions().get::<Lasting>().is_some() {
            self.state.answer_lasts();
            self.lasts = true;
        }
        response.map(|body| AnsweringBody { body, _answering: self })
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.state.request_ended(self.lasts);
    }
}

/// The body of a response.
pub(super) struct AnsweringBody {
    body: Body,
    _answering: Answering,
}

impl HttpBody for AnsweringBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
