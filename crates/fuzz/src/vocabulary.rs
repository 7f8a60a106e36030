//! What things are called in a sequence of calls: names that are used again, and what replies have given.
use std::collections::BTreeMap;

use prost_reflect::{DynamicMessage, FieldDescriptor, MapKey, ReflectMessage, Value};

use crate::choices::Choices;

/// How many values of a kind are remembered.
const REMEMBERED_MAX: usize = 8;
/// Values that are longer are no names.
const NAME_BYTES_MAX: usize = 4096;

/// Kinds of names by the fields that hold them: what one reply gives, another request may hand back.
const KINDS: [(&str, &[&str]); 13] = [
    ("namespace", &["namespace", "workflow_namespace"]),
    ("namespace_id", &["id"]),
    ("workflow_id", &["workflow_id"]),
    ("run_id", &["run_id", "first_execution_run_id", "original_execution_run_id", "continued_execution_run_id"]),
    ("activity_id", &["activity_id"]),
    ("timer_id", &["timer_id"]),
    ("request_id", &["request_id", "attached_request_id", "create_request_id"]),
    ("queue", &["task_queue", "sticky_task_queue", "worker_task_queue", "normal_name"]),
    ("name", &["signal_name", "query_type", "marker_name"]),
    ("page_token", &["next_page_token", "page_token"]),
    ("identity", &["identity"]),
    ("attribute", &["search_attributes", "indexed_fields"]),
    ("query", &["query_id", "queries"]),
];

/// The names that sequences begin with.
const FIRST: [(&str, &[&str]); 10] = [
    ("namespace", &["default", "other", "abide-system", "temporal-system"]),
    ("workflow_id", &["w", "v"]),
    ("run_id", &[""]),
    ("activity_id", &["a", "b"]),
    ("timer_id", &["t", "u"]),
    ("request_id", &["", "r", "s"]),
    ("queue", &["q", "sticky"]),
    ("name", &["n", "__stack_trace", "__temporal_x"]),
    ("identity", &["worker", ""]),
    ("attribute", &["CustomKeywordField", "K", "BuildIds"]),
];

/// The names known so far, newest last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vocabulary {
    known: BTreeMap<String, Vec<Vec<u8>>>,
    /// Event ids seen, which commands and tokens name.
    numbers: Vec<i64>,
}

impl Vocabulary {
    pub(crate) fn new() -> Self {
        let known = FIRST.iter().map(|(kind, names)| {
            let names = names.iter().rev().map(|name| name.as_bytes().to_vec());
            ((*kind).to_owned(), names.collect())
        });
        Self { known: known.collect(), numbers: Vec::new() }
    }

    /// The kind of name that a field holds.
    pub(crate) fn kind_of(field: &str) -> Option<&'static str> {
        KINDS.iter().find(|(_, fields)| fields.contains(&field)).map(|(kind, _)| *kind)
    }

    /// A name of the kind, mostly the newest.
    pub(crate) fn choose(&self, kind: &str, choices: &mut Choices<'_>) -> Vec<u8> {
        newest(self.known.get(kind).map_or(&[][..], Vec::as_slice), choices).unwrap_or_default()
    }

    pub(crate) fn choose_number(&self, choices: &mut Choices<'_>) -> i64 {
        newest(&self.numbers, choices).unwrap_or_default()
    }

    /// Which kind of task a message or a method is about.
    pub(crate) fn token_kind(name: &str) -> &'static str {
        match name {
            name if name.contains("Activity") => "activity_token",
            name if name.contains("QueryTask") => "query_token",
            _ => "workflow_token",
        }
    }

    /// Remembers what a reply names.
    pub(crate) fn learn(&mut self, reply: &DynamicMessage) {
        let descriptor = reply.descriptor();
        for (field, value) in reply.fields() {
            self.learn_value(descriptor.name(), &field, value);
        }
        let is_query = descriptor.get_field_by_name("query").is_some_and(|query| reply.has_field(&query));
        if let Some(token) = reply.get_field_by_name("task_token")
            && let Some(token) = token.as_bytes()
        {
            let kind = if is_query { "query_token" } else { Self::token_kind(descriptor.name()) };
            self.add(kind, token);
        }
    }

    fn learn_value(&mut self, message: &str, field: &FieldDescriptor, value: &Value) {
        match value {
            Value::String(text) => self.learn_name(message, field.name(), text.as_bytes()),
            Value::Bytes(bytes) => self.learn_name(message, field.name(), bytes),
            Value::Message(inner) => self.learn(inner),
            Value::List(items) => items.iter().for_each(|item| self.learn_value(message, field, item)),
            Value::Map(entries) => {
                for (key, value) in entries {
                    if let MapKey::String(key) = key {
                        self.learn_name(message, field.name(), key.as_bytes());
                    }
                    self.learn_value(message, field, value);
                }
            }
            Value::I64(number) if field.name().ends_with("event_id") => self.see_number(*number),
            _ => {}
        }
    }

    /// Remembers an event id.
    pub(crate) fn see_number(&mut self, number: i64) {
        self.numbers.retain(|known| *known != number);
        self.numbers.push(number);
        if self.numbers.len() > REMEMBERED_MAX {
            self.numbers.remove(0);
        }
    }

    fn learn_name(&mut self, message: &str, field: &str, name: &[u8]) {
        let kind = if message == "TaskQueue" && field == "name" { Some("queue") } else { Self::kind_of(field) };
        // What sequences begin with stays what they use most; of the rest the newest is of most use.
        let is_given = |kind: &str| kind != "run_id" && FIRST.iter().any(|(first, _)| *first == kind);
        if let Some(kind) = kind.filter(|kind| !is_given(kind)) {
            self.add(kind, name);
        }
    }

    /// Remembers a name as the newest of its kind.
    pub(crate) fn add(&mut self, kind: &str, name: &[u8]) {
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return;
        }
        let known = self.known.entry(kind.to_owned()).or_default();
        known.retain(|known| known != name);
        known.push(name.to_vec());
        if known.len() > REMEMBERED_MAX {
            known.remove(0);
        }
    }
}

fn newest<T: Clone>(known: &[T], choices: &mut Choices<'_>) -> Option<T> {
    let back = match choices.byte() {
        0..=159 => 0,
        byte => usize::from(byte) % known.len().max(1),
    };
    known.iter().rev().nth(back).cloned()
}
