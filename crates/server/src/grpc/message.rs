//! The framing of messages: one byte that says whether it is compressed, four of length, then the message.
use std::cell::RefCell;

use bytes::{BufMut, Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt;
use libdeflater::Decompressor;
use prost::Message;
use tonic::Status;

use crate::status;

/// The largest request (spec §3.37).
pub const RECEIVE_LIMIT_BYTES: usize = 4 << 20;
/// The largest reply.
pub const SEND_LIMIT_BYTES: usize = 64 << 20;

const PREFIX_BYTES: usize = 5;

/// Reads the one message of a unary request. It has a buffer of its own, so keeping a part of it keeps no more than it.
///
/// A message over the limit is refused as soon as its length is known.
pub(super) async fn read<B>(mut body: B, headers: &HeaderMap) -> Result<Bytes, Status>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    let mut reader = Reader::default();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| Status::cancelled(format!("request cut short: {e}")))?;
        if let Ok(data) = frame.into_data()
            && let Some(message) = reader.take(data)?
        {
            return reader.unpacked(message, headers);
        }
    }
    Err(Status::internal("request without a message"))
}

/// Takes a request to its end.
pub(super) async fn skip<B: http_body::Body + Unpin>(mut body: B) {
    while let Some(Ok(_)) = body.frame().await {}
}

#[derive(Default)]
struct Reader {
    prefix: [u8; PREFIX_BYTES],
    prefix_read: usize,
    message: BytesMut,
}

impl Reader {
    fn length(&self) -> usize {
        let [_, length @ ..] = self.prefix;
        u32::from_be_bytes(length) as usize
    }

    /// Takes in what has arrived; gives the message once it is whole. What comes behind it is not looked at.
    fn take(&mut self, mut data: Bytes) -> Result<Option<Bytes>, Status> {
        if self.prefix_read < PREFIX_BYTES {
            let count = data.len().min(PREFIX_BYTES - self.prefix_read);
            self.prefix[self.prefix_read..][..count].copy_from_slice(&data.split_to(count));
            self.prefix_read += count;
            if self.prefix_read < PREFIX_BYTES {
                return Ok(None);
            }
            if self.length() > RECEIVE_LIMIT_BYTES {
                return Err(status::message_too_large(self.length(), RECEIVE_LIMIT_BYTES));
            }
            self.message.reserve(self.length());
        }
        data.truncate(self.length() - self.message.len());
        self.message.extend_from_slice(&data);
        let whole = self.message.len() == self.length();
        Ok(whole.then(|| std::mem::take(&mut self.message).freeze()))
    }

    fn unpacked(&self, message: Bytes, headers: &HeaderMap) -> Result<Bytes, Status> {
        if self.prefix[0] == 0 {
            return Ok(message);
        }
        match headers.get("grpc-encoding").map(|encoding| encoding.as_bytes()) {
            Some(b"gzip") => gunzip(&message),
            None | Some(b"identity") => {
                Err(Status::internal("grpc: compressed flag set with identity or empty encoding"))
            }
            Some(other) => Err(status::unimplemented(format!(
                "grpc: Decompressor is not installed for grpc-encoding {:?}",
                String::from_utf8_lossy(other)
            ))),
        }
    }
}

thread_local! {
    // Tens of kilobytes, which one message after another uses.
    static DECOMPRESSOR: RefCell<Decompressor> = RefCell::new(Decompressor::new());
}

/// Unpacks one gzip member. Its last four bytes say how long it becomes; one that says too little does not fit, and is
/// refused like any other damage.
fn gunzip(packed: &[u8]) -> Result<Bytes, Status> {
    let damaged = |why: &dyn std::fmt::Display| {
        Status::internal(format!("grpc: failed to decompress the received message: {why}"))
    };
    let length = packed.last_chunk().ok_or_else(|| damaged(&"unexpected EOF"))?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > RECEIVE_LIMIT_BYTES {
        return Err(status::message_too_large(length, RECEIVE_LIMIT_BYTES));
    }
    let mut message = vec![0; length];
    let unpacked = DECOMPRESSOR.with_borrow_mut(|unpacker| unpacker.gzip_decompress(packed, &mut message));
    message.truncate(unpacked.map_err(|error| damaged(&error))?);
    Ok(message.into())
}

/// A reply as it goes on the wire: prefix and message in one buffer.
pub fn frame(reply: &impl Message) -> Result<Bytes, Status> {
    let length = reply.encoded_len();
    if length > SEND_LIMIT_BYTES {
        let text = format!("grpc: trying to send message larger than max ({length} vs. {SEND_LIMIT_BYTES})");
        return Err(Status::resource_exhausted(text));
    }
    let mut framed = BytesMut::with_capacity(PREFIX_BYTES + length);
    framed.put_u8(0);
    framed.put_u32(u32::try_from(length).expect("a reply is below the limit"));
    reply.encode_raw(&mut framed);
    Ok(framed.freeze())
}

#[cfg(test)]
mod tests;
