//! Enum values as the API's texts spell them: `BadStartTimerAttributes` for `..._BAD_START_TIMER_ATTRIBUTES`.
use crate::api::enums::{CommandType, TimeoutType, WorkflowTaskFailedCause};

fn camel(screaming: &str, prefix: &str) -> String {
    let words = screaming.strip_prefix(prefix).unwrap_or(screaming).split('_');
    words.flat_map(|w| w.chars().take(1).chain(w[w.len().min(1)..].chars().map(|c| c.to_ascii_lowercase()))).collect()
}

/// A workflow-task failure's cause; an unknown number prints as itself.
pub(crate) fn cause(cause: i32) -> String {
    match WorkflowTaskFailedCause::try_from(cause) {
        Ok(known) => camel(known.as_str_name(), "WORKFLOW_TASK_FAILED_CAUSE_"),
        Err(_) => cause.to_string(),
    }
}

pub(crate) fn command(kind: i32) -> String {
    match CommandType::try_from(kind) {
        Ok(known) => camel(known.as_str_name(), "COMMAND_TYPE_"),
        Err(_) => kind.to_string(),
    }
}

pub(crate) fn timeout(kind: TimeoutType) -> String {
    camel(kind.as_str_name(), "TIMEOUT_TYPE_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_joined_in_camel_case() {
        assert_eq!(cause(WorkflowTaskFailedCause::BadStartTimerAttributes as i32), "BadStartTimerAttributes");
        assert_eq!(cause(4711), "4711");
        assert_eq!(command(CommandType::Unspecified as i32), "Unspecified");
        assert_eq!(timeout(TimeoutType::StartToClose), "StartToClose");
    }
}
