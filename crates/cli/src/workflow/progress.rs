//! The events of a history as they come: a table, or each event in full.

use abide_proto::{
    json::{self, Style, enum_short_name},
    temporal::api::history::v1::HistoryEvent,
};
use serde_json::Value;

use crate::print::{Printer, Rows};

#[derive(Debug)]
pub(super) struct Progress<'a> {
    out: &'a Printer,
    /// None where events are shown in full.
    rows: Option<Rows>,
}

/// Columns and their widths: rows are printed before the next is known.
const COLUMNS: [(&str, usize); 3] = [("ID", 6), ("Time", 20), ("Type", 20)];

impl<'a> Progress<'a> {
    pub(super) fn begin(out: &'a Printer, detailed: bool) -> Self {
        out.heading("Progress:");
        Self { out, rows: (!detailed).then(|| out.rows(&COLUMNS)) }
    }

    pub(super) fn event(&self, event: &HistoryEvent) {
        let id = event.event_id.to_string();
        let kind = enum_short_name("temporal.api.enums.v1.EventType", event.event_type);
        match &self.rows {
            Some(rows) => {
                let time = event.event_time.as_ref().map(|time| self.out.iso_time(time)).unwrap_or_default();
                self.out.row(rows, [id.as_str(), &time, &kind]);
            }
            None => {
                self.out.say(&format!("--------------- [{id}] {kind} ---------------"));
                in_full(event).iter().for_each(|line| self.out.say(line));
            }
        }
    }
}

/// `path: value` lines of an event, in the order of the paths.
fn in_full(event: &HistoryEvent) -> Vec<String> {
    let mut lines = Vec::new();
    if let Value::Object(fields) = json::encode(event, Style::Shorthand) {
        for (key, value) in fields {
            match key.as_str() {
                "eventId" | "eventType" => {}
                key if key.ends_with("EventAttributes") => flatten("", &value, &mut lines),
                key => flatten(key, &value, &mut lines),
            }
        }
    }
    lines.sort();
    lines
}

fn flatten(path: &str, value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(&path, value, lines);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| flatten(&format!("{path}[{index}]"), item, lines));
        }
        Value::String(text) => lines.push(format!("{path}: {text}")),
        value => lines.push(format!("{path}: {value}")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use abide_proto::json::UnknownFields;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_in_full_is_sorted_lines() {
        let event = json!({"eventId": "1", "eventTime": "2024-01-01T00:00:00Z", "eventType": "WorkflowExecutionStarted", "taskId": "9",
            "workflowExecutionStartedEventAttributes": {"taskQueue": {"name": "tq", "kind": "Normal"}, "header": {},
                "input": [{"a": [1, 2]}], "attempt": 1}});
        let event = json::decode(event, UnknownFields::Refuse).unwrap();
        assert_eq!(
            in_full(&event),
            [
                "attempt: 1",
                "eventTime: 2024-01-01T00:00:00Z",
                "input[0].a[0]: 1",
                "input[0].a[1]: 2",
                "taskId: 9",
                "taskQueue.kind: TASK_QUEUE_KIND_NORMAL",
                "taskQueue.name: tq"
            ]
        );
    }
}
