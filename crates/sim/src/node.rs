//! The machine that the server runs on: its disk and clock outlive the process.
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use abide_server::{
    Env, Frontend, ServerConfig,
    shard::{Done, OnGroup},
};
use abide_store::{Committer, SimulatedStore, Stepper, Store};
use tokio::sync::Notify;

use crate::{
    platform::{SimPlatform, WallClock},
    world::{Group, World},
};

/// How long closed runs are kept.
pub const RETENTION: Duration = Duration::from_secs(24 * 3600);
/// Few, so that runs share them.
const SHARD_COUNT: u16 = 3;
/// How long a sync takes on a healthy disk.
const SYNC: (Duration, Duration) = (Duration::from_micros(50), Duration::from_millis(3));

/// A machine with at most one server process.
pub struct Node {
    world: World,
    pub store: Arc<SimulatedStore>,
    pub clock: WallClock,
    process: Mutex<Option<Process>>,
    /// What every sync takes longer than on a healthy disk.
    sync_delay: Mutex<Duration>,
}

#[derive(Clone)]
struct Process {
    group: Group,
    /// None while it starts.
    frontend: Option<Arc<Frontend>>,
    stepper: Arc<Mutex<Option<Stepper<Done>>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Node {
    pub fn new(world: &World) -> Arc<Self> {
        let store = Arc::new(SimulatedStore::new(world.below(u64::MAX)));
        Arc::new(Self {
            world: world.clone(),
            store,
            clock: WallClock::default(),
            process: Mutex::default(),
            sync_delay: Mutex::default(),
        })
    }

    /// Starts the process if there is none, and completes when it serves. False if it could not start, or was killed.
    pub async fn start(self: &Arc<Self>) -> bool {
        let (group, stepper) = (self.world.new_group(), Arc::new(Mutex::new(None)));
        {
            let mut process = lock(&self.process);
            if process.is_some() {
                return true;
            }
            *process = Some(Process { group, frontend: None, stepper: Arc::clone(&stepper) });
        }
        self.world.note("server starts".into());
        let (opened, outcome) = tokio::sync::oneshot::channel();
        let env = Env::new(SimPlatform::new(&self.world, group, &self.clock));
        let config = ServerConfig { shard_count: SHARD_COUNT, default_retention: RETENTION, ..ServerConfig::default() };
        let store: Arc<dyn Store> = self.store.clone();
        let (node, submitted) = (Arc::clone(self), Arc::new(Notify::new()));
        let theirs = Arc::clone(&stepper);
        self.world.spawn(group, async move {
            let told = Arc::clone(&submitted);
            let start_committer = |store: Arc<dyn Store>, on_group: OnGroup| {
                let (committer, steps) = Committer::stepped(store, on_group, move || told.notify_one());
                *lock(&theirs) = Some(steps);
                node.world.spawn(group, Arc::clone(&node).commit(Arc::clone(&theirs), submitted));
                Ok(committer)
            };
            let frontend = Frontend::open(config, env, store, start_committer).await;
            drop(opened.send(frontend));
        });
        let frontend = match outcome.await {
            Ok(Ok(frontend)) => Arc::new(frontend),
            Ok(Err(error)) => {
                self.world.note(format!("server does not start: {error}"));
                self.kill_if(group);
                return false;
            }
            Err(_) => return false,
        };
        match &mut *lock(&self.process) {
            Some(process) if process.group == group => process.frontend = Some(frontend),
            _ => return false,
        }
        self.world.note("server serves".into());
        true
    }

    /// Whoever supervises the process: one whose store has stopped ends, and is started again.
    pub async fn supervise(self: Arc<Self>) {
        loop {
            let stopped = Arc::new(Notify::new());
            let told = Arc::clone(&stopped);
            self.store.on_stop(Box::new(move |_| told.notify_one()));
            stopped.notified().await;
            self.world.note("the store has stopped".into());
            self.kill();
            while !self.start().await {
                self.world.sleep(Duration::from_millis(500)).await;
            }
        }
    }

    /// The committing thread.
    async fn commit(self: Arc<Self>, stepper: Arc<Mutex<Option<Stepper<Done>>>>, submitted: Arc<Notify>) {
        loop {
            submitted.notified().await;
            while lock(&stepper).as_ref().is_some_and(Stepper::has_work) {
                if let Some(stepper) = &mut *lock(&stepper) {
                    stepper.take();
                }
                let sync = self.world.span(SYNC.0, SYNC.1) + *lock(&self.sync_delay);
                self.world.sleep(sync).await;
                if let Some(stepper) = &mut *lock(&stepper) {
                    stepper.commit();
                }
            }
        }
    }

    /// kill -9, and what a power failure does to what was not synced. False if there was no process.
    pub fn kill(&self) -> bool {
        let Some(group) = self.group() else { return false };
        self.kill_if(group);
        true
    }

    fn kill_if(&self, group: Group) {
        let process = {
            let mut process = lock(&self.process);
            if process.as_ref().is_none_or(|process| process.group != group) {
                return;
            }
            process.take()
        };
        let Some(process) = process else { return };
        self.world.note("server is killed".into());
        // The group that was being written may have reached the disk. Nothing else is written from here on: first the
        // committer goes, then who could submit to it.
        if let Some(mut stepper) = lock(&process.stepper).take()
            && self.world.chance(0.5)
        {
            stepper.commit();
        }
        self.world.kill(group);
        drop(process);
        self.store.crash();
    }

    /// The group of the process, serving or not.
    pub fn group(&self) -> Option<Group> {
        lock(&self.process).as_ref().map(|process| process.group)
    }

    /// The server, if it serves.
    pub fn frontend(&self) -> Option<(Group, Arc<Frontend>)> {
        let process = lock(&self.process);
        let process = process.as_ref()?;
        Some((process.group, process.frontend.clone()?))
    }

    /// Makes every sync slower by so much.
    pub fn slow_syncs(&self, by: Duration) {
        *lock(&self.sync_delay) = by;
    }
}
