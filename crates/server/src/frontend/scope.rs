//! Which checks of namespace and task token a request goes through before its handler sees it (spec §3.37.1).
use abide_proto::temporal::api::{operatorservice::v1 as op, workflowservice::v1 as ws};
use bytes::Bytes;
use prost::Message;

/// What a request is about.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'r> {
    /// The cluster, or a namespace in a way that the handler looks into itself.
    Cluster,
    /// A namespace that must be there.
    Namespace(&'r str),
    /// A namespace that must be there and not be deprecated: the request starts something in it.
    Open(&'r str),
    /// A namespace as such, which need not be there.
    NamespaceItself { name: &'r str, id: &'r str },
    /// A task; without a namespace, the token's counts.
    Task { namespace: &'r str, token: &'r Bytes },
}

/// A request whose [`Scope`] is known.
pub trait Scoped: Message + Default {
    fn scope(&self) -> Scope<'_>;
}

macro_rules! scopes {
    ($($request:ty)* => $of:expr) => {
        $(impl Scoped for $request {
            fn scope(&self) -> Scope<'_> {
                let of: fn(&Self) -> Scope<'_> = $of;
                of(self)
            }
        })*
    };
}

scopes! {
    ws::ListNamespacesRequest
    ws::GetSearchAttributesRequest
    ws::GetClusterInfoRequest
    ws::GetSystemInfoRequest
    => |_| Scope::Cluster
}

scopes! {
    op::AddSearchAttributesRequest
    op::RemoveSearchAttributesRequest
    op::ListSearchAttributesRequest
    op::DeleteNamespaceRequest
    op::AddOrUpdateRemoteClusterRequest
    op::RemoveRemoteClusterRequest
    op::ListClustersRequest
    op::GetNexusEndpointRequest
    op::CreateNexusEndpointRequest
    op::UpdateNexusEndpointRequest
    op::DeleteNexusEndpointRequest
    op::ListNexusEndpointsRequest
    => |_| Scope::Cluster
}

scopes! {
    ws::RegisterNamespaceRequest
    ws::UpdateNamespaceRequest
    ws::DeprecateNamespaceRequest
    => |request| Scope::NamespaceItself { name: &request.namespace, id: "" }
}

scopes! {
    ws::DescribeNamespaceRequest
    => |request| Scope::NamespaceItself { name: &request.namespace, id: &request.id }
}

scopes! {
    ws::RespondWorkflowTaskCompletedRequest
    ws::RespondWorkflowTaskFailedRequest
    ws::RecordActivityTaskHeartbeatRequest
    ws::RespondActivityTaskCompletedRequest
    ws::RespondActivityTaskFailedRequest
    ws::RespondActivityTaskCanceledRequest
    ws::RespondQueryTaskCompletedRequest
    ws::RespondNexusTaskCompletedRequest
    ws::RespondNexusTaskFailedRequest
    => |request| Scope::Task { namespace: &request.namespace, token: &request.task_token }
}

scopes! {
    ws::StartWorkflowExecutionRequest
    ws::SignalWithStartWorkflowExecutionRequest
    => |request| Scope::Open(&request.namespace)
}

scopes! {
    ws::ExecuteMultiOperationRequest
    ws::GetWorkflowExecutionHistoryRequest
    ws::GetWorkflowExecutionHistoryReverseRequest
    ws::PollWorkflowTaskQueueRequest
    ws::PollActivityTaskQueueRequest
    ws::RecordActivityTaskHeartbeatByIdRequest
    ws::RespondActivityTaskCompletedByIdRequest
    ws::RespondActivityTaskFailedByIdRequest
    ws::RespondActivityTaskCanceledByIdRequest
    ws::RequestCancelWorkflowExecutionRequest
    ws::SignalWorkflowExecutionRequest
    ws::ResetWorkflowExecutionRequest
    ws::TerminateWorkflowExecutionRequest
    ws::DeleteWorkflowExecutionRequest
    ws::ListOpenWorkflowExecutionsRequest
    ws::ListClosedWorkflowExecutionsRequest
    ws::ListWorkflowExecutionsRequest
    ws::ListArchivedWorkflowExecutionsRequest
    ws::ScanWorkflowExecutionsRequest
    ws::CountWorkflowExecutionsRequest
    ws::ResetStickyTaskQueueRequest
    ws::ShutdownWorkerRequest
    ws::QueryWorkflowRequest
    ws::DescribeWorkflowExecutionRequest
    ws::DescribeTaskQueueRequest
    ws::ListTaskQueuePartitionsRequest
    ws::CreateScheduleRequest
    ws::DescribeScheduleRequest
    ws::UpdateScheduleRequest
    ws::PatchScheduleRequest
    ws::ListScheduleMatchingTimesRequest
    ws::DeleteScheduleRequest
    ws::ListSchedulesRequest
    ws::CountSchedulesRequest
    ws::UpdateWorkerBuildIdCompatibilityRequest
    ws::GetWorkerBuildIdCompatibilityRequest
    ws::UpdateWorkerVersioningRulesRequest
    ws::GetWorkerVersioningRulesRequest
    ws::GetWorkerTaskReachabilityRequest
    ws::DescribeDeploymentRequest
    ws::DescribeWorkerDeploymentVersionRequest
    ws::ListDeploymentsRequest
    ws::GetDeploymentReachabilityRequest
    ws::GetCurrentDeploymentRequest
    ws::SetCurrentDeploymentRequest
    ws::SetWorkerDeploymentCurrentVersionRequest
    ws::DescribeWorkerDeploymentRequest
    ws::DeleteWorkerDeploymentRequest
    ws::DeleteWorkerDeploymentVersionRequest
    ws::SetWorkerDeploymentRampingVersionRequest
    ws::ListWorkerDeploymentsRequest
    ws::CreateWorkerDeploymentRequest
    ws::CreateWorkerDeploymentVersionRequest
    ws::UpdateWorkerDeploymentVersionComputeConfigRequest
    ws::ValidateWorkerDeploymentVersionComputeConfigRequest
    ws::UpdateWorkerDeploymentVersionMetadataRequest
    ws::SetWorkerDeploymentManagerRequest
    ws::UpdateWorkflowExecutionRequest
    ws::PollWorkflowExecutionUpdateRequest
    ws::StartBatchOperationRequest
    ws::StopBatchOperationRequest
    ws::DescribeBatchOperationRequest
    ws::ListBatchOperationsRequest
    ws::PollNexusTaskQueueRequest
    ws::UpdateActivityOptionsRequest
    ws::UpdateWorkflowExecutionOptionsRequest
    ws::PauseActivityRequest
    ws::UnpauseActivityRequest
    ws::ResetActivityRequest
    ws::CreateWorkflowRuleRequest
    ws::DescribeWorkflowRuleRequest
    ws::DeleteWorkflowRuleRequest
    ws::ListWorkflowRulesRequest
    ws::TriggerWorkflowRuleRequest
    ws::RecordWorkerHeartbeatRequest
    ws::ListWorkersRequest
    ws::CountWorkersRequest
    ws::UpdateTaskQueueConfigRequest
    ws::FetchWorkerConfigRequest
    ws::UpdateWorkerConfigRequest
    ws::DescribeWorkerRequest
    ws::PauseWorkflowExecutionRequest
    ws::UnpauseWorkflowExecutionRequest
    ws::StartActivityExecutionRequest
    ws::StartNexusOperationExecutionRequest
    ws::DescribeActivityExecutionRequest
    ws::DescribeNexusOperationExecutionRequest
    ws::PollActivityExecutionRequest
    ws::PollNexusOperationExecutionRequest
    ws::ListActivityExecutionsRequest
    ws::ListNexusOperationExecutionsRequest
    ws::CountActivityExecutionsRequest
    ws::CountNexusOperationExecutionsRequest
    ws::RequestCancelActivityExecutionRequest
    ws::RequestCancelNexusOperationExecutionRequest
    ws::TerminateActivityExecutionRequest
    ws::DeleteActivityExecutionRequest
    ws::PauseActivityExecutionRequest
    ws::ResetActivityExecutionRequest
    ws::UnpauseActivityExecutionRequest
    ws::UpdateActivityExecutionOptionsRequest
    ws::TerminateNexusOperationExecutionRequest
    ws::DeleteNexusOperationExecutionRequest
    ws::PollWorkflowExecutionTimeSkippingRequest
    => |request| Scope::Namespace(&request.namespace)
}
