//! What is switched off by default, and answers in the words of a server where it is off (spec §3.37.1).
use abide_proto::temporal::api::workflowservice::v1 as ws;
use tonic::Status;

use super::{Call, Frontend};
use crate::status;

/// What a refusal is a reply of: nothing.
type Refused = Result<(), Status>;

pub(super) async fn workflow_rules<Request>(_: &Frontend, call: Call, _: Request) -> Refused {
    Err(status::unimplemented(format!("method {} not supported", call.method)))
}

pub(super) async fn workflow_pause(_: &Frontend, call: Call, _: ws::PauseWorkflowExecutionRequest) -> Refused {
    Err(status::unimplemented(format!("workflow pause is not enabled for namespace: {}", call.namespace.name)))
}

pub(super) async fn standalone_nexus<Request>(_: &Frontend, _: Call, _: Request) -> Refused {
    Err(status::unimplemented("Standalone Nexus operation is disabled"))
}

pub(super) async fn worker_commands<Request>(_: &Frontend, call: Call, _: Request) -> Refused {
    Err(status::unimplemented(format!("{} command is not enabled.", call.method)))
}

pub(super) async fn deployments<Request>(_: &Frontend, _: Call, _: Request) -> Refused {
    Err(status::unimplemented("Deployments are deprecated and no longer supported, use Worker Deployments instead"))
}

pub(super) async fn version_sets<Request>(_: &Frontend, _: Call, _: Request) -> Refused {
    let text = "Worker versioning v0.1 (Version Set-based, deprecated) is disabled on this namespace.";
    Err(status::permission_denied(text, ""))
}

pub(super) async fn version_rules<Request>(_: &Frontend, _: Call, _: Request) -> Refused {
    let text = "Worker versioning v0.2 (Rules-based, deprecated) is disabled on this namespace.";
    Err(status::permission_denied(text, ""))
}
