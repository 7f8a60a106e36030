//! Which fields a message usually has: without them nothing of interest happens.

/// Fields by name, in any message.
const ANYWHERE: [&str; 26] = [
    "namespace",
    "workflow_id",
    "workflow_type",
    "activity_type",
    "task_queue",
    "task_token",
    "execution",
    "workflow_execution",
    "signal_name",
    "activity_id",
    "timer_id",
    "start_to_close_timeout",
    "start_to_fire_timeout",
    "query",
    "query_type",
    "marker_name",
    "commands",
    "scheduled_event_id",
    "workflow_execution_retention_period",
    "application_failure_info",
    "failure",
    "payloads",
    "data",
    "metadata",
    "key",
    "value",
];

/// Fields that are usual in some messages only.
const IN: [(&str, &[&str]); 11] = [
    ("temporal.api.workflowservice.v1.RespondWorkflowTaskCompletedRequest", &["query_results"]),
    ("temporal.api.query.v1.WorkflowQueryResult", &["result_type", "answer"]),
    ("temporal.api.common.v1.WorkflowType", &["name"]),
    ("temporal.api.common.v1.ActivityType", &["name"]),
    ("temporal.api.taskqueue.v1.TaskQueue", &["name"]),
    ("temporal.api.taskqueue.v1.StickyExecutionAttributes", &["worker_task_queue", "schedule_to_start_timeout"]),
    ("temporal.api.workflowservice.v1.RespondQueryTaskCompletedRequest", &["completed_type", "query_result"]),
    ("temporal.api.workflowservice.v1.UpdateTaskQueueConfigRequest", &["task_queue_type", "update_queue_rate_limit"]),
    ("temporal.api.operatorservice.v1.AddSearchAttributesRequest", &["search_attributes"]),
    ("temporal.api.operatorservice.v1.RemoveSearchAttributesRequest", &["search_attributes"]),
    ("temporal.api.common.v1.RetryPolicy", &["initial_interval"]),
];

/// Where a usual name is not.
const NOT_IN: [(&str, &str); 2] = [
    ("temporal.api.workflowservice.v1.DescribeNamespaceRequest", "id"),
    ("temporal.api.workflowservice.v1.RespondWorkflowTaskCompletedRequest", "namespace"),
];

pub(super) fn is_usual(message: &str, field: &str) -> bool {
    let here = IN.iter().any(|(name, fields)| *name == message && fields.contains(&field));
    (ANYWHERE.contains(&field) || here) && !NOT_IN.contains(&(message, field))
}
