//! A world for a server to run in: time passes only when everybody waits, and a seed decides what is random.
use std::{
    collections::{BTreeMap, VecDeque},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use abide_server::env::{BoxFuture, Env, Platform};

/// Tasks that run at one instant, before they are taken for ones that never rest.
const POLLS_AT_AN_INSTANT_MAX: usize = 200_000;
/// When worlds begin: Unix time in nanoseconds.
const BEGINNING_NS: i64 = 1_700_000_000_000_000_000;

/// The world, and the hand that moves it. Dropping it drops every task.
pub(crate) struct World(Arc<Inner>);

struct Inner(Mutex<State>);

#[derive(Default)]
struct State {
    now: Duration,
    /// What the wall clock was set forward by, or back.
    wall_shift_ns: i64,
    random: u64,
    names_given: u64,
    /// None while the task runs.
    tasks: BTreeMap<u64, Option<BoxFuture<()>>>,
    ready: VecDeque<u64>,
    timers: BTreeMap<(Duration, u64), Waker>,
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn name(&mut self) -> u64 {
        self.names_given += 1;
        self.names_given
    }
}

impl Default for World {
    fn default() -> Self {
        Self(Arc::new(Inner(Mutex::default())))
    }
}

impl World {
    pub(crate) fn env(&self) -> Env {
        Env::new(Seat(Arc::clone(&self.0)))
    }

    /// A world without tasks, in which it is as late and that draws on the same chances.
    pub(crate) fn after(before: &World) -> Self {
        let before = before.0.lock();
        let (now, wall_shift_ns, random) = (before.now, before.wall_shift_ns, before.random);
        Self(Arc::new(Inner(Mutex::new(State { now, wall_shift_ns, random, ..State::default() }))))
    }

    pub(crate) fn now(&self) -> Duration {
        self.0.lock().now
    }

    /// Sets the wall clock forward, or back.
    pub(crate) fn shift_wall(&self, by_ns: i64) {
        let mut state = self.0.lock();
        state.wall_shift_ns = state.wall_shift_ns.saturating_add(by_ns);
    }

    /// Starts a task and names it.
    pub(crate) fn spawn(&self, task: BoxFuture<()>) -> u64 {
        let mut state = self.0.lock();
        let name = state.name();
        state.tasks.insert(name, Some(task));
        state.ready.push_back(name);
        name
    }

    /// Drops a task wherever it waits.
    pub(crate) fn cancel(&self, name: u64) {
        let task = self.0.lock().tasks.remove(&name);
        drop(task); // outside the lock: what it drops may spawn
    }

    /// Runs all tasks until each waits for time to pass. `flush` waits for the threads beside them.
    pub(crate) fn settle(&self, flush: &dyn Fn()) {
        for _ in 0..POLLS_AT_AN_INSTANT_MAX {
            if self.poll_one() {
                continue;
            }
            flush();
            if self.0.lock().ready.is_empty() {
                return;
            }
        }
        panic!("tasks run on and on while no time passes");
    }

    /// Runs one task that is ready.
    fn poll_one(&self) -> bool {
        let (name, mut task) = {
            let mut state = self.0.lock();
            let Some(name) = state.ready.pop_front() else { return false };
            let Some(task) = state.tasks.get_mut(&name).and_then(Option::take) else { return true };
            (name, task)
        };
        let waker = Waker::from(Arc::new(TaskWaker { name, world: Arc::clone(&self.0) }));
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            if let Some(place) = self.0.lock().tasks.get_mut(&name) {
                *place = Some(task);
            }
        } else {
            self.0.lock().tasks.remove(&name);
        }
        true
    }

    /// Lets time pass to the next timer, or to `until` if that comes first; says whether there was a timer.
    pub(crate) fn pass_to_next(&self, until: Duration) -> bool {
        let mut state = self.0.lock();
        let Some((&(at, _), _)) = state.timers.first_key_value().filter(|((at, _), _)| *at <= until) else {
            state.now = state.now.max(until);
            return false;
        };
        state.now = state.now.max(at);
        let waker = state.timers.pop_first().map(|(_, waker)| waker);
        drop(state);
        waker.into_iter().for_each(Waker::wake);
        true
    }
}

impl Drop for World {
    fn drop(&mut self) {
        loop {
            let mut state = self.0.lock();
            let (tasks, timers) = (std::mem::take(&mut state.tasks), std::mem::take(&mut state.timers));
            drop(state);
            if tasks.is_empty() && timers.is_empty() {
                return;
            }
        }
    }
}

struct TaskWaker {
    name: u64,
    world: Arc<Inner>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.world.lock();
        if !state.ready.contains(&self.name) {
            state.ready.push_back(self.name);
        }
    }
}

/// The platform of whoever lives in the world.
struct Seat(Arc<Inner>);

impl Platform for Seat {
    fn wall_ns(&self) -> i64 {
        let state = self.0.lock();
        let passed = i64::try_from(state.now.as_nanos()).unwrap_or(i64::MAX);
        BEGINNING_NS.saturating_add(passed).saturating_add(state.wall_shift_ns)
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().now
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock();
        for byte in bytes {
            state.random = state.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (state.random >> 56) as u8;
        }
    }

    fn spawn(&self, task: BoxFuture<()>) {
        let mut state = self.0.lock();
        let name = state.name();
        state.tasks.insert(name, Some(task));
        state.ready.push_back(name);
    }

    fn run_blocking(&self, work: Box<dyn FnOnce() + Send + 'static>) {
        work();
    }

    fn end_tasks(&self) -> BoxFuture<()> {
        let tasks = std::mem::take(&mut self.0.lock().tasks);
        drop(tasks);
        Box::pin(std::future::ready(()))
    }

    fn sleep_until(&self, instant: Duration) -> BoxFuture<()> {
        let name = self.0.lock().name();
        Box::pin(Sleep { key: (instant, name), world: Arc::clone(&self.0) })
    }
}

struct Sleep {
    key: (Duration, u64),
    world: Arc<Inner>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.world.lock();
        if state.now >= self.key.0 {
            return Poll::Ready(());
        }
        let replaced = state.timers.insert(self.key, context.waker().clone());
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let waker = self.world.lock().timers.remove(&self.key);
        drop(waker);
    }
}
