//! A gRPC client that costs next to nothing: it shares the processors with the server under load, and ten times what a
//! server gets done is only offered by somebody who needs far less for a call than the server.
//!
//! Requests are frames that are copied; of a reply it tells only whether it is a success. It is no general client: it
//! relies on replies without padding whose headers fit one frame.
mod connection;
mod frame;
mod headers;

pub(crate) use connection::{Connection, Reply};
