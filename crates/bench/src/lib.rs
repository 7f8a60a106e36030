//! The load generator: raw gRPC clients and minimal workers of its own, which check every answer, and the ceiling, a
//! server that answers the same calls and does nothing.
//!
//! A figure of a server means little by itself, because machines differ. So each is given beside the ceiling's on the
//! same machine in the same run, and times are given as multiples of one sync of the disk.
mod clock;
mod connection;
mod error;
mod fault;
mod figures;
mod flow;
mod history;
mod ledger;
mod load;
mod names;
mod options;
mod raw;
mod target;
mod wire;
mod worker;

pub mod ceiling;
pub mod experiments;
pub mod idle_calls;
pub mod measure;
pub mod overload;
pub mod report;
pub mod restate;
pub mod workloads;

pub use error::Error;
pub use fault::Fault;
pub use figures::{Figure, Figures};
pub use options::Load;
pub use target::{Running, Server, Target};
pub use workloads::Workload;
