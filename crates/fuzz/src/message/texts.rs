//! Strings and bytes: names that mean something, and ones that should not.
use prost_reflect::FieldDescriptor;

use super::Generator;
use crate::vocabulary::Vocabulary;

const CRONS: [&str; 12] = [
    "@every 1m",
    "* * * * *",
    "0 0 30 2 *",
    "@every 0s",
    "@every 1000000000000h",
    "CRON_TZ=Europe/Berlin 30 2 * * *",
    "@every 1ns",
    "*/0 * * * *",
    "99 * * * *",
    "1-0,*/59 1,2 * JAN-DEC SUN",
    "@yearly",
    "CRON_TZ= * * * * *",
];

const ODD: [&str; 12] = [
    "",
    "x",
    "00000000-0000-0000-0000-000000000000",
    "not-a-uuid",
    "\u{0}",
    "\u{feff}\u{202e}\u{1f9ff}",
    "a/b\\c\"d'e`f",
    "/_sys/q/1",
    "temporal-sys-x",
    "__temporal_reserved",
    "{\"a\":1}",
    "WorkflowId = 'w' AND (StartTime > '2020-01-01T00:00:00Z'",
];

const LENGTHS: [usize; 6] = [255, 256, 1000, 1001, 5000, 70_000];

/// Encodings and the like that the server looks into.
const DATA: [&str; 10] = [
    "\"v\"",
    "json/plain",
    "Keyword",
    "[1,2",
    "1e999",
    "true",
    "\"2020-01-01T00:00:00Z\"",
    "[\"a\",\"b\"]",
    "null",
    "-0",
];

/// The largest payloads are larger than any limit of a payload, and smaller than that of a message.
const BLOBS: [usize; 4] = [4096, 300_000, 2_200_000, 3_000_000];

impl Generator<'_, '_> {
    pub(super) fn text(&mut self, field: &FieldDescriptor) -> String {
        let choice = self.choices.byte();
        let in_queue = field.parent_message().name() == "TaskQueue" && field.name() == "name";
        let kind = match field.parent_message().name() {
            _ if in_queue => Some("queue"),
            "QueryResultsEntry" if field.name() == "key" => Some("query"),
            "IndexedFieldsEntry" | "SearchAttributesEntry" if field.name() == "key" => Some("attribute"),
            _ => Vocabulary::kind_of(field.name()),
        };
        match choice {
            0..=239 if field.name() == "cron_schedule" => self.choices.pick(&CRONS).to_owned(),
            0..=239 => match kind {
                Some(kind) => lossy(&self.vocabulary.choose(kind, self.choices)),
                None => self.word(field),
            },
            240..=245 => self.choices.pick(&ODD).to_owned(),
            246..=248 => "x".repeat(self.choices.pick(&LENGTHS)),
            249..=251 => {
                let kind =
                    self.choices.pick(&["workflow_id", "run_id", "namespace", "queue", "activity_id", "request_id"]);
                lossy(&self.vocabulary.choose(kind, self.choices))
            }
            _ => {
                let count = self.choices.below(24);
                lossy(self.choices.bytes(count))
            }
        }
    }

    /// What fits a field that names nothing.
    fn word(&mut self, field: &FieldDescriptor) -> String {
        let words = match field.name() {
            "key" => ["encoding", "type", "K", "CustomKeywordField", "BuildIds", "messageType"],
            "type_url" => {
                ["type.googleapis.com/temporal.api.common.v1.Payload", "x", "", "/", "a/b/c", "google.protobuf.Any"]
            }
            _ => ["x", "y", "", "1.0", "Boom", "z"],
        };
        self.choices.pick(&words).to_owned()
    }

    pub(super) fn bytes(&mut self, field: &FieldDescriptor) -> Vec<u8> {
        let known = match field.name() {
            "task_token" => Some(self.token_kind),
            name => Vocabulary::kind_of(name),
        };
        let choice = self.choices.byte();
        match (choice, known) {
            (0..=229, Some(kind)) => self.vocabulary.choose(kind, self.choices),
            (230..=247, Some(kind)) => {
                let mut token = self.vocabulary.choose(kind, self.choices);
                self.damage(&mut token);
                token
            }
            (_, Some(_)) => {
                let kind = self.choices.pick(&["workflow_token", "activity_token", "query_token", "page_token"]);
                self.vocabulary.choose(kind, self.choices)
            }
            (0..=199, None) => self.choices.pick(&DATA).as_bytes().to_vec(),
            (200..=251, None) => self.choices.bytes(usize::from(choice) - 200).to_vec(),
            (_, None) => vec![b'x'; self.choices.pick(&BLOBS)],
        }
    }

    /// Changes, cuts or lengthens what was whole.
    pub(crate) fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.choices.below(3) {
            let at = self.choices.below(bytes.len().max(1));
            match self.choices.below(5) {
                0 => bytes.truncate(at),
                1 => bytes.extend_from_slice(self.choices.bytes(4)),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                3 => bytes.insert(at.min(bytes.len()), self.choices.byte()),
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = self.choices.byte();
                    }
                }
            }
        }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
