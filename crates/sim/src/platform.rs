//! What a simulated server takes for the machine.
use std::{
    future::pending,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use abide_server::env::{BoxFuture, Platform, SlewedClock};

use crate::world::{Group, World};

/// The wall clock when a simulation begins, in nanoseconds since the Unix epoch.
const EPOCH_NS: i64 = 1_800_000_000_000_000_000;

/// The wall clock of a machine: shared by the processes that run there one after another.
#[derive(Clone, Default)]
pub struct WallClock {
    offset_ns: Arc<AtomicI64>,
}

impl WallClock {
    pub fn ns(&self, world: &World) -> i64 {
        EPOCH_NS + world.now().as_nanos() as i64 + self.offset_ns.load(Ordering::Relaxed)
    }

    /// Sets the clock forward, or back.
    pub fn step(&self, by_ns: i64) {
        self.offset_ns.fetch_add(by_ns, Ordering::Relaxed);
    }
}

/// The platform of one process.
pub struct SimPlatform {
    world: World,
    group: Group,
    clock: WallClock,
    began: Duration,
    told: Mutex<SlewedClock>,
}

impl SimPlatform {
    pub fn new(world: &World, group: Group, clock: &WallClock) -> Self {
        Self { world: world.clone(), group, clock: clock.clone(), began: world.now(), told: Mutex::default() }
    }
}

impl Platform for SimPlatform {
    fn wall_ns(&self) -> i64 {
        let monotonic_ns = self.monotonic().as_nanos() as i64;
        self.told.lock().unwrap_or_else(PoisonError::into_inner).next(self.clock.ns(&self.world), monotonic_ns)
    }

    fn monotonic(&self) -> Duration {
        self.world.now() - self.began
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        self.world.fill_random(bytes);
    }

    fn spawn(&self, task: BoxFuture<()>) {
        self.world.spawn_boxed(self.group, task);
    }

    fn end_tasks(&self) -> BoxFuture<()> {
        // A simulated process ends by being killed, which ends its tasks.
        Box::pin(pending())
    }

    fn sleep_until(&self, instant: Duration) -> BoxFuture<()> {
        Box::pin(self.world.sleep_until(self.began.saturating_add(instant)))
    }

    fn run_blocking(&self, work: Box<dyn FnOnce() + Send>) {
        self.world.spawn(self.group, async move { work() });
    }
}
