//! Measures the embedded store in a directory: `measure commit|fill|open|flush <directory> [count]`.
//!
//! - `commit`: durable commits per second with `count` in flight, through the committer.
//! - `fill`: writes `count` runs of three records, a history batch and a timer each.
//! - `flush`: what a graceful shutdown does.
//! - `open`: time and memory to open what is there.

#![allow(clippy::print_stdout, clippy::disallowed_methods, clippy::unwrap_used, reason = "a tool that measures time")]

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use abide_store::embedded::{EmbeddedStore, Options};
use abide_store::{Batch, Committer, Lease, ShardId, Store, Table, keys};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const WORKFLOWS: u64 = 200_000;
const WARM_UP: Duration = Duration::from_secs(1);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let directory = Path::new(&arguments[2]);
    let count = arguments.get(3).map_or(1, |count| count.parse().unwrap());
    match arguments[1].as_str() {
        "commit" => commit(directory, count, Duration::from_secs(6)),
        "fill" => fill(directory, count),
        "flush" => EmbeddedStore::open(directory, &Options::default()).unwrap().flush().unwrap(),
        _ => open(directory),
    }
}

fn run_id(n: u64) -> [u8; 16] {
    // Spread as random ids are.
    let spread = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut run = [0; 16];
    run[..8].copy_from_slice(&spread.to_be_bytes());
    run[8..].copy_from_slice(&n.to_be_bytes());
    run
}

/// Five mutations of about 600 bytes: header, history, outbox entry in, outbox entry out, timer.
fn transition(lease: Lease, rng: &mut SmallRng, n: i64) -> Batch {
    let workflow = rng.random_range(0..WORKFLOWS);
    let (id, run) = (format!("workflow-{workflow}"), run_id(workflow));
    let mut batch = Batch::new(lease);
    batch.put(Table::State, keys::record([1; 16], &id, run, keys::CLASS_HEADER, b""), vec![7; 180]);
    batch.put(Table::History, keys::history(run, n), vec![8; 250]);
    batch.put(Table::Outbox, keys::outbox(n, run, 0, n), vec![9; 60]);
    batch.delete(Table::Outbox, keys::outbox(n - 1, run, 0, n - 1));
    batch.put(Table::Timer, keys::timer(n, [1; 16], &id, run), vec![]);
    batch
}

fn commit(directory: &Path, in_flight: u64, length: Duration) {
    let store = Arc::new(EmbeddedStore::open(directory, &Options::default()).unwrap());
    let lease = store.acquire(ShardId(0)).unwrap();
    let (report, reports) = mpsc::channel();
    let committer = Committer::start(store.clone(), move |dones: Vec<Instant>, result| {
        result.unwrap();
        let _ = report.send((dones, Instant::now())); // nobody listens at the end
    })
    .unwrap();
    let mut rng = SmallRng::seed_from_u64(1);
    let mut n = 0;
    let mut submit = || {
        n += 1;
        committer.submit(transition(lease, &mut rng, n), Instant::now());
    };
    (0..in_flight).for_each(|_| submit());
    let begin = Instant::now();
    let (mut latencies, mut cpu, mut syncs) = (Vec::new(), Duration::ZERO, 0);
    let mut warm = false;
    for (dones, at) in reports {
        if !warm && begin.elapsed() > WARM_UP {
            (warm, cpu, syncs) = (true, cpu_time(), store.sync_count());
        }
        if begin.elapsed() > WARM_UP + length {
            break;
        }
        for done in dones {
            if warm {
                latencies.push(at - done);
            }
            submit();
        }
    }
    let (cpu, syncs) = (cpu_time() - cpu, store.sync_count() - syncs);
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    println!(
        "{in_flight} in flight: {:.0} commits/s, {:.1} per sync, p50 {:?} p99 {:?} p99.9 {:?} max {:?}, CPU {:?} per commit, {} MB resident, {} MB on disk",
        latencies.len() as f64 / length.as_secs_f64(),
        latencies.len() as f64 / syncs as f64,
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0),
        cpu / u32::try_from(latencies.len()).unwrap(),
        resident_mb(),
        store.disk_bytes() >> 20,
    );
}

fn fill(directory: &Path, runs: u64) {
    let store = EmbeddedStore::open(directory, &Options::default()).unwrap();
    let lease = store.acquire(ShardId(0)).unwrap();
    let mut batch = Batch::new(lease);
    for n in 0..runs {
        let (id, run, time) = (format!("workflow-{n}"), run_id(n), i64::try_from(n).unwrap());
        batch.put(Table::State, keys::current([1; 16], &id), run.to_vec());
        batch.put(Table::State, keys::record([1; 16], &id, run, keys::CLASS_HEADER, b""), vec![7; 180]);
        batch.put(Table::State, keys::record([1; 16], &id, run, 1, &[1]), vec![6; 60]);
        batch.put(Table::History, keys::history(run, 1), vec![8; 250]);
        batch.put(Table::Timer, keys::timer(time, [1; 16], &id, run), vec![]);
        if n % 500 == 499 || n + 1 == runs {
            store.commit(&[std::mem::replace(&mut batch, Batch::new(lease))]).unwrap();
        }
    }
    println!("{runs} runs, {} MB on disk, {} MB resident", store.disk_bytes() >> 20, resident_mb());
}

fn open(directory: &Path) {
    let begin = Instant::now();
    let store = EmbeddedStore::open(directory, &Options::default()).unwrap();
    let opened = begin.elapsed();
    store.acquire_all(&[ShardId(0), ShardId(1)]).unwrap();
    let acquired = begin.elapsed();
    let resident = resident_mb();
    let cpu = cpu_time();
    std::thread::sleep(Duration::from_secs(3));
    println!(
        "opened in {opened:?}, acquired after {acquired:?}, {resident} MB resident, {} MB and {:?} CPU after 3 s idle, {} MB on disk",
        resident_mb(),
        cpu_time() - cpu,
        store.disk_bytes() >> 20,
    );
}

fn resident_mb() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    (statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096) >> 20
}

/// User and system time of all threads.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}
