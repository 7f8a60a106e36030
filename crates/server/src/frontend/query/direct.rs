//! Queries that are put to a worker directly: to the run's sticky worker first, then to any of its queue.
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use abide_matching::{Entry, Offer, QueueId, Task as _, TaskKind};
use abide_proto::temporal::api::query::v1::WorkflowQuery;
use rustc_hash::FxHashMap;
use tonic::Status;
use uuid::Uuid;

use super::{LONGEST, MARGIN, Seen};
use crate::{
    frontend::{Call, Frontend},
    shard::{Answer, QueryTask, Target, Task},
    status,
};

/// The direct queries that wait for a worker's answer, by id.
#[derive(Default)]
pub struct DirectQueries {
    by_id: Mutex<FxHashMap<String, Arc<QueryTask>>>,
}

impl DirectQueries {
    fn insert(&self, task: &Arc<QueryTask>) {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner).insert(task.id.to_string(), Arc::clone(task));
    }

    pub(super) fn remove(&self, id: &str) -> Option<Arc<QueryTask>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner).remove(id)
    }
}

/// Takes the query out of the registry and out of its queue, however the asking ends.
struct Registered<'f> {
    frontend: &'f Frontend,
    queue: QueueId,
    task: Arc<QueryTask>,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.frontend.direct_queries.remove(&self.task.id.to_string());
        let key = Task::Query(Arc::clone(&self.task)).key();
        drop(self.frontend.matching.cancel(&self.queue, key));
    }
}

/// First the sticky worker, for as long as its timeout; then any worker of the normal queue.
pub(super) async fn ask(
    frontend: &Frontend,
    call: &Call,
    seen: &Seen,
    query: &WorkflowQuery,
) -> Result<Answer, Status> {
    if let Some((queue, timeout)) = &seen.sticky {
        let queue = QueueId::sticky(call.namespace.id, queue.as_str());
        let (_registered, waiting) = match offer(frontend, seen, query, &queue) {
            Some(offered) => offered,
            None => return ask_normal(frontend, call, seen, query).await,
        };
        let now = frontend.env.monotonic();
        let end = call.deadline.end_of_wait(now, *timeout, Duration::ZERO);
        tokio::select! {
            biased;
            answer = waiting => {
                if let Ok(answer) = answer {
                    return Ok(answer);
                }
            }
            () = frontend.env.sleep_until(end) => {}
        }
        if seen.is_running() {
            forget_sticky(frontend, call, seen).await?;
        }
    }
    ask_normal(frontend, call, seen, query).await
}

async fn forget_sticky(frontend: &Frontend, call: &Call, seen: &Seen) -> Result<(), Status> {
    let shard = frontend.shards.of_run(&seen.key);
    let change = |tx: &mut abide_engine::workflow::Transition<'_, '_>| {
        if tx.run.is_running() && tx.run.header.sticky.is_some() {
            tx.run.header.get_mut().sticky = None;
        }
        Ok(())
    };
    shard.update(&call.namespace, &Target::run(&seen.key), change).await?;
    Ok(())
}

async fn ask_normal(frontend: &Frontend, call: &Call, seen: &Seen, query: &WorkflowQuery) -> Result<Answer, Status> {
    let queue = QueueId::normal(call.namespace.id, TaskKind::Workflow, seen.task_queue.as_str());
    let Some((_registered, waiting)) = offer(frontend, seen, query, &queue) else {
        return Err(status::unavailable("the query could not be queued, please retry"));
    };
    let now = frontend.env.monotonic();
    let end = call.deadline.end_of_wait(now, LONGEST, MARGIN);
    tokio::select! {
        biased;
        answer = waiting => {
            return answer.map_err(|_| status::unavailable("the query was lost, please retry"));
        }
        () = frontend.env.sleep_until(end) => {}
    }
    let window_ms = i64::try_from(frontend.dynamic_config.query_poller_unavailable_window.as_millis()).unwrap_or(0);
    let seen_since = frontend.env.wall_ms() - window_ms;
    if frontend.matching.last_poll_ms(&queue).is_none_or(|at| at < seen_since) {
        let text = "no poller seen for task queue recently, worker may be down";
        return Err(status::failed_precondition(text));
    }
    Err(status::deadline_exceeded("query timed out before a worker could process it"))
}

type Offered<'f> = (Registered<'f>, tokio::sync::oneshot::Receiver<Answer>);

/// Puts the query in a queue; none if the queue's sticky worker is gone.
fn offer<'f>(frontend: &'f Frontend, seen: &Seen, query: &WorkflowQuery, queue: &QueueId) -> Option<Offered<'f>> {
    let id = Uuid::from_bytes(frontend.env.uuid());
    let (task, waiting) = QueryTask::new(id, seen.key.clone(), query.clone());
    frontend.direct_queries.insert(&task);
    let registered = Registered { frontend, queue: queue.clone(), task: Arc::clone(&task) };
    let entry = Entry { task: Task::Query(task), priority: 1, scheduled_time_ms: frontend.env.wall_ms() };
    match frontend.matching.offer(queue, entry) {
        Offer::StickyUnavailable(_) | Offer::Overflow(_) => None,
        _ => Some((registered, waiting)),
    }
}
