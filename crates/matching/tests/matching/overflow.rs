//! What a full queue forgets, and how it gets it back.

use std::task::Poll as Progress;

use abide_matching::{Offer, Options, Room};

use crate::support::{
    Queues, drain, entry, is_waiting, look, offer_all, query, queues, refill_wanted, start_poll, take, task,
    workflow_queue,
};

fn small() -> Queues {
    queues(small_options()).0
}

fn small_options() -> Options {
    Options { max_backlog_entries: 4, refill_below_entries: 1, ..Options::default() }
}

#[test]
fn a_full_queue_forgets_its_last_tasks_and_asks_for_them_when_it_runs_low() {
    let (queues, queue) = (small(), workflow_queue());
    offer_all(&queues, &queue, 1..=4);
    assert_eq!(queues.offer(&queue, task(5)), Offer::Overflow(task(5)));
    assert_eq!(queues.offer(&queue, entry(6, 1, 0)), Offer::Queued, "it displaces task 4");
    assert_eq!(queues.backlog(&queue).count, 6);
    assert_eq!(refill_wanted(&queues), None);

    for key in [6, 1] {
        assert_eq!(take(&queues, &queue).unwrap().finish().task.key, key);
    }
    assert_eq!(queues.offer(&queue, task(7)), Offer::Overflow(task(7)), "tasks before it are in the outbox only");
    assert_eq!(refill_wanted(&queues), None);
    let second = take(&queues, &queue).unwrap();
    assert_eq!(refill_wanted(&queues), Some(queue.clone()));
    assert_eq!(refill_wanted(&queues), None, "asked once");

    let mut refill = queues.begin_refill(&queue).unwrap();
    assert!(queues.begin_refill(&queue).is_none(), "one at a time");
    assert_eq!(refill.add([2, 3, 4, 5, 7].map(task)), Room::Full);
    refill.finish(true);
    assert!(queues.begin_refill(&queue).is_none(), "nothing is missing now");
    assert_eq!(queues.backlog(&queue).count, 4, "2 is out and 3 was known");
    assert_eq!(queues.offer(&queue, task(8)), Offer::Overflow(task(8)));
    second.finish();
    assert_eq!(drain(&queues, &queue), [3, 4, 5, 7]);
}

#[test]
fn a_scan_does_not_bring_back_what_was_finished_meanwhile() {
    let (queues, clock) = queues(small_options());
    let queue = workflow_queue();
    offer_all(&queues, &queue, 1..=4);
    queues.offer(&queue, task(5));
    let mut refill = queues.begin_refill(&queue).unwrap();
    take(&queues, &queue).unwrap().finish();
    assert_eq!(queues.cancel(&queue, 2), Some(task(2)));
    assert_eq!(refill.add([1, 2, 3, 4, 5].map(task)), Room::Left);
    refill.finish(true);
    assert_eq!(drain(&queues, &queue), [3, 4, 5]);
    clock.set(300_000);
    queues.expire_idle();
    assert!(queues.queues().is_empty(), "nothing is remembered of what is gone");
}

#[test]
fn an_aborted_refill_is_asked_for_again() {
    let (queues, queue) = (small(), workflow_queue());
    offer_all(&queues, &queue, 1..=4);
    queues.offer(&queue, task(5));
    assert_eq!(drain(&queues, &queue), [1, 2, 3, 4]);
    let mut poll = start_poll(&queues, &queue);
    for _ in 0..2 {
        assert_eq!(refill_wanted(&queues), Some(queue.clone()));
        drop(queues.begin_refill(&queue).unwrap());
    }
    assert_eq!(refill_wanted(&queues), Some(queue.clone()));
    let mut refill = queues.begin_refill(&queue).unwrap();
    assert_eq!(queues.offer(&queue, task(6)), Offer::Queued, "it waits for what the scan finds before it");
    assert!(is_waiting(&mut poll));
    refill.add([task(5)]);
    refill.finish(true);
    let Progress::Ready(Some(taken)) = look(&mut poll) else { panic!("the refill brought a task") };
    assert_eq!(taken.finish().task.key, 5);
    assert_eq!(drain(&queues, &queue), [6]);
}

#[test]
fn an_incomplete_refill_goes_on_where_it_stopped() {
    let (queues, queue) = (small(), workflow_queue());
    offer_all(&queues, &queue, 1..=4);
    for key in 5..=10 {
        queues.offer(&queue, task(key));
    }
    assert_eq!(drain(&queues, &queue), [1, 2, 3, 4]);
    let mut refill = queues.begin_refill(&queue).unwrap();
    assert_eq!(refill.add([5, 6, 7, 8].map(task)), Room::Full);
    refill.finish(false);
    assert_eq!(queues.backlog(&queue).count, 6);
    assert_eq!(drain(&queues, &queue), [5, 6, 7, 8]);
    let mut refill = queues.begin_refill(&queue).unwrap();
    refill.add([9, 10].map(task));
    refill.finish(true);
    assert_eq!(drain(&queues, &queue), [9, 10]);
}

#[test]
fn what_is_not_durable_is_never_forgotten() {
    let (queues, queue) = (small(), workflow_queue());
    for key in 1..=4 {
        assert_eq!(queues.offer(&queue, query(key)), Offer::Queued);
    }
    assert_eq!(queues.offer(&queue, query(5)), Offer::Overflow(query(5)));
    assert_eq!(queues.offer(&queue, entry(6, 1, 0)), Offer::Overflow(entry(6, 1, 0)));
    assert_eq!(queues.backlog(&queue).count, 1);
    assert_eq!(queues.cancel(&queue, 1), Some(query(1)));
    assert_eq!(queues.cancel(&queue, 1), None);
    assert_eq!(drain(&queues, &queue), [2, 3, 4]);
    assert_eq!(refill_wanted(&queues), Some(queue));
}

#[test]
fn a_query_displaces_a_task_that_can_come_again() {
    let (queues, queue) = (small(), workflow_queue());
    offer_all(&queues, &queue, 1..=4);
    assert_eq!(queues.offer(&queue, query(5)), Offer::Queued);
    assert_eq!(drain(&queues, &queue), [1, 2, 3, 5]);
}

#[test]
fn an_unloaded_queue_drops_its_refill() {
    let (queues, queue) = (small(), workflow_queue());
    offer_all(&queues, &queue, 1..=4);
    queues.offer(&queue, task(5));
    let mut refill = queues.begin_refill(&queue).unwrap();
    assert_eq!(queues.unload_sticky(&queue), [1, 2, 3, 4].map(task));
    assert_eq!(refill.add([task(5)]), Room::Gone);
    refill.finish(true);
    assert_eq!(queues.backlog(&queue).count, 0);
}
