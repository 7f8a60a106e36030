//! The one door to clock, randomness and spawning (design, principle 8).
//!
//! Everything in the server asks its [`Env`]; a simulator puts another [`Platform`] behind it and a seed then decides a
//! whole run.
use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use tokio::sync::oneshot;

mod real;
mod slewed;

pub use real::RealPlatform;
pub use slewed::SlewedClock;

/// A future that owns what it uses and may move between threads.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send + 'static>>;

/// What an [`Env`] is made of.
pub trait Platform: Send + Sync + 'static {
    /// Nanoseconds since the Unix epoch. May jump ahead, never goes back.
    fn wall_ns(&self) -> i64;
    /// Time since the platform was made. Never goes back.
    fn monotonic(&self) -> Duration;
    /// Fills the buffer with random bytes.
    fn fill_random(&self, bytes: &mut [u8]);
    /// Runs the task to its end, or until [`Platform::end_tasks`].
    fn spawn(&self, task: BoxFuture<()>);
    /// Drops every task that was spawned, wherever it waits; completes when they are gone. Later ones do not run.
    fn end_tasks(&self) -> BoxFuture<()>;
    /// Completes when [`Platform::monotonic`] has reached the instant.
    fn sleep_until(&self, instant: Duration) -> BoxFuture<()>;
    /// Runs work that blocks, where it holds up nothing else.
    fn run_blocking(&self, work: Box<dyn FnOnce() + Send>);
}

/// A cheap-to-clone handle to the platform.
#[derive(Clone)]
pub struct Env {
    platform: Arc<dyn Platform>,
}

impl Env {
    /// The machine's own clock and generator, and the tokio runtime that this is called in.
    pub fn real() -> Self {
        Self::new(RealPlatform::new())
    }

    pub fn new(platform: impl Platform) -> Self {
        Self { platform: Arc::new(platform) }
    }

    /// Nanoseconds since the Unix epoch.
    pub fn wall_ns(&self) -> i64 {
        self.platform.wall_ns()
    }

    /// Milliseconds since the Unix epoch, rounded down.
    pub fn wall_ms(&self) -> i64 {
        self.platform.wall_ns().div_euclid(1_000_000)
    }

    /// The time of the wall clock in its wire form.
    pub fn timestamp(&self) -> prost_types::Timestamp {
        let ns = self.wall_ns();
        // The remainder is below a second, which fits.
        prost_types::Timestamp { seconds: ns.div_euclid(1_000_000_000), nanos: ns.rem_euclid(1_000_000_000) as i32 }
    }

    /// Time since the process began, for measuring spans and setting deadlines.
    pub fn monotonic(&self) -> Duration {
        self.platform.monotonic()
    }

    pub fn random_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.platform.fill_random(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A random (version 4) UUID.
    pub fn uuid(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.platform.fill_random(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        bytes
    }

    /// Runs the task beside the caller, to its end or until [`Env::end_tasks`].
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.platform.spawn(Box::pin(task));
    }

    /// Drops every task that was spawned, wherever it waits; completes when they are gone, with all that they held.
    /// Not to be awaited in a task that was spawned here.
    pub fn end_tasks(&self) -> BoxFuture<()> {
        self.platform.end_tasks()
    }

    /// Completes when [`Env::monotonic`] has reached the instant.
    pub fn sleep_until(&self, instant: Duration) -> BoxFuture<()> {
        self.platform.sleep_until(instant)
    }

    /// Runs work that blocks, where it holds up nothing else. `None` if the process ends before it is done.
    pub fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> BoxFuture<Option<T>> {
        let (done, outcome) = oneshot::channel();
        // Whoever asked may be gone.
        self.platform.run_blocking(Box::new(move || drop(done.send(work()))));
        Box::pin(async move { outcome.await.ok() })
    }

    pub fn sleep(&self, span: Duration) -> BoxFuture<()> {
        self.sleep_until(self.monotonic().saturating_add(span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn uuids_are_random_and_of_version_four() {
        let env = Env::real();
        let (a, b) = (env.uuid(), env.uuid());
        assert_ne!(a, b);
        assert_eq!((a[6] >> 4, a[8] >> 6), (4, 2));
    }

    #[tokio::test]
    async fn tasks_are_gone_when_they_were_ended() {
        let env = Env::real();
        let held = Arc::new(());
        let (in_task, in_late_task) = (held.clone(), held.clone());
        env.spawn(async move {
            std::future::pending::<()>().await;
            drop(in_task);
        });
        env.end_tasks().await;
        env.spawn(async move { drop(in_late_task) });
        env.end_tasks().await;
        assert_eq!(Arc::strong_count(&held), 1);
    }

    #[tokio::test]
    async fn a_sleep_ends_no_earlier_than_asked() {
        let env = Env::real();
        let end = env.monotonic() + Duration::from_millis(5);
        env.sleep_until(end).await;
        assert!(env.monotonic() >= end);
    }
}
