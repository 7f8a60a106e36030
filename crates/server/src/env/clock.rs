//! The clock of the task queues.
use std::time::Duration;

use abide_matching::Clock;

use super::{BoxFuture, Env};

impl Clock for Env {
    fn now_ms(&self) -> i64 {
        self.wall_ms()
    }

    fn sleep_until_ms(&self, at_ms: i64) -> BoxFuture<()> {
        let wait_ms = at_ms.saturating_sub(self.wall_ms());
        self.sleep(Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0)))
    }
}
