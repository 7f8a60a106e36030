//! Sticky windows, unloading, expiry, descriptions, shutdown.

use std::task::Poll as Progress;

use abide_matching::{Offer, Options, PollerInfo, PollerSeen, PriorityStats, QueueId, TaskKind};

use crate::support::{
    activity_queue, drain, entry, is_ended, is_waiting, look, offer_all, poller, query, queues, start_poll,
    sticky_queue, take, task, workflow_queue,
};

#[test]
fn a_sticky_queue_takes_tasks_only_near_a_poll() {
    let (queues, clock) = queues(Options::default());
    let sticky = sticky_queue();
    assert_eq!(queues.offer(&sticky, task(1)), Offer::StickyUnavailable(task(1)), "never polled");

    let mut poll = start_poll(&queues, &sticky);
    clock.set(60_000);
    assert_eq!(queues.offer(&sticky, task(2)), Offer::Delivered, "a poll waits, however long it has");
    let Progress::Ready(Some(taken)) = look(&mut poll) else { panic!("the task is there") };
    taken.finish();

    clock.set(70_000);
    assert_eq!(queues.offer(&sticky, task(3)), Offer::Queued, "10 s after the last poll ended");
    clock.set(70_001);
    assert_eq!(queues.offer(&sticky, task(4)), Offer::StickyUnavailable(task(4)));
    assert_eq!(drain(&queues, &sticky), [3]);
    assert_eq!(queues.offer(&sticky, task(5)), Offer::Queued, "polled again");
}

#[test]
fn an_unloaded_sticky_queue_refuses_until_its_worker_polls_again() {
    let (queues, _) = queues(Options::default());
    let sticky = sticky_queue();
    let mut poll = start_poll(&queues, &sticky);
    assert_eq!(queues.offer(&sticky, task(1)), Offer::Delivered);
    let mut other = start_poll(&queues, &sticky);
    assert_eq!(queues.offer(&sticky, task(2)), Offer::Delivered);
    offer_all(&queues, &sticky, [3, 4]);
    assert_eq!(queues.unload_sticky(&sticky), [task(3), task(4)]);
    assert_eq!(queues.offer(&sticky, task(5)), Offer::StickyUnavailable(task(5)));
    assert!(look(&mut poll).is_ready(), "what was on its way arrives");

    let mut waiting = start_poll(&queues, &workflow_queue());
    assert!(queues.unload_sticky(&workflow_queue()).is_empty());
    assert!(is_ended(&mut waiting));
    let unpolled = QueueId::sticky([1; 16], "unknown");
    assert!(queues.unload_sticky(&unpolled).is_empty());
    assert!(look(&mut other).is_ready());
}

#[test]
fn the_end_of_an_ended_poll_does_not_make_a_sticky_queue_available() {
    let (queues, _) = queues(Options::default());
    let sticky = sticky_queue();
    let poll = start_poll(&queues, &sticky);
    queues.unload_sticky(&sticky);
    drop(poll);
    assert_eq!(queues.offer(&sticky, task(1)), Offer::StickyUnavailable(task(1)));
    assert_eq!(queues.last_poll_ms(&sticky), None);
}

#[test]
fn idle_queues_go_and_busy_ones_stay() {
    let (queues, clock) = queues(Options::default());
    let named = |name: &str| QueueId::normal([1; 16], TaskKind::Workflow, name);
    let (backlog, limited, polled, out, unused) =
        (named("backlog"), named("limited"), named("polled"), named("out"), named("unused"));
    let (sticky, sticky_polled) = (sticky_queue(), QueueId::sticky([1; 16], "worker-2"));
    offer_all(&queues, &backlog, [1]);
    queues.set_rate_limit(&limited, Some(1.0));
    let _poll = start_poll(&queues, &polled);
    offer_all(&queues, &out, [2]);
    let taken = take(&queues, &out).unwrap();
    drop(start_poll(&queues, &unused));
    drop(start_poll(&queues, &sticky));
    offer_all(&queues, &sticky, [3, 4]);
    let _sticky_poll = start_poll(&queues, &sticky_polled);

    clock.set(299_999);
    assert!(queues.expire_idle().is_empty());
    assert_eq!(queues.queues().len(), 7);
    clock.set(300_000);
    assert_eq!(queues.expire_idle(), [task(3), task(4)]);
    let mut left = queues.queues();
    left.sort();
    let mut expected = [backlog, limited.clone(), polled, out.clone(), sticky_polled];
    expected.sort();
    assert_eq!(left, expected);

    taken.give_back();
    assert_eq!(drain(&queues, &out), [2]);
    queues.set_rate_limit(&limited, None);
    clock.set(900_000);
    queues.expire_idle();
    assert_eq!(queues.queues().len(), 3);
    offer_all(&queues, &unused, [5]);
    assert_eq!(drain(&queues, &unused), [5], "a queue that went comes back when it is used");
}

#[test]
fn pollers_are_described_for_five_minutes() {
    let (queues, clock) = queues(Options::default());
    let queue = activity_queue();
    let info = |identity: &str, rate_per_second| PollerInfo {
        identity: identity.into(),
        rate_per_second,
        details: "v1",
        ..PollerInfo::default()
    };
    let seen = |identity: &str, last_access_time_ms, rate_per_second| PollerSeen {
        identity: identity.into(),
        last_access_time_ms,
        rate_per_second,
        details: "v1",
    };
    assert_eq!(queues.last_poll_ms(&queue), None);
    let b = queues.poll(&queue, info("b", None));
    clock.set(1_000);
    let a = queues.poll(&queue, info("a", Some(5.0)));
    clock.set(2_000);
    assert_eq!(queues.last_poll_ms(&queue), Some(2_000), "now, while polls wait");
    drop((a, b));
    clock.set(3_000);
    drop(queues.poll(&queue, info("b", Some(2.0))));
    assert_eq!(queues.pollers(&queue), [seen("a", 2_000, Some(5.0)), seen("b", 3_000, Some(2.0))]);
    assert_eq!(queues.last_poll_ms(&queue), Some(3_000));
    clock.set(302_001);
    assert_eq!(queues.pollers(&queue), [seen("b", 3_000, Some(2.0))]);
    assert!(queues.pollers(&workflow_queue()).is_empty());
}

#[test]
fn the_backlog_is_counted_by_priority() {
    let (queues, clock) = queues(Options::default());
    let queue = workflow_queue();
    assert_eq!(queues.backlog(&queue), Default::default());
    for (key, priority, time_ms) in [(1, 5, 100), (2, 0, 70), (3, 3, 90), (4, 1, 80)] {
        queues.offer(&queue, entry(key, priority, time_ms));
    }
    queues.offer(&queue, query(9));
    let of = |priority, count, oldest_scheduled_time_ms| PriorityStats { priority, count, oldest_scheduled_time_ms };
    let stats = queues.backlog(&queue);
    assert_eq!(stats.count, 4);
    assert_eq!(stats.oldest_scheduled_time_ms, Some(70));
    assert_eq!(stats.by_priority, [of(1, 1, Some(80)), of(3, 2, Some(70)), of(5, 1, Some(100))]);
    assert_eq!((stats.adds_per_second, stats.dispatches_per_second), (5.0, 0.0));

    let first = take(&queues, &queue).unwrap();
    assert_eq!((first.task.key, first.finish_and_count()), (4, 3));
    assert_eq!(drain(&queues, &queue), [9, 2, 3, 1]);
    clock.set(9_000);
    let stats = queues.backlog(&queue);
    assert_eq!((stats.count, stats.oldest_scheduled_time_ms), (0, None));
    assert_eq!(stats.by_priority, [of(1, 0, None), of(3, 0, None), of(5, 0, None)]);
    assert_eq!((stats.adds_per_second, stats.dispatches_per_second), (0.5, 0.5));
}

#[test]
fn a_worker_that_was_told_of_a_backlog_hears_once_that_it_is_gone() {
    let (queues, _) = queues(Options::default());
    let sticky = sticky_queue();
    assert!(is_waiting(&mut start_poll(&queues, &sticky)));
    offer_all(&queues, &sticky, [1, 2]);
    assert_eq!(take(&queues, &sticky).unwrap().finish_and_count(), 1);
    assert_eq!(take(&queues, &sticky).unwrap().finish_and_count(), 0);

    let [mut first, mut second] = [(); 2].map(|()| start_poll(&queues, &sticky));
    assert!(first.follows_a_told_backlog() && second.follows_a_told_backlog());
    assert!(first.retract_backlog() && is_ended(&mut first));
    assert!(!second.follows_a_told_backlog() && !second.retract_backlog() && is_waiting(&mut second));
    assert_eq!(queues.offer(&sticky, task(3)), Offer::Delivered);
}

#[test]
fn a_poll_with_a_task_on_its_way_retracts_nothing() {
    let (queues, _) = queues(Options::default());
    let sticky = sticky_queue();
    assert!(is_waiting(&mut start_poll(&queues, &sticky)));
    offer_all(&queues, &sticky, [1, 2]);
    take(&queues, &sticky).unwrap().finish_and_count();
    drain(&queues, &sticky);
    let mut poll = start_poll(&queues, &sticky);
    assert_eq!(queues.offer(&sticky, task(3)), Offer::Delivered);
    assert!(!poll.retract_backlog(), "its task is on its way");
    assert!(matches!(look(&mut poll), Progress::Ready(Some(_))));
    assert!(start_poll(&queues, &sticky).follows_a_told_backlog(), "nobody has said so yet");
}

#[test]
fn a_backlog_of_many_workers_is_not_retracted() {
    let (queues, _) = queues(Options::default());
    let queue = workflow_queue();
    offer_all(&queues, &queue, [1, 2]);
    assert_eq!(take(&queues, &queue).unwrap().finish_and_count(), 1);
    drain(&queues, &queue);
    assert!(!start_poll(&queues, &queue).follows_a_told_backlog());
}

#[test]
fn polls_of_one_worker_end_alone() {
    let (queues, _) = queues(Options::default());
    let queue = workflow_queue();
    let of = |key: &str| PollerInfo { worker_instance_key: key.into(), ..poller("me") };
    let (mut one, mut two, mut unnamed) =
        (queues.poll(&queue, of("1")), queues.poll(&queue, of("2")), queues.poll(&queue, of("")));
    assert_eq!(queues.end_polls(&queue, "1"), 1);
    assert_eq!(queues.end_polls(&queue, ""), 0);
    assert_eq!(queues.end_polls(&activity_queue(), "2"), 0);
    assert!(is_ended(&mut one));
    assert!(is_waiting(&mut two) && is_waiting(&mut unnamed));
}

#[test]
fn at_shutdown_every_poll_ends_and_tasks_stay() {
    let (queues, _) = queues(Options::default());
    let (queue, other) = (workflow_queue(), activity_queue());
    let mut served = start_poll(&queues, &queue);
    assert_eq!(queues.offer(&queue, task(1)), Offer::Delivered);
    let (mut waiting, mut elsewhere) = (start_poll(&queues, &queue), start_poll(&queues, &other));
    queues.end_all_polls();
    assert!(matches!(look(&mut served), Progress::Ready(Some(_))), "what was on its way arrives");
    assert!(is_ended(&mut waiting) && is_ended(&mut elsewhere));
    assert!(is_ended(&mut start_poll(&queues, &queue)));
    assert_eq!(queues.backlog(&queue).count, 1, "the one given back");
    assert_eq!(queues.offer(&queue, task(2)), Offer::Queued);
}

#[test]
fn a_poll_says_how_long_it_waited_and_what_that_means() {
    let (queues, clock) = queues(Options::default());
    let queue = workflow_queue();
    let mut poll = start_poll(&queues, &queue);
    clock.set(1_500);
    queues.offer(&queue, entry(1, 3, 1_500));
    let Progress::Ready(Some(taken)) = look(&mut poll) else { panic!("the task is there") };
    assert_eq!((taken.waited_ms(), taken.scaling_delta()), (1_500, Some(-1)));
    taken.finish();

    queues.offer(&queue, entry(2, 3, 1_500));
    queues.offer(&queue, entry(3, 3, 1_500));
    clock.set(1_701);
    let taken = take(&queues, &queue).unwrap();
    assert_eq!((taken.waited_ms(), taken.scaling_delta()), (0, Some(1)));
}

#[test]
fn a_task_offered_again_while_it_is_out_is_not_forgotten() {
    let (queues, _) = queues(Options::default());
    let queue = workflow_queue();
    queues.offer(&queue, task(1));
    let first = take(&queues, &queue).unwrap();
    assert_eq!(queues.offer(&queue, task(1)), Offer::Duplicate);
    first.finish();
    assert_eq!(take(&queues, &queue).unwrap().finish().task.key, 1);
    assert_eq!(queues.backlog(&queue).count, 0);
}

#[test]
fn a_task_offered_again_and_given_back_comes_once() {
    let (queues, _) = queues(Options::default());
    let queue = workflow_queue();
    queues.offer(&queue, task(1));
    let first = take(&queues, &queue).unwrap();
    queues.offer(&queue, task(1));
    first.give_back();
    take(&queues, &queue).unwrap().finish();
    assert_eq!(queues.backlog(&queue).count, 0);
}
