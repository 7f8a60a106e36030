//! How a run ended, from the event that closed it.

use abide_proto::{
    json::{self, Style},
    temporal::api::{
        common::v1::{Payload, Payloads},
        failure::v1::Failure,
        history::v1::{HistoryEvent, history_event::Attributes},
    },
};
use serde_json::{Map, Value};

use crate::{error::CliError, print::Card};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    status: &'static str,
    /// What happened, in the error of a run that did not complete.
    what: &'static str,
    result: Option<Payloads>,
    failure: Option<Failure>,
    reason: String,
    new_run_id: String,
}

impl Outcome {
    /// None if the event closes no run.
    pub(crate) fn of(event: &HistoryEvent) -> Option<Self> {
        let ended = |status, what| Self {
            status,
            what,
            result: None,
            failure: None,
            reason: String::new(),
            new_run_id: String::new(),
        };
        Some(match event.attributes.as_ref()? {
            Attributes::WorkflowExecutionCompletedEventAttributes(completed) => Self {
                result: completed.result.clone(),
                new_run_id: completed.new_execution_run_id.clone(),
                ..ended("COMPLETED", "completed")
            },
            Attributes::WorkflowExecutionFailedEventAttributes(failed) => Self {
                failure: failed.failure.clone(),
                new_run_id: failed.new_execution_run_id.clone(),
                ..ended("FAILED", "failed")
            },
            Attributes::WorkflowExecutionTimedOutEventAttributes(timed_out) => {
                Self { new_run_id: timed_out.new_execution_run_id.clone(), ..ended("TIMEOUT", "timed out") }
            }
            Attributes::WorkflowExecutionCanceledEventAttributes(_) => ended("CANCELED", "was canceled"),
            Attributes::WorkflowExecutionTerminatedEventAttributes(terminated) => {
                Self { reason: terminated.reason.clone(), ..ended("TERMINATED", "was terminated") }
            }
            Attributes::WorkflowExecutionContinuedAsNewEventAttributes(continued) => Self {
                new_run_id: continued.new_execution_run_id.clone(),
                ..ended("CONTINUED_AS_NEW", "was continued as new")
            },
            _ => return None,
        })
    }

    /// The run that goes on where this one ended.
    pub(crate) fn into_new_run(self) -> Option<String> {
        Some(self.new_run_id).filter(|run_id| !run_id.is_empty())
    }

    /// An error unless the run completed.
    pub(crate) fn into_done(self) -> Result<(), CliError> {
        if self.status == "COMPLETED" { Ok(()) } else { Err(CliError::Run(self.what)) }
    }

    /// Adds `Status` and what came of the run.
    pub(crate) fn onto(&self, card: Card) -> Card {
        let card = card.field("Status", self.status);
        let card = match self.payloads() {
            [] => card,
            payloads => card
                .field("Result", result_value(payloads, Style::Shorthand).to_string())
                .field("ResultEncoding", encoding(&payloads[0])),
        };
        let failure = self.failure.as_ref().map(explain);
        card.optional("Failure", failure).optional("Reason", Some(self.reason.clone()))
    }

    /// Adds `status`, `closeEvent` and `result`.
    pub(crate) fn into_object(self, event: &HistoryEvent, object: &mut Map<String, Value>, payloads: Style) {
        object.insert("status".to_owned(), self.status.into());
        self.into_describe(event, object, payloads);
    }

    /// Adds `closeEvent` and `result`.
    pub(crate) fn into_describe(self, event: &HistoryEvent, object: &mut Map<String, Value>, payloads: Style) {
        object.insert("closeEvent".to_owned(), json::encode(event, payloads));
        if !self.payloads().is_empty() {
            object.insert("result".to_owned(), result_value(self.payloads(), payloads));
        }
    }

    fn payloads(&self) -> &[Payload] {
        self.result.as_ref().map_or(&[], |result| &result.payloads)
    }
}

/// A lone payload stands for itself, several as a list.
pub(crate) fn result_value(payloads: &[Payload], style: Style) -> Value {
    match payloads {
        [one] => json::encode(one, style),
        several => json::encode(&Payloads { payloads: several.to_vec() }, style),
    }
}

fn encoding(payload: &Payload) -> String {
    payload.metadata.get("encoding").map(|name| String::from_utf8_lossy(name).into_owned()).unwrap_or_default()
}

/// The messages of a failure and its causes.
fn explain(failure: &Failure) -> String {
    let mut text = failure.message.clone();
    let mut cause = failure.cause.as_deref();
    while let Some(failure) = cause {
        text.push_str(": ");
        text.push_str(&failure.message);
        cause = failure.cause.as_deref();
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use abide_proto::{json::UnknownFields, temporal::api::history::v1::HistoryEvent};
    use serde_json::json;

    use super::*;

    fn event(attributes: &str, value: Value) -> HistoryEvent {
        json::decode(json!({"eventId": "5", attributes: value}), UnknownFields::Refuse).unwrap()
    }

    fn shown(event: &HistoryEvent) -> Value {
        let mut object = Map::new();
        Outcome::of(event).unwrap().into_object(event, &mut object, Style::Shorthand);
        object.remove("closeEvent");
        Value::Object(object)
    }

    #[test]
    fn a_completed_run_has_a_result() {
        let done = event("workflowExecutionCompletedEventAttributes", json!({"result": ["yes"]}));
        assert_eq!(shown(&done), json!({"status": "COMPLETED", "result": "yes"}));
        let two = event("workflowExecutionCompletedEventAttributes", json!({"result": ["yes", 2]}));
        assert_eq!(shown(&two)["result"], json!(["yes", 2]));
        let none = event("workflowExecutionCompletedEventAttributes", json!({}));
        assert_eq!(shown(&none), json!({"status": "COMPLETED"}));
    }

    #[test]
    fn other_ends_are_errors() {
        let error = |event: &HistoryEvent| Outcome::of(event).unwrap().into_done().unwrap_err().to_string();
        let failed = event(
            "workflowExecutionFailedEventAttributes",
            json!({"failure": {"message": "a", "cause": {"message": "b"}}}),
        );
        assert_eq!(error(&failed), "workflow failed");
        assert_eq!(explain(Outcome::of(&failed).unwrap().failure.as_ref().unwrap()), "a: b");
        let terminated = event("workflowExecutionTerminatedEventAttributes", json!({"reason": "r"}));
        assert_eq!(error(&terminated), "workflow was terminated");
        assert_eq!(shown(&terminated), json!({"status": "TERMINATED"}));
        assert_eq!(Outcome::of(&event("timerFiredEventAttributes", json!({}))), None);
    }
}
