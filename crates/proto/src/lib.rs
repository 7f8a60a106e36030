//! Wire types and gRPC traits of the API, generated at build time. Fields of type `bytes` are [`bytes::Bytes`].
#![allow(clippy::all, clippy::pedantic, missing_docs)]

include!(concat!(env!("OUT_DIR"), "/api.rs"));

/// The encoded `FileDescriptorSet` of every generated package, for reflection and the proto-JSON mapping.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

#[warn(clippy::all)]
pub mod json;
