//! Polls that are kept for a task on its way.

use std::task::Poll as Progress;

use abide_matching::{Offer, Options, PollerInfo};

use crate::support::{
    activity_queue, drain, is_ended, is_waiting, look, offer_all, poller, query, queues, start_poll, sticky_queue,
    task, workflow_queue,
};

#[test]
fn the_poll_that_waited_longest_gets_the_task_when_it_is_there() {
    let (queues, clock) = queues(Options::default());
    let queue = workflow_queue();
    assert!(queues.reserve(&queue).is_none(), "nobody polls");
    let mut first = queues.poll(&queue, poller("first"));
    let mut second = start_poll(&queues, &queue);
    let reserved = queues.reserve(&queue).unwrap();
    assert_eq!(reserved.identity(), "first");
    assert!(is_waiting(&mut first) && is_waiting(&mut second));
    assert_eq!(queues.offer(&queue, task(1)), Offer::Delivered);
    assert!(is_waiting(&mut first), "it is kept for another task");
    clock.set(7);
    reserved.deliver(task(2)).unwrap();
    let Progress::Ready(Some(taken)) = look(&mut first) else { panic!("it was delivered") };
    assert_eq!((taken.task.key, taken.waited_ms()), (2, 7));
    taken.finish();
    assert!(look(&mut second).is_ready());
}

#[test]
fn a_task_on_its_way_does_not_overtake_one_that_waits() {
    let (queues, _) = queues(Options::default());
    let queue = activity_queue();
    drop(queues.poll(&queue, PollerInfo { rate_per_second: Some(1.0), ..poller("me") }));
    offer_all(&queues, &queue, [1, 2]);
    assert_eq!(drain(&queues, &queue), [1]);
    let mut poll = start_poll(&queues, &queue);
    assert!(is_waiting(&mut poll), "the limit holds the second back");
    assert!(queues.reserve(&queue).is_none());
}

#[test]
fn it_counts_towards_the_rate_limit_if_it_is_delivered() {
    let (queues, _) = queues(Options::default());
    let queue = activity_queue();
    let poll = || queues.poll(&queue, PollerInfo { rate_per_second: Some(1.0), ..poller("me") });
    let (mut first, mut second) = (poll(), poll());
    drop(queues.reserve(&queue).unwrap());
    let reserved = queues.reserve(&queue).unwrap();
    assert!(queues.reserve(&queue).is_none(), "one in a second");
    reserved.deliver(task(1)).unwrap();
    assert!(look(&mut first).is_ready() && is_waiting(&mut second));
}

#[test]
fn a_poll_that_was_kept_for_nothing_waits_on_in_its_place() {
    let (queues, _) = queues(Options::default());
    let queue = workflow_queue();
    let (mut first, mut second) = (start_poll(&queues, &queue), start_poll(&queues, &queue));
    let reserved = queues.reserve(&queue).unwrap();
    let other = queues.reserve(&queue).unwrap();
    assert_eq!(queues.offer(&queue, task(1)), Offer::Queued);
    drop(other);
    let Progress::Ready(Some(taken)) = look(&mut second) else { panic!("it takes what came meanwhile") };
    taken.finish();
    drop(reserved);
    assert_eq!(drain(&queues, &queue), [0u32; 0]);
    assert_eq!(queues.offer(&queue, task(2)), Offer::Delivered);
    assert!(look(&mut first).is_ready());
}

#[test]
fn a_task_for_a_poll_that_left_comes_back_to_who_delivers_it() {
    let (queues, _) = queues(Options::default());
    let queue = workflow_queue();
    let poll = start_poll(&queues, &queue);
    let reserved = queues.reserve(&queue).unwrap();
    drop(poll);
    assert_eq!(reserved.deliver(task(1)), Err(task(1)));
    assert_eq!(drain(&queues, &queue), [0u32; 0], "the queue never had it");
}

#[test]
fn a_task_that_was_delivered_and_is_dropped_does_not_go_into_the_queue() {
    let (queues, _) = queues(Options::default());
    let queue = workflow_queue();
    let mut poll = start_poll(&queues, &queue);
    queues.reserve(&queue).unwrap().deliver(task(1)).unwrap();
    drop(look(&mut poll));
    let poll = start_poll(&queues, &queue);
    queues.reserve(&queue).unwrap().deliver(task(2)).unwrap();
    drop(poll);
    assert_eq!(drain(&queues, &queue), [0u32; 0]);
}

#[test]
fn only_a_poll_that_nothing_is_on_its_way_to_withdraws() {
    let (queues, _) = queues(Options::default());
    let queue = workflow_queue();
    let mut poll = start_poll(&queues, &queue);
    let reserved = queues.reserve(&queue).unwrap();
    assert!(!poll.withdraw());
    reserved.deliver(task(1)).unwrap();
    assert!(!poll.withdraw(), "its task is there");
    assert!(look(&mut poll).is_ready());
    let mut poll = start_poll(&queues, &queue);
    assert!(poll.withdraw());
    assert!(queues.reserve(&queue).is_none());
    assert!(is_ended(&mut poll));
}

#[test]
fn polls_that_end_while_they_are_kept_get_their_task_or_nothing() {
    let (queues, _) = queues(Options::default());
    let queue = sticky_queue();
    let (mut first, mut second) = (start_poll(&queues, &queue), start_poll(&queues, &queue));
    let (reserved, other) = (queues.reserve(&queue).unwrap(), queues.reserve(&queue).unwrap());
    queues.unload_sticky(&queue);
    assert!(is_waiting(&mut first) && is_waiting(&mut second));
    reserved.deliver(task(1)).unwrap();
    drop(other);
    assert!(matches!(look(&mut first), Progress::Ready(Some(_))));
    assert!(is_ended(&mut second));
}

#[test]
fn queues_do_not_go_while_a_poll_is_kept() {
    let (queues, clock) = queues(Options::default());
    let queue = workflow_queue();
    let poll = start_poll(&queues, &queue);
    let reserved = queues.reserve(&queue).unwrap();
    clock.set(i64::MAX / 2);
    queues.expire_idle();
    assert_eq!(queues.queues(), [queue]);
    drop((poll, reserved));
}

#[test]
fn a_query_goes_to_a_poll_that_is_free() {
    let (queues, _) = queues(Options::default());
    let queue = workflow_queue();
    let poll = start_poll(&queues, &queue);
    let reserved = queues.reserve(&queue).unwrap();
    assert!(queues.offer_waiting(&queue, query(1)).is_err());
    drop(reserved);
    assert!(queues.offer_waiting(&queue, query(2)).is_ok());
    drop(poll);
}
