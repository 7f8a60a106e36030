//! Work that can wait: threads that give way to those whose work a client waits for.

use std::io;
use std::thread;

/// How far they give way: a busy thread of the usual priority gets nine times as much of a processor. Flushes keep up with it on a
/// full machine.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Runs `work` on a thread that gives way, as do the threads that it starts, and waits for it. Where the system has one
/// priority for all threads of a process, it stays as it is.
pub(super) fn run<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("abide-background".to_owned()).spawn_scoped(scope, || {
            give_way();
            work()
        })?;
        Ok(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Lowers the priority of the thread that calls.
pub(super) fn give_way() {
    // To lower one's own priority is always allowed; and if not, nothing but speed is lost.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(NICENESS);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn niceness() -> i32 {
        // `nice` answers what it has set.
        rustix::process::nice(0).expect("its own priority")
    }

    #[test]
    fn a_thread_gives_way_with_those_it_starts_and_nobody_else_does() {
        let before = niceness();
        let started = || thread::Builder::new().spawn(niceness).expect("a thread").join().expect("no panic");
        let (own, inherited) = run(|| (niceness(), started())).expect("a thread");
        assert_eq!((own, inherited), (before + NICENESS, before + NICENESS));
        assert_eq!(niceness(), before);
    }
}
