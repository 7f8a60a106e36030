//! Histories as text.
use abide_engine::api::{
    Attributes,
    enums::{RetryState, TimeoutType},
    failure::{Failure, failure::FailureInfo},
    history::HistoryEvent,
};

/// The wanted lines without their indentation.
pub fn unindented(want: &str) -> String {
    want.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect()
}

pub fn line(event: &HistoryEvent) -> String {
    format!("{} {}\n", event.event_id, brief(event))
}

fn brief(event: &HistoryEvent) -> String {
    use Attributes as A;
    let name = event.event_type().as_str_name().trim_start_matches("EVENT_TYPE_").to_owned();
    match event.attributes.as_ref().unwrap() {
        A::WorkflowTaskScheduledEventAttributes(a) => format!("{name} attempt={}", a.attempt),
        A::WorkflowTaskFailedEventAttributes(a) => format!("{name} {:?}", a.cause()),
        A::WorkflowTaskTimedOutEventAttributes(a) => format!("{name} {:?}", a.timeout_type()),
        A::WorkflowExecutionSignaledEventAttributes(a) => format!("{name} {}", a.signal_name),
        A::WorkflowExecutionTerminatedEventAttributes(a) => format!("{name} {}", a.reason),
        A::WorkflowExecutionFailedEventAttributes(a) => format!("{name} {:?}", a.retry_state()),
        A::WorkflowExecutionTimedOutEventAttributes(a) => format!("{name} {:?}", a.retry_state()),
        A::TimerStartedEventAttributes(a) => format!("{name} {}", a.timer_id),
        A::TimerFiredEventAttributes(a) => format!("{name} {}", a.timer_id),
        A::TimerCanceledEventAttributes(a) => format!("{name} {}", a.timer_id),
        A::ActivityTaskScheduledEventAttributes(a) => format!("{name} {}", a.activity_id),
        A::ActivityTaskStartedEventAttributes(a) => {
            let last = a.last_failure.as_ref().map(|f| format!(" after {}", of_failure(f))).unwrap_or_default();
            format!("{name} of={} attempt={}{last}", a.scheduled_event_id, a.attempt)
        }
        A::ActivityTaskCancelRequestedEventAttributes(a) => format!("{name} of={}", a.scheduled_event_id),
        A::ActivityTaskCompletedEventAttributes(a) => ends(&name, a.scheduled_event_id, a.started_event_id),
        A::ActivityTaskCanceledEventAttributes(a) => ends(&name, a.scheduled_event_id, a.started_event_id),
        A::ActivityTaskFailedEventAttributes(a) => {
            let ends = ends(&name, a.scheduled_event_id, a.started_event_id);
            format!("{ends} {}{}", state(a.retry_state()), why(a.failure.as_ref()))
        }
        A::ActivityTaskTimedOutEventAttributes(a) => {
            let ends = ends(&name, a.scheduled_event_id, a.started_event_id);
            format!("{ends} {}{}", state(a.retry_state()), why(a.failure.as_ref()))
        }
        _ => name,
    }
}

fn ends(name: &str, scheduled: i64, started: i64) -> String {
    format!("{name} of={scheduled} started={started}")
}

fn state(state: RetryState) -> String {
    format!("{state:?}")
}

fn why(failure: Option<&Failure>) -> String {
    failure.map(|failure| format!(": {}", of_failure(failure))).unwrap_or_default()
}

fn of_failure(failure: &Failure) -> String {
    let (kind, details) = match &failure.failure_info {
        Some(FailureInfo::TimeoutFailureInfo(info)) => {
            let kind = TimeoutType::try_from(info.timeout_type).unwrap();
            (format!("[{kind:?}] "), info.last_heartbeat_details.is_some())
        }
        _ => (String::new(), false),
    };
    let details = if details { " with details" } else { "" };
    let cause = failure.cause.as_ref().map(|cause| format!(" because {}", of_failure(cause))).unwrap_or_default();
    format!("{kind}{}{details}{cause}", failure.message)
}
