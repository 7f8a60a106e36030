//! What was kept, and fresh inputs from a fixed seed: none may find anything.
#![allow(clippy::unwrap_used)]
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Once,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    time::Duration,
};

use abide_fuzz::{TARGETS, Target};

/// Longer than any input takes on a machine that has other things to do.
const HANG: Duration = Duration::from_secs(120);
const INPUT_BYTES_MAX: u64 = 600;

/// A small generator (SplitMix64).
struct Seed(u64);

impl Seed {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn input(&mut self) -> Vec<u8> {
        let length = self.next() % INPUT_BYTES_MAX;
        (0..length).map(|_| self.next() as u8).collect()
    }
}

/// Panics on any thread, also those that the server catches.
static PANICS: AtomicUsize = AtomicUsize::new(0);

fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.fetch_add(1, Ordering::Relaxed);
            usual(panic);
        }));
    });
}

fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).unwrap()
}

/// The files of a folder by name; none where there is no folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// What was kept of a target in `corpus` or `found`.
fn kept(folder: &str, target: &str) -> Vec<(String, Vec<u8>)> {
    let files = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(target));
    files.into_iter().map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect()
}

/// Plays all that was kept for a target, then random inputs.
fn play(name: &'static str, random: usize) {
    count_panics();
    let (done, progress) = mpsc::channel();
    let player = std::thread::Builder::new().name(name.to_owned()).stack_size(2 << 20);
    let player = player.spawn(move || {
        let mut seed = Seed(7);
        let fresh = (0..random).map(|n| (format!("random input {n}"), seed.input()));
        let inputs = kept("found", name).into_iter().chain(kept("corpus", name)).chain(fresh);
        for (title, input) in inputs {
            let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
            fs::write(copy, &input).unwrap();
            done.send(title).unwrap();
            (target(name).run)(&input);
            assert_eq!(PANICS.load(Ordering::Relaxed), 0, "something panicked, and somebody caught it");
        }
    });
    let player = player.unwrap();
    let mut last = String::new();
    loop {
        match progress.recv_timeout(HANG) {
            Ok(title) => last = title,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => panic!("{name}: {last} takes too long"),
        }
    }
    let tmp = env!("CARGO_TARGET_TMPDIR");
    assert!(player.join().is_ok(), "{name}: {last} found something; the input is {tmp}/{name}");
}

/// Plays the file, or the files of the folder, that `ABIDE_FUZZ_INPUT` names, against the target of `ABIDE_FUZZ_TARGET`.
/// With `ABIDE_FUZZ_TELL` each call is told as it is made.
#[test]
#[ignore = "needs an input"]
fn one() {
    let variable = |name: &str| std::env::var(name).unwrap();
    let (target, input) = (target(&variable("ABIDE_FUZZ_TARGET")), PathBuf::from(variable("ABIDE_FUZZ_INPUT")));
    let inputs = if input.is_dir() { files(&input) } else { vec![input] };
    inputs.into_iter().for_each(|input| (target.run)(&fs::read(input).unwrap()));
}

#[test]
fn rpc_sequences() {
    play("rpc_sequences", 400);
}

#[test]
fn completions() {
    play("completions", 1000);
}

#[test]
fn records() {
    play("records", 400);
}

#[test]
fn tokens() {
    play("tokens", 400);
}

#[test]
fn proto_json() {
    play("proto_json", 4000);
}
