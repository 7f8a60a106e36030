//! One connection with many calls under way.
use std::{
    io,
    time::{Duration, Instant},
};

use rustc_hash::FxHashMap;
use tokio::{
    io::{AsyncWriteExt, Interest},
    net::TcpStream,
};

use super::{
    frame::{self, Frame},
    headers::Headers,
};
use crate::{clock, error::Error, wire};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The largest window there is: replies are never held back.
const WINDOW_BYTES: u32 = (1 << 31) - 1;
/// What every window is before anybody speaks of it.
const DEFAULT_WINDOW_BYTES: u32 = 65_535;
/// After so many bytes of replies the window is opened again.
const WINDOW_STEP_BYTES: u32 = 1 << 30;
const READ_BYTES: usize = 256 << 10;
/// No more is handed over while so much is not sent: the server does not read.
const UNSENT_BYTES_MAX: usize = 1 << 20;
const MESSAGE_HEAD_BYTES: usize = 5;

/// A connection whose calls carry a `T` each until they are answered.
#[derive(Debug)]
pub(crate) struct Connection<T> {
    stream: TcpStream,
    authority: String,
    headers: Headers,
    out: Vec<u8>,
    input: Vec<u8>,
    calls: FxHashMap<u32, Call<T>>,
    next_stream: u32,
    streams_max: usize,
    /// Bytes of messages that the server takes now.
    window_bytes: i64,
    /// Bytes of replies since the window was last opened.
    taken_bytes: u32,
}

#[derive(Debug)]
struct Call<T> {
    tag: T,
    message: Vec<u8>,
}

/// The answer to a call.
#[derive(Debug)]
pub(crate) struct Reply<T> {
    /// What the call carried.
    pub(crate) tag: T,
    /// The reply's message; None when it is an error, whichever it is.
    pub(crate) message: Option<Vec<u8>>,
}

impl<T> Connection<T> {
    /// Connects to `address` (`host:port`).
    pub(crate) async fn open(address: &str) -> Result<Self, Error> {
        let failed = || Error::io(format!("no connection to {address}"));
        let mut stream = TcpStream::connect(address).await.map_err(failed())?;
        stream.set_nodelay(true).map_err(failed())?;
        let mut out = PREFACE.to_vec();
        frame::write(&mut out, frame::SETTINGS, 0, 0, |out| {
            out.extend(frame::INITIAL_WINDOW_SIZE.to_be_bytes());
            out.extend(WINDOW_BYTES.to_be_bytes());
        });
        window_update(&mut out, WINDOW_BYTES - DEFAULT_WINDOW_BYTES);
        stream.write_all(&out).await.map_err(failed())?;
        out.clear();
        Ok(Self {
            stream,
            authority: address.to_owned(),
            headers: Headers::default(),
            out,
            input: Vec::with_capacity(READ_BYTES),
            calls: FxHashMap::default(),
            next_stream: 1,
            streams_max: 100,
            window_bytes: DEFAULT_WINDOW_BYTES.into(),
            taken_bytes: 0,
        })
    }

    /// Calls that are not answered.
    pub(crate) fn under_way(&self) -> usize {
        self.calls.len()
    }

    /// Whether the server takes another call with a message of so many bytes.
    pub(crate) fn takes(&self, message_bytes: usize) -> bool {
        self.calls.len() < self.streams_max
            && self.window_bytes >= (message_bytes + MESSAGE_HEAD_BYTES) as i64
            && self.out.len() < UNSENT_BYTES_MAX
    }

    /// Hands a call over; it goes out with the next [`Self::exchange`].
    pub(crate) fn call(&mut self, path: &str, timeout: &str, message: &[u8], tag: T) {
        let fields = [
            (":authority", self.authority.as_str()),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            ("grpc-timeout", timeout),
            ("client-name", wire::IDENTITY),
            ("client-version", env!("CARGO_PKG_VERSION")),
        ];
        let (id, headers) = (self.next_stream, &mut self.headers);
        self.next_stream += 2;
        frame::write(&mut self.out, frame::HEADERS, frame::END_HEADERS, id, |out| headers.write(path, &fields, out));
        frame::write(&mut self.out, frame::DATA, frame::END_STREAM, id, |out| {
            out.push(0);
            out.extend((message.len() as u32).to_be_bytes());
            out.extend(message);
        });
        self.window_bytes -= (message.len() + MESSAGE_HEAD_BYTES) as i64;
        self.calls.insert(id, Call { tag, message: Vec::new() });
    }

    /// Sends what was handed over and adds what was answered to `replies`. Returns when something came, at the latest
    /// at `until`.
    pub(crate) async fn exchange(&mut self, until: Instant, replies: &mut Vec<Reply<T>>) -> Result<(), Error> {
        loop {
            self.send().map_err(Error::io("the connection broke while sending"))?;
            if self.receive().map_err(Error::io("the connection broke while receiving"))? {
                return self.take_frames(replies);
            }
            let left = until.saturating_duration_since(clock::now());
            if left == Duration::ZERO {
                return Ok(());
            }
            let interest =
                if self.out.is_empty() { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE };
            tokio::select! {
                biased;
                ready = self.stream.ready(interest) => drop(ready.map_err(Error::io("the connection broke"))?),
                () = clock::pause(left) => {}
            }
        }
    }

    fn send(&mut self) -> io::Result<()> {
        let mut sent = 0;
        while sent < self.out.len() {
            match self.stream.try_write(&self.out[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.out.drain(..sent);
        Ok(())
    }

    /// Whether something came.
    fn receive(&mut self) -> io::Result<bool> {
        self.input.reserve(READ_BYTES);
        match self.stream.try_read_buf(&mut self.input) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn take_frames(&mut self, replies: &mut Vec<Reply<T>>) -> Result<(), Error> {
        let input = std::mem::take(&mut self.input);
        let mut rest = input.as_slice();
        while let Some((frame, after)) = Frame::split(rest) {
            self.take(&frame, replies)?;
            rest = after;
        }
        let taken = input.len() - rest.len();
        self.input = input;
        self.input.drain(..taken);
        Ok(())
    }

    fn take(&mut self, frame: &Frame<'_>, replies: &mut Vec<Reply<T>>) -> Result<(), Error> {
        let ends = frame.flags & frame::END_STREAM != 0;
        match frame.kind {
            frame::DATA => {
                self.taken_bytes += frame.payload.len() as u32;
                if self.taken_bytes > WINDOW_STEP_BYTES {
                    window_update(&mut self.out, std::mem::take(&mut self.taken_bytes));
                }
                if let Some(call) = self.calls.get_mut(&frame.stream) {
                    call.message.extend(frame.payload);
                }
            }
            // An error is told in headers that end the reply; a success ends with trailers after its message.
            frame::HEADERS if ends => {
                if let Some(mut call) = self.calls.remove(&frame.stream) {
                    let is_success = call.message.len() >= MESSAGE_HEAD_BYTES;
                    let message = is_success.then(|| call.message.split_off(MESSAGE_HEAD_BYTES));
                    replies.push(Reply { tag: call.tag, message });
                }
            }
            frame::RST_STREAM if self.calls.contains_key(&frame.stream) => {
                return Err(broken(format!("a call was reset with code {}", frame.number())));
            }
            frame::SETTINGS if frame.flags & frame::ACK == 0 => {
                for (_, max) in frame.settings().filter(|(name, _)| *name == frame::MAX_CONCURRENT_STREAMS) {
                    self.streams_max = max as usize;
                }
                frame::write(&mut self.out, frame::SETTINGS, frame::ACK, 0, |_| {});
            }
            frame::PING if frame.flags & frame::ACK == 0 => {
                frame::write(&mut self.out, frame::PING, frame::ACK, 0, |out| out.extend(frame.payload));
            }
            frame::GOAWAY => return Err(broken("the server closes the connection".to_owned())),
            frame::WINDOW_UPDATE if frame.stream == 0 => self.window_bytes += i64::from(frame.number()),
            _ => {}
        }
        Ok(())
    }
}

fn broken(what: String) -> Error {
    Error::Io { what, source: io::ErrorKind::ConnectionAborted.into() }
}

fn window_update(out: &mut Vec<u8>, bytes: u32) {
    frame::write(out, frame::WINDOW_UPDATE, 0, 0, |out| out.extend(bytes.to_be_bytes()));
}
