//! The one door to time and tasks: a load generator measures real time, and nothing in it is ever simulated.
#![allow(clippy::disallowed_methods)] // this is the marked place of this crate
use std::{
    future::Future,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use prost_types::Timestamp;

/// The monotonic clock.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The wall clock as it goes over the wire.
pub(crate) fn timestamp() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp { seconds: since.as_secs() as i64, nanos: since.subsec_nanos() as i32 }
}

/// Lets load run, or a server settle, for a length that the user chose.
pub(crate) async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}

/// Starts a task that nobody waits for; it reports through what it shares.
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}
