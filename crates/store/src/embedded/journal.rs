//! Checks the engine's log before the engine replays it.
//!
//! The engine reads its log up to the first thing it does not understand and cuts off the rest, so a single damaged
//! byte can take acknowledged groups with it; and the sequence number at the head of a batch, which decides who wins,
//! has no checksum. Here every batch is read first: checksum, group numbers without gaps, sequence numbers in order.
//! What follows the last whole batch is cut off if every acknowledged group is there, which is how a crash during a
//! write looks. Otherwise the log is refused and left as it is. The front of a sound log that is in tables already is
//! taken out, because the engine would replay it item by item.
//!
//! The layout of the log belongs to the pinned version of the engine:
//! ```text
//! batch  = start item* end
//! start  = 1 item_count:u32 seqno:u64
//! item   = 2 value_type:u8 compression:u8 keyspace:u64 key_bytes:u16 value_bytes:u32 stored_bytes:u32 key value
//! end    = 3 checksum:u64 "FJL" 3        checksum = xxh3 of all items
//! ```
//! Numbers are little-endian. The first item of each batch is ours: [`GROUP_KEY`], with two big-endian numbers.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use super::GROUP_KEY;
use super::directory::sync;
use super::error::{OpenError, io_error};
use super::watermark::Reached;

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const TRAILER: &[u8; 4] = b"FJL\x03";

/// Value type, compression, keyspace, and three lengths.
const ITEM_HEAD_BYTES: usize = 1 + 1 + 8 + 2 + 4 + 4;

/// Checks all log files in the engine's directory, and takes out what need not be replayed. Returns the last group that
/// was in the log, if there was any.
pub(super) fn verify(directory: &Path, reached: Reached) -> Result<Option<u64>, OpenError> {
    let mut last: Option<Batch> = None;
    let files = files(directory)?;
    let mut scans = Vec::new();
    for (index, path) in files.iter().enumerate() {
        let scan = scan(path, last, reached.flushed_group).map_err(io_error(path))?;
        last = scan.last;
        if let Some(reason) = scan.broken {
            let is_active = index + 1 == files.len();
            if !is_active || last.map_or(0, |last| last.group) < reached.group {
                let reason = format!("at byte {}: {reason}", scan.valid_bytes);
                return Err(OpenError::Corrupt { path: path.clone(), reason });
            }
            let cut = || {
                let file = OpenOptions::new().write(true).open(path)?;
                file.set_len(scan.valid_bytes)?;
                file.sync_all()
            };
            cut().map_err(io_error(path))?;
        }
        scans.push(scan);
    }
    // Only `trim` leaves a log without a byte, and only when tables hold all of it.
    if last.is_none() && reached.group > reached.flushed_group {
        let path = files.last().map_or(directory, PathBuf::as_path);
        let gone = files.is_empty() || fs::metadata(path).map_err(io_error(path))?.len() == 0;
        if gone {
            let reason = format!("empty, but group {} was acknowledged", reached.group);
            return Err(OpenError::Corrupt { path: path.to_owned(), reason });
        }
    }
    for (index, (path, scan)) in files.iter().zip(scans).enumerate() {
        let is_active = index + 1 == files.len();
        trim(path, scan.flushed_bytes..scan.valid_bytes, is_active).map_err(io_error(path))?;
    }
    Ok(last.map(|last| last.group))
}

/// Takes the flushed front out of a log file when that spares the engine half of it: replay is what takes long in
/// opening a store, and reads every item whether it is needed or not. `needed` are the bytes to keep.
fn trim(path: &Path, needed: Range<u64>, is_active: bool) -> io::Result<()> {
    let needed_bytes = needed.end - needed.start;
    if needed.start <= needed_bytes {
        return Ok(());
    }
    if needed_bytes == 0 && !is_active {
        return fs::remove_file(path);
    }
    let mut old = File::open(path)?;
    old.seek(SeekFrom::Start(needed.start))?;
    let new_path = path.with_extension("new"); // not the name of a log, should it be left behind
    let mut new = File::create(&new_path)?;
    io::copy(&mut old.take(needed_bytes), &mut new)?;
    new.sync_all()?;
    fs::rename(&new_path, path)?;
    path.parent().map_or(Ok(()), sync)
}

/// The log files, oldest first.
fn files(directory: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(io_error(directory))? {
        let path = entry.map_err(io_error(directory))?.path();
        if path.extension().is_some_and(|extension| extension == "jnl") {
            let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u64>().ok());
            let Some(number) = number else {
                return Err(OpenError::Corrupt { path, reason: "log file without a number".to_owned() });
            };
            files.push((number, path));
        }
    }
    files.sort();
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

/// The numbers of one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Batch {
    group: u64,
    /// What the engine's counter stood at before the batch: all sequence numbers given out before are below it.
    seqno_floor: u64,
    seqno: u64,
}

struct Scan {
    /// The last batch of this file, or of the files before.
    last: Option<Batch>,
    /// Where the last whole batch ends.
    valid_bytes: u64,
    /// Where the last batch ends of those that are in tables with all before them.
    flushed_bytes: u64,
    /// What is wrong after the last whole batch; `None` if the zeros follow that are written in advance.
    broken: Option<&'static str>,
}

fn scan(path: &Path, before: Option<Batch>, flushed_group: u64) -> io::Result<Scan> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut reader = Reader { reader: BufReader::with_capacity(256 * 1024, file), at: 0, length };
    let mut scan = Scan { last: before, valid_bytes: 0, flushed_bytes: 0, broken: None };
    loop {
        match reader.batch() {
            Ok(Some(batch)) => {
                let in_order =
                    scan.last.is_none_or(|last| batch.group == last.group + 1 && last.seqno < batch.seqno_floor);
                if !in_order || batch.seqno < batch.seqno_floor {
                    scan.broken = Some("group out of order");
                    return Ok(scan);
                }
                scan.last = Some(batch);
                scan.valid_bytes = reader.at;
                if batch.group <= flushed_group {
                    scan.flushed_bytes = reader.at;
                }
            }
            Ok(None) => return Ok(scan),
            Err(Broken::Io(error)) => return Err(error),
            Err(Broken::Log(reason)) => {
                scan.broken = Some(reason);
                return Ok(scan);
            }
        }
    }
}

enum Broken {
    Log(&'static str),
    Io(io::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Broken {
        Broken::Io(error)
    }
}

struct Reader {
    reader: BufReader<File>,
    at: u64,
    length: u64,
}

impl Reader {
    /// The next batch, or `None` at the end or where the zeros begin that are written in advance.
    fn batch(&mut self) -> Result<Option<Batch>, Broken> {
        if self.at == self.length {
            return Ok(None);
        }
        match self.bytes::<1>()? {
            [START] => {}
            [0] if self.zeros_follow()? => return Ok(None),
            _ => return Err(Broken::Log("batch without start")),
        }
        let item_count = u32::from_le_bytes(self.bytes()?);
        let seqno = u64::from_le_bytes(self.bytes()?);
        let mut hash = Xxh3::new();
        let mut numbers = None;
        let mut item = Vec::new();
        for index in 0..item_count {
            self.item(&mut item)?;
            hash.update(&item);
            if index == 0 {
                numbers = group_numbers(&item);
            }
        }
        let ([END], checksum, trailer) = (self.bytes()?, u64::from_le_bytes(self.bytes()?), &self.bytes()?) else {
            return Err(Broken::Log("batch without end"));
        };
        if trailer != TRAILER || checksum != hash.digest() {
            return Err(Broken::Log("checksum mismatch"));
        }
        let Some((group, seqno_floor)) = numbers else { return Err(Broken::Log("batch without group number")) };
        Ok(Some(Batch { group, seqno_floor, seqno }))
    }

    /// Reads one item as a whole into `item`.
    fn item(&mut self, item: &mut Vec<u8>) -> Result<(), Broken> {
        let [ITEM] = self.bytes()? else { return Err(Broken::Log("batch shorter than it says")) };
        let head: [u8; ITEM_HEAD_BYTES] = self.bytes()?;
        let key_bytes = u16::from_le_bytes([head[10], head[11]]);
        let stored_bytes = u32::from_le_bytes([head[16], head[17], head[18], head[19]]);
        let body_bytes = u64::from(key_bytes) + u64::from(stored_bytes);
        if self.length - self.at < body_bytes {
            return Err(Broken::Log("item runs past the end"));
        }
        item.clear();
        item.push(ITEM);
        item.extend_from_slice(&head);
        (&mut self.reader).take(body_bytes).read_to_end(item)?;
        self.at += body_bytes;
        Ok(())
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        if self.length - self.at < N as u64 {
            return Err(Broken::Log("batch cut short"));
        }
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes)?;
        self.at += N as u64;
        Ok(bytes)
    }

    /// Whether the next bytes are zero. A few tell enough: what follows the damaged start of a batch is the rest of it.
    fn zeros_follow(&mut self) -> Result<bool, Broken> {
        let mut next = [0; 64];
        let count = self.reader.read(&mut next)?;
        Ok(next[..count].iter().all(|byte| *byte == 0))
    }
}

/// Our two numbers, if the item is the one that carries them.
fn group_numbers(item: &[u8]) -> Option<(u64, u64)> {
    let body = item.get(1 + ITEM_HEAD_BYTES..)?;
    let (group, seqno_floor) = body.strip_prefix(&GROUP_KEY)?.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*group), u64::from_be_bytes(seqno_floor.try_into().ok()?)))
}
