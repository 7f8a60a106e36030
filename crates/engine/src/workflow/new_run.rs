//! What a run is made from: written by a start, or by the end of the run before it.
use uuid::{Builder, Uuid};

use super::{run::RunKey, workflow_task::taker::Taker};
use crate::{
    Context, Time,
    api::{
        common,
        history::{WorkflowExecutionSignaledEventAttributes, WorkflowExecutionStartedEventAttributes},
        sdk,
    },
};

/// Everything that a run is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRun {
    pub key: RunKey,
    /// Complete but for the ids that [`fn@super::create`] fills in.
    pub attributes: WorkflowExecutionStartedEventAttributes,
    pub create_request_id: String,
    pub user_metadata: Option<sdk::UserMetadata>,
    pub links: Vec<common::Link>,
    /// When the chain's first run started; none for a first run.
    pub chain_start_time: Option<Time>,
    /// The signal of a SignalWithStart, with its links.
    pub signal: Option<(WorkflowExecutionSignaledEventAttributes, Vec<common::Link>)>,
    /// The first task is to be started in the same transition, for this taker.
    pub eager: Option<Taker>,
}

/// A fresh run id for this workflow id. It begins with the time (UUID version 7): what runs do now lies side by side in
/// the store, which need not touch what older ones left in order to merge it.
pub fn new_key(cx: &mut Context<'_>, namespace_id: Uuid, workflow_id: &str) -> RunKey {
    let [a, b, c, d, e, f, .., w, x, y, z] = *cx.ids.uuid().as_bytes();
    let now_ms = u64::try_from(cx.now.floor_ms()).unwrap_or_default();
    let run_id = Builder::from_unix_timestamp_millis(now_ms, &[a, b, c, d, e, f, w, x, y, z]).into_uuid();
    RunKey { namespace_id, workflow_id: workflow_id.to_owned(), run_id }
}
