//! What workflows of three activities make the server write, and what of that stays on disk.
use std::{fs, path::Path, time::Duration};

use super::findings::Findings;
use crate::{
    clock,
    error::Error,
    load::Generator,
    options::Load,
    target::{Server, Target},
    workloads::activities::Activities,
};

const CONCURRENCY: usize = 64;
/// How long the load goes on between two looks at how much was done.
const STEP: Duration = Duration::from_secs(2);
/// The server is done with what it does behind the calls when it has written nothing for so long.
const QUIET: Duration = Duration::from_secs(5);
/// But no longer than this is waited for it.
const QUIET_PATIENCE: Duration = Duration::from_secs(120);
const WRITTEN_BYTES: f64 = 12_000.0;
const KEPT_BYTES: f64 = 3_000.0;
/// The extension of the store's log.
const LOG: &str = "jnl";

pub(super) async fn run(server: &Server, root: &Path, load: &Load, workflows: u64) -> Result<Findings, Error> {
    let target = server.target(root).await?;
    let generator = Generator::start(&target.address, load, Activities::new(3)).await?;
    generator.closed_loop(CONCURRENCY, load.warm_up).await?;
    let (disk_before, before) = (target.disk_bytes(), target.process.and_then(|p| p.written()));
    let mut done = 0;
    while done < workflows {
        done += generator.closed_loop(CONCURRENCY, STEP).await?.len() as u64;
    }
    generator.flush().await?;
    quiet(&target).await;
    let after = target.process.and_then(|p| p.written());
    let (disk, log) = (target.disk_bytes(), target.data_dir().map(log_bytes));
    let per = |bytes: u64| bytes as f64 / done as f64;
    let written = before.zip(after);
    let mut findings = Findings::of("written");
    findings.figure("workflows of 3 activities", Some(done as f64), "");
    let to_storage = written.map(|(b, a)| per(a.to_storage_bytes - b.to_storage_bytes));
    findings.at_most("to storage, per workflow", to_storage, "bytes", WRITTEN_BYTES);
    let by_calls = written.map(|(b, a)| per(a.by_calls_bytes - b.by_calls_bytes));
    findings.figure("by write calls, with some of the sockets', per workflow", by_calls, "bytes");
    let kept = disk.zip(disk_before).map(|(after, before)| per(after.saturating_sub(before)));
    findings.at_most("kept on disk, per workflow", kept, "bytes", KEPT_BYTES);
    let tables = disk.zip(log).map(|(disk, log)| per(disk.saturating_sub(log)));
    findings.figure("kept on disk without the log, per workflow", tables, "bytes");
    findings.figure("the log", log.map(|bytes| bytes as f64 / 1e6), "MB");
    Ok(findings)
}

/// Waits until the server writes nothing any more, so that all that it puts off is written and old files are gone.
pub(super) async fn quiet(target: &Target) {
    let now = || (target.process.and_then(|p| p.written()).map(|w| w.to_storage_bytes), target.disk_bytes());
    let begin = clock::now();
    let mut last = now();
    while begin.elapsed() < QUIET_PATIENCE {
        clock::pause(QUIET).await;
        let next = now();
        if next == last {
            return;
        }
        last = next;
    }
}

/// What the log takes of all that is on disk, in bytes.
pub(super) fn log_bytes(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    let each = entries.flatten().map(|entry| {
        let path = entry.path();
        if path.is_dir() {
            log_bytes(&path)
        } else if path.extension().is_some_and(|extension| extension == LOG) {
            allocated(&path)
        } else {
            0
        }
    });
    each.sum()
}

fn allocated(file: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(file).map_or(0, |metadata| metadata.blocks() * 512)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::log_bytes;
    use crate::measure::disk_bytes;

    #[test]
    fn the_log_is_a_part_of_the_disk() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("inner")).unwrap();
        fs::write(directory.path().join("inner/0.jnl"), [1; 64 << 10]).unwrap();
        fs::write(directory.path().join("table"), [1; 64 << 10]).unwrap();
        let (log, all) = (log_bytes(directory.path()), disk_bytes(directory.path()).unwrap());
        assert!(log >= 64 << 10 && all >= log + (64 << 10), "{log} of {all}");
    }
}
