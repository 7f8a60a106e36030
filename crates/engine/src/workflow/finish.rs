//! The end of every transition.
use super::{
    transition::{Finished, Transition},
    workflow_task::fail::make_room,
};

/// Closes a transition and gives what is to be written. If too much is held back, the task that holds it back fails first.
pub fn finish(mut tx: Transition<'_, '_>) -> Finished {
    make_room(&mut tx);
    tx.into_finished()
}
