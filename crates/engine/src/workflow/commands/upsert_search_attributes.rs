//! UPSERT_WORKFLOW_SEARCH_ATTRIBUTES (spec §3.23).
use super::applying::{Applying, Failed, required};
use crate::{
    api::{
        Attributes, command::UpsertWorkflowSearchAttributesCommandAttributes, enums::WorkflowTaskFailedCause as Cause,
        history as h,
    },
    workflow::{
        search_attributes::{self, Invalid},
        transition::Transition,
    },
};

pub(super) fn apply(
    tx: &mut Transition<'_, '_>,
    batch: &Applying,
    attributes: Option<UpsertWorkflowSearchAttributesCommandAttributes>,
) -> Result<(), Failed> {
    const CAUSE: Cause = Cause::BadSearchAttributes;
    let a = required(attributes, CAUSE, "UpsertWorkflowSearchAttributes")?;
    let unset = |what| Failed::task(CAUSE, format!("{what} is not set on UpsertWorkflowSearchAttributesCommand."));
    let wanted = a.search_attributes.ok_or_else(|| unset("SearchAttributes"))?;
    if wanted.indexed_fields.is_empty() {
        return Err(unset("IndexedFields"));
    }
    search_attributes::validate(tx.cx.settings, tx.cx.namespace, Some(&wanted)).map_err(|invalid| match invalid {
        Invalid::Attribute(text) => Failed::task(CAUSE, text),
        Invalid::TooLarge(text) => Failed::terminate(CAUSE, text),
    })?;
    search_attributes::merge(tx, &wanted);
    let shown = search_attributes::typed_event(tx.cx.settings, wanted);
    let attributes = h::UpsertWorkflowSearchAttributesEventAttributes {
        workflow_task_completed_event_id: batch.completed_event_id,
        search_attributes: Some(shown),
    };
    let event = tx.append(Attributes::UpsertWorkflowSearchAttributesEventAttributes(attributes));
    event.user_metadata = batch.user_metadata.clone();
    Ok(())
}
