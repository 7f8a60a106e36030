//! Records that decode and cannot be: loading them says which is damaged.
#![allow(clippy::unwrap_used, unreachable_pub)]
#[path = "support/mod.rs"]
mod support;

use abide_engine::workflow::{
    Class, Run,
    records::{Header, WorkflowTask},
};
use prost::Message;
use support::Rig;

/// What loading says once the header was changed.
fn refused(change: impl FnOnce(&mut Header)) -> String {
    let mut rig = Rig::start();
    rig.workflow_task().unwrap();
    rig.signal("held back").unwrap();
    let mut stored = rig.stored().clone();
    let place = stored.records.get_mut(&(Class::Header as u8, Vec::new())).unwrap();
    let mut header = Header::decode(place.as_slice()).unwrap();
    change(&mut header);
    *place = header.encode_to_vec();
    let records = stored.records.iter().map(|((class, suffix), value)| (*class, &suffix[..], &value[..]));
    let error = Run::load(rig.run().key.clone(), records).unwrap_err().to_string();
    error.split_once(" is damaged: ").unwrap().1.to_owned()
}

/// What loading says once a number of the header is out of its range.
fn out_of_range(change: impl FnOnce(&mut Header)) {
    assert_eq!(refused(change), "a number is out of its range");
}

#[test]
fn what_cannot_be_counted_on_is_damage() {
    out_of_range(|header| header.next_event_id = i64::MAX);
    out_of_range(|header| header.history_size_bytes = -1);
    out_of_range(|header| header.next_buffer_sequence = u64::MAX);
    out_of_range(|header| header.workflow_task_attempt = i32::MAX);
    out_of_range(|header| task(header).attempt = i32::MAX);
    out_of_range(|header| task(header).scheduled_event_id = -1);
}

fn task(header: &mut Header) -> &mut WorkflowTask {
    header.workflow_task.as_mut().unwrap()
}

#[test]
fn what_cannot_be_is_damage_and_no_panic() {
    assert_eq!(refused(|header| task(header).attempt = 0), "attempts count from 1");
    assert_eq!(refused(|header| header.status = 2), "no workflow task runs on a closed run");
    assert_eq!(refused(|header| header.next_event_id = 1), "a run has at least its Started event");
    assert_eq!(refused(|header| task(header).started_event_id = 99), "a stored Started event has a stored id");
    assert_eq!(refused(|header| header.workflow_task = None), "events are held back only while a workflow task runs");
}
