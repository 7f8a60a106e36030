//! The commands of a workflow-task completion, one file each (spec §2.1). Processing stops at the first bad one, and
//! the completion is undone as a whole.
mod cancel_timer;
mod close_commands;
mod continue_as_new;
mod modify_properties;
mod record_marker;
mod start_timer;
mod upsert_search_attributes;

use super::{activity, names, transition::Transition};
use crate::{
    Refusal,
    api::{
        command::{Command, command::Attributes as C},
        enums::{CommandType, WorkflowTaskFailedCause as Cause},
        sdk::UserMetadata,
    },
};

/// Why a completion was not carried out.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The call is refused and the task stays started.
    Refused(Refusal),
    /// The task fails, and the run ends with it if `terminate` says so.
    Task { cause: Cause, message: String, terminate: bool },
}

impl Failed {
    pub(crate) fn task(cause: Cause, message: impl Into<String>) -> Self {
        Self::Task { cause, message: message.into(), terminate: false }
    }

    pub(crate) fn terminate(cause: Cause, message: impl Into<String>) -> Self {
        Self::Task { cause, message: message.into(), terminate: true }
    }
}

/// What the commands of one completion share.
pub(crate) struct Applying {
    pub(crate) completed_event_id: i64,
    /// Events were held back when the commands began: a close is then unhandled (§3.5).
    pub(crate) has_unhandled: bool,
    pub(crate) identity: String,
    pub(crate) user_metadata: Option<UserMetadata>,
    /// Activities whose cancellation was requested before they started; they end after all commands.
    pub(crate) canceled_before_start: Vec<i64>,
    pub(crate) activity_canceled_before_start: bool,
    /// Activities that the worker wants in the reply.
    pub(crate) eager: Vec<i64>,
}

impl Applying {
    pub(crate) fn new(completed_event_id: i64, has_unhandled: bool, identity: String) -> Self {
        Self {
            completed_event_id,
            has_unhandled,
            identity,
            user_metadata: None,
            canceled_before_start: Vec::new(),
            activity_canceled_before_start: false,
            eager: Vec::new(),
        }
    }
}

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

/// The attributes, or the failure that says they are missing.
pub(crate) fn required<T>(attributes: Option<T>, cause: Cause, command: &str) -> Result<T, Failed> {
    attributes.ok_or_else(|| Failed::task(cause, format!("{command}CommandAttributes is not set on {command}Command.")))
}

/// Refuses an id that is longer than ids may be.
pub(crate) fn check_length(
    tx: &Transition<'_, '_>,
    cause: Cause,
    command: &str,
    field: &str,
    value: &str,
) -> Result<(), Failed> {
    let limit = tx.cx.settings.id_length_bytes;
    if value.len() <= limit {
        return Ok(());
    }
    let length = value.len();
    let text =
        format!("{field} on {command}Command exceeds length limit. {field}={value} Length={length} Limit={limit}");
    Err(Failed::task(cause, text))
}
