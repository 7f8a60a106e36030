//! The key space. Only this module knows how a key is laid out.
//!
//! ```text
//! table    tag   then                                                     value belongs to
//! State    0x01  namespace:16 id                                          the current run of a workflow id
//! State    0x02  namespace:16 id run:16 class:1 suffix                    one record of a run; class 0 is the header
//! History  0x03  run:16 first_event_id:i64                                a batch of events
//! Timer    0x04  fire_time_ms:i64 namespace:16 id run:16                  the run wants to be looked at by then
//! Outbox   0x05  scheduled_time_ms:i64 run:16 kind:1 event_id:i64         a task to be offered to matching
//! Meta     0x06  name                                                     a namespace
//! Meta     0x07  namespace:16 kind:1 name                                 the configuration of a task queue
//! ```
//!
//! - The first byte of every key is its tag. A tag on disk keeps its meaning for ever: a retired one stays reserved, a
//!   changed layout gets a new one.
//! - `i64` is big-endian with the sign bit flipped, so that keys sort as the numbers do.
//! - `id` (a workflow id) is its UTF-8 with 0x00 written as 0x00 0xFF, ended by 0x00 0x00: ids sort as their bytes do,
//!   and no id is a prefix of another. `name` and `suffix` end the key and stand as they are.
//! - The store adds the shard in front; it is not part of these keys.
//!
//! One scan of [`run_prefix`] loads a run, header first. Scans of [`timers_until`] and [`outbox_until`] give what is
//! due, earliest first.

use std::ops::Range;

const TAG_CURRENT: u8 = 0x01;
const TAG_RECORD: u8 = 0x02;
const TAG_HISTORY: u8 = 0x03;
const TAG_TIMER: u8 = 0x04;
const TAG_OUTBOX: u8 = 0x05;
const TAG_NAMESPACE: u8 = 0x06;
const TAG_TASK_QUEUE: u8 = 0x07;

/// The record class of a run's header, the smallest, so that a scan of the run meets it first.
pub const CLASS_HEADER: u8 = 0;

/// A key that this module cannot have written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed {what} key {key:02x?}")]
pub struct MalformedKey {
    pub what: &'static str,
    pub key: Vec<u8>,
}

/// State: the pointer to the current run of a workflow id.
pub fn current(namespace: [u8; 16], workflow_id: &str) -> Vec<u8> {
    Writer::new(TAG_CURRENT).bytes(&namespace).id(workflow_id).key
}

/// State: what all records of a run start with.
pub fn run_prefix(namespace: [u8; 16], workflow_id: &str, run: [u8; 16]) -> Vec<u8> {
    Writer::new(TAG_RECORD).bytes(&namespace).id(workflow_id).bytes(&run).key
}

/// State: one record of a run. `suffix` tells apart the records of one class.
pub fn record(namespace: [u8; 16], workflow_id: &str, run: [u8; 16], class: u8, suffix: &[u8]) -> Vec<u8> {
    Writer::new(TAG_RECORD).bytes(&namespace).id(workflow_id).bytes(&run).bytes(&[class]).bytes(suffix).key
}

/// History: the batch of events that starts with `first_event_id`.
pub fn history(run: [u8; 16], first_event_id: i64) -> Vec<u8> {
    Writer::new(TAG_HISTORY).bytes(&run).number(first_event_id).key
}

/// History: what all batches of a run start with.
pub fn history_prefix(run: [u8; 16]) -> Vec<u8> {
    Writer::new(TAG_HISTORY).bytes(&run).key
}

/// Timer: a run that has something to do at a time.
pub fn timer(fire_time_ms: i64, namespace: [u8; 16], workflow_id: &str, run: [u8; 16]) -> Vec<u8> {
    Writer::new(TAG_TIMER).number(fire_time_ms).bytes(&namespace).id(workflow_id).bytes(&run).key
}

/// Outbox: a task of a run, not to be offered before its time.
pub fn outbox(scheduled_time_ms: i64, run: [u8; 16], kind: u8, event_id: i64) -> Vec<u8> {
    Writer::new(TAG_OUTBOX).number(scheduled_time_ms).bytes(&run).bytes(&[kind]).number(event_id).key
}

/// Meta: a namespace by its name.
pub fn namespace(name: &str) -> Vec<u8> {
    Writer::new(TAG_NAMESPACE).bytes(name.as_bytes()).key
}

/// Meta: the configuration of a task queue by its namespace, its kind, which the caller numbers, and its name.
pub fn task_queue(namespace: [u8; 16], kind: u8, name: &str) -> Vec<u8> {
    Writer::new(TAG_TASK_QUEUE).bytes(&namespace).bytes(&[kind]).bytes(name.as_bytes()).key
}

/// The pointers of all workflow ids of the shard.
pub fn currents() -> Range<Vec<u8>> {
    prefix_range(vec![TAG_CURRENT])
}

/// The records of all runs of the shard.
pub fn records() -> Range<Vec<u8>> {
    prefix_range(vec![TAG_RECORD])
}

/// All timers that fire at or before a time.
pub fn timers_until(fire_time_ms: i64) -> Range<Vec<u8>> {
    vec![TAG_TIMER]..prefix_end(&Writer::new(TAG_TIMER).number(fire_time_ms).key)
}

/// All outbox entries scheduled at or before a time.
pub fn outbox_until(scheduled_time_ms: i64) -> Range<Vec<u8>> {
    vec![TAG_OUTBOX]..prefix_end(&Writer::new(TAG_OUTBOX).number(scheduled_time_ms).key)
}

/// All namespaces, by name.
pub fn namespaces() -> Range<Vec<u8>> {
    prefix_range(vec![TAG_NAMESPACE])
}

/// The configurations of all task queues.
pub fn task_queues() -> Range<Vec<u8>> {
    prefix_range(vec![TAG_TASK_QUEUE])
}

/// All keys that start with `prefix`, a key of this module or the beginning of one.
pub fn prefix_range(prefix: Vec<u8>) -> Range<Vec<u8>> {
    let end = prefix_end(&prefix);
    prefix..end
}

/// The smallest key above all that start with `prefix`.
pub fn prefix_end(prefix: &[u8]) -> Vec<u8> {
    let last = prefix.iter().rposition(|byte| *byte < 0xFF).expect("a prefix starts with a tag, and no tag is 0xFF");
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    end
}

/// A decoded [`current`] key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentKey {
    pub namespace: [u8; 16],
    pub workflow_id: String,
}

/// A decoded [`record`] key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordKey {
    pub namespace: [u8; 16],
    pub workflow_id: String,
    pub run: [u8; 16],
    pub class: u8,
    pub suffix: Vec<u8>,
}

/// A decoded [`history`] key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryKey {
    pub run: [u8; 16],
    pub first_event_id: i64,
}

/// A decoded [`timer`] key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimerKey {
    pub fire_time_ms: i64,
    pub namespace: [u8; 16],
    pub workflow_id: String,
    pub run: [u8; 16],
}

/// A decoded [`outbox`] key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxKey {
    pub scheduled_time_ms: i64,
    pub run: [u8; 16],
    pub kind: u8,
    pub event_id: i64,
}

pub fn decode_current(key: &[u8]) -> Result<CurrentKey, MalformedKey> {
    decode("current", key, |reader| {
        reader.tag(TAG_CURRENT)?;
        let decoded = CurrentKey { namespace: reader.array()?, workflow_id: reader.id()? };
        reader.end().then_some(decoded)
    })
}

pub fn decode_record(key: &[u8]) -> Result<RecordKey, MalformedKey> {
    decode("record", key, |reader| {
        reader.tag(TAG_RECORD)?;
        Some(RecordKey {
            namespace: reader.array()?,
            workflow_id: reader.id()?,
            run: reader.array()?,
            class: reader.byte()?,
            suffix: reader.rest.to_vec(),
        })
    })
}

pub fn decode_history(key: &[u8]) -> Result<HistoryKey, MalformedKey> {
    decode("history", key, |reader| {
        reader.tag(TAG_HISTORY)?;
        let decoded = HistoryKey { run: reader.array()?, first_event_id: reader.number()? };
        reader.end().then_some(decoded)
    })
}

pub fn decode_timer(key: &[u8]) -> Result<TimerKey, MalformedKey> {
    decode("timer", key, |reader| {
        reader.tag(TAG_TIMER)?;
        let decoded = TimerKey {
            fire_time_ms: reader.number()?,
            namespace: reader.array()?,
            workflow_id: reader.id()?,
            run: reader.array()?,
        };
        reader.end().then_some(decoded)
    })
}

pub fn decode_outbox(key: &[u8]) -> Result<OutboxKey, MalformedKey> {
    decode("outbox", key, |reader| {
        reader.tag(TAG_OUTBOX)?;
        let decoded = OutboxKey {
            scheduled_time_ms: reader.number()?,
            run: reader.array()?,
            kind: reader.byte()?,
            event_id: reader.number()?,
        };
        reader.end().then_some(decoded)
    })
}

/// The name in a [`namespace`] key.
pub fn decode_namespace(key: &[u8]) -> Result<String, MalformedKey> {
    decode("namespace", key, |reader| {
        reader.tag(TAG_NAMESPACE)?;
        String::from_utf8(reader.rest.to_vec()).ok()
    })
}

/// The namespace, the kind and the name in a [`task_queue`] key.
pub fn decode_task_queue(key: &[u8]) -> Result<([u8; 16], u8, String), MalformedKey> {
    decode("task queue", key, |reader| {
        reader.tag(TAG_TASK_QUEUE)?;
        let (namespace, kind) = (reader.array()?, reader.byte()?);
        Some((namespace, kind, String::from_utf8(reader.rest.to_vec()).ok()?))
    })
}

fn decode<'k, K>(
    what: &'static str,
    key: &'k [u8],
    read: impl FnOnce(&mut Reader<'k>) -> Option<K>,
) -> Result<K, MalformedKey> {
    read(&mut Reader { rest: key }).ok_or_else(|| MalformedKey { what, key: key.to_vec() })
}

/// Flipping the sign bit makes unsigned byte order the order of signed numbers.
const SIGN: u64 = 1 << 63;

struct Writer {
    key: Vec<u8>,
}

impl Writer {
    fn new(tag: u8) -> Writer {
        let mut key = Vec::with_capacity(80); // fits every key with an id of up to 38 bytes, a UUID for example
        key.push(tag);
        Writer { key }
    }

    fn bytes(mut self, bytes: &[u8]) -> Writer {
        self.key.extend_from_slice(bytes);
        self
    }

    fn number(self, number: i64) -> Writer {
        self.bytes(&(number.cast_unsigned() ^ SIGN).to_be_bytes())
    }

    fn id(mut self, id: &str) -> Writer {
        for byte in id.bytes() {
            self.key.push(byte);
            if byte == 0x00 {
                self.key.push(0xFF);
            }
        }
        self.bytes(&[0x00, 0x00])
    }
}

struct Reader<'k> {
    rest: &'k [u8],
}

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn tag(&mut self, expected: u8) -> Option<()> {
        (self.byte()? == expected).then_some(())
    }

    fn number(&mut self) -> Option<i64> {
        self.array().map(|bytes| (u64::from_be_bytes(bytes) ^ SIGN).cast_signed())
    }

    fn id(&mut self) -> Option<String> {
        let mut id = Vec::new();
        loop {
            match self.byte()? {
                0x00 => match self.byte()? {
                    0x00 => return String::from_utf8(id).ok(),
                    0xFF => id.push(0x00),
                    _ => return None,
                },
                byte => id.push(byte),
            }
        }
    }

    fn end(&self) -> bool {
        self.rest.is_empty()
    }
}

#[cfg(test)]
mod tests;
