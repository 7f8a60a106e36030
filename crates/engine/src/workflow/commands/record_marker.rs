//! RECORD_MARKER: opaque to the server; local activities, side effects and patches live in it.
use super::applying::{Applying, Failed, check_length, required};
use crate::{
    api::{Attributes, command::RecordMarkerCommandAttributes, enums::WorkflowTaskFailedCause as Cause, history as h},
    workflow::transition::Transition,
};

pub(super) fn apply(
    tx: &mut Transition<'_, '_>,
    batch: &Applying,
    attributes: Option<RecordMarkerCommandAttributes>,
) -> Result<(), Failed> {
    const CAUSE: Cause = Cause::BadRecordMarkerAttributes;
    let a = required(attributes, CAUSE, "RecordMarker")?;
    if a.marker_name.is_empty() {
        return Err(Failed::task(CAUSE, "MarkerName is not set on RecordMarkerCommand."));
    }
    check_length(tx, CAUSE, "RecordMarker", "MarkerName", &a.marker_name)?;
    let size_bytes: usize = a.details.values().map(prost::Message::encoded_len).sum();
    if size_bytes > tx.cx.settings.blob_size_bytes {
        return Err(Failed::terminate(CAUSE, "RecordMarkerCommandAttributes.Details exceeds size limit."));
    }
    let event = tx.append(Attributes::MarkerRecordedEventAttributes(h::MarkerRecordedEventAttributes {
        marker_name: a.marker_name,
        details: a.details,
        workflow_task_completed_event_id: batch.completed_event_id,
        header: a.header,
        failure: a.failure,
    }));
    event.user_metadata = batch.user_metadata.clone();
    Ok(())
}
