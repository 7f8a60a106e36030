//! The end of the process: told once, heard by everything that waits.
use std::sync::Arc;

use tokio::sync::watch;

/// A flag that is set once. Clones share it.
#[derive(Clone)]
pub struct Drain {
    started: Arc<watch::Sender<bool>>,
}

impl Default for Drain {
    fn default() -> Self {
        Self { started: Arc::new(watch::Sender::new(false)) }
    }
}

impl Drain {
    /// Tells everybody to finish. Again changes nothing.
    pub fn start(&self) {
        self.started.send_replace(true);
    }

    pub fn has_started(&self) -> bool {
        *self.started.borrow()
    }

    /// Completes once the process is to end.
    pub async fn started(&self) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.started.subscribe().wait_for(|started| *started).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_hears_it_before_and_after() {
        let drain = Drain::default();
        let (clone, waiting) = (drain.clone(), drain.started());
        assert!(!clone.has_started());
        clone.start();
        waiting.await;
        drain.started().await;
        assert!(drain.has_started());
    }
}
