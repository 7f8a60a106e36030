//! The targets: each takes any bytes, and panics if the server does what it never should.
mod completions;
mod proto_json;
mod records;
mod rpc_sequences;
mod tokens;

/// A target by its name, which is also that of its folders.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
}

pub const TARGETS: [Target; 5] = [
    Target { name: "rpc_sequences", run: rpc_sequences::run },
    Target { name: "completions", run: completions::run },
    Target { name: "records", run: records::run },
    Target { name: "tokens", run: tokens::run },
    Target { name: "proto_json", run: proto_json::run },
];
