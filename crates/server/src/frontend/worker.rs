//! What workers say of themselves.
use abide_proto::temporal::api::workflowservice::v1 as ws;
use tonic::Status;

use super::{Call, Frontend};

/// A worker that stops. SDKs need no more than that the call succeeds.
pub(super) async fn shutdown(
    _: &Frontend,
    _: Call,
    _: ws::ShutdownWorkerRequest,
) -> Result<ws::ShutdownWorkerResponse, Status> {
    Ok(ws::ShutdownWorkerResponse {})
}
