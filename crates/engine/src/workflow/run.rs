//! One run's mutable state, and its records in the store.
use std::collections::BTreeSet;

use prost::Message;
use uuid::Uuid;

use super::{
    deadline::{self, Deadline},
    plausible,
    records::{Activity, Class, Header, Profile, RequestIdInfo, StartKept, Timer, WorkflowTask},
};
use crate::{
    Time,
    api::{common, history::HistoryEvent},
    tracked::{Named, Tracked, TrackedCell},
};

/// Names a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunKey {
    pub namespace_id: Uuid,
    pub workflow_id: String,
    pub run_id: Uuid,
}

impl RunKey {
    pub fn execution(&self) -> common::WorkflowExecution {
        common::WorkflowExecution { workflow_id: self.workflow_id.clone(), run_id: self.run_id.to_string() }
    }
}

/// A stored record that does not decode.
#[derive(Debug, thiserror::Error)]
#[error("record of class {class} of run {run} is damaged: {reason}")]
pub struct Damaged {
    pub run: Uuid,
    pub class: u8,
    pub reason: String,
}

/// Mutable state.
///
/// Invariants: `deadlines` is what [`deadline`] derives from the settled records; buffered events exist only while a
/// workflow task is started; no workflow task runs on a closed run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub key: RunKey,
    pub header: TrackedCell<Header>,
    pub profile: TrackedCell<Profile>,
    pub start: Option<StartKept>,
    pub activities: Tracked<i64, Activity>,
    pub timers: Tracked<String, Timer>,
    pub buffered: Tracked<u64, HistoryEvent>,
    pub signal_request_ids: Tracked<String, ()>,
    pub request_ids: Tracked<String, RequestIdInfo>,
    pub(crate) deadlines: BTreeSet<(Time, Deadline)>,
    /// Of all records but the header, between transitions.
    pub(crate) state_size_bytes: usize,
    /// The run exists only in memory: the transition that makes it has not finished.
    pub(crate) is_new: bool,
}

impl Run {
    pub(crate) fn new(key: RunKey, header: Header, profile: Profile, start: Option<StartKept>) -> Self {
        Self {
            key,
            header: TrackedCell::new(header),
            profile: TrackedCell::new(profile),
            start,
            activities: Tracked::default(),
            timers: Tracked::default(),
            buffered: Tracked::default(),
            signal_request_ids: Tracked::default(),
            request_ids: Tracked::default(),
            deadlines: BTreeSet::new(),
            state_size_bytes: 0,
            is_new: true,
        }
    }

    /// Rebuilds a run from its records: `(class, suffix of the key, value)`, in any order.
    pub fn load<'a>(key: RunKey, records: impl IntoIterator<Item = (u8, &'a [u8], &'a [u8])>) -> Result<Self, Damaged> {
        let mut run = Self::new(key, Header::default(), Profile::default(), None);
        run.is_new = false;
        for (class, suffix, value) in records {
            let damaged = |reason: String| Damaged { run: run.key.run_id, class, reason };
            let wrong = |e: prost::DecodeError| damaged(e.to_string());
            let known = Class::of(class).ok_or_else(|| damaged("unknown class".into()))?;
            match known {
                Class::Header => run.header = TrackedCell::new(Header::decode(value).map_err(wrong)?),
                Class::Profile => run.profile = TrackedCell::new(Profile::decode(value).map_err(wrong)?),
                Class::StartKept => run.start = Some(StartKept::decode(value).map_err(wrong)?),
                Class::Activity => {
                    let activity = Activity::decode(value).map_err(wrong)?;
                    if suffix != activity.scheduled_event_id.to_be_bytes() {
                        return Err(damaged("its key is that of another".into()));
                    }
                    run.activities.load(activity.scheduled_event_id, activity);
                }
                Class::Timer => {
                    let id = text(suffix).map_err(damaged)?;
                    run.timers.load(id, Timer::decode(value).map_err(wrong)?);
                }
                Class::Buffered => {
                    let bytes = suffix.try_into().map_err(|_| damaged("wrong key length".into()))?;
                    run.buffered.load(u64::from_be_bytes(bytes), HistoryEvent::decode(value).map_err(wrong)?);
                }
                Class::SignalRequestId => run.signal_request_ids.load(text(suffix).map_err(damaged)?, ()),
                Class::RequestId => {
                    let id = text(suffix).map_err(damaged)?;
                    run.request_ids.load(id, RequestIdInfo::decode(value).map_err(wrong)?);
                }
            }
        }
        if run.header.next_event_id == 0 {
            return Err(Damaged { run: run.key.run_id, class: 0, reason: "the header is missing".into() });
        }
        if let Some((class, violation)) = run.violation().or_else(|| plausible::damage(&run)) {
            return Err(Damaged { run: run.key.run_id, class: class as u8, reason: violation.into() });
        }
        run.deadlines = run.all_deadlines().collect();
        run.state_size_bytes = run.measure();
        Ok(run)
    }

    pub fn is_running(&self) -> bool {
        self.header.is_running()
    }

    pub fn run_id(&self) -> String {
        self.key.run_id.to_string()
    }

    /// The next time at which something is due; none on a closed run.
    pub fn next_deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Every deadline, from nothing: for a run that was just loaded or made.
    pub(crate) fn all_deadlines(&self) -> impl Iterator<Item = (Time, Deadline)> {
        let mut found = deadline::of_header(&self.header, &self.profile);
        if self.is_running() {
            found.extend(self.timers.iter().map(|(id, timer)| deadline::of_timer(id, timer)));
            found.extend(self.activities.values().flat_map(deadline::of_activity));
        }
        found.into_iter()
    }

    /// The bytes of the records, without the header, which is always small.
    fn measure(&self) -> usize {
        fn all<K: Ord + Clone, V: Clone + Named + Message>(records: &Tracked<K, V>) -> usize {
            records.values().map(Message::encoded_len).sum()
        }
        let ids = self.signal_request_ids.iter().map(|(id, ())| id.len()).sum::<usize>();
        self.profile.encoded_len()
            + self.start.as_ref().map_or(0, Message::encoded_len)
            + all(&self.activities)
            + all(&self.timers)
            + all(&self.buffered)
            + all(&self.request_ids)
            + ids
    }

    /// Brings the size up to date with the records that changed in this transition.
    pub(crate) fn note_size_changes(&mut self) {
        fn changed<K: Ord + Clone, V: Clone + Named + Message>(records: &Tracked<K, V>) -> (usize, usize) {
            let sizes = records
                .changes()
                .map(|(_, was, is)| (was.map_or(0, Message::encoded_len), is.map_or(0, Message::encoded_len)));
            sizes.fold((0, 0), |(before, after), (was, is)| (before + was, after + is))
        }
        if self.is_new {
            self.state_size_bytes = self.measure();
            return;
        }
        let profile = self.profile.original().map_or((0, 0), |was| (was.encoded_len(), self.profile.encoded_len()));
        let ids = self.signal_request_ids.changes().fold((0, 0), |(before, after), (id, was, is)| {
            let size = |there: Option<&()>| there.map_or(0, |()| id.len());
            (before + size(was), after + size(is))
        });
        let changes = [
            profile,
            changed(&self.activities),
            changed(&self.timers),
            changed(&self.buffered),
            changed(&self.request_ids),
            ids,
        ];
        let (before, after) = changes.into_iter().fold((0, 0), |sum, change| (sum.0 + change.0, sum.1 + change.1));
        self.state_size_bytes = self.state_size_bytes + after - before;
    }

    /// Checks what must hold between transitions; a violation is a defect of the engine, never of its input.
    pub fn check_invariants(&self) {
        if let Some((_, violation)) = self.violation() {
            panic!("run {}: {violation}", self.key.run_id);
        }
    }

    /// What does not hold although it must, and the class of the record that says so.
    fn violation(&self) -> Option<(Class, &'static str)> {
        let header = self.header.get();
        let task = header.workflow_task.as_ref();
        let started = task.filter(|task| task.is_started());
        let has_stored_start = |task: &WorkflowTask| task.is_transient || task.started_event_id < header.next_event_id;
        let must_hold = [
            (Class::Header, header.next_event_id > 1, "a run has at least its Started event"),
            (Class::Header, started.is_none() || header.is_running(), "no workflow task runs on a closed run"),
            (Class::Header, task.is_none_or(|task| task.attempt >= 1), "attempts count from 1"),
            (Class::Header, started.is_none_or(has_stored_start), "a stored Started event has a stored id"),
            (
                Class::Buffered,
                started.is_some() || self.buffered.is_empty(),
                "events are held back only while a workflow task runs",
            ),
        ];
        must_hold.into_iter().find(|(_, holds, _)| !holds).map(|(class, _, what)| (class, what))
    }

    /// Returns everything to what it was before the transition.
    pub(crate) fn undo(&mut self) {
        self.header.undo();
        self.profile.undo();
        self.activities.undo();
        self.timers.undo();
        self.buffered.undo();
        self.signal_request_ids.undo();
        self.request_ids.undo();
    }
}

fn text(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|e| e.to_string())
}
