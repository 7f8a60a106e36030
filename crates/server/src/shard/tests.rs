//! Shards over a store that fails on demand: what is acknowledged stays, what is not can be tried again, and nothing is
//! left behind by runs that have gone.
#![allow(clippy::unwrap_used)]
use std::{sync::Arc, time::Duration};

use abide_engine::{
    Refusal,
    workflow::{
        RunKey, Started, TaskKind,
        signal::signal,
        workflow_task::{
            complete::complete,
            start::{StartedWorkflowTask, Taker, start},
        },
    },
};
use abide_matching::{Matching, PollerInfo, QueueId};
use abide_proto::temporal::api::{
    command::v1::{self as command, Command},
    common::v1::WorkflowType,
    enums::v1::CommandType,
    history::v1::WorkflowExecutionSignaledEventAttributes,
    taskqueue::v1::TaskQueue,
    workflowservice::v1::{RespondWorkflowTaskCompletedRequest, StartWorkflowExecutionRequest},
};
use abide_store::{
    Order, ShardId, Store, Table,
    simulated::{Fault, SimulatedStore},
};
use uuid::Uuid;

use super::*;
use crate::{
    dynamic_config::DynamicConfig,
    namespaces::{MemoryMeta, Namespace},
};

const SHARDS: u16 = 2;

fn start_request(id: &str) -> StartWorkflowExecutionRequest {
    StartWorkflowExecutionRequest {
        workflow_id: id.into(),
        workflow_type: Some(WorkflowType { name: "Flow".into() }),
        task_queue: Some(TaskQueue { name: "tq".into(), ..Default::default() }),
        request_id: format!("start-{id}"),
        ..Default::default()
    }
}

struct Rig {
    store: Arc<SimulatedStore>,
    namespaces: Arc<Namespaces>,
    namespace: Arc<Namespace>,
    shards: Shards,
    matching: Matching<Task>,
}

impl Rig {
    async fn new() -> Self {
        let store = Arc::new(SimulatedStore::new(7));
        let namespaces = Arc::new(Namespaces::load(Arc::new(MemoryMeta::default())).await.unwrap());
        let namespace = Namespace::new([9; 16], "default", Duration::from_millis(50));
        let namespace = namespaces.register(namespace).await.unwrap();
        let (shards, matching) = Self::open(&store, &namespaces);
        Self { store, namespaces, namespace, shards, matching }
    }

    fn open(store: &Arc<SimulatedStore>, namespaces: &Arc<Namespaces>) -> (Shards, Matching<Task>) {
        let env = Env::real();
        let matching = Matching::new(Default::default(), Arc::new(QueueClock(env.clone())));
        let settings = SettingsSource::new(&DynamicConfig::default());
        let store: Arc<dyn Store> = store.clone();
        let shards =
            Shards::open(env, store, matching.clone(), namespaces.clone(), settings, SHARDS, Committer::start).unwrap();
        (shards, matching)
    }

    /// The power fails and comes back.
    fn restart(&mut self) {
        self.store.crash();
        (self.shards, self.matching) = Self::open(&self.store, &self.namespaces);
    }

    fn shard(&self, id: &str) -> &Arc<Shard> {
        self.shards.of(Uuid::from_bytes(self.namespace.id), id)
    }

    async fn start(&self, id: &str) -> Result<StartReply, Error> {
        self.shard(id).start(&self.namespace, start_request(id), None).await
    }

    async fn signal(&self, id: &str, request_id: &str) -> Result<(), Error> {
        let target =
            Target { workflow_id: id.into(), run_id: None, run_id_text: String::new(), first_run_id: String::new() };
        let attributes = WorkflowExecutionSignaledEventAttributes {
            signal_name: request_id.into(),
            request_id: request_id.into(),
            ..Default::default()
        };
        let change = |tx: &mut abide_engine::workflow::Transition<'_, '_>| Ok(signal(tx, attributes, vec![])?);
        self.shard(id).update(&self.namespace, &target, change).await.map(|_| ())
    }

    /// The next workflow task that still stands.
    async fn task(&self) -> (RunKey, StartedWorkflowTask) {
        let queue = QueueId::normal(self.namespace.id, abide_matching::TaskKind::Workflow, "tq");
        let poller = PollerInfo {
            identity: "worker".into(),
            rate_per_second: None,
            worker_instance_key: String::new(),
            details: (),
        };
        loop {
            let taken = self.matching.poll(&queue, poller.clone()).await.unwrap();
            let (key, dispatch) = match taken.task.clone() {
                Task::Dispatch { key, dispatch } => (key, dispatch),
                Task::Started(task) => {
                    let Some(Started::Workflow(task)) = task.take() else { panic!("workflow tasks only") };
                    return (task.token.run_key().unwrap(), *task);
                }
                Task::Query(_) => panic!("nobody asks queries here"),
            };
            assert_eq!(dispatch.task_kind(), TaskKind::Workflow);
            let taker = Taker { request_id: Uuid::from_bytes(Env::real().uuid()).to_string(), ..Default::default() };
            let change = |tx: &mut abide_engine::workflow::Transition<'_, '_>| {
                Ok(start(tx, dispatch.scheduled_event_id, &taker)?)
            };
            match self.shards.of_run(&key).update(&self.namespace, &Target::run(&key), change).await {
                Ok(found) => {
                    drop(taken.finish());
                    return (found.key, found.value);
                }
                Err(Error::Refused(Refusal::Obsolete)) => drop(taken.finish()),
                Err(error) => panic!("{error}"),
            }
        }
    }

    async fn close(&self, key: &RunKey, task: StartedWorkflowTask) -> Result<(), Error> {
        let attributes = command::CompleteWorkflowExecutionCommandAttributes::default();
        let close = Command {
            command_type: CommandType::CompleteWorkflowExecution as i32,
            attributes: Some(command::command::Attributes::CompleteWorkflowExecutionCommandAttributes(attributes)),
            ..Default::default()
        };
        let request = RespondWorkflowTaskCompletedRequest { commands: vec![close], ..Default::default() };
        let change = |tx: &mut abide_engine::workflow::Transition<'_, '_>| complete(tx, &task.token, request);
        self.shards.of_run(key).update(&self.namespace, &Target::run(key), change).await.map(|_| ())
    }

    /// The names of the signals in a run's durable history.
    fn signals(&self, key: &RunKey) -> Vec<String> {
        use abide_proto::temporal::api::history::v1::history_event::Attributes;
        let limits = PageLimits { from_event_id: 1, to_event_id: i64::MAX - 1, batches: usize::MAX };
        let page = self.shards.of_run(key).history(key, limits).unwrap();
        let ids: Vec<i64> = page.events.iter().map(|e| e.event_id).collect();
        assert_eq!(ids, (1..=ids.len() as i64).collect::<Vec<_>>());
        let names = page.events.into_iter().filter_map(|e| match e.attributes {
            Some(Attributes::WorkflowExecutionSignaledEventAttributes(a)) => Some(a.signal_name),
            _ => None,
        });
        names.collect()
    }

    /// How many rows a table has over all shards.
    fn rows(&self, table: Table) -> usize {
        let count = |shard| {
            let found = self.store.scan(ShardId(shard), table, &[][..]..&[0xff; 8][..], usize::MAX, Order::Forward);
            found.unwrap().len()
        };
        (0..SHARDS).map(count).sum()
    }
}

#[tokio::test]
async fn a_failed_commit_is_not_acknowledged_and_can_be_tried_again() {
    let rig = Rig::new().await;
    let key = rig.start("wf").await.unwrap().key;
    rig.store.fail_next(Fault::CommitRefused);
    assert!(matches!(rig.signal("wf", "lost").await, Err(Error::Unavailable(_))));
    rig.signal("wf", "kept").await.unwrap();
    assert_eq!(rig.signals(&key), ["kept"]);
    rig.signal("wf", "lost").await.unwrap();
    assert_eq!(rig.signals(&key), ["kept", "lost"]);
}

#[tokio::test]
async fn an_ambiguous_commit_happens_once_when_it_is_tried_again() {
    let rig = Rig::new().await;
    let key = rig.start("wf").await.unwrap().key;
    rig.store.fail_next(Fault::CommitAmbiguous);
    assert!(matches!(rig.signal("wf", "once").await, Err(Error::Unavailable(_))));
    rig.signal("wf", "once").await.unwrap();
    assert_eq!(rig.signals(&key), ["once"]);
}

#[tokio::test]
async fn a_start_that_failed_leaves_nothing() {
    let rig = Rig::new().await;
    rig.store.fail_next(Fault::DiskFull);
    assert!(matches!(rig.start("wf").await, Err(Error::Unavailable(_))));
    assert!(matches!(rig.signal("wf", "s").await, Err(Error::Refused(Refusal::NotFound(_)))));
    assert_eq!((rig.rows(Table::State), rig.rows(Table::Timer), rig.rows(Table::Outbox)), (0, 0, 0));
    assert!(rig.start("wf").await.unwrap().started);
}

#[tokio::test]
async fn a_refusal_does_not_tell_of_a_run_that_may_be_lost() {
    let rig = Rig::new().await;
    rig.store.fail_next(Fault::CommitRefused);
    let second = StartWorkflowExecutionRequest { request_id: "another".into(), ..start_request("wf") };
    let shard = rig.shard("wf");
    // The second start sees the run of the first, which never becomes durable.
    let (first, second) = tokio::join!(rig.start("wf"), shard.start(&rig.namespace, second, None));
    assert!(matches!(first, Err(Error::Unavailable(_))));
    assert!(matches!(second, Err(Error::Unavailable(_))), "{second:?}");
}

#[tokio::test]
async fn an_id_that_fits_into_no_key_is_unknown() {
    let rig = Rig::new().await;
    rig.start("wf").await.unwrap();
    let long = "x".repeat(70_000);
    assert!(matches!(rig.signal(&long, "s").await, Err(Error::Refused(Refusal::NotFound(_)))));
    rig.signal("wf", "s").await.unwrap();
}

#[tokio::test]
async fn evicting_an_old_run_keeps_the_pointer_to_a_newer_one() {
    let rig = Rig::new().await;
    let old = rig.start("wf").await.unwrap().key;
    let shard = Arc::clone(rig.shard("wf"));
    let mut state = shard.lock();
    let id = (old.namespace_id, old.workflow_id.clone());
    // A newer run whose commit is under way, and so many idle runs that the old one has to go.
    let newer = Uuid::from_u128(4711);
    state.currents.insert(id.clone(), Current { run_id: newer });
    let run = state.runs[&old].run.clone();
    for n in 0..1000 {
        let key = RunKey { run_id: Uuid::from_u128(n), workflow_id: format!("other-{n}"), ..old.clone() };
        let last_used = state.tick();
        state.runs.insert(key, state::Entry::new(run.clone(), last_used));
    }
    state.evict();
    assert!(!state.runs.contains_key(&old));
    assert_eq!(state.currents.get(&id).map(|current| current.run_id), Some(newer));
}

#[tokio::test]
async fn reads_do_not_fill_the_memory() {
    let rig = Rig::new().await;
    let mut keys = Vec::new();
    for n in 0..700 {
        keys.push(rig.start(&format!("wf-{n}")).await.unwrap().key);
    }
    for shard in rig.shards.all() {
        let mut state = shard.lock();
        state.runs.clear();
    }
    for key in &keys {
        rig.shards.of_run(key).read(&rig.namespace, &Target::run(key), |_, _| ()).await.unwrap();
    }
    for shard in rig.shards.all() {
        let kept = shard.lock().runs.len();
        assert!(kept <= 257, "{kept} runs stay in memory");
    }
}

#[tokio::test]
async fn a_query_that_waits_is_let_go_when_its_run_ends() {
    let rig = Rig::new().await;
    let key = rig.start("wf").await.unwrap().key;
    let shard = rig.shard("wf");
    let waiting = shard.buffer_query(&key, "q".into(), Default::default(), 1).unwrap();
    let request = abide_proto::temporal::api::workflowservice::v1::TerminateWorkflowExecutionRequest::default();
    let change = |tx: &mut abide_engine::workflow::Transition<'_, '_>| {
        Ok(abide_engine::workflow::close::respond_terminate(tx, request)?)
    };
    shard.update(&rig.namespace, &Target::run(&key), change).await.unwrap();
    assert_eq!(waiting.await.unwrap(), Answer::Unblocked);
    let late = shard.buffer_query(&key, "late".into(), Default::default(), 1).unwrap();
    assert_eq!(late.await.unwrap(), Answer::Unblocked, "a query that finds the run closed does not wait");
}

#[tokio::test]
async fn a_task_whose_worker_left_during_its_start_is_offered_again() {
    let rig = Rig::new().await;
    // The commit may be over before the worker leaves; then another run is tried.
    for n in 0..100 {
        let key = rig.start(&format!("wf-{n}")).await.unwrap().key;
        let taker = Taker { request_id: "gone".into(), ..Default::default() };
        let target = Target::run(&key);
        let change = |tx: &mut abide_engine::workflow::Transition<'_, '_>| Ok(start(tx, 2, &taker)?);
        let undo = |tx: &mut abide_engine::workflow::Transition<'_, '_>| {
            abide_engine::workflow::workflow_task::give_back(tx, "gone");
        };
        let starting = rig.shards.of_run(&key).update_or_undo(&rig.namespace, &target, change, undo);
        let left = tokio::select! {
            biased;
            _ = starting => false,
            () = std::future::ready(()) => true,
        };
        if left {
            let (found, task) = rig.task().await;
            assert_eq!((&found, task.attempt), (&key, 2));
            return rig.close(&key, task).await.unwrap();
        }
    }
    panic!("no worker left in time");
}

#[tokio::test]
async fn a_task_that_was_started_for_a_poll_which_left_is_started_for_another() {
    let rig = Rig::new().await;
    let queue = QueueId::normal(rig.namespace.id, abide_matching::TaskKind::Workflow, "tq");
    let first = rig.matching.poll(&queue, PollerInfo::default());
    let key = rig.start("wf").await.unwrap().key;
    drop(first);
    let (found, task) = rig.task().await;
    assert_eq!((&found, task.attempt), (&key, 2));
    rig.close(&key, task).await.unwrap();
}

/// Waits for the run's next durable change, but not for ever.
async fn soon(changed: impl Future<Output = ()>) {
    tokio::select! {
        () = changed => {}
        () = Env::real().sleep(Duration::from_secs(20)) => panic!("nothing changed"),
    }
}

#[tokio::test]
async fn a_change_between_the_watch_and_the_wait_is_not_missed() {
    let rig = Rig::new().await;
    let key = rig.start("wf").await.unwrap().key;
    let changed = rig.shard("wf").watch(&key);
    rig.signal("wf", "s").await.unwrap();
    soon(changed).await;
}

#[tokio::test]
async fn a_timer_whose_run_could_not_be_read_fires_a_little_later() {
    let rig = Rig::new().await;
    let timeout = prost_types::Duration { seconds: 1, nanos: 0 };
    let request = StartWorkflowExecutionRequest { workflow_run_timeout: Some(timeout), ..start_request("wf") };
    let shard = rig.shard("wf");
    let key = shard.start(&rig.namespace, request, None).await.unwrap().key;
    let ended = shard.watch(&key);
    shard.lock().runs.clear();
    rig.store.fail_next(Fault::ReadUnavailable);
    soon(ended).await;
    let running = shard.read(&rig.namespace, &Target::run(&key), |run, _| run.is_running()).await.unwrap().value;
    assert!(!running);
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_the_power_failed() {
    let mut rig = Rig::new().await;
    let key = rig.start("wf").await.unwrap().key;
    rig.signal("wf", "before").await.unwrap();
    rig.restart();
    assert_eq!(rig.signals(&key), ["before"]);
    let again = rig.start("wf").await.unwrap();
    assert_eq!((again.key, again.started), (key.clone(), true), "the same request finds the same run");
    let (found, task) = rig.task().await;
    assert_eq!(found, key, "the outbox hands out again what nobody had taken");
    rig.close(&key, task).await.unwrap();
}

#[tokio::test]
async fn a_panic_in_a_transition_harms_nobody_else() {
    let rig = Rig::new().await;
    let key = rig.start("wf").await.unwrap().key;
    rig.signal("wf", "before").await.unwrap();
    let shard = Arc::clone(rig.shard("wf"));
    let namespace = Arc::clone(&rig.namespace);
    let target = Target::run(&key);
    #[allow(clippy::disallowed_methods)] // the panic must stay in a task of its own
    let panicking = tokio::spawn(async move {
        let change = |tx: &mut abide_engine::workflow::Transition<'_, '_>| {
            tx.run.header.get_mut().signal_count = 4711;
            panic!("planted")
        };
        shard.update::<()>(&namespace, &target, change).await
    });
    assert!(panicking.await.is_err());
    rig.signal("wf", "after").await.unwrap();
    assert_eq!(rig.signals(&key), ["before", "after"]);
    let count = rig.shard("wf").read(&rig.namespace, &Target::run(&key), |run, _| run.header.signal_count).await;
    assert_eq!(count.unwrap().value, 2, "the half-made change is gone");
}

#[tokio::test]
async fn after_its_retention_a_run_leaves_nothing_behind() {
    let rig = Rig::new().await;
    for id in ["a", "b"] {
        rig.start(id).await.unwrap();
        rig.signal(id, "s").await.unwrap();
    }
    for _ in 0..2 {
        let (key, task) = rig.task().await;
        rig.close(&key, task).await.unwrap();
    }
    let tables = [Table::State, Table::History, Table::Timer, Table::Outbox];
    let env = Env::real();
    while tables.iter().any(|table| rig.rows(*table) > 0) {
        assert!(env.monotonic() < Duration::from_secs(30), "rows are left");
        tokio::task::yield_now().await;
    }
    assert!(matches!(rig.signal("a", "late").await, Err(Error::Refused(Refusal::NotFound(_)))));
}

#[tokio::test]
async fn a_query_does_not_ride_on_a_task_that_was_started_before_it() {
    let rig = Rig::new().await;
    let key = rig.start("wf").await.unwrap().key;
    let shard = rig.shard("wf");
    let ask = |id: &str| shard.buffer_query(&key, id.into(), Default::default(), 10).unwrap();
    let riding = |task: &StartedWorkflowTask| shard.waiting_queries(&key, task).into_keys().collect::<Vec<_>>();
    let _before = ask("before");
    let (_, task) = rig.task().await;
    rig.signal("wf", "known to the second asker").await.unwrap();
    let mut after = ask("after");
    assert_eq!(riding(&task), ["before"]);
    // Nor is it left behind: the next task has the signal, and takes it along.
    let request = RespondWorkflowTaskCompletedRequest::default();
    let change = |tx: &mut abide_engine::workflow::Transition<'_, '_>| complete(tx, &task.token, request);
    shard.update(&rig.namespace, &Target::run(&key), change).await.unwrap();
    assert!(after.try_recv().is_err(), "it waits for the task that the signal has made");
    let (_, next) = rig.task().await;
    assert_eq!(riding(&next), ["after", "before"]);
}
