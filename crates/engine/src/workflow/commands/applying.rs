//! What the commands of one completion share, and how they say that they cannot be carried out.
use crate::{
    Refusal,
    api::{enums::WorkflowTaskFailedCause as Cause, sdk::UserMetadata},
    workflow::transition::Transition,
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

/// A close must not overlook events that came while its task ran (§3.5).
pub(crate) fn check_handled(batch: &Applying) -> Result<(), Failed> {
    if batch.has_unhandled { Err(Failed::task(Cause::UnhandledCommand, "")) } else { Ok(()) }
}
