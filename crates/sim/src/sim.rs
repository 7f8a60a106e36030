//! One life of a server, its workers and its clients, from an empty disk to an empty disk.
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{
    calls,
    checks::{self, deliveries::Deliveries},
    client::Client,
    faults,
    network::{Network, Weather},
    node::{Node, RETENTION},
    plan::Plan,
    trace::Trace,
    violation::Violations,
    worker::Worker,
    workloads,
    world::{Group, SURROUNDINGS, World},
};

/// The queue of all workers.
pub const QUEUE: &str = "work";
const WORKERS: usize = 2;
/// How often memory is compared with the store once nothing goes wrong.
const BETWEEN_AUDITS: Duration = Duration::from_secs(30);
/// Once nothing goes wrong any more, everything has ended within this.
const PATIENCE: Duration = Duration::from_secs(3600);

/// What faults and workloads work with.
pub struct Sim {
    pub world: World,
    pub node: Arc<Node>,
    pub network: Arc<Network>,
    pub client: Client,
    pub violations: Violations,
    /// Whether the wall clock is never set, so that times can be compared.
    pub clock_is_steady: bool,
    deliveries: Arc<Deliveries>,
    workers: Mutex<Vec<Group>>,
    numbers: AtomicU64,
    /// The runs whose histories are checked at the end, with the ids they belong to.
    runs: Mutex<Vec<(String, String)>>,
    /// Workloads that have not ended.
    under_way: Mutex<BTreeMap<usize, String>>,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    pub violations: Vec<String>,
    /// Of everything that happened. Equal plans give equal hashes.
    pub hash: u64,
    /// Polls of tasks.
    pub steps: u64,
    /// Simulated time until everything had ended, without the wait for the retention.
    pub active: Duration,
    /// All simulated time.
    pub simulated: Duration,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lives a plan.
pub fn run(plan: &Plan, trace: Trace) -> Outcome {
    let world = World::new(plan.seed, trace);
    let violations = Violations::default();
    let node = Node::new(&world);
    let deliveries = Arc::new(Deliveries::new(&violations));
    let network = Arc::new(Network::new(&world, &node, &violations, &deliveries));
    let sim = Arc::new(Sim {
        client: Client::new(&world, &network),
        world: world.clone(),
        node,
        network,
        violations: violations.clone(),
        clock_is_steady: plan.faults.iter().all(|fault| !faults::ALL[fault.kind].moves_clock),
        deliveries,
        workers: Mutex::default(),
        numbers: AtomicU64::new(0),
        runs: Mutex::default(),
        under_way: Mutex::default(),
    });
    let active = world.run(Arc::clone(&sim).live(plan.clone()));
    if active.is_none() {
        violations.add(format!("no end after {} steps, at {:?}", world.steps(), world.now()));
    }
    let outcome = Outcome {
        violations: violations.all(),
        hash: world.hash(),
        steps: world.steps(),
        active: active.unwrap_or_default(),
        simulated: world.now(),
    };
    sim.node.kill();
    world.end();
    outcome
}

impl Sim {
    async fn live(self: Arc<Self>, plan: Plan) -> Duration {
        self.world.spawn(SURROUNDINGS, Arc::clone(&self.node).supervise());
        self.keep_server_up().await;
        (0..WORKERS).for_each(|_| self.start_worker());
        for (index, workload) in plan.workloads.iter().enumerate() {
            let kind = &workloads::ALL[workload.kind];
            let (sim, id, at) = (Arc::clone(&self), format!("{}-{}", kind.name, workload.number), workload.at);
            lock(&self.under_way).insert(index, id.clone());
            self.world.spawn(SURROUNDINGS, async move {
                sim.world.sleep(at).await;
                (kind.run)(Arc::clone(&sim), id).await;
                lock(&sim.under_way).remove(&index);
            });
        }
        let mut quiet_at = Duration::ZERO;
        for fault in &plan.faults {
            let kind = &faults::ALL[fault.kind];
            let (sim, at) = (Arc::clone(&self), fault.at);
            quiet_at = quiet_at.max(at + kind.lasts + Duration::from_secs(1));
            self.world.spawn(SURROUNDINGS, async move {
                sim.world.sleep(at).await;
                sim.world.note(format!("fault: {}", kind.name));
                (kind.run)(Arc::clone(&sim)).await;
            });
        }
        while self.world.now() < quiet_at && self.violations.is_empty() {
            self.world.sleep_until(quiet_at.min(self.world.now() + Duration::from_secs(1))).await;
        }
        self.heal().await;
        self.wait_for_the_end().await;
        let active = self.world.now();
        if self.violations.is_empty() {
            self.check_runs().await;
        }
        if self.violations.is_empty() {
            self.check_retention().await;
        }
        active
    }

    async fn heal(&self) {
        self.network.set_weather(Weather::FAIR);
        self.node.store.mend();
        self.node.slow_syncs(Duration::ZERO);
        self.keep_server_up().await;
        if lock(&self.workers).is_empty() {
            self.start_worker();
        }
        self.world.note("nothing goes wrong from here on".into());
    }

    async fn wait_for_the_end(&self) {
        let until = self.world.now() + PATIENCE;
        let mut next_audit = self.world.now();
        while !lock(&self.under_way).is_empty() && self.violations.is_empty() {
            if self.world.now() > until {
                let stuck: Vec<String> = lock(&self.under_way).values().cloned().collect();
                for id in stuck {
                    let pending = calls::pending(self, &id).await;
                    let events = calls::history(self, &id, "").await.unwrap_or_default();
                    let shown: Vec<String> = events.iter().map(|event| format!("{event:?}")).collect();
                    self.violations.add(format!("stuck: {id}\n{}\n{pending}", shown.join("\n")));
                }
                return;
            }
            if self.world.now() >= next_audit {
                self.audit();
                next_audit = self.world.now() + BETWEEN_AUDITS;
            }
            self.world.sleep(Duration::from_secs(1)).await;
        }
        self.audit();
    }

    /// What is in memory is what would be loaded.
    fn audit(&self) {
        let Some((_, frontend)) = self.node.frontend() else { return };
        for shard in frontend.shards.all() {
            match shard.audit() {
                Ok(differences) => differences.into_iter().for_each(|difference| self.violations.add(difference)),
                Err(error) => self.violations.add(format!("the store cannot be read: {error}")),
            }
        }
    }

    /// Every history is legal, and the same after the server was killed.
    async fn check_runs(&self) {
        let runs = std::mem::take(&mut *lock(&self.runs));
        let mut histories = Vec::new();
        for (id, run_id) in &runs {
            let Some(events) = calls::history(self, id, run_id).await else { return };
            if let Err(wrong) = checks::history::check(&events, self.clock_is_steady) {
                self.violations.add(format!("{id} {run_id}: {wrong}"));
            }
            self.deliveries.check(run_id, &events);
            histories.push(events);
        }
        self.node.kill();
        self.keep_server_up().await;
        for ((id, run_id), before) in runs.iter().zip(&histories) {
            let after = calls::history(self, id, run_id).await;
            self.violations.check(after.as_ref() == Some(before), || {
                format!("the history of {id} {run_id} is another one after a restart: {before:?}, then {after:?}")
            });
        }
    }

    /// After the retention nothing is left on disk.
    async fn check_retention(&self) {
        while let Some(group) = lock(&self.workers).pop() {
            self.world.kill(group);
        }
        self.world.sleep(RETENTION + Duration::from_secs(600)).await;
        let Some((_, frontend)) = self.node.frontend() else { return };
        let left = checks::leftovers::find(&frontend);
        self.violations.check(left.is_empty(), || format!("left after the retention: {}", left.join(", ")));
    }

    /// Starts the server until it serves, as whoever supervises it does.
    pub async fn keep_server_up(&self) {
        while !self.node.start().await {
            self.world.sleep(Duration::from_millis(500)).await;
        }
    }

    pub fn start_worker(&self) {
        let name = self.unique("worker");
        let group = Worker::start(&self.client, name, QUEUE, &self.violations);
        lock(&self.workers).push(group);
    }

    /// A worker at random.
    pub fn some_worker(&self) -> Option<Group> {
        let workers = lock(&self.workers);
        if workers.is_empty() {
            return None;
        }
        Some(workers[self.world.below(workers.len() as u64) as usize])
    }

    /// Kills a worker at random; whether there was one.
    pub fn kill_worker(&self) -> bool {
        let Some(group) = self.some_worker() else { return false };
        lock(&self.workers).retain(|worker| *worker != group);
        self.world.note("a worker dies".into());
        self.world.kill(group);
        true
    }

    /// A name that is given once.
    pub fn unique(&self, what: &str) -> String {
        format!("{what} {}", self.numbers.fetch_add(1, Ordering::Relaxed))
    }

    /// Remembers the runs of an id, which have ended, for the checks at the end.
    pub fn keep(&self, id: &str, run_ids: &[String]) {
        lock(&self.runs).extend(run_ids.iter().map(|run_id| (id.to_owned(), run_id.clone())));
    }
}
