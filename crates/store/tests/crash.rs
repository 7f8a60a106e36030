//! The embedded store in a process that is killed, or whose disk fails: nothing acknowledged is lost, nothing is torn.
//!
//! The process is this test binary, started again with an ignored test that does the writing.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;

use abide_store::embedded::{EmbeddedStore, Options};
use abide_store::{Batch, CommitError, Order, ShardId, Store, Table, keys};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const SHARD: ShardId = ShardId(2);
const RUN: [u8; 16] = [7; 16];
const DIRECTORY: &str = "ABIDE_STORE_TEST_DIRECTORY";

/// Small memtables, so that flushes and compactions are under way at any moment.
fn options() -> Options {
    Options { memtable_bytes: 64 * 1024, ..Options::default() }
}

/// The value of history batch `n`, long enough that some groups span pages.
fn value(n: i64) -> Vec<u8> {
    let mut rng = SmallRng::seed_from_u64(n.cast_unsigned());
    let length = if n % 50 == 0 { 20_000 } else { rng.random_range(0..600) };
    (0..length).map(|_| rng.random()).collect()
}

const COUNTER: &[u8] = b"counter";
const KEPT: i64 = 100;

/// Transition `n` as batches: a counter, a new entry, and the removal of an old one, sometimes of a whole range.
fn transition(lease: abide_store::Lease, n: i64) -> [Batch; 2] {
    let mut first = Batch::new(lease);
    first.put(Table::State, COUNTER.to_vec(), n.to_be_bytes().to_vec());
    first.put(Table::History, keys::history(RUN, n), value(n));
    let mut second = Batch::new(lease);
    second.put(Table::Timer, keys::timer(n, [0; 16], "id", RUN), vec![]);
    second.delete(Table::Timer, keys::timer(n - 1, [0; 16], "id", RUN));
    if n % KEPT == 0 {
        second.delete_range(Table::History, keys::history(RUN, 0)..keys::history(RUN, n - KEPT));
    }
    [first, second]
}

/// Checks that the store holds exactly what it should after some transition, and says which.
fn check(store: &EmbeddedStore) -> i64 {
    let counter = store.get(SHARD, Table::State, COUNTER).unwrap();
    let Some(counter) = counter else {
        assert!(store.scan(SHARD, Table::History, b""..&[0xFF], 1, Order::Forward).unwrap().is_empty());
        return 0;
    };
    let n = i64::from_be_bytes(counter.try_into().unwrap());
    let first = (n / KEPT * KEPT - KEPT).max(1);
    let expected: Vec<_> = (first..=n).map(|n| (keys::history(RUN, n), value(n))).collect();
    let got = store.scan(SHARD, Table::History, b""..&[0xFF], usize::MAX, Order::Forward).unwrap();
    assert!(got == expected, "history after {n} is not exact: {} of {} entries", got.len(), expected.len());
    let timers = store.scan(SHARD, Table::Timer, b""..&[0xFF], usize::MAX, Order::Forward).unwrap();
    assert_eq!(timers, [(keys::timer(n, [0; 16], "id", RUN), vec![])]);
    n
}

fn directory_of_child() -> PathBuf {
    std::env::var_os(DIRECTORY).expect("started by the test that kills it").into()
}

/// A shell line that becomes the ignored test `name` of this binary, writing to `directory`.
fn child(name: &str, directory: &Path, shell: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{shell} exec \"$0\" \"$@\"")]);
    command.arg(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--ignored", "--nocapture", "--test-threads=1"]);
    command.env(DIRECTORY, directory).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

fn print(line: &str) {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "\n{line}").and_then(|()| stdout.flush()).unwrap();
}

#[test]
#[ignore = "the process that gets killed"]
fn write_until_killed() {
    let store = EmbeddedStore::open(&directory_of_child(), &options()).unwrap();
    let lease = store.acquire(SHARD).unwrap();
    for n in check(&store) + 1.. {
        store.commit(&transition(lease, n)).unwrap();
        print(&format!("ack {n}"));
    }
}

#[test]
fn a_killed_process_loses_nothing_it_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let mut rng = SmallRng::seed_from_u64(1);
    let mut total = 0;
    for round in 0..20 {
        let mut child = child("write_until_killed", directory.path(), "").spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let acks = lines.filter_map(|line| line.strip_prefix("ack ")?.parse::<i64>().ok());
        // The child writes on until it is killed, so where that hits it is as random as the machine.
        let mut last = 0;
        for ack in acks {
            let enough = ack == last + 1 && rng.random_ratio(1, 100);
            last = ack;
            if enough {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(last > total, "round {round} made progress");
        let store = EmbeddedStore::open(directory.path(), &options()).unwrap();
        let durable = check(&store);
        assert!(durable == last || durable == last + 1, "round {round}: {last} acknowledged, {durable} durable");
        total = durable;
    }
}

#[test]
#[ignore = "the process whose disk fails"]
fn write_until_the_disk_fails() {
    let store = EmbeddedStore::open(&directory_of_child(), &Options { memtable_bytes: 1 << 30, ..options() }).unwrap();
    let lease = store.acquire(SHARD).unwrap();
    let (tell, told) = mpsc::channel();
    store.on_stop(Box::new(move |reason| tell.send(reason.to_owned()).unwrap()));
    for n in 1.. {
        let mut large = Batch::new(lease);
        large.put(Table::Outbox, keys::outbox(n, RUN, 0, 0), vec![0xCD; 1 << 20]);
        let [first, second] = transition(lease, n);
        match store.commit(&[first, large, second]) {
            Ok(()) => print(&format!("ack {n}")),
            Err(CommitError::Unavailable(_)) => break,
            Err(error) => panic!("{error}"),
        }
    }
    // Would fit, but nobody knows any more what the disk holds.
    let mut small = Batch::new(lease);
    small.delete(Table::State, COUNTER.to_vec());
    let refused = store.commit(&[small]).unwrap_err().to_string();
    assert!(refused.contains("an earlier write failed"), "{refused}");
    let told = told.try_iter().collect::<Vec<_>>();
    assert!(told.len() == 1 && told[0].contains("an earlier write failed"), "told once: {told:?}");
    let (tell, late) = mpsc::channel();
    store.on_stop(Box::new(move |reason| tell.send(reason.to_owned()).unwrap()));
    assert_eq!(late.try_iter().collect::<Vec<_>>(), told, "who asks later is told at once");
    assert!(store.acquire(SHARD).unwrap_err().to_string().contains(&store.path().display().to_string()));
    print("stopped");
}

#[test]
fn a_failed_write_stops_the_store_and_loses_nothing_before_it() {
    let directory = tempfile::tempdir().unwrap();
    // The log starts at 64 MiB and may grow to 70 (in blocks of 512 bytes); then writes fail.
    let limit = "trap '' XFSZ; ulimit -f 143360;";
    let output = child("write_until_the_disk_fails", directory.path(), limit).output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let last = output.lines().filter_map(|line| line.strip_prefix("ack ")?.parse::<i64>().ok()).max().unwrap();
    assert!(output.lines().any(|line| line == "stopped"), "{output}");
    let store = EmbeddedStore::open(directory.path(), &options()).unwrap();
    let durable = check(&store);
    assert!(durable == last || durable == last + 1, "{last} acknowledged, {durable} durable");
    assert!(last > 10);
}
