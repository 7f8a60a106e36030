//! One atomic change of a run: what the commands write to, and what comes out of it for the store and the outside.
use prost::Message;

use super::{
    deadline,
    dispatch::{self, Dispatch, TaskKind},
    hand_over::{Started, hand_over},
    history::{self, BUFFERED_EVENT_ID},
    limits,
    new_run::NewRun,
    records::{Class, RequestIdInfo},
    run::{Run, RunKey},
};
use crate::{
    Context, Time,
    api::{
        Attributes,
        enums::EventType,
        history::{History, HistoryEvent},
    },
};

/// Tools want a task id on every event; one that grows with the event is as good as any.
const FIRST_TASK_ID: i64 = 1 << 20;

/// A record to put, or to delete if it has no value.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordChange {
    pub class: Class,
    pub suffix: Vec<u8>,
    pub value: Option<Vec<u8>>,
}

/// Events that were written together: the unit of storage and of paging (§3.1).
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub first_event_id: i64,
    pub events: Vec<HistoryEvent>,
    /// The batch as an encoded `History`.
    pub encoded: Vec<u8>,
}

/// Names an outbox row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxKey {
    pub scheduled_ms: i64,
    pub kind: TaskKind,
    pub event_id: i64,
}

/// Everything that one transition writes, and what is offered to workers once it is durable.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    pub key: RunKey,
    pub records: Vec<RecordChange>,
    pub batches: Vec<Batch>,
    /// The run's timer row: the time it had, and the time it has now, in milliseconds; 0 is no row.
    pub wakeup_ms: (i64, i64),
    pub outbox_added: Vec<Dispatch>,
    pub outbox_removed: Vec<OutboxKey>,
    pub is_new_run: bool,
}

/// A finished transition.
#[derive(Debug)]
pub struct Finished {
    pub commit: Commit,
    /// The next run of the chain; it must be created and committed in the same durable write.
    pub successor: Option<Box<NewRun>>,
    /// The tasks that workers took at once ([`crate::Workers`]), in the order they were taken in.
    pub started: Vec<Started>,
}

impl Commit {
    /// Whether there is anything to write.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.batches.is_empty() && self.wakeup_ms.0 == self.wakeup_ms.1
    }
}

/// A change in the making. Dropping it without [`fn@super::finish`] or [`Transition::abort`] leaves the run changed in
/// memory, so callers end it with one of the two.
pub struct Transition<'a, 'c> {
    pub run: &'a mut Run,
    pub cx: &'a mut Context<'c>,
    events: Vec<HistoryEvent>,
    /// How many of `events` each finished batch ends at.
    batch_ends: Vec<usize>,
    /// What is encoded already.
    batches: Vec<Batch>,
    /// The run that follows this one, to be made in the same durable write.
    pub(crate) successor: Option<Box<NewRun>>,
}

impl<'a, 'c> Transition<'a, 'c> {
    pub fn new(run: &'a mut Run, cx: &'a mut Context<'c>) -> Self {
        Self { run, cx, events: Vec::new(), batch_ends: Vec::new(), batches: Vec::new(), successor: None }
    }

    pub fn now(&self) -> Time {
        self.cx.now
    }

    /// Writes an event with the next id and returns it for what is set outside the attributes.
    pub(crate) fn append(&mut self, attributes: Attributes) -> &mut HistoryEvent {
        let kind = history::event_type(&attributes);
        assert!(!history::is_buffered(kind), "{kind:?} goes through the buffer");
        let event = self.event(kind, attributes);
        self.append_event(event)
    }

    /// Holds an event back until no workflow task runs; its id is given then.
    pub(crate) fn buffer(&mut self, attributes: Attributes) -> &mut HistoryEvent {
        let kind = history::event_type(&attributes);
        assert!(history::is_buffered(kind), "{kind:?} does not go through the buffer");
        let mut event = self.event(kind, attributes);
        event.event_id = BUFFERED_EVENT_ID;
        let header = self.run.header.get_mut();
        let sequence = header.next_buffer_sequence;
        header.next_buffer_sequence += 1;
        self.run.buffered.insert(sequence, event);
        self.run.buffered.get_mut(&sequence).expect("it was just inserted")
    }

    fn event(&self, kind: EventType, attributes: Attributes) -> HistoryEvent {
        HistoryEvent {
            event_time: Some(self.cx.now.timestamp()),
            event_type: kind as i32,
            attributes: Some(attributes),
            ..Default::default()
        }
    }

    fn append_event(&mut self, mut event: HistoryEvent) -> &mut HistoryEvent {
        let header = self.run.header.get_mut();
        event.event_id = header.next_event_id;
        event.task_id = FIRST_TASK_ID + event.event_id;
        header.next_event_id += 1;
        self.events.push(event);
        self.events.last_mut().expect("it was just pushed")
    }

    /// Ends the batch: what follows is stored apart from what came before.
    pub(crate) fn end_batch(&mut self) {
        if self.batch_ends.last() != Some(&self.events.len()) {
            self.batch_ends.push(self.events.len());
        }
    }

    /// Lets go of the events that were held back. Says whether there were any.
    pub(crate) fn flush_buffer(&mut self) -> bool {
        if self.run.buffered.is_empty() {
            return false;
        }
        let sequences: Vec<u64> = self.run.buffered.iter().map(|(sequence, _)| *sequence).collect();
        #[cfg(feature = "planted")]
        if abide_planted::is(abide_planted::Fault::BufferedEventLost)
            && let Some(last) = sequences.last()
            && sequences.len() > 1
        {
            self.run.buffered.remove(last);
        }
        let held = sequences.iter().filter_map(|sequence| self.run.buffered.remove(sequence)).collect();
        let from = self.events.len();
        for event in history::flush_order(held) {
            self.append_event(event);
        }
        history::wire_started_ids(&mut self.events[from..]);
        for event in &self.events[from..] {
            note_request_id(self.run, event);
        }
        true
    }

    /// Forgets the events that were held back: nothing may follow a close.
    fn discard_buffer(&mut self) {
        let sequences: Vec<u64> = self.run.buffered.iter().map(|(sequence, _)| *sequence).collect();
        for sequence in sequences {
            self.discard_buffered(sequence);
        }
    }

    /// Forgets one event that is held back.
    pub(crate) fn discard_buffered(&mut self, sequence: u64) {
        self.run.buffered.remove(&sequence);
    }

    pub(crate) fn has_buffered(&self) -> bool {
        !self.run.buffered.is_empty()
    }

    /// Undoes everything.
    pub fn abort(self) {
        self.run.undo();
    }

    /// Undoes everything and begins anew.
    pub(crate) fn restart(&mut self) {
        self.run.undo();
        self.events.clear();
        self.batch_ends.clear();
        self.batches.clear();
        self.successor = None;
    }

    /// Closes the transition: lets go of held-back events if no workflow task runs, derives deadlines and outbox, and
    /// gives what is to be written. Called through [`fn@super::finish`], which keeps the buffer bounded first.
    pub(crate) fn into_finished(mut self) -> Finished {
        let running = self.run.is_running();
        let task_started = self.run.header.workflow_task.as_ref().is_some_and(|t| t.is_started());
        if running && !task_started {
            self.flush_buffer();
        } else if !running {
            self.discard_buffer();
        }
        let started = hand_over(&mut self);
        self.seal();
        let batches = std::mem::take(&mut self.batches);
        if !running && self.run.header.original().is_some_and(|h| h.is_running()) {
            let first = batches.last().map_or(0, |b| b.first_event_id);
            self.run.header.get_mut().close_batch_event_id = first;
        }
        self.run.note_size_changes();
        self.derive_deadlines();
        let (outbox_added, outbox_removed) = self.outbox();
        let wakeup_ms = self.arm();
        if self.run.header.original().is_some() || !batches.is_empty() {
            self.run.header.get_mut().state_transition_count += 1;
        }
        let commit = Commit {
            key: self.run.key.clone(),
            records: self.records(),
            batches,
            wakeup_ms,
            outbox_added,
            outbox_removed,
            is_new_run: self.run.is_new,
        };
        settle(self.run);
        self.run.check_invariants();
        Finished { commit, successor: self.successor, started }
    }

    /// Encodes the events so far, and counts them towards the size of the history.
    pub(crate) fn seal(&mut self) {
        let mut ends = std::mem::take(&mut self.batch_ends);
        if ends.last() != Some(&self.events.len()) {
            ends.push(self.events.len());
        }
        let mut events = std::mem::take(&mut self.events).into_iter();
        let (mut from, mut size_bytes) = (0, 0);
        for end in ends {
            let events: Vec<HistoryEvent> = events.by_ref().take(end - from).collect();
            from = end;
            let Some(first_event_id) = events.first().map(|e| e.event_id) else { continue };
            let history = History { events };
            let encoded = history.encode_to_vec();
            size_bytes += encoded.len() as i64;
            self.batches.push(Batch { first_event_id, events: history.events, encoded });
        }
        if size_bytes > 0 {
            self.run.header.get_mut().history_size_bytes += size_bytes;
        }
    }

    /// Brings the set of deadlines up to date with the records that changed.
    fn derive_deadlines(&mut self) {
        let run = &mut *self.run;
        if run.is_new || !run.is_running() {
            run.deadlines = run.all_deadlines().collect();
            return;
        }
        let changed_header = run.header.original().is_some() || run.profile.original().is_some();
        if changed_header {
            let header = run.header.original().unwrap_or_else(|| run.header.get());
            let profile = run.profile.original().unwrap_or_else(|| run.profile.get());
            for old in deadline::of_header(header, profile) {
                run.deadlines.remove(&old);
            }
        }
        for (_, before, _) in run.activities.changes() {
            for old in before.into_iter().flat_map(deadline::of_activity) {
                run.deadlines.remove(&old);
            }
        }
        for (id, before, _) in run.timers.changes() {
            if let Some(timer) = before {
                run.deadlines.remove(&deadline::of_timer(id, timer));
            }
        }
        if changed_header {
            run.deadlines.extend(deadline::of_header(&run.header, &run.profile));
        }
        run.deadlines.extend(run.activities.changes().filter_map(|(_, _, now)| now).flat_map(deadline::of_activity));
        let timers = run.timers.changes().filter_map(|(id, _, now)| Some(deadline::of_timer(id, now?)));
        run.deadlines.extend(timers);
    }

    /// The outbox rows that came and went with the records that changed; all rows go with the run's close.
    pub(crate) fn outbox(&self) -> (Vec<Dispatch>, Vec<OutboxKey>) {
        let run = &*self.run;
        let (mut before, mut now) = (Vec::new(), Vec::new());
        if !run.is_new {
            let header = run.header.original().unwrap_or_else(|| run.header.get());
            let profile = run.profile.original().unwrap_or_else(|| run.profile.get());
            if run.header.original().is_some() {
                before.extend(dispatch::of_header(header, profile));
            }
        }
        if run.is_new || run.header.original().is_some() {
            now.extend(dispatch::of_header(&run.header, &run.profile));
        }
        let profile = run.profile.get();
        let closes = !run.is_running() && run.header.original().is_some_and(|h| h.is_running());
        for (_, was, is) in run.activities.changes() {
            before.extend(was.and_then(|a| dispatch::of_activity(a, profile)));
            now.extend(is.filter(|_| run.is_running()).and_then(|a| dispatch::of_activity(a, profile)));
        }
        if closes {
            let touched: Vec<i64> = run.activities.changes().map(|(id, ..)| *id).collect();
            let others = run.activities.iter().filter(|(id, _)| touched.binary_search(id).is_err());
            before.extend(others.filter_map(|(_, a)| dispatch::of_activity(a, profile)));
        }
        let added = now.iter().filter(|d| !before.contains(d)).cloned().collect();
        let gone = before.iter().filter(|d| !now.iter().any(|n| key(n) == key(d))).map(key).collect();
        (added, gone)
    }

    /// Arms the run's one timer row. A row that is too early is left while work goes on: when it fires it is armed anew, which is
    /// rarer than a move at every transition. A run that comes to rest has no row before its next deadline, or it would be loaded
    /// again for nothing.
    fn arm(&mut self) -> (i64, i64) {
        let armed = self.run.header.wakeup_ms;
        let before = self.run.header.original().map_or(armed, |h| h.wakeup_ms);
        let before = if self.run.is_new { 0 } else { before };
        let due = if limits::exceeded(self.run, self.cx.settings).is_some() {
            Some(self.cx.now.floor_ms())
        } else if self.run.is_running() {
            self.run.next_deadline().map(Time::ceil_ms)
        } else {
            let goes = Time(self.run.header.close_time) + self.cx.settings.retention;
            Some(goes.ceil_ms())
        };
        let works =
            self.run.is_running() && (self.run.header.workflow_task.is_some() || !self.run.activities.is_empty());
        let wanted = match due {
            Some(due) if works && armed != 0 => due.min(armed),
            None if works => armed,
            due => due.unwrap_or(0),
        };
        // The shard forgets a row when it fires, and learns of the next one because it is another.
        let has_fired = before != 0 && armed == 0;
        let wanted = if has_fired && wanted == before { before + 1 } else { wanted };
        if wanted != armed {
            self.run.header.get_mut().wakeup_ms = wanted;
        }
        (before, wanted)
    }

    fn records(&self) -> Vec<RecordChange> {
        let run = &*self.run;
        let mut records = Vec::with_capacity(4);
        let mut put = |class, suffix: Vec<u8>, value: Option<Vec<u8>>| {
            records.push(RecordChange { class, suffix, value });
        };
        if run.is_new || run.header.original().is_some() {
            put(Class::Header, vec![], Some(run.header.encode_to_vec()));
        }
        if run.is_new || run.profile.original().is_some() {
            put(Class::Profile, vec![], Some(run.profile.encode_to_vec()));
        }
        if let (true, Some(start)) = (run.is_new, &run.start) {
            put(Class::StartKept, vec![], Some(start.encode_to_vec()));
        }
        // A record that came and went within the transition was never written.
        for (id, before, now) in run.activities.changes() {
            if before.is_some() || now.is_some() {
                put(Class::Activity, id.to_be_bytes().to_vec(), now.map(Message::encode_to_vec));
            }
        }
        for (id, before, now) in run.timers.changes() {
            if before.is_some() || now.is_some() {
                put(Class::Timer, id.as_bytes().to_vec(), now.map(Message::encode_to_vec));
            }
        }
        for (sequence, before, now) in run.buffered.changes() {
            if before.is_some() || now.is_some() {
                put(Class::Buffered, sequence.to_be_bytes().to_vec(), now.map(Message::encode_to_vec));
            }
        }
        for (id, before, now) in run.signal_request_ids.changes() {
            if before.is_some() || now.is_some() {
                put(Class::SignalRequestId, id.as_bytes().to_vec(), now.map(|()| vec![]));
            }
        }
        for (id, before, now) in run.request_ids.changes() {
            if before.is_some() || now.is_some() {
                put(Class::RequestId, id.as_bytes().to_vec(), now.map(Message::encode_to_vec));
            }
        }
        records
    }
}

fn key(dispatch: &Dispatch) -> OutboxKey {
    OutboxKey { scheduled_ms: dispatch.outbox_ms(), kind: dispatch.task_kind(), event_id: dispatch.scheduled_event_id }
}

/// Enters an event that a request id led to, once it has its id.
fn note_request_id(run: &mut Run, event: &HistoryEvent) {
    let request_id = match &event.attributes {
        Some(Attributes::WorkflowExecutionOptionsUpdatedEventAttributes(a)) => &a.attached_request_id,
        _ => return,
    };
    if !request_id.is_empty() {
        let info = RequestIdInfo { event_type: event.event_type, event_id: event.event_id };
        run.request_ids.insert(request_id.clone(), info);
    }
}

fn settle(run: &mut Run) {
    run.is_new = false;
    run.header.settle();
    run.profile.settle();
    run.activities.settle();
    run.timers.settle();
    run.buffered.settle();
    run.signal_request_ids.settle();
    run.request_ids.settle();
}
