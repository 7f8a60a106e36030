//! How hard and how long to load a server.
use std::time::Duration;

/// The settings that every workload shares.
#[derive(Debug, Clone)]
pub struct Load {
    /// How long each workload is measured.
    pub length: Duration,
    /// How long it runs before that, unmeasured.
    pub warm_up: Duration,
    /// Pollers on each of a worker's queues.
    pub pollers: usize,
    /// HTTP/2 connections for the workers, and as many again for the clients.
    pub connections: usize,
    /// A run without a close event after this time counts as lost.
    pub lost_after: Duration,
    /// How long the server is left alone before the memory of idle runs is measured.
    pub settle: Duration,
}

impl Default for Load {
    fn default() -> Self {
        Load {
            length: Duration::from_secs(5),
            warm_up: Duration::from_secs(1),
            pollers: 16,
            connections: 2,
            lost_after: Duration::from_secs(60),
            settle: Duration::from_secs(2),
        }
    }
}
