//! The Abide server: frontend, shards, configuration, metrics.
//!
//! - [`serve`]: start to end of a process.
//! - [`grpc`]: HTTP/2 and gRPC framing, down to the bytes of a request.
//! - [`frontend`]: the methods of the API.
//! - [`namespaces`]: their registry.
//! - [`task_queue_configs`]: what operators set for task queues.
//! - [`status`]: every error that leaves the server.
//! - [`mod@env`]: clock, randomness and spawning.

pub mod config;
pub mod drain;
pub mod dynamic_config;
pub mod env;
pub mod frontend;
pub mod grpc;
pub mod http;
pub mod logging;
pub mod metrics;
pub mod namespaces;
pub mod semver;
pub mod serve;
pub mod shard;
pub mod signals;
pub mod status;
pub mod task_queue_configs;

pub use config::ServerConfig;
pub use env::Env;
pub use frontend::Frontend;
pub use serve::{RunningServer, run};
