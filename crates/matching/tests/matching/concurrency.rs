//! Many producers and pollers on several threads, with polls and tasks dropped at every stage.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use abide_matching::{Matching, Options};
use tokio::sync::Notify;

use crate::support::{Queues, queues, start_poll, task, workflow_queue};

const TASKS: u32 = 20_000;
const PRODUCERS: u32 = 4;
const POLLERS: u32 = 16;

/// What was finished, and a signal when that is everything.
#[derive(Default)]
struct Finished {
    keys: Mutex<BTreeSet<u32>>,
    all: Notify,
}

impl Finished {
    fn add(&self, key: u32) {
        let mut keys = self.keys.lock().unwrap();
        assert!(keys.insert(key), "task {key} came twice");
        if keys.len() == TASKS as usize {
            self.all.notify_one();
        }
    }
}

async fn worker(queues: Queues, finished: Arc<Finished>, seed: u32) {
    let queue = workflow_queue();
    let mut turn = seed;
    loop {
        turn = turn.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let mut poll = start_poll(&queues, &queue);
        match turn >> 28 {
            // Left at once, with whatever was on its way.
            0 => continue,
            // Left after others had a chance to hand it something.
            1 | 2 => {
                tokio::select! {
                    biased;
                    () = tokio::task::yield_now() => continue,
                    taken = &mut poll => match taken {
                        None => return,
                        Some(taken) => finished.add(taken.finish().task.key),
                    },
                }
            }
            choice => match poll.await {
                None => return,
                Some(taken) if choice == 3 => taken.give_back(),
                Some(taken) => {
                    tokio::task::yield_now().await;
                    finished.add(taken.finish().task.key);
                }
            },
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[allow(clippy::disallowed_methods)] // the test is about real threads
async fn nothing_is_lost_or_doubled() {
    let (queues, _) = queues(Options::default());
    let finished = Arc::new(Finished::default());
    let workers: Vec<_> =
        (0..POLLERS).map(|seed| tokio::spawn(worker(Matching::clone(&queues), Arc::clone(&finished), seed))).collect();
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|producer| {
            let queues = Matching::clone(&queues);
            tokio::spawn(async move {
                for key in (producer..TASKS).step_by(PRODUCERS as usize) {
                    queues.offer(&workflow_queue(), task(key));
                    if key % 64 == producer {
                        tokio::task::yield_now().await;
                    }
                }
            })
        })
        .collect();
    for producer in producers {
        producer.await.unwrap();
    }
    finished.all.notified().await;
    queues.end_all_polls();
    for worker in workers {
        worker.await.unwrap();
    }
    assert_eq!(queues.backlog(&workflow_queue()).count, 0);
    assert_eq!(finished.keys.lock().unwrap().len(), TASKS as usize);
}
