//! Messages made from choices, by their descriptors, straight in their encoded form: so also unknown fields, numbers that
//! an enum does not have, and several fields of a oneof.
mod command;
mod numbers;
mod texts;
mod usual;

use prost_reflect::{Cardinality, FieldDescriptor, Kind, MessageDescriptor};

use crate::{choices::Choices, vocabulary::Vocabulary};

/// Messages within messages, where nobody asks for more.
const DEPTH_MAX: usize = 10;
/// Fields of one request.
const FIELDS_MAX: usize = 600;
/// Bytes of one request, about; single values may go beyond.
const BYTES_MAX: usize = 256 << 10;

/// Makes messages.
pub(crate) struct Generator<'g, 'i> {
    pub(crate) choices: &'g mut Choices<'i>,
    pub(crate) vocabulary: &'g Vocabulary,
    /// The kind of task token that fits.
    pub(crate) token_kind: &'static str,
    fields_left: usize,
    bytes_left: usize,
}

impl<'g, 'i> Generator<'g, 'i> {
    pub(crate) fn new(choices: &'g mut Choices<'i>, vocabulary: &'g Vocabulary, token_kind: &'static str) -> Self {
        Self { choices, vocabulary, token_kind, fields_left: FIELDS_MAX, bytes_left: BYTES_MAX }
    }

    /// An encoded message of the type. With no choices left it is the usual one.
    pub(crate) fn message(&mut self, descriptor: &MessageDescriptor) -> Vec<u8> {
        self.nested(descriptor, 0)
    }

    fn nested(&mut self, descriptor: &MessageDescriptor, depth: usize) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(made) = self.special(descriptor, depth) {
            return made;
        }
        let fields: Vec<FieldDescriptor> = descriptor.fields().collect();
        let mut wanted: Vec<usize> =
            (0..fields.len()).filter(|at| usual::is_usual(descriptor.full_name(), fields[*at].name())).collect();
        self.vary(&mut wanted, fields.len());
        for at in wanted {
            self.field(&fields[at], depth, &mut out);
        }
        out
    }

    /// Adds fields to the usual ones, or takes one away.
    fn vary(&mut self, wanted: &mut Vec<usize>, count: usize) {
        let how = self.choices.byte();
        if count == 0 {
            return;
        }
        if how >= 0xf0 && !wanted.is_empty() {
            let at = self.choices.below(wanted.len());
            wanted.remove(at);
        }
        let added = match how & 0x0f {
            0..=5 => 0,
            6..=9 => 1,
            10..=12 => 2,
            13 | 14 => 4,
            _ => count.min(12),
        };
        for _ in 0..added {
            wanted.push(self.choices.below(count));
        }
    }

    /// One field with as many values as it takes.
    fn field(&mut self, field: &FieldDescriptor, depth: usize, out: &mut Vec<u8>) {
        let repeats = field.cardinality() == Cardinality::Repeated;
        let count = if repeats { self.count(field) } else { 1 };
        for _ in 0..count {
            if self.fields_left == 0 || self.bytes_left == 0 {
                return;
            }
            self.fields_left -= 1;
            let before = out.len();
            self.value(field, depth, out);
            self.bytes_left = self.bytes_left.saturating_sub(out.len() - before);
        }
    }

    fn count(&mut self, field: &FieldDescriptor) -> usize {
        let most = if field.name() == "commands" { 6 } else { 3 };
        match self.choices.byte() {
            255 => 300,
            byte => 1 + usize::from(byte) % most,
        }
    }

    fn value(&mut self, field: &FieldDescriptor, depth: usize, out: &mut Vec<u8>) {
        let number = field.number();
        match field.kind() {
            Kind::Message(descriptor) if depth < DEPTH_MAX => {
                let inner = self.nested(&descriptor, depth + 1);
                put_bytes(out, number, &inner);
            }
            Kind::Message(_) => put_bytes(out, number, &[]),
            Kind::String => put_bytes(out, number, self.text(field).as_bytes()),
            Kind::Bytes => put_bytes(out, number, &self.bytes(field)),
            Kind::Enum(descriptor) => put_varint(out, number, self.enum_number(&descriptor) as u64),
            Kind::Bool => put_varint(out, number, u64::from(!self.choices.odds(100))),
            Kind::Double => put_fixed(out, number, &self.double().to_le_bytes()),
            Kind::Float => put_fixed(out, number, &(self.double() as f32).to_le_bytes()),
            Kind::Fixed32 | Kind::Sfixed32 => put_fixed(out, number, &(self.integer(field) as i32).to_le_bytes()),
            Kind::Fixed64 | Kind::Sfixed64 => put_fixed(out, number, &self.integer(field).to_le_bytes()),
            Kind::Int32 => put_varint(out, number, i64::from(self.integer(field) as i32) as u64),
            _ => put_varint(out, number, self.integer(field) as u64),
        }
    }

    /// Types whose values are not just any of their fields.
    fn special(&mut self, descriptor: &MessageDescriptor, depth: usize) -> Option<Vec<u8>> {
        match descriptor.full_name() {
            "google.protobuf.Duration" => Some(self.duration()),
            "google.protobuf.Timestamp" => Some(self.timestamp()),
            "temporal.api.command.v1.Command" => Some(self.command(descriptor, depth)),
            _ if self.choices.byte() == 255 => Some(self.odd(descriptor)),
            _ => None,
        }
    }

    /// What no client sends: the same message in itself many times over, a field nobody knows, or no message at all.
    fn odd(&mut self, descriptor: &MessageDescriptor) -> Vec<u8> {
        let mut out = Vec::new();
        match self.choices.below(3) {
            0 => {
                let into_itself =
                    |field: &FieldDescriptor| matches!(field.kind(), Kind::Message(d) if d == *descriptor);
                if let Some(field) = descriptor.fields().find(into_itself) {
                    for _ in 0..self.choices.below(130) {
                        let inner = std::mem::take(&mut out);
                        put_bytes(&mut out, field.number(), &inner);
                    }
                }
            }
            1 => put_bytes(&mut out, 20_000, b"unknown"),
            _ => out.extend_from_slice(self.choices.bytes(8)),
        }
        out
    }
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_varint(out: &mut Vec<u8>, field: u32, value: u64) {
    put_number(out, u64::from(field) << 3);
    put_number(out, value);
}

fn put_fixed(out: &mut Vec<u8>, field: u32, value: &[u8]) {
    put_number(out, u64::from(field) << 3 | if value.len() == 8 { 1 } else { 5 });
    out.extend_from_slice(value);
}

fn put_bytes(out: &mut Vec<u8>, field: u32, value: &[u8]) {
    put_number(out, u64::from(field) << 3 | 2);
    put_number(out, value.len() as u64);
    out.extend_from_slice(value);
}
