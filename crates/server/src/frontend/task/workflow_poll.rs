//! PollWorkflowTaskQueue: a workflow task, a direct query, or nothing when the wait is over (spec §3.8).
use abide_engine::{
    Refusal,
    workflow::{
        RunKey, Started, Transition,
        workflow_task::{
            give_back,
            start::{StartedWorkflowTask, Taker, start},
        },
    },
};
use abide_matching::TaskKind;
use abide_proto::temporal::api::workflowservice::v1 as ws;
use tonic::Status;
use uuid::Uuid;

use super::{poll, queue, workflow_task};
use crate::{
    frontend::{Call, Frontend, limits::LongCall, query},
    shard::{Error, Target, Task},
    status,
};

pub(crate) async fn poll(
    frontend: &Frontend,
    call: Call,
    request: ws::PollWorkflowTaskQueueRequest,
) -> Result<ws::PollWorkflowTaskQueueResponse, Status> {
    let queue = queue::of(frontend, &call, request.task_queue.as_ref(), TaskKind::Workflow)?;
    queue::check_identity(frontend, &request.identity)?;
    #[allow(deprecated)]
    let (capabilities, deployment) = (&request.worker_version_capabilities, &request.deployment_options);
    queue::check_version(frontend, capabilities.as_ref(), deployment.as_ref())?;
    let end = poll::end(frontend, &call)?;
    let _place = frontend.limits.long_call(&call, LongCall::WorkflowPoll)?;
    let poller = queue::poller(&request.identity, &request.worker_instance_key, None);
    while let Some(taken) = poll::next(frontend, &queue, &poller, end).await {
        let scaling = poll::scaling(&taken);
        match taken.task.clone() {
            Task::Dispatch { key, dispatch } => {
                let taker = Taker {
                    identity: request.identity.clone(),
                    request_id: Uuid::from_bytes(frontend.env.uuid()).to_string(),
                    sticky_queue: if queue.sticky { queue.name.to_string() } else { String::new() },
                };
                match begin(frontend, &call, &key, dispatch.scheduled_event_id, taker).await {
                    Ok(Some(reply)) => {
                        return Ok(ws::PollWorkflowTaskQueueResponse {
                            backlog_count_hint: taken.finish_and_count().try_into().unwrap_or(i64::MAX),
                            poller_scaling_decision: scaling,
                            ..reply
                        });
                    }
                    // Taken, ended or moved in the meantime: the next one.
                    Ok(None) => drop(taken.finish()),
                    Err(status) => return Err(status),
                }
            }
            Task::Started(task) => {
                drop(taken.finish());
                let Some(Started::Workflow(task)) = task.take() else { continue };
                let reply = begun(frontend, &call, *task)?;
                return Ok(ws::PollWorkflowTaskQueueResponse { poller_scaling_decision: scaling, ..reply });
            }
            Task::Query(asked) => {
                drop(taken.finish());
                if asked.is_wanted() {
                    let reply = query::task(frontend, &call, &asked, queue.sticky).await?;
                    return Ok(ws::PollWorkflowTaskQueueResponse { poller_scaling_decision: scaling, ..reply });
                }
            }
        }
    }
    Ok(ws::PollWorkflowTaskQueueResponse::default())
}

async fn begin(
    frontend: &Frontend,
    call: &Call,
    key: &RunKey,
    scheduled_event_id: i64,
    taker: Taker,
) -> Result<Option<ws::PollWorkflowTaskQueueResponse>, Status> {
    let shard = frontend.shards.of_run(key);
    let request_id = taker.request_id.clone();
    let change = |tx: &mut Transition<'_, '_>| Ok(start(tx, scheduled_event_id, &taker)?);
    let undo = move |tx: &mut Transition<'_, '_>| give_back(tx, &request_id);
    let started = shard.update_or_undo(&call.namespace, &Target::run(key), change, undo).await;
    let started = match started {
        Ok(found) => found.value,
        Err(Error::Refused(Refusal::Obsolete | Refusal::NotFound(_))) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    begun(frontend, call, started).map(Some)
}

/// The reply with a task whose start is durable.
fn begun(
    frontend: &Frontend,
    call: &Call,
    task: StartedWorkflowTask,
) -> Result<ws::PollWorkflowTaskQueueResponse, Status> {
    let key = task.token.run_key().ok_or_else(|| status::unavailable("the task has gone, please retry"))?;
    let queries = frontend.shards.of_run(&key).waiting_queries(&key, &task);
    workflow_task::reply(frontend, call, task, queries)
}
