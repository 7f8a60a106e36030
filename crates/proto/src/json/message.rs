//! Which generated type has which full name; types without a line here go by name.

use prost::Message;

use crate::temporal::api;

/// A generated message that knows its full name in the descriptor set.
pub trait JsonMessage: Message + Default {
    /// `package.Message`.
    const FULL_NAME: &'static str;
}

macro_rules! json_messages {
    ($($package:ident: $($message:ident),+;)+) => {$($(
        impl JsonMessage for api::$package::v1::$message {
            const FULL_NAME: &'static str =
                concat!("temporal.api.", stringify!($package), ".v1.", stringify!($message));
        }
    )+)+};
}

json_messages! {
    common: Payload, Payloads, Memo, SearchAttributes, RetryPolicy, WorkflowExecution;
    failure: Failure;
    history: History, HistoryEvent;
    namespace: NamespaceInfo, NamespaceConfig;
    operatorservice: ListSearchAttributesResponse;
    replication: ClusterReplicationConfig, FailoverStatus, NamespaceReplicationConfig;
    sdk: UserMetadata;
    taskqueue: PollerInfo, TaskQueueStatus, TaskQueueVersionInfo;
    workflow: WorkflowExecutionInfo, PendingActivityInfo, PendingChildExecutionInfo, PendingNexusOperationInfo, CallbackInfo;
    workflowservice: CountWorkflowExecutionsResponse, DescribeWorkflowExecutionResponse, DescribeNamespaceResponse, GetClusterInfoResponse,
        GetSystemInfoResponse, GetWorkflowExecutionHistoryResponse, ListTaskQueuePartitionsResponse;
}
