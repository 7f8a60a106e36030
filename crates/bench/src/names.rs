//! Names that one run of the load generator gives: unique per run, so that it can share a server with earlier runs.
use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering},
};

/// Workflow ids, request ids and queue names of one run.
#[derive(Debug)]
pub(crate) struct Names {
    /// Eight hexadecimal digits.
    tag: String,
    next_request: AtomicU64,
}

impl Names {
    pub(crate) fn new() -> Self {
        let uuid = fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap_or_default();
        let tag = uuid.get(..8).map_or_else(|| format!("{:08x}", std::process::id()), str::to_owned);
        Names { tag, next_request: AtomicU64::new(1) }
    }

    /// What makes the names of this run unique: eight hexadecimal digits.
    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    /// The id of workflow number `index`.
    pub(crate) fn workflow_id(&self, index: u64) -> String {
        format!("load-{}-{index}", self.tag)
    }

    /// The number of a workflow of this run; None for every other id.
    pub(crate) fn index(&self, workflow_id: &str) -> Option<u64> {
        workflow_id.strip_prefix("load-")?.strip_prefix(self.tag.as_str())?.strip_prefix('-')?.parse().ok()
    }

    /// A request id in the form of a UUID.
    pub(crate) fn request_id(&self) -> String {
        let number = self.next_request.fetch_add(1, Ordering::Relaxed);
        format!("{}-0000-4000-8000-{number:012x}", self.tag)
    }

    pub(crate) fn task_queue(&self) -> String {
        format!("load-{}", self.tag)
    }

    pub(crate) fn sticky_task_queue(&self) -> String {
        format!("load-{}-sticky", self.tag)
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn workflow_ids_are_read_back_and_others_are_not() {
        let (mine, other) = (Names::new(), Names::new());
        assert_eq!(mine.index(&mine.workflow_id(41)), Some(41));
        assert_eq!(mine.index(&other.workflow_id(41)), None);
        assert_eq!(mine.index("load-41"), None);
    }

    #[test]
    fn request_ids_have_the_form_of_a_uuid_and_differ() {
        let names = Names::new();
        let (first, second) = (names.request_id(), names.request_id());
        assert_eq!(first.len(), 36);
        assert_ne!(first, second);
    }
}
