//! Work that can wait: threads that give way to those whose work a client waits for.

use std::io;
use std::thread;

/// How far they give way: a busy thread of the usual priority gets nine times as much of a processor. Flushes keep up with it on a
/// full machine.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// The thread that opens the engine. Those that it starts have its name until they run.
const OPENS: &str = "abide-open";

/// The engine's threads that flush and compact.
#[cfg(target_os = "linux")]
const WORKS: &str = "fjall:worker";

/// Opens the engine; the threads that flush and compact give way once it is open. That itself must not: on a busy machine a
/// server would then be long in starting. Where the system has one priority for all threads of a process, it stays as it is.
pub(super) fn open<T: Send>(open: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name(OPENS.to_owned()).spawn_scoped(scope, || {
            let opened = open();
            // If it fails, nothing but speed is lost.
            #[cfg(target_os = "linux")]
            let _ = give_way_by_name(&[OPENS, WORKS]);
            opened
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

/// Lowers the priority of this process's threads with these names.
#[cfg(target_os = "linux")]
fn give_way_by_name(names: &[&str]) -> io::Result<()> {
    use rustix::process::{Pid, getpriority_process, setpriority_process};
    let lower = getpriority_process(None)? + NICENESS;
    for task in std::fs::read_dir("/proc/self/task")? {
        let task = task?;
        let id = task.file_name().to_str().and_then(|id| id.parse().ok()).and_then(Pid::from_raw);
        // One that has ended meanwhile has no name.
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if id.is_some() && names.contains(&name.trim_end()) {
            setpriority_process(id, lower)?;
        }
    }
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::mpsc::{RecvError, Sender, channel};

    use super::*;

    fn niceness() -> i32 {
        // `nice` answers what it has set.
        rustix::process::nice(0).expect("its own priority")
    }

    #[test]
    fn the_engines_threads_give_way_once_it_is_open_and_nobody_else_does() {
        let before = niceness();
        let start = |name: Option<&str>| {
            let (go_on, wait) = channel::<()>();
            let builder = name.iter().fold(thread::Builder::new(), |builder, name| builder.name((*name).to_owned()));
            let wait = move || wait.recv().map(|()| niceness());
            (go_on, builder.spawn(wait).expect("a thread"))
        };
        let other = start(Some("other"));
        let (opening, worker, unnamed) = open(|| (niceness(), start(Some(WORKS)), start(None))).expect("a thread");
        let niceness_of = |(go_on, thread): (Sender<()>, thread::JoinHandle<Result<i32, RecvError>>)| {
            go_on.send(()).expect("it waits");
            thread.join().expect("no panic").expect("told to go on")
        };
        assert_eq!(opening, before);
        assert_eq!((niceness_of(worker), niceness_of(unnamed)), (before + NICENESS, before + NICENESS));
        assert_eq!((niceness_of(other), niceness()), (before, before));
    }

    #[test]
    fn one_that_gives_way_does_so_alone() {
        let before = niceness();
        let gives_way = || {
            give_way();
            niceness()
        };
        let given = thread::Builder::new().spawn(gives_way).expect("a thread");
        assert_eq!((given.join().expect("no panic"), niceness()), (before + NICENESS, before));
    }
}
