//! The platform of a real process.
//!
//! When somebody sets the machine's clock back, the process does not follow at once: its time runs at half speed until
//! the clock has caught up. Deadlines that were set before would otherwise all be late by that step, and histories run
//! backwards.
#![allow(clippy::disallowed_methods)] // this is the door that all others go through
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rand::{RngCore, SeedableRng, rngs::SmallRng};
use tokio::{runtime::Handle, sync::watch};

use super::{BoxFuture, Platform};

/// Clock and generator of the machine, tasks on a tokio runtime.
pub struct RealPlatform {
    start: Instant,
    told: Mutex<Told>,
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
            told: Mutex::new(Told { wall_ns: 0, monotonic_ns: 0 }),
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

/// What the wall clock told last, and when that was by the monotonic one, both in nanoseconds.
#[derive(Debug)]
struct Told {
    wall_ns: i64,
    monotonic_ns: i64,
}

impl Told {
    /// The time to tell now: the wall clock's, or half as much later than the last time as it really is.
    fn next(&mut self, wall_ns: i64, monotonic_ns: i64) -> i64 {
        let slowed_ns = self.wall_ns.saturating_add((monotonic_ns - self.monotonic_ns) / 2);
        *self = Self { wall_ns: wall_ns.max(slowed_ns), monotonic_ns };
        self.wall_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_jumps_ahead_with_the_clock_and_slows_when_it_is_set_back() {
        let mut told = Told { wall_ns: 1000, monotonic_ns: 10 };
        assert_eq!(told.next(1005, 15), 1005);
        assert_eq!(told.next(405, 35), 1015, "set back: half speed");
        assert_eq!(told.next(1005, 635), 1315);
        assert_eq!(told.next(1605, 1235), 1615, "almost there");
        assert_eq!(told.next(1705, 1335), 1705, "caught up");
        assert_eq!(told.next(9000, 1340), 9000, "set ahead: followed at once");
        assert_eq!(told.next(9001, 1340 + 100), 9050, "a pause between the two readings never leads ahead of the time");
    }
}
