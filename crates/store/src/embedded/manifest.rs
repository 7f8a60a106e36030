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

use std::fs;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_128;

use super::archive::{self, take};
use super::engine::KEYSPACE_IDS;
use super::error::OpenError;

pub(super) fn verify(engine: &Path) -> Result<(), OpenError> {
    for id in KEYSPACE_IDS {
        verify_keyspace(&engine.join("keyspaces").join(id.to_string()))?;
    }
    Ok(())
}

fn verify_keyspace(keyspace: &Path) -> Result<(), OpenError> {
    let corrupt = |path: &Path, reason: &str| OpenError::Corrupt { path: path.to_owned(), reason: reason.to_owned() };
    let current_path = keyspace.join("current");
    let Some((number, checksum)) = decode(&read(&current_path)?) else {
        return Err(corrupt(&current_path, "not a reference to a table list"));
    };
    let list_path = keyspace.join(format!("v{number}"));
    if xxh3_128(&read(&list_path)?) != checksum {
        return Err(corrupt(&list_path, "checksum mismatch"));
    }
    let tables = archive::section(&list_path, b"tables")?;
    let Some(ids) = tables.as_deref().and_then(table_ids) else {
        return Err(corrupt(&list_path, "not a list of tables"));
    };
    for id in ids {
        let path = keyspace.join("tables").join(id.to_string());
        if archive::section(&path, b"meta")?.is_none() {
            return Err(corrupt(&path, "not a table"));
        }
    }
    Ok(())
}

fn decode(current: &[u8]) -> Option<(u64, u128)> {
    let mut rest = current;
    let (number, checksum) = (u64::from_le_bytes(take(&mut rest)?), u128::from_le_bytes(take(&mut rest)?));
    (rest == [0]).then_some((number, checksum))
}

fn table_ids(mut rest: &[u8]) -> Option<Vec<u64>> {
    let mut ids = Vec::new();
    let [level_count] = take(&mut rest)?;
    for _ in 0..level_count {
        let [run_count] = take(&mut rest)?;
        for _ in 0..run_count {
            for _ in 0..u32::from_le_bytes(take(&mut rest)?) {
                ids.push(u64::from_le_bytes(take(&mut rest)?));
                let _checksum_and_seqno: [u8; 1 + 16 + 8] = take(&mut rest)?;
            }
        }
    }
    rest.is_empty().then_some(ids)
}

fn read(path: &Path) -> Result<Vec<u8>, OpenError> {
    fs::read(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => {
            OpenError::Corrupt { path: path.to_owned(), reason: "file is missing".to_owned() }
        }
        _ => OpenError::Io { path: path.to_owned(), source },
    })
}
