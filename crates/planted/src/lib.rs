//! Faults that are planted to see whether the simulator's checks find them.
//!
//! The code that misbehaves is compiled only with the feature `planted`, which nothing but that test turns on.
use std::cell::Cell;

/// One way in which the server is wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A caller is answered before what it asked for is durable.
    ReplyBeforeCommit,
    /// What a run shows is not waited for until it is durable.
    ReadBeforeCommit,
    /// The store acknowledges what a crash can take away.
    AcknowledgedBeforeSync,
    /// A task is not written to the outbox.
    OutboxEntryDropped,
    /// After a failed commit nothing is offered again.
    OutboxNotReadAgain,
    /// A run's timer row is not written.
    TimerLost,
    /// A timer fires half a second early.
    TimerEarly,
    /// A task is handed out again although its start is durable.
    DoubleDispatch,
    /// A commit is accepted under a lease that is not the newest.
    StaleOwner,
    /// A signal that is sent again is recorded again.
    SignalDedupForgotten,
    /// A start that is sent again is taken for another.
    StartDedupForgotten,
    /// The last event that came during a workflow task is lost when the task ends.
    BufferedEventLost,
    /// A task goes to a poll that waits for it before its start is durable.
    HandedOverBeforeCommit,
    /// A run's history stays after its retention.
    HistoryLeftBehind,
}

impl Fault {
    pub const ALL: [Fault; 14] = [
        Fault::ReplyBeforeCommit,
        Fault::ReadBeforeCommit,
        Fault::AcknowledgedBeforeSync,
        Fault::OutboxEntryDropped,
        Fault::OutboxNotReadAgain,
        Fault::TimerLost,
        Fault::TimerEarly,
        Fault::DoubleDispatch,
        Fault::StaleOwner,
        Fault::SignalDedupForgotten,
        Fault::StartDedupForgotten,
        Fault::BufferedEventLost,
        Fault::HandedOverBeforeCommit,
        Fault::HistoryLeftBehind,
    ];
}

thread_local! {
    // A simulation is one thread, so that others beside it are not concerned.
    static PLANTED: Cell<Option<Fault>> = const { Cell::new(None) };
}

/// Plants a fault in this thread, or takes it away.
pub fn plant(fault: Option<Fault>) {
    PLANTED.set(fault);
}

/// Whether this fault is planted in this thread.
pub fn is(fault: Fault) -> bool {
    PLANTED.get() == Some(fault)
}
