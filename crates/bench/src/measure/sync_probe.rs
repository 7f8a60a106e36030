//! What one durable write costs on this disk, to measure latencies by.
use std::{
    fs::File,
    io::{self, Write},
    os::unix::fs::FileExt,
    path::Path,
    time::Duration,
};

use serde::Serialize;

use super::Latency;
use crate::clock;

const BLOCK_BYTES: usize = 4096;
const BLOCKS: u64 = 1024;
const SAMPLES: u64 = 500;

/// The time of one `fdatasync` after a 4 KiB overwrite in a file that was written before.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct SyncProbe {
    /// The spread of the samples.
    pub latency: Latency,
}

impl SyncProbe {
    /// Measures in `directory`'s file system. Blocks the thread for some tenths of a second.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn measure(directory: &Path) -> io::Result<Self> {
        let mut file = tempfile::tempfile_in(directory)?;
        let block = [0x5a; BLOCK_BYTES];
        for _ in 0..BLOCKS {
            file.write_all(&block)?;
        }
        file.sync_all()?;
        let times = (0..SAMPLES).map(|i| overwrite(&file, &block, i % BLOCKS)).collect::<io::Result<_>>()?;
        Latency::of(times).map(|latency| SyncProbe { latency }).ok_or_else(|| io::Error::other("no samples"))
    }
}

fn overwrite(file: &File, block: &[u8], number: u64) -> io::Result<Duration> {
    let begin = clock::now();
    file.write_all_at(block, number * BLOCK_BYTES as u64)?;
    file.sync_data()?;
    Ok(begin.elapsed())
}
