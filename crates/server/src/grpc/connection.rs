//! One HTTP/2 connection, from the handshake to its end (spec §4.3).
use std::{pin::pin, sync::Arc, time::Duration};

use hyper::{server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{self, AsyncReadExt},
    net::TcpStream,
};

use super::{Server, calls::Calls, turn::Turn, unsent::Unsent};
use crate::{drain::Drain, env::Env};

/// After this age the client is told to open another connection, so that load spreads over new servers.
const MAX_AGE: Duration = Duration::from_secs(5 * 60);
/// How long calls may go on after that.
const MAX_AGE_GRACE: Duration = Duration::from_secs(70);

/// What a client may send ahead, per call and per connection, before it waits for the server to have read it.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
const HEADERS_LIMIT_BYTES: u32 = 64 << 10;
/// Polls that are given up all at once, when a worker stops, are no attack.
const PENDING_RESETS_MAX: usize = 10_000;
/// What HTTP/2 buffers of a call's reply ahead of the client's window.
const SEND_BUFFER_BYTES: usize = 256 << 10;

/// What every client sends first.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a client may have of a connection, and how long it may keep the server waiting.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// For the first bytes that say that it speaks HTTP/2.
    pub preface_timeout: Duration,
    /// A peer that is silent for so long is asked whether it is there.
    pub ping_interval: Duration,
    /// And is cut off if it has not answered after so long.
    pub ping_timeout: Duration,
    /// For the whole message of a request, once it has begun.
    pub request_timeout: Duration,
    /// For a reply to be taken; the connection of a client that takes longer is cut, at the latest after twice as long.
    pub reply_timeout: Duration,
    /// Bytes of replies that a connection may leave untaken and still be given new ones.
    pub unsent_bytes_max: usize,
    /// Calls at a time. Long polls hold one each, and a worker may have thousands.
    pub streams_max: u32,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            preface_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(60),
            ping_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(60),
            reply_timeout: Duration::from_secs(60),
            unsent_bytes_max: 64 << 20,
            streams_max: 20_000,
        }
    }
}

/// Serves the connection until it ends, is cut, or is too old, or the server drains.
pub async fn serve(mut stream: TcpStream, server: Arc<Server>, env: Env, drain: Drain) {
    // A reply is written in one go; waiting for more to send with it would only delay it.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    let limits = server.connection_limits().clone();
    if !has_preface(&mut stream, limits.preface_timeout, &env, &drain).await {
        return tracing::debug!("connection without HTTP/2");
    }
    let turn = Turn::default();
    let (read, write) = stream.into_split();
    // HTTP/2 reads the preface again.
    let stream = TokioIo::new(io::join(turn.reader(AsyncReadExt::chain(&PREFACE[..], read)), write));
    let unsent = Arc::new(Unsent::default());
    let of_service = Arc::clone(&unsent);
    let calls = Calls::default();
    let to_expect = calls.clone();
    let service = service_fn(move |request| server.clone().answer(request, &of_service, &to_expect));
    let mut connection = pin!(builder(&limits, calls.clone()).serve_connection(stream, service));
    // Not all at the same moment, after a restart brought them all back at once.
    let jitter = MAX_AGE.mul_f64((env.random_u64() % 200) as f64 / 1000.0);
    let (mut aged, mut drained) = (env.sleep(MAX_AGE + jitter), pin!(drain.started()));
    loop {
        tokio::select! {
            biased;
            ended = turn.each(connection.as_mut(), &calls) => return log(ended),
            () = &mut aged => break,
            () = &mut drained => break,
            () = env.sleep(limits.reply_timeout) => if unsent.next_round() {
                return tracing::debug!(bytes = unsent.bytes(), "connection cut: it takes no replies");
            }
        }
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        biased;
        ended = turn.each(connection.as_mut(), &calls) => log(ended),
        () = env.sleep(MAX_AGE_GRACE) => {}
    }
}

/// Whether the client begins as HTTP/2 does, in time.
async fn has_preface(stream: &mut TcpStream, timeout: Duration, env: &Env, drain: &Drain) -> bool {
    let mut begin = [0; PREFACE.len()];
    tokio::select! {
        biased;
        read = stream.read_exact(&mut begin) => read.is_ok() && begin == *PREFACE,
        () = env.sleep(timeout) => false,
        () = drain.started() => false,
    }
}

fn builder(limits: &ConnectionLimits, calls: Calls) -> http2::Builder<Calls> {
    let mut builder = http2::Builder::new(calls);
    builder
        .timer(TokioTimer::new())
        // No client of gRPC looks at it.
        .auto_date_header(false)
        .keep_alive_interval(limits.ping_interval)
        .keep_alive_timeout(limits.ping_timeout)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(HEADERS_LIMIT_BYTES)
        .max_send_buf_size(SEND_BUFFER_BYTES)
        .max_concurrent_streams(limits.streams_max)
        .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
        .max_local_error_reset_streams(PENDING_RESETS_MAX);
    builder
}

fn log(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}
