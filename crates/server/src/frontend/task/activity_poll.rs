//! PollActivityTaskQueue (spec §3.8, §3.9).
use abide_engine::{
    Refusal,
    workflow::{
        Started, Transition,
        activity::{self, StartedActivity},
    },
};
use abide_matching::TaskKind;
use abide_proto::temporal::api::{
    common::v1::{ActivityType, WorkflowType},
    workflowservice::v1 as ws,
};
use tonic::Status;
use uuid::Uuid;

use super::{poll, queue};
use crate::{
    frontend::{Call, Frontend, limits::LongCall},
    shard::{Error, Target, Task},
};

pub(crate) async fn poll(
    frontend: &Frontend,
    call: Call,
    request: ws::PollActivityTaskQueueRequest,
) -> Result<ws::PollActivityTaskQueueResponse, Status> {
    let queue = queue::of(frontend, &call, request.task_queue.as_ref(), TaskKind::Activity)?;
    queue::check_identity(frontend, &request.identity)?;
    #[allow(deprecated)]
    let (capabilities, deployment) = (&request.worker_version_capabilities, &request.deployment_options);
    queue::check_version(frontend, capabilities.as_ref(), deployment.as_ref())?;
    let end = poll::end(frontend, &call)?;
    let _place = frontend.limits.long_call(&call, LongCall::ActivityPoll)?;
    let rate = request.task_queue_metadata.as_ref().and_then(|m| m.max_tasks_per_second);
    let poller = queue::poller(&request.identity, &request.worker_instance_key, rate);
    while let Some(taken) = poll::next(frontend, &queue, &poller, end).await {
        let (key, dispatch) = match taken.task.clone() {
            Task::Dispatch { key, dispatch } => (key, dispatch),
            Task::Started(task) => {
                let poller_scaling_decision = poll::scaling(&taken);
                drop(taken.finish());
                let Some(Started::Activity(task)) = task.take() else { continue };
                let reply = reply(&call, *task);
                return Ok(ws::PollActivityTaskQueueResponse { poller_scaling_decision, ..reply });
            }
            Task::Query(_) => {
                drop(taken.finish());
                continue;
            }
        };
        let request_id = Uuid::from_bytes(frontend.env.uuid()).to_string();
        let shard = frontend.shards.of_run(&key);
        let (id, attempt) = (dispatch.scheduled_event_id, dispatch.attempt);
        let given_back = request_id.clone();
        let change =
            |tx: &mut Transition<'_, '_>| Ok(activity::start(tx, id, attempt, &request_id, &request.identity)?);
        let undo = move |tx: &mut Transition<'_, '_>| activity::give_back(tx, id, &given_back);
        match shard.update_or_undo(&call.namespace, &Target::run(&key), change, undo).await {
            Ok(found) => {
                let poller_scaling_decision = poll::scaling(&taken);
                #[cfg(feature = "planted")]
                if abide_planted::is(abide_planted::Fault::DoubleDispatch) {
                    taken.give_back();
                    return Ok(reply(&call, found.value));
                }
                drop(taken.finish());
                let reply = reply(&call, found.value);
                return Ok(ws::PollActivityTaskQueueResponse { poller_scaling_decision, ..reply });
            }
            // Taken, ended or moved in the meantime: the next one.
            Err(Error::Refused(Refusal::Obsolete | Refusal::NotFound(_))) => drop(taken.finish()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(ws::PollActivityTaskQueueResponse::default())
}

/// A started activity as its worker gets it.
pub(super) fn reply(call: &Call, task: StartedActivity) -> ws::PollActivityTaskQueueResponse {
    ws::PollActivityTaskQueueResponse {
        task_token: task.token.encoded(),
        workflow_namespace: call.namespace.name.clone(),
        workflow_type: Some(WorkflowType { name: task.workflow_type }),
        workflow_execution: task.token.run_key().map(|key| key.execution()),
        activity_type: Some(ActivityType { name: task.activity_type }),
        activity_id: task.activity_id,
        header: task.header,
        input: task.input,
        heartbeat_details: task.heartbeat_details,
        scheduled_time: Some(task.scheduled_time.timestamp()),
        current_attempt_scheduled_time: Some(task.current_attempt_scheduled_time.timestamp()),
        started_time: Some(task.started_time.timestamp()),
        attempt: task.attempt,
        schedule_to_close_timeout: Some(task.schedule_to_close_timeout.duration()),
        start_to_close_timeout: Some(task.start_to_close_timeout.duration()),
        heartbeat_timeout: Some(task.heartbeat_timeout.duration()),
        retry_policy: task.retry_policy,
        priority: task.priority,
        ..Default::default()
    }
}
