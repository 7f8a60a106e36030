//! Looks, while there is too much load, at how a call is refused.
use std::time::{Duration, Instant};

use abide_proto::temporal::api::{
    enums::v1::{ResourceExhaustedCause, ResourceExhaustedScope},
    errordetails::v1::ResourceExhaustedFailure,
};
use prost::Message;
use tonic::{Code, Status};

use super::requests;
use crate::{clock, connection::Connections, error::Error, fault::Fault, wire::request};

const INTERVAL: Duration = Duration::from_millis(100);
const TIMEOUT: Duration = Duration::from_secs(30);

/// Starts workflows one after another until `end`. Returns how many were refused.
///
/// # Errors
/// When one is refused in another way than overload is told.
pub(super) async fn watch(address: &str, tag: &str, end: Instant) -> Result<u64, Error> {
    let mut client = Connections::open(address, 1).await?.client();
    let (mut number, mut refused) = (0, 0);
    while clock::now() < end {
        let mut start = requests::start(format!("{tag}-refusals-{number}"));
        start.request_eager_execution = false;
        number += 1;
        if let Err(status) = client.start_workflow_execution(request(start, TIMEOUT)).await {
            check(&status)?;
            refused += 1;
        }
        clock::pause(INTERVAL).await;
    }
    Ok(refused)
}

fn check(status: &Status) -> Result<(), Fault> {
    if status.code() != Code::ResourceExhausted {
        return Err(Fault::refused("StartWorkflowExecution", status));
    }
    let expected = (ResourceExhaustedCause::SystemOverloaded, ResourceExhaustedScope::System);
    let detail = abide_proto::google::rpc::Status::decode(status.details()).ok();
    let detail =
        detail.and_then(|status| ResourceExhaustedFailure::decode(status.details.first()?.value.as_slice()).ok());
    let got = detail.map(|detail| (detail.cause(), detail.scope()));
    if got == Some(expected) {
        return Ok(());
    }
    Err(Fault::wrong("the reason of a refusal", format!("{expected:?}"), format!("{got:?}")))
}
