//! The frontend: one handler per method of the API, in one module per area.
//!
//! A handler is an `async fn(&Frontend, Call, Request) -> Result<Response, Status>`. When it is called, the namespace is
//! looked up, the task token is one of that namespace, and the client's version is checked (in `prologue`). A handler's
//! future is dropped when the caller goes away, so it must be safe to stop at every await.
use std::sync::Arc;

use abide_matching::Matching;
use abide_proto::temporal::api::{enums::v1::NamespaceState, operatorservice::v1 as op, workflowservice::v1 as ws};
use tonic::Status;

use crate::{
    config::ServerConfig,
    drain::Drain,
    dynamic_config::DynamicConfig,
    env::Env,
    metrics::Metrics,
    namespaces::{Namespace, Namespaces},
    shard::{Shards, Task},
    status,
    task_queue_configs::TaskQueueConfigs,
};

mod call;
pub mod client_version;
mod cluster;
mod limits;
mod method;
mod namespace;
mod prologue;
mod query;
mod refusal;
mod scope;
mod search_attributes;
mod switched_off;
mod task;
mod token;
mod worker;
mod workflow;

pub use call::{Call, Deadline};
pub use limits::{Limits, refused};
pub use method::{Method, Service};
pub use prologue::Arrived;
pub use scope::{Scope, Scoped};
pub use search_attributes::SYSTEM_SEARCH_ATTRIBUTES;

/// What every handler works with. One per process.
pub struct Frontend {
    pub env: Env,
    pub config: ServerConfig,
    pub dynamic_config: DynamicConfig,
    pub namespaces: Arc<Namespaces>,
    /// The namespace of the server's own affairs; its id is the cluster's.
    pub system_namespace: Arc<Namespace>,
    pub metrics: Arc<Metrics>,
    pub shards: Shards,
    pub matching: Matching<Task>,
    pub direct_queries: query::DirectQueries,
    pub limits: Limits,
    pub task_queue_configs: TaskQueueConfigs,
    /// Long polls end when it starts.
    pub drain: Drain,
}

impl Frontend {
    /// The namespace that a request names, if it is not deleted.
    pub fn namespace(&self, name: &str) -> Result<Arc<Namespace>, Status> {
        if name.is_empty() {
            return Err(status::invalid_argument("Namespace is empty."));
        }
        match self.namespaces.by_name(name) {
            Some(found) if found.state == NamespaceState::Deleted => {
                let allowed = [NamespaceState::Registered, NamespaceState::Deprecated];
                Err(status::namespace_invalid_state(name, found.state, &allowed))
            }
            Some(found) => Ok(found),
            None => {
                prologue::check_length(self, name)?;
                Err(status::namespace_not_found(name))
            }
        }
    }
}

/// The answer of a method that is not built.
async fn unbuilt<Request>(_: &Frontend, call: Call, _: Request) -> Result<(), Status> {
    Err(status::unimplemented(format!("{} not implemented", call.method)))
}

method::table! {
    /// `temporal.api.workflowservice.v1.WorkflowService`.
    pub static WORKFLOW_SERVICE: Service = "temporal.api.workflowservice.v1.WorkflowService" {
        "RegisterNamespace" => namespace::register;
        "DescribeNamespace" => namespace::describe;
        "ListNamespaces" => namespace::list;
        "UpdateNamespace" => namespace::update;
        "DeprecateNamespace" => namespace::deprecate;
        "StartWorkflowExecution" => workflow::start::start;
        "ExecuteMultiOperation" => unbuilt::<ws::ExecuteMultiOperationRequest>;
        "GetWorkflowExecutionHistory" => workflow::history::get;
        "GetWorkflowExecutionHistoryReverse" => workflow::history::get_reverse;
        "PollWorkflowTaskQueue" => task::workflow_poll::poll;
        "RespondWorkflowTaskCompleted" => task::workflow_answer::completed;
        "RespondWorkflowTaskFailed" => task::workflow_answer::failed;
        "PollActivityTaskQueue" => task::activity_poll::poll;
        "RecordActivityTaskHeartbeat" => task::activity_answer::heartbeat;
        "RecordActivityTaskHeartbeatById" => task::activity_answer::heartbeat_by_id;
        "RespondActivityTaskCompleted" => task::activity_answer::completed;
        "RespondActivityTaskCompletedById" => task::activity_answer::completed_by_id;
        "RespondActivityTaskFailed" => task::activity_answer::failed;
        "RespondActivityTaskFailedById" => task::activity_answer::failed_by_id;
        "RespondActivityTaskCanceled" => task::activity_answer::canceled;
        "RespondActivityTaskCanceledById" => task::activity_answer::canceled_by_id;
        "RequestCancelWorkflowExecution" => workflow::cancel::request_cancel;
        "SignalWorkflowExecution" => workflow::signal::signal;
        "SignalWithStartWorkflowExecution" => workflow::start::signal_with_start;
        "ResetWorkflowExecution" => unbuilt::<ws::ResetWorkflowExecutionRequest>;
        "TerminateWorkflowExecution" => workflow::terminate::terminate;
        "DeleteWorkflowExecution" => unbuilt::<ws::DeleteWorkflowExecutionRequest>;
        "ListOpenWorkflowExecutions" => unbuilt::<ws::ListOpenWorkflowExecutionsRequest>;
        "ListClosedWorkflowExecutions" => unbuilt::<ws::ListClosedWorkflowExecutionsRequest>;
        "ListWorkflowExecutions" => unbuilt::<ws::ListWorkflowExecutionsRequest>;
        "ListArchivedWorkflowExecutions" => unbuilt::<ws::ListArchivedWorkflowExecutionsRequest>;
        "ScanWorkflowExecutions" => unbuilt::<ws::ScanWorkflowExecutionsRequest>;
        "CountWorkflowExecutions" => unbuilt::<ws::CountWorkflowExecutionsRequest>;
        "GetSearchAttributes" => search_attributes::get;
        "RespondQueryTaskCompleted" => query::completed;
        "ResetStickyTaskQueue" => workflow::describe::reset_sticky;
        "ShutdownWorker" => worker::shutdown;
        "QueryWorkflow" => query::query;
        "DescribeWorkflowExecution" => workflow::describe::describe;
        "DescribeTaskQueue" => task::describe_queue::describe;
        "GetClusterInfo" => cluster::get_cluster_info;
        "GetSystemInfo" => cluster::get_system_info;
        "ListTaskQueuePartitions" => task::partitions::list;
        "CreateSchedule" => unbuilt::<ws::CreateScheduleRequest>;
        "DescribeSchedule" => unbuilt::<ws::DescribeScheduleRequest>;
        "UpdateSchedule" => unbuilt::<ws::UpdateScheduleRequest>;
        "PatchSchedule" => unbuilt::<ws::PatchScheduleRequest>;
        "ListScheduleMatchingTimes" => unbuilt::<ws::ListScheduleMatchingTimesRequest>;
        "DeleteSchedule" => unbuilt::<ws::DeleteScheduleRequest>;
        "ListSchedules" => unbuilt::<ws::ListSchedulesRequest>;
        "CountSchedules" => unbuilt::<ws::CountSchedulesRequest>;
        "UpdateWorkerBuildIdCompatibility" => switched_off::version_sets::<ws::UpdateWorkerBuildIdCompatibilityRequest>;
        "GetWorkerBuildIdCompatibility" => switched_off::version_sets::<ws::GetWorkerBuildIdCompatibilityRequest>;
        "UpdateWorkerVersioningRules" => switched_off::version_rules::<ws::UpdateWorkerVersioningRulesRequest>;
        "GetWorkerVersioningRules" => switched_off::version_rules::<ws::GetWorkerVersioningRulesRequest>;
        "GetWorkerTaskReachability" => switched_off::version_rules::<ws::GetWorkerTaskReachabilityRequest>;
        "DescribeDeployment" => switched_off::deployments::<ws::DescribeDeploymentRequest>;
        "DescribeWorkerDeploymentVersion" => unbuilt::<ws::DescribeWorkerDeploymentVersionRequest>;
        "ListDeployments" => switched_off::deployments::<ws::ListDeploymentsRequest>;
        "GetDeploymentReachability" => switched_off::deployments::<ws::GetDeploymentReachabilityRequest>;
        "GetCurrentDeployment" => switched_off::deployments::<ws::GetCurrentDeploymentRequest>;
        "SetCurrentDeployment" => switched_off::deployments::<ws::SetCurrentDeploymentRequest>;
        "SetWorkerDeploymentCurrentVersion" => unbuilt::<ws::SetWorkerDeploymentCurrentVersionRequest>;
        "DescribeWorkerDeployment" => unbuilt::<ws::DescribeWorkerDeploymentRequest>;
        "DeleteWorkerDeployment" => unbuilt::<ws::DeleteWorkerDeploymentRequest>;
        "DeleteWorkerDeploymentVersion" => unbuilt::<ws::DeleteWorkerDeploymentVersionRequest>;
        "SetWorkerDeploymentRampingVersion" => unbuilt::<ws::SetWorkerDeploymentRampingVersionRequest>;
        "ListWorkerDeployments" => unbuilt::<ws::ListWorkerDeploymentsRequest>;
        "CreateWorkerDeployment" => unbuilt::<ws::CreateWorkerDeploymentRequest>;
        "CreateWorkerDeploymentVersion" => unbuilt::<ws::CreateWorkerDeploymentVersionRequest>;
        "UpdateWorkerDeploymentVersionComputeConfig" => unbuilt::<ws::UpdateWorkerDeploymentVersionComputeConfigRequest>;
        "ValidateWorkerDeploymentVersionComputeConfig" => unbuilt::<ws::ValidateWorkerDeploymentVersionComputeConfigRequest>;
        "UpdateWorkerDeploymentVersionMetadata" => unbuilt::<ws::UpdateWorkerDeploymentVersionMetadataRequest>;
        "SetWorkerDeploymentManager" => unbuilt::<ws::SetWorkerDeploymentManagerRequest>;
        "UpdateWorkflowExecution" => unbuilt::<ws::UpdateWorkflowExecutionRequest>;
        "PollWorkflowExecutionUpdate" => unbuilt::<ws::PollWorkflowExecutionUpdateRequest>;
        "StartBatchOperation" => unbuilt::<ws::StartBatchOperationRequest>;
        "StopBatchOperation" => unbuilt::<ws::StopBatchOperationRequest>;
        "DescribeBatchOperation" => unbuilt::<ws::DescribeBatchOperationRequest>;
        "ListBatchOperations" => unbuilt::<ws::ListBatchOperationsRequest>;
        "PollNexusTaskQueue" => task::nexus_poll::poll;
        "RespondNexusTaskCompleted" => unbuilt::<ws::RespondNexusTaskCompletedRequest>;
        "RespondNexusTaskFailed" => unbuilt::<ws::RespondNexusTaskFailedRequest>;
        "UpdateActivityOptions" => unbuilt::<ws::UpdateActivityOptionsRequest>;
        "UpdateWorkflowExecutionOptions" => unbuilt::<ws::UpdateWorkflowExecutionOptionsRequest>;
        "PauseActivity" => unbuilt::<ws::PauseActivityRequest>;
        "UnpauseActivity" => unbuilt::<ws::UnpauseActivityRequest>;
        "ResetActivity" => unbuilt::<ws::ResetActivityRequest>;
        "CreateWorkflowRule" => switched_off::workflow_rules::<ws::CreateWorkflowRuleRequest>;
        "DescribeWorkflowRule" => switched_off::workflow_rules::<ws::DescribeWorkflowRuleRequest>;
        "DeleteWorkflowRule" => switched_off::workflow_rules::<ws::DeleteWorkflowRuleRequest>;
        "ListWorkflowRules" => switched_off::workflow_rules::<ws::ListWorkflowRulesRequest>;
        "TriggerWorkflowRule" => switched_off::workflow_rules::<ws::TriggerWorkflowRuleRequest>;
        "RecordWorkerHeartbeat" => unbuilt::<ws::RecordWorkerHeartbeatRequest>;
        "ListWorkers" => unbuilt::<ws::ListWorkersRequest>;
        "CountWorkers" => unbuilt::<ws::CountWorkersRequest>;
        "UpdateTaskQueueConfig" => task::queue_config::update;
        "FetchWorkerConfig" => switched_off::worker_commands::<ws::FetchWorkerConfigRequest>;
        "UpdateWorkerConfig" => switched_off::worker_commands::<ws::UpdateWorkerConfigRequest>;
        "DescribeWorker" => unbuilt::<ws::DescribeWorkerRequest>;
        "PauseWorkflowExecution" => switched_off::workflow_pause;
        "UnpauseWorkflowExecution" => unbuilt::<ws::UnpauseWorkflowExecutionRequest>;
        "StartActivityExecution" => unbuilt::<ws::StartActivityExecutionRequest>;
        "StartNexusOperationExecution" => switched_off::standalone_nexus::<ws::StartNexusOperationExecutionRequest>;
        "DescribeActivityExecution" => unbuilt::<ws::DescribeActivityExecutionRequest>;
        "DescribeNexusOperationExecution" => switched_off::standalone_nexus::<ws::DescribeNexusOperationExecutionRequest>;
        "PollActivityExecution" => unbuilt::<ws::PollActivityExecutionRequest>;
        "PollNexusOperationExecution" => switched_off::standalone_nexus::<ws::PollNexusOperationExecutionRequest>;
        "ListActivityExecutions" => unbuilt::<ws::ListActivityExecutionsRequest>;
        "ListNexusOperationExecutions" => switched_off::standalone_nexus::<ws::ListNexusOperationExecutionsRequest>;
        "CountActivityExecutions" => unbuilt::<ws::CountActivityExecutionsRequest>;
        "CountNexusOperationExecutions" => switched_off::standalone_nexus::<ws::CountNexusOperationExecutionsRequest>;
        "RequestCancelActivityExecution" => unbuilt::<ws::RequestCancelActivityExecutionRequest>;
        "RequestCancelNexusOperationExecution" => switched_off::standalone_nexus::<ws::RequestCancelNexusOperationExecutionRequest>;
        "TerminateActivityExecution" => unbuilt::<ws::TerminateActivityExecutionRequest>;
        "DeleteActivityExecution" => unbuilt::<ws::DeleteActivityExecutionRequest>;
        "PauseActivityExecution" => unbuilt::<ws::PauseActivityExecutionRequest>;
        "ResetActivityExecution" => unbuilt::<ws::ResetActivityExecutionRequest>;
        "UnpauseActivityExecution" => unbuilt::<ws::UnpauseActivityExecutionRequest>;
        "UpdateActivityExecutionOptions" => unbuilt::<ws::UpdateActivityExecutionOptionsRequest>;
        "TerminateNexusOperationExecution" => switched_off::standalone_nexus::<ws::TerminateNexusOperationExecutionRequest>;
        "DeleteNexusOperationExecution" => switched_off::standalone_nexus::<ws::DeleteNexusOperationExecutionRequest>;
        "PollWorkflowExecutionTimeSkipping" => unbuilt::<ws::PollWorkflowExecutionTimeSkippingRequest>;
    }
}

method::table! {
    /// `temporal.api.operatorservice.v1.OperatorService`.
    pub static OPERATOR_SERVICE: Service = "temporal.api.operatorservice.v1.OperatorService" {
        "AddSearchAttributes" => search_attributes::add;
        "RemoveSearchAttributes" => search_attributes::remove;
        "ListSearchAttributes" => search_attributes::list;
        "DeleteNamespace" => namespace::delete;
        "AddOrUpdateRemoteCluster" => unbuilt::<op::AddOrUpdateRemoteClusterRequest>;
        "RemoveRemoteCluster" => cluster::remove_remote_cluster;
        "ListClusters" => cluster::list_clusters;
        "GetNexusEndpoint" => unbuilt::<op::GetNexusEndpointRequest>;
        "CreateNexusEndpoint" => unbuilt::<op::CreateNexusEndpointRequest>;
        "UpdateNexusEndpoint" => unbuilt::<op::UpdateNexusEndpointRequest>;
        "DeleteNexusEndpoint" => unbuilt::<op::DeleteNexusEndpointRequest>;
        "ListNexusEndpoints" => unbuilt::<op::ListNexusEndpointsRequest>;
    }
}
