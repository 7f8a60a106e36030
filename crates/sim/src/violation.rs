//! What was found to be wrong.
use std::sync::{Arc, Mutex, PoisonError};

/// The findings of a run. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Violations {
    found: Arc<Mutex<Vec<String>>>,
}

impl Violations {
    pub fn add(&self, what: impl Into<String>) {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).push(what.into());
    }

    /// Adds `what` unless it holds.
    pub fn check(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.add(what());
        }
    }

    pub fn is_empty(&self) -> bool {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    pub fn all(&self) -> Vec<String> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
