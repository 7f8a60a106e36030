//! What a workload costs: time, processor, memory, disk and syncs.
mod disk;
mod latency;
mod machine;
mod metrics;
mod process;
mod process_detail;
mod sync_probe;
mod window;

pub use latency::Latency;
pub use sync_probe::SyncProbe;
pub(crate) use {
    disk::disk_bytes,
    process::Process,
    window::{Snapshot, Window},
};
