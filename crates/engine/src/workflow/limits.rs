//! What a run may grow to (spec §4.1). A run over a limit is woken at once, and the wake-up ends it.
use super::run::Run;
use crate::Settings;

/// Why the run has to end, if it has grown too large.
pub(crate) fn exceeded(run: &Run, settings: &Settings) -> Option<&'static str> {
    let header = run.header.get();
    if !header.is_running() {
        None
    } else if header.history_size_bytes >= settings.history_size_bytes {
        Some("Workflow history size exceeds limit.")
    } else if header.next_event_id > settings.history_count {
        Some("Workflow history count exceeds limit.")
    } else if run.state_size_bytes >= settings.mutable_state_size_bytes {
        Some("Workflow mutable state size exceeds limit.")
    } else {
        None
    }
}
