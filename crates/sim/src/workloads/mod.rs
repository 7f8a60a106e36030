//! What clients do. A new workload is a file here and a line in [`ALL`].
use std::sync::Arc;

use abide_server::env::BoxFuture;

use crate::sim::Sim;

mod cancel;
mod programs;
mod register;
mod retries;
mod terminate;
mod timeouts;

/// One kind of client.
pub struct Workload {
    pub name: &'static str,
    /// Lives one life and checks what only it can know. Its ids begin with the text.
    pub run: fn(Arc<Sim>, String) -> BoxFuture<()>,
}

pub static ALL: &[Workload] = &[
    programs::PROGRAM,
    programs::SIGNALLED_START,
    programs::EAGER_START,
    register::REGISTER,
    cancel::CANCEL,
    terminate::TERMINATE,
    timeouts::RUN_TIMEOUT,
    retries::WORKFLOW_RETRY,
    retries::CRON,
];
