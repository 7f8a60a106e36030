//! The ceiling: a server that answers the calls of the load and does nothing else.
//!
//! It keeps of each run only what its next task must say, stores nothing, and has no timers. What it costs is what the
//! transport costs, so a server is measured as a ratio to it. It knows only the calls, commands and events of the load.
use std::{io, sync::Arc};

use hyper::{server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::clock;

mod calls;
mod events;
mod queues;
mod run;
mod service;
mod token;

/// What the server under load sets, so that the two differ in nothing but the work.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;

/// What a test makes the ceiling do wrong, once, to see that the load generator notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A workflow task goes to two pollers.
    DuplicateWorkflowTask,
    /// An activity task goes to two pollers.
    DuplicateActivityTask,
    /// An activity task goes to nobody.
    LoseActivityTask,
    /// A signal is acknowledged and forgotten.
    LoseSignal,
    /// A signal is recorded twice.
    DuplicateSignal,
    /// An event is missing from a task's history.
    LoseEvent,
    /// A run closes with another run's result.
    WrongResult,
}

/// Serves until `listener` fails.
///
/// # Errors
/// When no connection can be accepted any more.
pub async fn serve(listener: TcpListener, flaw: Option<Flaw>) -> io::Result<()> {
    let ceiling = Arc::new(calls::Ceiling::new(flaw));
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_concurrent_streams(None);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let ceiling = Arc::clone(&ceiling);
        let service = service_fn(move |request| service::answer(Arc::clone(&ceiling), request));
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        clock::spawn(async move {
            let _ended = connection.await; // a client that goes away is no error
        });
    }
}
