//! Frees the memory of what the engine has written to tables, on a thread that gives way.
//!
//! The engine frees a memtable on whichever thread is there when its last user is done, which is the committing one, and
//! with locks held that every read and write needs: tens of milliseconds for one of 16 MiB, node by node. So this holds
//! each of them for longer than the engine does.

use std::any::Any;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use super::background;
use super::engine::KEYSPACES;

/// How often to look whether the engine has let go of what is retired. It does so after the flush, and tells nobody.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// A memtable, of which only matters here when it is freed.
pub(super) type Memory = Arc<dyn Any + Send + Sync>;

/// The memtables that are written to, one per keyspace, and a thread with those that were.
pub(super) struct Retired {
    active: [Option<Memory>; KEYSPACES],
    retire: Sender<Memory>,
}

impl Retired {
    /// Starts the thread, which ends after this is dropped.
    pub(super) fn start() -> io::Result<Retired> {
        let (retire, retired) = channel();
        thread::Builder::new().name("abide-free".to_owned()).spawn(move || {
            background::give_way();
            free(&retired);
        })?;
        Ok(Retired { active: [const { None }; KEYSPACES], retire })
    }

    /// To be told with each write which memtable the keyspace with this number writes to; it is held until there is another.
    pub(super) fn hold(&mut self, keyspace: usize, active: Memory) {
        let held = self.active[keyspace].get_or_insert_with(|| Arc::clone(&active));
        if !Arc::ptr_eq(held, &active) {
            // Without the thread, which only a panic ends, it is freed here.
            drop(self.retire.send(std::mem::replace(held, active)));
        }
    }
}

/// Frees what nobody else has any more.
fn free(retired: &Receiver<Memory>) {
    let mut held = Vec::new();
    loop {
        let next = if held.is_empty() {
            retired.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            retired.recv_timeout(LOOK_INTERVAL)
        };
        match next {
            Ok(memory) => held.push(memory),
            Err(RecvTimeoutError::Timeout) => held.retain(|memory| Arc::strong_count(memory) > 1),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread::ThreadId;

    use super::*;

    /// Tells which thread freed it.
    struct Freed(u8, Sender<(u8, ThreadId)>);

    impl Drop for Freed {
        fn drop(&mut self) {
            let _ = self.1.send((self.0, thread::current().id()));
        }
    }

    #[test]
    fn what_is_no_longer_used_is_freed_on_another_thread_and_nothing_before() {
        let (tell, freed) = channel();
        let memory = |number| Arc::new(Freed(number, tell.clone()));
        let (first, second) = (memory(1), memory(2));
        let mut retired = Retired::start().expect("a thread");
        retired.hold(0, first.clone());
        retired.hold(1, memory(3));
        retired.hold(1, second.clone());
        let (number, thread) = freed.recv().expect("the thread runs");
        assert_eq!(number, 3);
        assert_ne!(thread, thread::current().id());
        // Retired while in use, and freed after that without another one.
        retired.hold(1, memory(4));
        drop(second);
        let (number, thread) = freed.recv().expect("the thread runs");
        assert_eq!(number, 2);
        assert_ne!(thread, thread::current().id());
        drop(first);
        assert!(freed.try_recv().is_err(), "freed on the thread that used it, or while it was in use");
    }
}
