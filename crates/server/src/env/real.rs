//! The platform of a real process.
#![allow(clippy::disallowed_methods)] // this is the door that all others go through
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rand::{RngCore, SeedableRng, rngs::SmallRng};
use tokio::runtime::Handle;

use super::{BoxFuture, Platform};

/// Clock and generator of the machine, tasks on a tokio runtime.
pub struct RealPlatform {
    start: Instant,
    runtime: Handle,
    generator: Mutex<SmallRng>,
}

impl RealPlatform {
    /// Must be called inside a tokio runtime.
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), runtime: Handle::current(), generator: Mutex::new(SmallRng::from_os_rng()) }
    }
}

impl Platform for RealPlatform {
    fn wall_ns(&self) -> i64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        self.generator.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }

    fn spawn(&self, task: BoxFuture<()>) {
        self.runtime.spawn(task);
    }

    fn sleep_until(&self, instant: Duration) -> BoxFuture<()> {
        // An instant too far away to be represented is never reached.
        match self.start.checked_add(instant) {
            Some(at) => Box::pin(tokio::time::sleep_until(at.into())),
            None => Box::pin(std::future::pending()),
        }
    }
}
