//! The commands of a workflow-task completion, one file each (spec §2.1). Processing stops at the first bad one, and
//! the completion is undone as a whole.
pub(crate) mod applying;
mod cancel_timer;
mod close_commands;
mod continue_as_new;
mod modify_properties;
mod record_marker;
mod start_timer;
mod upsert_search_attributes;

pub(crate) use applying::{Applying, Failed};

use super::{activity, names, transition::Transition};
use crate::{
    Refusal,
    api::{
        command::{Command, command::Attributes as C},
        enums::CommandType,
    },
};

fn is_close(command: &Command) -> bool {
    use CommandType as T;
    matches!(
        command.command_type(),
        T::CompleteWorkflowExecution
            | T::FailWorkflowExecution
            | T::CancelWorkflowExecution
            | T::ContinueAsNewWorkflowExecution
    )
}

/// A command that closes the run must be the last one; checked before anything is done.
pub(crate) fn check_sequence(commands: &[Command]) -> Result<(), Refusal> {
    let Some(at) = commands.iter().position(is_close).filter(|at| at + 1 < commands.len()) else { return Ok(()) };
    let listed: Vec<String> = commands.iter().map(|c| names::command(c.command_type)).collect();
    let closing = &listed[at];
    Err(Refusal::invalid(format!(
        "invalid command sequence: [{}], command {closing} must be the last command.",
        listed.join(", ")
    )))
}

/// Carries out one command.
pub(crate) fn apply(tx: &mut Transition<'_, '_>, batch: &mut Applying, command: Command) -> Result<(), Failed> {
    use CommandType as T;
    let Ok(kind) = T::try_from(command.command_type) else {
        let number = command.command_type;
        return Err(Failed::Refused(Refusal::invalid(format!("unknown command type: {number}"))));
    };
    batch.user_metadata = command.user_metadata;
    // Attributes of another kind than the type says are as good as none.
    macro_rules! attributes {
        ($variant:ident) => {
            match command.attributes {
                Some(C::$variant(attributes)) => Some(attributes),
                _ => None,
            }
        };
    }
    match kind {
        T::ScheduleActivityTask => activity::schedule(tx, batch, attributes!(ScheduleActivityTaskCommandAttributes)),
        T::RequestCancelActivityTask => {
            activity::request_cancel(tx, batch, attributes!(RequestCancelActivityTaskCommandAttributes))
        }
        T::StartTimer => start_timer::apply(tx, batch, attributes!(StartTimerCommandAttributes)),
        T::CancelTimer => cancel_timer::apply(tx, batch, attributes!(CancelTimerCommandAttributes)),
        T::RecordMarker => record_marker::apply(tx, batch, attributes!(RecordMarkerCommandAttributes)),
        T::CompleteWorkflowExecution => {
            close_commands::complete(tx, batch, attributes!(CompleteWorkflowExecutionCommandAttributes))
        }
        T::FailWorkflowExecution => {
            close_commands::fail(tx, batch, attributes!(FailWorkflowExecutionCommandAttributes))
        }
        T::CancelWorkflowExecution => {
            close_commands::cancel(tx, batch, attributes!(CancelWorkflowExecutionCommandAttributes))
        }
        T::ContinueAsNewWorkflowExecution => {
            continue_as_new::apply(tx, batch, attributes!(ContinueAsNewWorkflowExecutionCommandAttributes))
        }
        T::UpsertWorkflowSearchAttributes => {
            upsert_search_attributes::apply(tx, batch, attributes!(UpsertWorkflowSearchAttributesCommandAttributes))
        }
        T::ModifyWorkflowProperties => {
            modify_properties::apply(tx, batch, attributes!(ModifyWorkflowPropertiesCommandAttributes))
        }
        T::Unspecified => Err(Failed::Refused(Refusal::invalid("unknown command type: Unspecified"))),
        T::StartChildWorkflowExecution
        | T::SignalExternalWorkflowExecution
        | T::RequestCancelExternalWorkflowExecution
        | T::ProtocolMessage
        | T::ScheduleNexusOperation
        | T::RequestCancelNexusOperation => {
            let name = names::command(command.command_type);
            Err(Failed::Refused(Refusal::Unimplemented(format!("command {name} is not supported by this server"))))
        }
    }
}
