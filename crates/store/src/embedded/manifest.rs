//! Checks the engine's table lists, and that the tables can be opened, before the engine trusts them.
//!
//! Each keyspace has a file `current` that names the newest list of its tables, `v<number>`, with the checksum of that
//! file. The engine writes the checksum and does not read it, and it deletes a keyspace without `current` as
//! unfinished. The layout belongs to the pinned version of the engine:
//! ```text
//! current = number:u64 checksum:u128 0:u8                        checksum = xxh3 of the list, 128 bits
//! list    = an archive whose section "tables" is
//!           level_count:u8 (run_count:u8 (table_count:u32 (id:u64 0:u8 checksum:u128 seqno:u64)*)*)*
//! ```
//! Numbers are little-endian.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::archive::{self, take};
use super::engine::KEYSPACE_IDS;
use super::error::{OpenError, io_error};

/// What the engine's file `version` holds.
const VERSION: &[u8] = b"FJL\x03";

pub(super) fn verify(engine: &Path) -> Result<(), OpenError> {
    let version_path = engine.join("version");
    if read(&version_path)? != VERSION {
        return Err(corrupt(&version_path, "not the version of the engine"));
    }
    for id in KEYSPACE_IDS {
        verify_keyspace(&engine.join("keyspaces").join(id.to_string()))?;
    }
    Ok(())
}

/// The first table file that is not what the lists say, after the engine has met damage and not said where. Reads
/// every table; a list that changes meanwhile may hide it.
pub(super) fn damaged_table(engine: &Path) -> Option<PathBuf> {
    KEYSPACE_IDS.into_iter().find_map(|id| {
        let keyspace = engine.join("keyspaces").join(id.to_string());
        let mut tables = tables(&keyspace).ok()?.into_iter();
        tables.find_map(|table| {
            let path = table.path(&keyspace);
            (checksum(&path).ok()? != table.checksum).then_some(path)
        })
    })
}

/// Of a file that may be large.
fn checksum(path: &Path) -> io::Result<u128> {
    let (mut file, mut hash, mut buffer) = (File::open(path)?, Xxh3::new(), vec![0; 256 * 1024]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.digest128()),
            count => hash.update(&buffer[..count]),
        }
    }
}

fn verify_keyspace(keyspace: &Path) -> Result<(), OpenError> {
    for table in tables(keyspace)? {
        let path = table.path(keyspace);
        if archive::section(&path, b"meta")?.is_none() {
            return Err(corrupt(&path, "not a table"));
        }
    }
    Ok(())
}

fn corrupt(path: &Path, reason: &str) -> OpenError {
    OpenError::Corrupt { path: path.to_owned(), reason: reason.to_owned() }
}

struct Table {
    id: u64,
    /// Of the whole file.
    checksum: u128,
}

impl Table {
    fn path(&self, keyspace: &Path) -> PathBuf {
        keyspace.join("tables").join(self.id.to_string())
    }
}

/// The tables of the newest list.
fn tables(keyspace: &Path) -> Result<Vec<Table>, OpenError> {
    let current_path = keyspace.join("current");
    let Some((number, checksum)) = decode(&read(&current_path)?) else {
        return Err(corrupt(&current_path, "not a reference to a table list"));
    };
    let list_path = keyspace.join(format!("v{number}"));
    if !list_path.try_exists().map_err(io_error(&list_path))? {
        return Err(corrupt(&current_path, &format!("it names the list {}, which is missing", list_path.display())));
    }
    if xxh3_128(&read(&list_path)?) != checksum {
        return Err(corrupt(&list_path, &format!("its checksum is not the one in {}", current_path.display())));
    }
    let tables = archive::section(&list_path, b"tables")?;
    tables.as_deref().and_then(decode_tables).ok_or_else(|| corrupt(&list_path, "not a list of tables"))
}

fn decode(current: &[u8]) -> Option<(u64, u128)> {
    let mut rest = current;
    let (number, checksum) = (u64::from_le_bytes(take(&mut rest)?), u128::from_le_bytes(take(&mut rest)?));
    (rest == [0]).then_some((number, checksum))
}

fn decode_tables(mut rest: &[u8]) -> Option<Vec<Table>> {
    let mut tables = Vec::new();
    let [level_count] = take(&mut rest)?;
    for _ in 0..level_count {
        let [run_count] = take(&mut rest)?;
        for _ in 0..run_count {
            for _ in 0..u32::from_le_bytes(take(&mut rest)?) {
                let (id, [_kind]) = (u64::from_le_bytes(take(&mut rest)?), take(&mut rest)?);
                tables.push(Table { id, checksum: u128::from_le_bytes(take(&mut rest)?) });
                let _seqno: [u8; 8] = take(&mut rest)?;
            }
        }
    }
    rest.is_empty().then_some(tables)
}

fn read(path: &Path) -> Result<Vec<u8>, OpenError> {
    fs::read(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => OpenError::Corrupt { path: path.to_owned(), reason: "file is missing".to_owned() },
        _ => OpenError::Io { path: path.to_owned(), source },
    })
}
