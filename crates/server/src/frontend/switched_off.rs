//! What is switched off by default, and answers in the words of a server where it is off (spec §3.37.1).
use abide_proto::temporal::api::workflowservice::v1 as ws;
use tonic::Status;

use super::{Call, Frontend};
use crate::status;

/// What a refusal is a reply of: nothing.
type Refused = Result<(), Status>;

/// The refusal of a call that is switched off; of one that is switched on, that it is not built.
fn refused(call: &Call, on: bool, off: Status) -> Refused {
    Err(if on { status::unimplemented(format!("{} not implemented", call.method)) } else { off })
}

pub(super) async fn workflow_rules<Request>(frontend: &Frontend, call: Call, _: Request) -> Refused {
    let off = status::unimplemented(format!("method {} not supported", call.method));
    refused(&call, frontend.dynamic_config.workflow_rules_apis, off)
}

pub(super) async fn workflow_pause(frontend: &Frontend, call: Call, _: ws::PauseWorkflowExecutionRequest) -> Refused {
    let off = status::unimplemented(format!("workflow pause is not enabled for namespace: {}", call.namespace.name));
    refused(&call, frontend.dynamic_config.workflow_pause, off)
}

pub(super) async fn standalone_nexus<Request>(frontend: &Frontend, call: Call, _: Request) -> Refused {
    let off = status::unimplemented("Standalone Nexus operation is disabled");
    refused(&call, frontend.dynamic_config.standalone_nexus_operations, off)
}

pub(super) async fn worker_commands<Request>(frontend: &Frontend, call: Call, _: Request) -> Refused {
    let off = status::unimplemented(format!("{} command is not enabled.", call.method));
    refused(&call, frontend.dynamic_config.worker_commands, off)
}

pub(super) async fn deployments<Request>(_: &Frontend, _: Call, _: Request) -> Refused {
    Err(status::unimplemented("Deployments are deprecated and no longer supported, use Worker Deployments instead"))
}

pub(super) async fn version_sets<Request>(frontend: &Frontend, call: Call, _: Request) -> Refused {
    let text = "Worker versioning v0.1 (Version Set-based, deprecated) is disabled on this namespace.";
    refused(&call, frontend.dynamic_config.worker_versioning_data_apis, status::permission_denied(text, ""))
}

pub(super) async fn version_rules<Request>(frontend: &Frontend, call: Call, _: Request) -> Refused {
    let text = "Worker versioning v0.2 (Rules-based, deprecated) is disabled on this namespace.";
    refused(&call, frontend.dynamic_config.worker_versioning_rule_apis, status::permission_denied(text, ""))
}
