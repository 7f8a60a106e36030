#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

const NS: [u8; 16] = [0xA1; 16];
const RUN: [u8; 16] = [0xB2; 16];

fn hex(key: &[u8]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn ns() -> String {
    "a1".repeat(16)
}

fn run() -> String {
    "b2".repeat(16)
}

/// These bytes are on disks: a failing line means existing data would no longer be found.
#[test]
fn layouts_are_byte_exact() {
    assert_eq!(hex(&current(NS, "ab")), format!("01{}61620000", ns()));
    assert_eq!(hex(&current(NS, "")), format!("01{}0000", ns()));
    assert_eq!(hex(&current(NS, "a\0b")), format!("01{}6100ff620000", ns()));
    assert_eq!(hex(&run_prefix(NS, "ab", RUN)), format!("02{}61620000{}", ns(), run()));
    assert_eq!(hex(&record(NS, "ab", RUN, CLASS_HEADER, b"")), format!("02{}61620000{}00", ns(), run()));
    assert_eq!(hex(&record(NS, "ab", RUN, 7, &[1, 2])), format!("02{}61620000{}070102", ns(), run()));
    assert_eq!(hex(&history(RUN, 1)), format!("03{}8000000000000001", run()));
    assert_eq!(hex(&history_prefix(RUN)), format!("03{}", run()));
    assert_eq!(hex(&timer(1, NS, "ab", RUN)), format!("048000000000000001{}61620000{}", ns(), run()));
    assert_eq!(hex(&timer(-1, NS, "ab", RUN)), format!("047fffffffffffffff{}61620000{}", ns(), run()));
    assert_eq!(hex(&outbox(2, RUN, 3, 5)), format!("058000000000000002{}038000000000000005", run()));
    assert_eq!(hex(&namespace("default")), "0664656661756c74");
    assert_eq!(hex(&task_queue(NS, 2, "ab")), format!("07{}026162", ns()));
}

#[test]
fn range_ends_are_byte_exact() {
    assert_eq!(prefix_end(&[0x01]), [0x02]);
    assert_eq!(prefix_end(&[0x01, 0xFF, 0xFF]), [0x02]);
    assert_eq!(prefix_end(&[0x01, 0x02, 0xFF]), [0x01, 0x03]);
    assert_eq!(timers_until(i64::MAX).end, [0x05]);
    assert_eq!(hex(&outbox_until(0).end), "058000000000000001");
}

#[test]
fn keys_of_another_kind_or_length_are_refused() {
    let key = timer(1, NS, "ab", RUN);
    assert!(decode_outbox(&key).is_err());
    for length in 0..key.len() {
        assert!(decode_timer(&key[..length]).is_err(), "length {length}");
    }
    assert!(decode_timer(&[key, vec![0]].concat()).is_err());
    assert!(decode_current(&[&current(NS, "")[..17], &[0x00, 0x01]].concat()).is_err(), "unknown escape");
    assert!(decode_current(&[&current(NS, "")[..17], &[0xC0, 0x00, 0x00]].concat()).is_err(), "not UTF-8");
    assert_eq!(decode_namespace(&[0x01, 0x61]), Err(MalformedKey { what: "namespace", key: vec![0x01, 0x61] }),);
}

/// Ids with many NULs and 0xFF-like bytes, where escaping could go wrong.
fn id() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof![Just('\0'), Just('a'), Just('\u{ff}'), any::<char>()], 0..8)
        .prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #[test]
    fn round_trips(
        time in any::<i64>(), event_id in any::<i64>(), namespace_id in any::<[u8; 16]>(), workflow_id in id(),
        run in any::<[u8; 16]>(), class in any::<u8>(), suffix in any::<Vec<u8>>(),
    ) {
        let workflow_id = workflow_id.as_str();
        prop_assert_eq!(
            decode_current(&current(namespace_id, workflow_id)).unwrap(),
            CurrentKey { namespace: namespace_id, workflow_id: workflow_id.to_owned() }
        );
        prop_assert_eq!(
            decode_record(&record(namespace_id, workflow_id, run, class, &suffix)).unwrap(),
            RecordKey { namespace: namespace_id, workflow_id: workflow_id.to_owned(), run, class, suffix }
        );
        prop_assert_eq!(
            decode_history(&history(run, event_id)).unwrap(),
            HistoryKey { run, first_event_id: event_id }
        );
        prop_assert_eq!(
            decode_timer(&timer(time, namespace_id, workflow_id, run)).unwrap(),
            TimerKey { fire_time_ms: time, namespace: namespace_id, workflow_id: workflow_id.to_owned(), run }
        );
        prop_assert_eq!(
            decode_outbox(&outbox(time, run, class, event_id)).unwrap(),
            OutboxKey { scheduled_time_ms: time, run, kind: class, event_id }
        );
        prop_assert_eq!(decode_namespace(&namespace(workflow_id)).unwrap(), workflow_id);
        let (of, kind, name) = decode_task_queue(&task_queue(run, class, workflow_id)).unwrap();
        prop_assert_eq!((of, kind, name.as_str()), (run, class, workflow_id));
    }

    #[test]
    fn any_bytes_decode_or_are_refused(key in any::<Vec<u8>>()) {
        // Whatever decodes must be exactly what the encoder writes.
        if let Ok(decoded) = decode_current(&key) {
            prop_assert_eq!(current(decoded.namespace, &decoded.workflow_id), key);
        }
    }

    #[test]
    fn keys_sort_as_what_they_encode(times in any::<[i64; 2]>(), events in any::<[i64; 2]>(), ids in [id(), id()]) {
        prop_assert_eq!(
            (times[0], &ids[0]).cmp(&(times[1], &ids[1])),
            timer(times[0], NS, &ids[0], RUN).cmp(&timer(times[1], NS, &ids[1], RUN))
        );
        prop_assert_eq!(
            (times[0], events[0]).cmp(&(times[1], events[1])),
            outbox(times[0], RUN, 0, events[0]).cmp(&outbox(times[1], RUN, 0, events[1]))
        );
        prop_assert_eq!(ids[0].cmp(&ids[1]), current(NS, &ids[0]).cmp(&current(NS, &ids[1])));
    }

    #[test]
    fn a_prefix_range_holds_exactly_its_prefix(ids in [id(), id()], runs in any::<[[u8; 16]; 2]>(), class in any::<u8>()) {
        let range = prefix_range(run_prefix(NS, &ids[0], runs[0]));
        prop_assert!(range.contains(&record(NS, &ids[0], runs[0], class, &[0xFF; 3])));
        let other = record(NS, &ids[1], runs[1], class, b"");
        prop_assert_eq!(range.contains(&other), (&ids[0], runs[0]) == (&ids[1], runs[1]));
    }

    #[test]
    fn due_ranges_end_after_their_time(time in any::<i64>(), other in any::<i64>()) {
        prop_assert_eq!(timers_until(time).contains(&timer(other, [0xFF; 16], "\u{10ffff}", [0xFF; 16])), other <= time);
        prop_assert_eq!(outbox_until(time).contains(&outbox(other, [0xFF; 16], 0xFF, i64::MAX)), other <= time);
    }
}
