//! The number of the last acknowledged group, in a file of its own.
//!
//! It is written after each sync of the log and not synced itself: the kernel keeps it when the process is killed, and
//! after a power failure it lags, which only makes it a weaker lower bound. So it costs nothing, and tells a log whose
//! end was lost from a log whose last group was never finished.
//!
//! A damaged watermark alone is no loss: it counts as 0 and is written again with the next group.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use super::directory::io_error;
use super::error::OpenError;

pub(super) struct Watermark {
    file: File,
    group: u64,
}

impl Watermark {
    /// Creates the file, durably, with no group acknowledged.
    pub(super) fn create(path: &Path) -> Result<(), OpenError> {
        let create = || {
            let mut file = File::create_new(path)?;
            file.write_all(&encode(0))?;
            file.sync_all()
        };
        create().map_err(io_error(path))
    }

    pub(super) fn open(path: &Path) -> Result<Watermark, OpenError> {
        let open = || {
            let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(Watermark { file, group: decode(&bytes).unwrap_or_default() })
        };
        open().map_err(io_error(path))
    }

    /// The last acknowledged group, or one before it.
    pub(super) fn group(&self) -> u64 {
        self.group
    }

    pub(super) fn advance(&mut self, group: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&encode(group))?;
        self.group = group;
        Ok(())
    }
}

fn encode(group: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&group.to_be_bytes());
    bytes[8..].copy_from_slice(&xxh3_64(&group.to_be_bytes()).to_be_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<u64> {
    let (group, _) = bytes.split_first_chunk()?;
    let group = u64::from_be_bytes(*group);
    (bytes == encode(group)).then_some(group)
}
