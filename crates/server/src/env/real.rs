//! The platform of a real process.
#![allow(clippy::disallowed_methods)] // this is the door that all others go through
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rand::{RngCore, SeedableRng, rngs::SmallRng};
use tokio::{runtime::Handle, sync::watch};

use super::{BoxFuture, Platform, SlewedClock};

/// Clock and generator of the machine, tasks on a tokio runtime.
pub struct RealPlatform {
    start: Instant,
    told: Mutex<SlewedClock>,
    runtime: Handle,
    generator: Mutex<SmallRng>,
    /// Whether tasks are to end. Each task that runs holds a receiver.
    ended: watch::Sender<bool>,
}

impl RealPlatform {
    /// Must be called inside a tokio runtime.
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            told: Mutex::default(),
            runtime: Handle::current(),
            generator: Mutex::new(SmallRng::from_os_rng()),
            ended: watch::Sender::new(false),
        }
    }
}

impl Platform for RealPlatform {
    fn wall_ns(&self) -> i64 {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        // In this order: a pause between the two then leads to no time that has not come yet.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        told.next(nanoseconds(since_epoch), nanoseconds(self.monotonic()))
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        self.generator.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }

    fn spawn(&self, task: BoxFuture<()>) {
        let mut ended = self.ended.subscribe();
        self.runtime.spawn(async move {
            tokio::select! {
                biased;
                // The sender may go first, with the last handle to the platform: then nobody is left to end the task.
                Ok(_) = ended.wait_for(|ended| *ended) => {}
                () = task => {}
            }
        });
    }

    fn end_tasks(&self) -> BoxFuture<()> {
        self.ended.send_replace(true);
        let ended = self.ended.clone();
        Box::pin(async move { ended.closed().await })
    }

    fn run_blocking(&self, work: Box<dyn FnOnce() + Send>) {
        self.runtime.spawn_blocking(work);
    }

    fn sleep_until(&self, instant: Duration) -> BoxFuture<()> {
        // An instant too far away to be represented is never reached.
        match self.start.checked_add(instant) {
            Some(at) => Box::pin(tokio::time::sleep_until(at.into())),
            None => Box::pin(std::future::pending()),
        }
    }
}

fn nanoseconds(span: Duration) -> i64 {
    i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)
}
