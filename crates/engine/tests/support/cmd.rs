//! Commands of a workflow.
use abide_engine::{
    api::{
        command::{self as c, Command, command::Attributes},
        common,
        enums::CommandType,
        failure::Failure,
        taskqueue,
    },
    time::Span,
};

pub fn of(kind: CommandType, attributes: Attributes) -> Command {
    Command { command_type: kind as i32, attributes: Some(attributes), ..Default::default() }
}

pub fn timer(id: &str, after: Span) -> Command {
    let attributes =
        c::StartTimerCommandAttributes { timer_id: id.into(), start_to_fire_timeout: Some(after.duration()) };
    of(CommandType::StartTimer, Attributes::StartTimerCommandAttributes(attributes))
}

pub fn cancel_timer(id: &str) -> Command {
    let attributes = c::CancelTimerCommandAttributes { timer_id: id.into() };
    of(CommandType::CancelTimer, Attributes::CancelTimerCommandAttributes(attributes))
}

pub fn marker(name: &str) -> Command {
    let attributes = c::RecordMarkerCommandAttributes { marker_name: name.into(), ..Default::default() };
    of(CommandType::RecordMarker, Attributes::RecordMarkerCommandAttributes(attributes))
}

pub fn memo(key: &str, size_bytes: usize) -> Command {
    let value = common::Payload { data: vec![b'x'; size_bytes].into(), ..Default::default() };
    let mut memo = common::Memo::default();
    memo.fields.insert(key.into(), value);
    let attributes = c::ModifyWorkflowPropertiesCommandAttributes { upserted_memo: Some(memo) };
    of(CommandType::ModifyWorkflowProperties, Attributes::ModifyWorkflowPropertiesCommandAttributes(attributes))
}

pub fn done() -> Command {
    done_with(None)
}

pub fn done_with(result: Option<common::Payloads>) -> Command {
    let attributes = c::CompleteWorkflowExecutionCommandAttributes { result };
    of(CommandType::CompleteWorkflowExecution, Attributes::CompleteWorkflowExecutionCommandAttributes(attributes))
}

pub fn give_up(failure: Failure) -> Command {
    let attributes = c::FailWorkflowExecutionCommandAttributes { failure: Some(failure) };
    of(CommandType::FailWorkflowExecution, Attributes::FailWorkflowExecutionCommandAttributes(attributes))
}

pub fn canceled() -> Command {
    let attributes = c::CancelWorkflowExecutionCommandAttributes::default();
    of(CommandType::CancelWorkflowExecution, Attributes::CancelWorkflowExecutionCommandAttributes(attributes))
}

pub fn continue_as_new(change: impl FnOnce(&mut c::ContinueAsNewWorkflowExecutionCommandAttributes)) -> Command {
    let mut attributes = c::ContinueAsNewWorkflowExecutionCommandAttributes::default();
    change(&mut attributes);
    of(
        CommandType::ContinueAsNewWorkflowExecution,
        Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(attributes),
    )
}

/// An activity with a start-to-close timeout.
pub fn activity(id: &str, start_to_close: Span) -> Command {
    activity_with(id, |a| a.start_to_close_timeout = Some(start_to_close.duration()))
}

pub fn activity_with(id: &str, change: impl FnOnce(&mut c::ScheduleActivityTaskCommandAttributes)) -> Command {
    let mut attributes = c::ScheduleActivityTaskCommandAttributes {
        activity_id: id.into(),
        activity_type: Some(common::ActivityType { name: "Act".into() }),
        task_queue: Some(taskqueue::TaskQueue { name: "tq".into(), ..Default::default() }),
        start_to_close_timeout: Some(Span::seconds(10).duration()),
        ..Default::default()
    };
    change(&mut attributes);
    of(CommandType::ScheduleActivityTask, Attributes::ScheduleActivityTaskCommandAttributes(attributes))
}

pub fn cancel_activity(scheduled_event_id: i64) -> Command {
    let attributes = c::RequestCancelActivityTaskCommandAttributes { scheduled_event_id };
    of(CommandType::RequestCancelActivityTask, Attributes::RequestCancelActivityTaskCommandAttributes(attributes))
}

/// A retry policy: first interval, attempts (0 is without limit), the rest by default.
pub fn retries(initial: Span, maximum_attempts: i32) -> Option<common::RetryPolicy> {
    Some(common::RetryPolicy { initial_interval: initial.optional(), maximum_attempts, ..Default::default() })
}
