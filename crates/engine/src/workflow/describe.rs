//! DescribeWorkflowExecution, from mutable state.
use super::{activity, records::Header, run::Run};
use crate::{
    Context, Time,
    api::{common, enums, service::DescribeWorkflowExecutionResponse, taskqueue::TaskQueue, workflow as w},
    time::Span,
};

/// What stands for a run that never expires: the year 1, as the reference has it.
const NEVER: prost_types::Timestamp = prost_types::Timestamp { seconds: -62_135_596_800, nanos: 0 };

/// Everything that is known of a run.
pub fn describe(run: &Run, cx: &Context<'_>) -> DescribeWorkflowExecutionResponse {
    DescribeWorkflowExecutionResponse {
        execution_config: Some(config(run)),
        workflow_execution_info: Some(info(run)),
        pending_activities: activity::describe(run, cx.now),
        pending_workflow_task: pending_task(&run.header),
        workflow_extended_info: Some(extended(run)),
        ..Default::default()
    }
}

fn config(run: &Run) -> w::WorkflowExecutionConfig {
    let profile = run.profile.get();
    w::WorkflowExecutionConfig {
        task_queue: Some(TaskQueue {
            name: profile.task_queue.clone(),
            kind: enums::TaskQueueKind::Normal as i32,
            ..Default::default()
        }),
        workflow_execution_timeout: profile.execution_timeout.map(|timeout| Span(timeout).duration()),
        workflow_run_timeout: profile.run_timeout.map(|timeout| Span(timeout).duration()),
        default_workflow_task_timeout: Some(Span(profile.task_timeout).duration()),
        user_metadata: profile.user_metadata.clone(),
    }
}

fn info(run: &Run) -> w::WorkflowExecutionInfo {
    let (header, profile) = (run.header.get(), run.profile.get());
    let closed = header.close_time != 0;
    let duration = Time(header.close_time) - Time(profile.execution_time);
    w::WorkflowExecutionInfo {
        execution: Some(run.key.execution()),
        r#type: Some(common::WorkflowType { name: profile.workflow_type.clone() }),
        start_time: Some(Time(profile.start_time).timestamp()),
        close_time: Time(header.close_time).optional(),
        status: header.status,
        history_length: header.next_event_id - 1,
        execution_time: Some(Time(profile.execution_time).timestamp()),
        memo: Some(profile.memo.clone().unwrap_or_default()),
        search_attributes: Some(profile.search_attributes.clone().unwrap_or_default()),
        auto_reset_points: Some(profile.reset_points.clone().unwrap_or_default()),
        task_queue: profile.task_queue.clone(),
        state_transition_count: header.state_transition_count,
        history_size_bytes: header.history_size_bytes,
        execution_duration: closed.then(|| duration.max(Span::ZERO).duration()),
        root_execution: Some(run.key.execution()),
        first_run_id: profile.first_run_id.clone(),
        priority: profile.priority.clone(),
        ..Default::default()
    }
}

fn pending_task(header: &Header) -> Option<w::PendingWorkflowTaskInfo> {
    let task = header.workflow_task.as_ref()?;
    let state = if task.is_started() {
        enums::PendingWorkflowTaskState::Started
    } else {
        enums::PendingWorkflowTaskState::Scheduled
    };
    Some(w::PendingWorkflowTaskInfo {
        state: state as i32,
        scheduled_time: Some(Time(task.scheduled_time).timestamp()),
        original_scheduled_time: Some(Time(task.original_scheduled_time).timestamp()),
        started_time: Time(task.started_time).optional(),
        attempt: task.attempt,
    })
}

fn extended(run: &Run) -> w::WorkflowExecutionExtendedInfo {
    let (header, profile) = (run.header.get(), run.profile.get());
    let started = w::RequestIdInfo {
        event_type: enums::EventType::WorkflowExecutionStarted as i32,
        event_id: super::start::create_event_id(profile),
        ..Default::default()
    };
    let mut infos = std::iter::once((profile.create_request_id.clone(), started)).collect::<Vec<_>>();
    infos.extend(run.request_ids.iter().map(|(id, found)| {
        let buffered = found.event_id == 0;
        let info = w::RequestIdInfo { event_type: found.event_type, event_id: found.event_id, buffered };
        (id.clone(), info)
    }));
    w::WorkflowExecutionExtendedInfo {
        execution_expiration_time: Time(profile.execution_expiration).optional(),
        run_expiration_time: Some(Time(profile.run_expiration).optional().unwrap_or(NEVER)),
        cancel_requested: header.cancel_requested,
        original_start_time: Some(Time(profile.chain_start_time).timestamp()),
        request_id_infos: infos.into_iter().collect(),
        ..Default::default()
    }
}
