//! Calls over a real connection to a server in this process.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods)] // clients run beside the server, in tasks of their own

mod common;
mod conventions;
mod lifecycle;
mod limits;
mod namespaces;
mod overload;
mod queries;
mod stalls;
mod task_queues;
