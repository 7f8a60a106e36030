//! MODIFY_WORKFLOW_PROPERTIES: merges into the memo; an empty or null payload takes a key away.
use super::applying::{Applying, Failed, required};
use crate::{
    api::{
        Attributes, command::ModifyWorkflowPropertiesCommandAttributes, enums::WorkflowTaskFailedCause as Cause,
        history as h,
    },
    payload,
    workflow::transition::Transition,
};

pub(super) fn apply(
    tx: &mut Transition<'_, '_>,
    batch: &Applying,
    attributes: Option<ModifyWorkflowPropertiesCommandAttributes>,
) -> Result<(), Failed> {
    const CAUSE: Cause = Cause::BadModifyWorkflowPropertiesAttributes;
    let a = required(attributes, CAUSE, "ModifyWorkflowProperties")?;
    let unset = |what| Failed::task(CAUSE, format!("{what} is not set on ModifyWorkflowPropertiesCommand."));
    let memo = a.upserted_memo.as_ref().ok_or_else(|| unset("UpsertedMemo"))?;
    if memo.fields.is_empty() {
        return Err(unset("UpsertedMemo.Fields"));
    }
    if prost::Message::encoded_len(memo) > tx.cx.settings.memo_size_bytes {
        return Err(Failed::terminate(CAUSE, "ModifyWorkflowPropertiesCommandAttributes exceeds size limit."));
    }
    let fields = &mut tx.run.profile.get_mut().memo.get_or_insert_default().fields;
    for (key, value) in &memo.fields {
        if payload::is_unset(value) {
            fields.remove(key);
        } else {
            fields.insert(key.clone(), value.clone());
        }
    }
    let attributes = h::WorkflowPropertiesModifiedEventAttributes {
        workflow_task_completed_event_id: batch.completed_event_id,
        upserted_memo: a.upserted_memo,
    };
    let event = tx.append(Attributes::WorkflowPropertiesModifiedEventAttributes(attributes));
    event.user_metadata = batch.user_metadata.clone();
    Ok(())
}
