//! Reads the table of contents of the engine's files, which trusts it before its checksum.
//!
//! The layout belongs to the pinned version of the engine:
//! ```text
//! file     = sections contents trailer
//! contents = "TOC!" count:u32 (position:u64 bytes:u64 name_bytes:u16 name)*
//! trailer  = "SFA!" 1:u8 0:u8 checksum:u128 contents_position:u64 contents_bytes:u64
//! ```
//! Numbers are little-endian; checksum = xxh3 of the contents, 128 bits.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use xxhash_rust::xxh3::xxh3_128;

use super::error::{OpenError, io_error};

const TRAILER_BYTES: u64 = 4 + 1 + 1 + 16 + 8 + 8;

/// Far more than the handful of sections a file has.
const CONTENTS_BYTES_MAX: u64 = 1024 * 1024;

/// Checks the table of contents and returns the section `name`, if there is one.
pub(super) fn section(path: &Path, name: &[u8]) -> Result<Option<Vec<u8>>, OpenError> {
    let corrupt = |reason: &str| OpenError::Corrupt { path: path.to_owned(), reason: reason.to_owned() };
    let mut file = File::open(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => corrupt("file is missing"),
        _ => OpenError::Io { path: path.to_owned(), source },
    })?;
    let length = file.metadata().map_err(io_error(path))?.len();
    let Some(trailer_at) = length.checked_sub(TRAILER_BYTES) else { return Err(corrupt("file is cut short")) };
    let trailer = read_at(&mut file, trailer_at, TRAILER_BYTES).map_err(io_error(path))?;
    let trailer = Trailer::decode(&trailer).ok_or_else(|| corrupt("trailer is damaged"))?;
    let fits = trailer.position.checked_add(trailer.bytes) == Some(trailer_at) && trailer.bytes <= CONTENTS_BYTES_MAX;
    if !fits {
        return Err(corrupt("trailer is damaged"));
    }
    let contents = read_at(&mut file, trailer.position, trailer.bytes).map_err(io_error(path))?;
    if xxh3_128(&contents) != trailer.checksum {
        return Err(corrupt("table of contents is damaged"));
    }
    let found = find(&contents, name).ok_or_else(|| corrupt("table of contents is damaged"))?;
    let Some((position, bytes)) = found else { return Ok(None) };
    if position.checked_add(bytes).is_none_or(|end| end > length) {
        return Err(corrupt("section runs past the end"));
    }
    read_at(&mut file, position, bytes).map(Some).map_err(io_error(path))
}

struct Trailer {
    checksum: u128,
    position: u64,
    bytes: u64,
}

impl Trailer {
    fn decode(trailer: &[u8]) -> Option<Trailer> {
        let mut rest = trailer.strip_prefix(b"SFA!\x01\x00")?;
        Some(Trailer {
            checksum: u128::from_le_bytes(take(&mut rest)?),
            position: u64::from_le_bytes(take(&mut rest)?),
            bytes: u64::from_le_bytes(take(&mut rest)?),
        })
    }
}

/// Position and length of a section. The outer `None` means that the contents do not read as such.
fn find(contents: &[u8], wanted: &[u8]) -> Option<Option<(u64, u64)>> {
    let mut rest = contents.strip_prefix(b"TOC!")?;
    for _ in 0..u32::from_le_bytes(take(&mut rest)?) {
        let (position, bytes) = (u64::from_le_bytes(take(&mut rest)?), u64::from_le_bytes(take(&mut rest)?));
        let name_bytes = u16::from_le_bytes(take(&mut rest)?);
        let (name, after) = rest.split_at_checked(usize::from(name_bytes))?;
        if name == wanted {
            return Some(Some((position, bytes)));
        }
        rest = after;
    }
    Some(None)
}

/// Splits fixed-size bytes off the front.
pub(super) fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*head)
}

/// `bytes` is known to be within the file.
fn read_at(file: &mut File, position: u64, bytes: u64) -> std::io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(position))?;
    let mut buffer = Vec::new();
    file.take(bytes).read_to_end(&mut buffer)?;
    Ok(buffer)
}
