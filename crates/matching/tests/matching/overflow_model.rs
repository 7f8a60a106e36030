//! Random calls on a queue of four places before an outbox that holds everything: each task comes exactly once, the
//! first one waiting always comes first, memory stays bounded, and the queue asks for what it needs.

use std::collections::BTreeMap;

use abide_matching::{Entry, Offer, Options, Refill, Room, Taken};
use proptest::prelude::*;

use crate::support::{Queues, TestTask, entry, queues, refill_wanted, take, workflow_queue};

const MAX_ENTRIES: usize = 4;

#[derive(Clone, Debug)]
enum Call {
    Offer { priority: u8, scheduled_time_ms: i64 },
    OfferAll,
    Take,
    Finish(usize),
    GiveBack(usize),
    Cancel(usize),
    BeginRefill,
    AddSome(usize),
    FinishRefill,
    AbortRefill,
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        10 => (1..4u8, 0..50i64).prop_map(|(priority, scheduled_time_ms)| Call::Offer { priority, scheduled_time_ms }),
        1 => Just(Call::OfferAll),
        8 => Just(Call::Take),
        5 => any::<usize>().prop_map(Call::Finish),
        2 => any::<usize>().prop_map(Call::GiveBack),
        1 => any::<usize>().prop_map(Call::Cancel),
        3 => Just(Call::BeginRefill),
        4 => (0..6usize).prop_map(Call::AddSome),
        3 => Just(Call::FinishRefill),
        1 => Just(Call::AbortRefill),
    ]
}

type Place = (u8, i64);

/// A refill with the outbox as it was when the refill began, in order; the first `done` are added.
struct Scan {
    refill: Refill<TestTask>,
    snapshot: Vec<Entry<TestTask>>,
    done: usize,
}

struct Run {
    queues: Queues,
    /// Every task that is neither finished nor cancelled.
    outbox: BTreeMap<u32, Place>,
    taken: Vec<Taken<TestTask>>,
    scan: Option<Scan>,
    next_key: u32,
    /// The most tasks that were out at once.
    max_out: usize,
}

impl Run {
    fn new() -> Self {
        let options = Options { max_backlog_entries: MAX_ENTRIES, refill_below_entries: 1, ..Options::default() };
        Self { queues: queues(options).0, outbox: BTreeMap::new(), taken: vec![], scan: None, next_key: 0, max_out: 0 }
    }

    fn is_out(&self, key: u32) -> bool {
        self.taken.iter().any(|taken| taken.task.key == key)
    }

    fn apply(&mut self, call: Call) {
        let queue = workflow_queue();
        match call {
            Call::Offer { priority, scheduled_time_ms } => {
                self.next_key += 1;
                self.outbox.insert(self.next_key, (priority, scheduled_time_ms));
                let offer = self.queues.offer(&queue, entry(self.next_key, priority, scheduled_time_ms));
                assert!(matches!(offer, Offer::Queued | Offer::Overflow(_)), "{offer:?}");
            }
            Call::OfferAll => {
                // One that is out would come twice, and be found obsolete by who gets it then.
                for (&key, &(priority, scheduled_time_ms)) in self.outbox.iter().filter(|(key, _)| !self.is_out(**key))
                {
                    let offer = self.queues.offer(&queue, entry(key, priority, scheduled_time_ms));
                    assert_ne!(offer, Offer::Delivered);
                }
            }
            Call::Take => {
                self.take();
            }
            Call::Finish(index) if !self.taken.is_empty() => {
                let finished = self.taken.swap_remove(index % self.taken.len()).finish();
                self.outbox.remove(&finished.task.key).unwrap();
            }
            Call::GiveBack(index) if !self.taken.is_empty() => {
                self.taken.swap_remove(index % self.taken.len()).give_back();
            }
            Call::Cancel(index) if !self.outbox.is_empty() => {
                let key = *self.outbox.keys().nth(index % self.outbox.len()).unwrap();
                if self.queues.cancel(&queue, key).is_some() {
                    assert!(!self.is_out(key));
                    self.outbox.remove(&key);
                }
            }
            Call::BeginRefill => {
                if let Some(refill) = self.queues.begin_refill(&queue) {
                    assert!(self.scan.is_none());
                    let mut snapshot: Vec<_> =
                        self.outbox.iter().map(|(&key, &(p, time))| entry(key, p, time)).collect();
                    snapshot.sort_by_key(|entry| (entry.priority, entry.scheduled_time_ms, entry.task.key));
                    self.scan = Some(Scan { refill, snapshot, done: 0 });
                }
            }
            Call::AddSome(count) => {
                if let Some(scan) = &mut self.scan {
                    let until = scan.snapshot.len().min(scan.done + count);
                    assert_ne!(scan.refill.add(scan.snapshot[scan.done..until].iter().cloned()), Room::Gone);
                    scan.done = until;
                }
            }
            Call::FinishRefill => {
                if let Some(scan) = self.scan.take() {
                    scan.refill.finish(scan.done == scan.snapshot.len());
                }
            }
            Call::AbortRefill => self.scan = None,
            Call::Finish(_) | Call::GiveBack(_) | Call::Cancel(_) => {}
        }
        let in_memory: u64 = self.queues.backlog(&queue).by_priority.iter().map(|of| of.count).sum();
        assert!(in_memory as usize <= MAX_ENTRIES + self.max_out, "only what is given back may exceed the bound");
    }

    /// Takes what comes, if something does, and checks that it was the first of all that wait.
    fn take(&mut self) -> bool {
        let Some(taken) = take(&self.queues, &workflow_queue()) else { return false };
        let place = (taken.priority, taken.scheduled_time_ms);
        assert!(!self.is_out(taken.task.key), "a task is out twice");
        assert_eq!(self.outbox.get(&taken.task.key), Some(&place), "a task came back after it was finished");
        let first = self.outbox.iter().filter(|&(&key, _)| !self.is_out(key)).map(|(_, &place)| place).min();
        assert_eq!(Some(place), first);
        self.taken.push(taken);
        self.max_out = self.max_out.max(self.taken.len());
        true
    }

    /// Serves the queue as a caller would until all is done: refills only when it asks.
    fn wind_up(mut self) {
        self.apply(Call::FinishRefill);
        while !self.outbox.is_empty() {
            if self.take() {
                self.apply(Call::Finish(0));
            } else if !self.taken.is_empty() {
                self.apply(Call::GiveBack(0));
            } else {
                assert_eq!(refill_wanted(&self.queues), Some(workflow_queue()), "tasks wait and nobody asks for them");
                self.apply(Call::BeginRefill);
                self.apply(Call::AddSome(usize::MAX / 2));
                self.apply(Call::FinishRefill);
            }
        }
        assert!(!self.take());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_task_comes_once_and_in_order(calls in prop::collection::vec(call(), 0..150)) {
        let mut run = Run::new();
        for call in calls {
            run.apply(call);
        }
        run.wind_up();
    }
}
