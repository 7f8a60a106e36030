//! Simulated time and the tasks that live in it: one thread, one seed.
//!
//! Every future of the simulation, the server's, the workers' and the clients', is a task here. Which of the tasks that
//! are ready goes next is drawn from the seed; time stands still while any is, and then jumps to the next alarm.
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    hash::{Hash, Hasher},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use rand::{Rng, RngCore, SeedableRng, rngs::SmallRng};
use rustc_hash::{FxHashMap, FxHasher};

use crate::trace::Trace;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tasks that stall and die together: a process, or a part of the surroundings that never dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group(pub u64);

/// The group of what is not simulated to fail: clients, the network, the checks.
pub const SURROUNDINGS: Group = Group(0);

/// A life takes some ten thousand steps; one of so many does not get anywhere.
const STEPS_MAX: u64 = 3_000_000;

/// A handle to the simulation. Clones share it.
#[derive(Clone)]
pub struct World {
    inner: Arc<Mutex<Inner>>,
    woken: Arc<Woken>,
}

/// Tasks woken since the last look. Apart from [`Inner`], because wakers are called with anything locked.
#[derive(Default)]
struct Woken(Mutex<Vec<u64>>);

struct Inner {
    now: Duration,
    rng: SmallRng,
    tasks: FxHashMap<u64, (Group, Arc<TaskWaker>, Option<Task>)>,
    next_task: u64,
    ready: Vec<u64>,
    alarms: BTreeMap<(Duration, u64), Waker>,
    next_alarm: u64,
    next_group: u64,
    dead: BTreeSet<Group>,
    stalled: BTreeSet<Group>,
    steps: u64,
    hasher: FxHasher,
    trace: Trace,
}

struct TaskWaker {
    id: u64,
    is_woken: AtomicBool,
    woken: Arc<Woken>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_woken.swap(true, Ordering::Relaxed) {
            lock(&self.woken.0).push(self.id);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub fn new(seed: u64, trace: Trace) -> Self {
        let inner = Inner {
            now: Duration::ZERO,
            rng: SmallRng::seed_from_u64(seed),
            tasks: FxHashMap::default(),
            next_task: 0,
            ready: Vec::new(),
            alarms: BTreeMap::new(),
            next_alarm: 0,
            next_group: SURROUNDINGS.0 + 1,
            dead: BTreeSet::new(),
            stalled: BTreeSet::new(),
            steps: 0,
            hasher: FxHasher::default(),
            trace,
        };
        Self { inner: Arc::new(Mutex::new(inner)), woken: Arc::default() }
    }

    /// Time since the simulation began.
    pub fn now(&self) -> Duration {
        lock(&self.inner).now
    }

    pub fn fill_random(&self, bytes: &mut [u8]) {
        lock(&self.inner).rng.fill_bytes(bytes);
    }

    /// A number in `0..bound`.
    pub fn below(&self, bound: u64) -> u64 {
        lock(&self.inner).rng.random_range(0..bound.max(1))
    }

    /// A span in `from..to`.
    pub fn span(&self, from: Duration, to: Duration) -> Duration {
        let width_us = to.saturating_sub(from).as_micros() as u64;
        from + Duration::from_micros(self.below(width_us))
    }

    /// True once in `1 / probability` calls.
    pub fn chance(&self, probability: f64) -> bool {
        probability > 0.0 && lock(&self.inner).rng.random_bool(probability.min(1.0))
    }

    pub fn new_group(&self) -> Group {
        let mut inner = lock(&self.inner);
        let group = Group(inner.next_group);
        inner.next_group += 1;
        group
    }

    /// Adds a task. In a dead group it is dropped unpolled.
    pub fn spawn(&self, group: Group, task: impl Future<Output = ()> + Send + 'static) {
        self.spawn_boxed(group, Box::pin(task));
    }

    pub fn spawn_boxed(&self, group: Group, task: Task) {
        let mut inner = lock(&self.inner);
        if inner.dead.contains(&group) {
            drop(inner);
            return; // the task is dropped here, with nothing locked
        }
        let id = inner.next_task;
        inner.next_task += 1;
        let waker = Arc::new(TaskWaker { id, is_woken: AtomicBool::new(false), woken: Arc::clone(&self.woken) });
        inner.tasks.insert(id, (group, Arc::clone(&waker), Some(task)));
        drop(inner);
        waker.wake();
    }

    /// Drops every task of the group, and all that will be added to it.
    pub fn kill(&self, group: Group) {
        let mut dropped = Vec::new();
        {
            let mut inner = lock(&self.inner);
            inner.dead.insert(group);
            inner.stalled.remove(&group);
            let mut ids: Vec<u64> =
                inner.tasks.iter().filter(|(_, (of, ..))| *of == group).map(|(id, _)| *id).collect();
            ids.sort_unstable();
            for id in ids {
                dropped.extend(inner.tasks.remove(&id));
            }
        }
        drop(dropped); // with nothing locked: drops wake and spawn
    }

    /// Stops the group's tasks from running, as a stopped process does not run, until they are resumed.
    pub fn stall(&self, group: Group, is_stalled: bool) {
        let mut inner = lock(&self.inner);
        if is_stalled {
            inner.stalled.insert(group);
        } else {
            inner.stalled.remove(&group);
        }
    }

    pub fn is_stalled(&self, group: Group) -> bool {
        lock(&self.inner).stalled.contains(&group)
    }

    /// Completes when the time has come.
    pub fn sleep_until(&self, at: Duration) -> Sleep {
        Sleep { world: self.clone(), at, alarm: None }
    }

    pub fn sleep(&self, span: Duration) -> Sleep {
        self.sleep_until(self.now().saturating_add(span))
    }

    /// Notes what happened; part of the trace's hash.
    pub fn note(&self, event: String) {
        let mut inner = lock(&self.inner);
        let now = inner.now;
        event.hash(&mut inner.hasher);
        inner.trace.add(now, &event);
    }

    /// Runs until the task is done. What it gives, or `None` if nothing is left that could wake it, or so much was done
    /// that something must be turning in circles.
    pub fn run<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let outcome = Arc::new(Mutex::new(None));
        let theirs = Arc::clone(&outcome);
        self.spawn(SURROUNDINGS, async move {
            let value = task.await;
            *lock(&theirs) = Some(value);
        });
        loop {
            if let Some(value) = lock(&outcome).take() {
                return Some(value);
            }
            if self.steps() > STEPS_MAX || !self.step() {
                return None;
            }
        }
    }

    /// Polls one task that is ready, or lets time pass until one is. False if neither is possible.
    fn step(&self) -> bool {
        let mut inner = lock(&self.inner);
        let woken = std::mem::take(&mut *lock(&self.woken.0));
        inner.ready.extend(woken);
        let runnable: bool = !inner.ready.is_empty();
        let Some(id) = (if runnable { inner.choose() } else { None }) else {
            return inner.let_time_pass();
        };
        let Some((_, waker, slot)) = inner.tasks.get_mut(&id) else { return true };
        waker.is_woken.store(false, Ordering::Relaxed);
        let (Some(mut task), waker) = (slot.take(), Waker::from(Arc::clone(waker))) else { return true };
        inner.steps += 1;
        let now = inner.now;
        (id, now).hash(&mut inner.hasher);
        drop(inner);
        let is_done = task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        let mut inner = lock(&self.inner);
        if is_done {
            inner.tasks.remove(&id);
        } else if let Some((_, _, slot)) = inner.tasks.get_mut(&id) {
            *slot = Some(task);
            return true;
        }
        drop(inner);
        drop(task);
        true
    }

    /// How much was done, in polls of tasks.
    pub fn steps(&self) -> u64 {
        lock(&self.inner).steps
    }

    /// What all that happened so far comes to. Equal seeds give equal hashes.
    pub fn hash(&self) -> u64 {
        lock(&self.inner).hasher.clone().finish()
    }

    /// Drops all tasks, those of the surroundings too.
    pub fn end(&self) {
        loop {
            let dropped = {
                let mut inner = lock(&self.inner);
                inner.alarms.clear();
                std::mem::take(&mut inner.tasks)
            };
            if dropped.is_empty() {
                return;
            }
            let mut dropped: Vec<_> = dropped.into_iter().collect();
            dropped.sort_unstable_by_key(|(id, _)| *id);
        }
    }
}

impl Inner {
    /// One of the ready tasks whose group is not stalled.
    fn choose(&mut self) -> Option<u64> {
        if self.stalled.is_empty() {
            let at = self.rng.random_range(0..self.ready.len());
            return Some(self.ready.swap_remove(at));
        }
        let is_free = |id: &u64| self.tasks.get(id).is_none_or(|(group, ..)| !self.stalled.contains(group));
        let free: Vec<usize> = (0..self.ready.len()).filter(|at| is_free(&self.ready[*at])).collect();
        if free.is_empty() {
            return None;
        }
        let at = free[self.rng.random_range(0..free.len())];
        Some(self.ready.swap_remove(at))
    }

    fn let_time_pass(&mut self) -> bool {
        let Some(((at, _), waker)) = self.alarms.pop_first() else { return false };
        self.now = self.now.max(at);
        waker.wake();
        true
    }
}

/// See [`World::sleep_until`].
pub struct Sleep {
    world: World,
    at: Duration,
    alarm: Option<(Duration, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut inner = lock(&this.world.inner);
        if let Some(alarm) = this.alarm.take() {
            inner.alarms.remove(&alarm);
        }
        if inner.now >= this.at {
            return Poll::Ready(());
        }
        let alarm = (this.at, inner.next_alarm);
        inner.next_alarm += 1;
        inner.alarms.insert(alarm, cx.waker().clone());
        drop(inner);
        this.alarm = Some(alarm);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(alarm) = self.alarm.take() {
            let waker = lock(&self.world.inner).alarms.remove(&alarm);
            drop(waker);
        }
    }
}
