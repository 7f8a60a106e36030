//! How far the store has come, in a file of its own: the last acknowledged group, and what is in tables.
//!
//! It is written after each sync of the log and not synced itself: the kernel keeps it when the process is killed, and
//! after a power failure it lags, which only makes its two numbers weaker lower bounds. So it costs nothing. The first
//! tells a log whose end was lost from a log whose last group was never finished; the second tells which part of the
//! log need not be replayed.
//!
//! A damaged watermark alone is no loss: it counts as zeros and is written again with the next group.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use super::error::{OpenError, io_error};

pub(super) struct Watermark {
    file: File,
    reached: Reached,
}

/// Lower bounds of what has happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reached {
    /// The last acknowledged group.
    pub(super) group: u64,
    /// All groups up to this one are in tables.
    pub(super) flushed_group: u64,
}

impl Watermark {
    /// Creates the file with no group acknowledged. The caller makes it durable.
    pub(super) fn create(path: &Path) -> Result<(), OpenError> {
        let create = || {
            let mut file = File::create_new(path)?;
            file.write_all(&encode(Reached::default()))
        };
        create().map_err(io_error(path))
    }

    pub(super) fn open(path: &Path) -> Result<Watermark, OpenError> {
        let open = || {
            let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(Watermark { file, reached: decode(&bytes).unwrap_or_default() })
        };
        open().map_err(io_error(path))
    }

    /// Makes the numbers durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    pub(super) fn reached(&self) -> Reached {
        self.reached
    }

    pub(super) fn advance(&mut self, reached: Reached) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&encode(reached))?;
        self.reached = reached;
        Ok(())
    }
}

fn encode(reached: Reached) -> [u8; 24] {
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(&reached.group.to_be_bytes());
    bytes[8..16].copy_from_slice(&reached.flushed_group.to_be_bytes());
    let checksum = xxh3_64(&bytes[..16]);
    bytes[16..].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<Reached> {
    let (group, rest) = bytes.split_first_chunk()?;
    let (flushed_group, _) = rest.split_first_chunk()?;
    let reached = Reached { group: u64::from_be_bytes(*group), flushed_group: u64::from_be_bytes(*flushed_group) };
    (bytes == encode(reached)).then_some(reached)
}
