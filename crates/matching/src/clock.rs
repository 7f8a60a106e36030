//! The clock that the queues are given.

use std::pin::Pin;

/// Time as the process sees it: the real one, or a simulated one.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> i64;

    /// Resolves once `now_ms() >= at_ms`. Used only by polls of a queue that is held back by its rate limit.
    fn sleep_until_ms(&self, at_ms: i64) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}
