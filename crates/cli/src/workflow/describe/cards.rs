//! The text of a description.

use abide_proto::{
    json::{self, JsonMessage, Style, enum_short_name},
    temporal::api::{
        sdk::v1::UserMetadata,
        workflow::v1::{
            PendingActivityInfo, PendingChildExecutionInfo, PendingNexusOperationInfo, WorkflowExecutionExtendedInfo,
            WorkflowExecutionInfo,
        },
        workflowservice::v1::DescribeWorkflowExecutionResponse,
    },
};
use prost_types::Timestamp;

use crate::{
    outcome::Outcome,
    print::{Card, Printer},
    span::Span,
};

pub(super) fn print(
    reply: &DescribeWorkflowExecutionResponse,
    outcome: Option<&Outcome>,
    namespace: &str,
    out: &Printer,
) {
    let info = reply.workflow_execution_info.clone().unwrap_or_default();
    section(out, "Execution Info:", &[execution(&info, namespace, out)]);
    let extended = reply.workflow_extended_info.clone().unwrap_or_default();
    section(out, "Extended Execution Info:", &[extended_card(&extended, out)]);
    if let Some(metadata) = reply.execution_config.as_ref().and_then(|config| config.user_metadata.as_ref()) {
        section(out, "Metadata:", &[user_metadata(metadata)]);
    }
    if info.close_time.is_none() {
        pending(out, "Pending Activities", &reply.pending_activities, |one| activity(one, out));
        pending(out, "Pending Child Workflows", &reply.pending_children, child);
        pending(out, "Pending Nexus Operations", &reply.pending_nexus_operations, |one| nexus(one, out));
    }
    if let Some(outcome) = outcome {
        let run_time = info.start_time.zip(info.close_time).map(|(start, close)| Span::between(&start, &close));
        let card = Card::new().optional("RunTime", run_time.map(|span| span.to_millis().to_string()));
        section(out, "Results:", &[outcome.onto(card)]);
    }
}

fn section(out: &Printer, heading: &str, cards: &[Card]) {
    out.heading(heading);
    for card in cards {
        out.card(card);
        out.say("");
    }
    if cards.is_empty() {
        out.say("");
    }
}

fn pending<T>(out: &Printer, what: &str, items: &[T], card: impl Fn(&T) -> Card) {
    let cards: Vec<Card> = items.iter().map(card).collect();
    section(out, &format!("{what}: {}", items.len()), &cards);
}

/// None where the server has nothing to say: absent, or the zero of its clock.
fn time(time: Option<&Timestamp>, out: &Printer) -> Option<String> {
    time.filter(|time| time.seconds > 0).map(|time| out.time(time))
}

/// None of an empty message.
fn value<M: JsonMessage + PartialEq>(message: Option<&M>) -> Option<String> {
    message
        .filter(|message| **message != M::default())
        .map(|message| json::encode(message, Style::Shorthand).to_string())
}

fn execution(info: &WorkflowExecutionInfo, namespace: &str, out: &Printer) -> Card {
    let (this, parent, root) = (
        info.execution.clone().unwrap_or_default(),
        info.parent_execution.clone().unwrap_or_default(),
        info.root_execution.clone().unwrap_or_default(),
    );
    let memo = info.memo.as_ref().filter(|memo| !memo.fields.is_empty());
    let attributes = info.search_attributes.as_ref().filter(|attributes| !attributes.indexed_fields.is_empty());
    Card::new()
        .field("WorkflowId", this.workflow_id)
        .field("RunId", this.run_id)
        .field("Type", info.r#type.clone().unwrap_or_default().name)
        .field("Namespace", namespace)
        .field("TaskQueue", &info.task_queue)
        .field("AssignedBuildId", assigned_build_id(info))
        .optional("StartTime", time(info.start_time.as_ref(), out))
        .optional("CloseTime", time(info.close_time.as_ref(), out))
        .optional("ExecutionTime", time(info.execution_time.as_ref(), out))
        .optional("Memo", value(memo))
        .optional("SearchAttributes", value(attributes))
        .field("StateTransitionCount", info.state_transition_count.to_string())
        .field("HistoryLength", info.history_length.to_string())
        .field("HistorySize", info.history_size_bytes.to_string())
        .optional("ParentWorkflowId", Some(parent.workflow_id))
        .optional("ParentRunId", Some(parent.run_id))
        .field("RootWorkflowId", root.workflow_id)
        .field("RootRunId", root.run_id)
}

#[expect(deprecated, reason = "the line is there for every server, old or new")]
fn assigned_build_id(info: &WorkflowExecutionInfo) -> String {
    info.assigned_build_id.clone()
}

fn extended_card(info: &WorkflowExecutionExtendedInfo, out: &Printer) -> Card {
    Card::new()
        .field("CancelRequested", info.cancel_requested.to_string())
        .optional("ExecutionExpirationTime", time(info.execution_expiration_time.as_ref(), out))
        .optional("RunExpirationTime", time(info.run_expiration_time.as_ref(), out))
        .optional("LastResetTime", time(info.last_reset_time.as_ref(), out))
        .optional("ResetRunId", Some(info.reset_run_id.clone()))
        .optional("OriginalStartTime", time(info.original_start_time.as_ref(), out))
}

fn user_metadata(metadata: &UserMetadata) -> Card {
    let text = |payload: Option<_>| value(payload).unwrap_or_else(|| "<nil>".to_owned());
    Card::new()
        .field("StaticSummary", text(metadata.summary.as_ref()))
        .field("StaticDetails", text(metadata.details.as_ref()))
}

fn activity(info: &PendingActivityInfo, out: &Printer) -> Card {
    let attempts = (info.maximum_attempts > 0).then(|| info.maximum_attempts.to_string());
    Card::new()
        .field("ActivityId", &info.activity_id)
        .field("Type", info.activity_type.clone().unwrap_or_default().name)
        .field("State", enum_short_name("temporal.api.enums.v1.PendingActivityState", info.state))
        .optional("HeartbeatDetails", value(info.heartbeat_details.as_ref()))
        .optional("LastHeartbeatTime", time(info.last_heartbeat_time.as_ref(), out))
        .optional("LastStartedTime", time(info.last_started_time.as_ref(), out))
        .field("Attempt", info.attempt.to_string())
        .optional("MaximumAttempts", attempts)
        .optional("ScheduledTime", time(info.scheduled_time.as_ref(), out))
        .optional("ExpirationTime", time(info.expiration_time.as_ref(), out))
        .optional("LastFailure", value(info.last_failure.as_ref()))
        .optional("LastWorkerIdentity", Some(info.last_worker_identity.clone()))
        .optional("Paused", info.paused.then(|| "true".to_owned()))
}

fn child(info: &PendingChildExecutionInfo) -> Card {
    Card::new()
        .field("WorkflowId", &info.workflow_id)
        .field("RunId", &info.run_id)
        .field("Type", &info.workflow_type_name)
        .field(
            "ParentClosePolicy",
            enum_short_name("temporal.api.enums.v1.ParentClosePolicy", info.parent_close_policy),
        )
}

fn nexus(info: &PendingNexusOperationInfo, out: &Printer) -> Card {
    Card::new()
        .field("Endpoint", &info.endpoint)
        .field("Service", &info.service)
        .field("Operation", &info.operation)
        .optional("OperationToken", Some(info.operation_token.clone()))
        .field("State", enum_short_name("temporal.api.enums.v1.PendingNexusOperationState", info.state))
        .field("Attempt", info.attempt.to_string())
        .optional("ScheduledTime", time(info.scheduled_time.as_ref(), out))
        .optional("LastAttemptCompleteTime", time(info.last_attempt_complete_time.as_ref(), out))
        .optional("NextAttemptScheduleTime", time(info.next_attempt_schedule_time.as_ref(), out))
        .optional("LastAttemptFailure", value(info.last_attempt_failure.as_ref()))
}
