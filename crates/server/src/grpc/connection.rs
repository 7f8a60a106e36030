//! One HTTP/2 connection, from the handshake to its end (spec §4.3).
use std::{pin::pin, sync::Arc, time::Duration};

use hyper::{server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::Server;
use crate::{drain::Drain, env::Env};

/// After this age the client is told to open another connection, so that load spreads over new servers.
const MAX_AGE: Duration = Duration::from_secs(5 * 60);
/// How long calls may go on after that.
const MAX_AGE_GRACE: Duration = Duration::from_secs(70);
/// A silent peer is asked whether it is there.
const PING_INTERVAL: Duration = Duration::from_secs(60);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// What a client may send ahead, per call and per connection, before it waits for the server to have read it.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
const HEADERS_LIMIT_BYTES: u32 = 64 << 10;
/// Polls that are given up all at once, when a worker stops, are no attack.
const PENDING_RESETS_MAX: usize = 10_000;

/// Serves the connection until it ends, or is too old, or the server drains.
pub async fn serve(stream: TcpStream, server: Arc<Server>, env: Env, drain: Drain) {
    // A reply is written in one go; waiting for more to send with it would only delay it.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    // Boxed, for the task that is made of each call is moved several times before it runs.
    let service = service_fn(move |request| Box::pin(server.clone().answer(request)));
    let mut connection = pin!(builder().serve_connection(TokioIo::new(stream), service));
    // Not all at the same moment, after a restart brought them all back at once.
    let jitter = MAX_AGE.mul_f64((env.random_u64() % 200) as f64 / 1000.0);
    tokio::select! {
        biased;
        ended = &mut connection => return log(ended),
        () = env.sleep(MAX_AGE + jitter) => {}
        () = drain.started() => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        biased;
        ended = &mut connection => log(ended),
        () = env.sleep(MAX_AGE_GRACE) => {}
    }
}

fn builder() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(HEADERS_LIMIT_BYTES)
        // Long polls hold a stream each: a worker may have thousands.
        .max_concurrent_streams(None)
        .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
        .max_local_error_reset_streams(PENDING_RESETS_MAX);
    builder
}

fn log(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}
