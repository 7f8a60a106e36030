//! Frames of HTTP/2 (RFC 9113).

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;

pub(super) const ACK: u8 = 1;
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

pub(super) const MAX_CONCURRENT_STREAMS: u16 = 3;
pub(super) const INITIAL_WINDOW_SIZE: u16 = 4;

const HEAD_BYTES: usize = 9;

/// A frame that was received.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame<'b> {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: &'b [u8],
}

impl<'b> Frame<'b> {
    /// The first frame of `bytes` and what follows it; None as long as it is not there whole.
    pub(super) fn split(bytes: &'b [u8]) -> Option<(Self, &'b [u8])> {
        let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
        let [a, b, c, kind, flags, stream @ ..] = *head;
        let (payload, rest) = rest.split_at_checked(u32::from_be_bytes([0, a, b, c]) as usize)?;
        Some((Self { kind, flags, stream: u32::from_be_bytes(stream), payload }, rest))
    }

    /// The payload as pairs of a setting and its value.
    pub(super) fn settings(&self) -> impl Iterator<Item = (u16, u32)> + 'b {
        self.payload
            .as_chunks::<6>()
            .0
            .iter()
            .map(|&[a, b, c, d, e, f]| (u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f])))
    }

    /// The payload as one number; 0 if it is none.
    pub(super) fn number(&self) -> u32 {
        self.payload.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
    }
}

/// Appends a frame whose payload `write` appends.
pub(super) fn write(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let begin = out.len();
    out.extend([0, 0, 0, kind, flags]);
    out.extend(stream.to_be_bytes());
    write(out);
    let length = ((out.len() - begin - HEAD_BYTES) as u32).to_be_bytes();
    out[begin..begin + 3].copy_from_slice(&length[1..]);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{END_STREAM, Frame, HEADERS, write};

    #[test]
    fn frames_are_read_as_they_were_written() {
        let mut bytes = Vec::new();
        write(&mut bytes, HEADERS, END_STREAM, 7, |out| out.extend([0, 3, 0, 0, 0, 9]));
        bytes.push(1);
        let (frame, rest) = Frame::split(&bytes).unwrap();
        assert_eq!((frame.kind, frame.flags, frame.stream, rest), (HEADERS, END_STREAM, 7, &[1][..]));
        assert_eq!(frame.settings().collect::<Vec<_>>(), [(3, 9)]);
        assert!(Frame::split(&bytes[..bytes.len() - 2]).is_none());
    }
}
