//! Damage to the files of the embedded store: it serves exactly what was acknowledged, or refuses and names the place.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use abide_store::embedded::{EmbeddedStore, OpenError, Options};
use abide_store::{Batch, Error, Order, ShardId, Store, Table};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const SHARD: ShardId = ShardId(1);
const TABLES: [Table; 2] = [Table::State, Table::History];
const ALL: std::ops::Range<&[u8]> = b""..&[0xFF];

type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// A closed store whose data is partly in tables, partly only in the log, with values that were overwritten.
struct Sample {
    directory: tempfile::TempDir,
    /// Of each of [`TABLES`].
    expected: Vec<Entries>,
}

fn sample(flushed: bool) -> Sample {
    let directory = tempfile::tempdir().unwrap();
    let memtable_bytes = if flushed { 16 * 1024 } else { 16 * 1024 * 1024 };
    let options = Options { memtable_bytes, ..Options::default() };
    let store = EmbeddedStore::open(directory.path(), &options).unwrap();
    let lease = store.acquire(SHARD).unwrap();
    for round in 0..4u8 {
        for n in 0..60u8 {
            let mut batch = Batch::new(lease);
            batch.put(Table::State, vec![n % 20], vec![round ^ n; 150]);
            batch.put(Table::History, vec![round, n], vec![n; 80]);
            batch.delete(Table::State, vec![n % 7]);
            store.commit(&[batch]).unwrap();
        }
    }
    drop(store);
    // A second opening cuts the part of the log that was only reserved, which makes copies small.
    let store = EmbeddedStore::open(directory.path(), &options).unwrap();
    let expected = TABLES.map(|table| store.scan(SHARD, table, ALL, usize::MAX, Order::Forward).unwrap());
    assert_eq!((expected[0].len(), expected[1].len()), (13, 240));
    drop(store);
    Sample { directory, expected: expected.to_vec() }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

#[derive(Debug, Default)]
struct Tally {
    exact: u32,
    refused_on_open: u32,
    refused_on_read: u32,
}

/// Opens a copy of the sample after `damage` to one of its files and reads everything.
fn check(sample: &Sample, file: &Path, what: &str, damage: impl FnOnce(&Path), tally: &mut Tally) {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().join("store");
    copy(sample.directory.path(), &directory);
    let what = format!("{} {what}", file.display());
    let file = directory.join(file);
    damage(&file);
    // Of what is gone not always more is known than where it was.
    let place = if file.exists() { file.as_path() } else { file.parent().unwrap() };
    let name = place.display().to_string();
    let store = match EmbeddedStore::open(&directory, &Options::default()) {
        Ok(store) => store,
        Err(error) => {
            assert!(!matches!(error, OpenError::InUse { .. }), "{what}: {error}");
            assert!(error.to_string().contains(&name), "{what}: {error} does not name {name}");
            tally.refused_on_open += 1;
            return;
        }
    };
    let mut refused = false;
    let mut see = |error: Error| {
        assert!(error.to_string().contains(&name), "{what}: {error} does not name {name}");
        refused = true;
    };
    for (table, expected) in TABLES.into_iter().zip(&sample.expected) {
        match store.scan(SHARD, table, ALL, usize::MAX, Order::Forward) {
            Ok(got) => {
                assert!(got == *expected, "{what}: wrong data in {table:?}, {} of {}", got.len(), expected.len())
            }
            Err(error) => see(error),
        }
        for (key, value) in expected {
            match store.get(SHARD, table, key) {
                Ok(got) => assert!(got.as_ref() == Some(value), "{what}: wrong value in {table:?} for {key:?}"),
                Err(error) => see(error),
            }
        }
    }
    if refused { tally.refused_on_read += 1 } else { tally.exact += 1 }
}

fn flip(path: &Path, bit: u64) {
    let mut bytes = fs::read(path).unwrap();
    bytes[usize::try_from(bit / 8).unwrap()] ^= 1 << (bit % 8);
    fs::write(path, bytes).unwrap();
}

fn cut(path: &Path, kept: u64) {
    fs::OpenOptions::new().write(true).open(path).unwrap().set_len(kept).unwrap();
}

fn damage_every_file(sample: &Sample, flips_per_file: u32, seed: u64) -> Tally {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut tally = Tally::default();
    for path in files(sample.directory.path()) {
        let relative = path.strip_prefix(sample.directory.path()).unwrap();
        let length = fs::metadata(&path).unwrap().len();
        check(sample, relative, "emptied", |file| fs::write(file, b"").unwrap(), &mut tally);
        check(sample, relative, "removed", |file| fs::remove_file(file).unwrap(), &mut tally);
        if length == 0 {
            continue;
        }
        for _ in 0..flips_per_file {
            let bit = rng.random_range(0..length * 8);
            check(sample, relative, &format!("bit {bit} flipped"), |file| flip(file, bit), &mut tally);
        }
        let kept = rng.random_range(0..length);
        check(sample, relative, &format!("cut to {kept} of {length}"), |file| cut(file, kept), &mut tally);
    }
    tally
}

#[test]
fn damage_to_the_log_never_shows_as_data() {
    let sample = sample(false);
    let tally = damage_every_file(&sample, 6, 1);
    assert!(tally.refused_on_open > 10 && tally.exact > 10, "{tally:?}");

    let log = Path::new("data/engine/0.jnl");
    let length = fs::metadata(sample.directory.path().join(log)).unwrap().len();
    let mut tally = Tally::default();
    let mut rng = SmallRng::seed_from_u64(2);
    // Every bit of the head of one batch: its item count and its sequence number.
    let head = (0..13 * 8).map(|bit| 13 * 8 + bit);
    for bit in head.chain((0..60).map(|_| rng.random_range(0..length * 8))) {
        check(&sample, log, &format!("bit {bit} flipped"), |file| flip(file, bit), &mut tally);
    }
    for _ in 0..20 {
        let kept = rng.random_range(0..length);
        check(&sample, log, &format!("cut to {kept}"), |file| cut(file, kept), &mut tally);
    }
    assert!(tally.refused_on_open > 130, "{tally:?}");
}

#[test]
fn damage_to_tables_never_shows_as_data() {
    let sample = sample(true);
    let tables = files(sample.directory.path()).iter().filter(|path| path.to_string_lossy().contains("tables")).count();
    assert!(tables > 4, "the sample was flushed: {tables} files");
    let tally = damage_every_file(&sample, 4, 3);
    assert!(tally.refused_on_open > 100 && tally.refused_on_read > 0 && tally.exact > 0, "{tally:?}");
}
