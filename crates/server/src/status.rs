//! The one place where errors become gRPC statuses (spec §3.37).
//!
//! A status with a detail carries a `google.rpc.Status` in `grpc-status-details-bin`, whose `details` hold one message
//! of `temporal.api.errordetails.v1`: SDKs tell errors of one code apart by it. The recordings show which statuses carry
//! none: InvalidArgument and plain FailedPrecondition, Unimplemented, Unavailable and the like.
use std::hash::BuildHasher;

use abide_proto::{
    google::rpc,
    temporal::api::{
        enums::v1::{NamespaceState, ResourceExhaustedCause, ResourceExhaustedScope},
        errordetails::v1 as details,
        failure::v1::Failure,
    },
};
use prost::Message;
use prost_types::Any;
use rustc_hash::FxBuildHasher;
use tonic::{Code, Status, metadata::MetadataValue};

const DETAIL_PREFIX: &str = "type.googleapis.com/temporal.api.errordetails.v1.";

/// A request that breaks a rule of its own fields. Carries no detail.
pub fn invalid_argument(message: impl Into<String>) -> Status {
    Status::invalid_argument(message)
}

/// Something other than a namespace is not there.
pub fn not_found(message: impl Into<String>) -> Status {
    detailed(Code::NotFound, message, "NotFoundFailure", &details::NotFoundFailure::default())
}

/// The namespace, given by name or id, is not there.
pub fn namespace_not_found(namespace: impl ToString) -> Status {
    let namespace = namespace.to_string();
    let message = format!("Namespace {namespace} is not found.");
    detailed(Code::NotFound, message, "NamespaceNotFoundFailure", &details::NamespaceNotFoundFailure { namespace })
}

pub fn namespace_already_exists(namespace: &str) -> Status {
    let message = format!("Namespace {namespace:?} already exists");
    let detail = details::NamespaceAlreadyExistsFailure {};
    detailed(Code::AlreadyExists, message, "NamespaceAlreadyExistsFailure", &detail)
}

/// The namespace is in a state in which the call is not allowed.
pub fn namespace_invalid_state(namespace: &str, state: NamespaceState, allowed: &[NamespaceState]) -> Status {
    let names: Vec<&str> = allowed.iter().map(|state| state_name(*state)).collect();
    let message = format!(
        "Namespace has invalid state: {}. Must be {} for this operation.",
        state_name(state),
        names.join(" or ")
    );
    let detail = details::NamespaceInvalidStateFailure {
        namespace: namespace.to_owned(),
        state: state.into(),
        allowed_states: allowed.iter().map(|state| (*state).into()).collect(),
    };
    detailed(Code::FailedPrecondition, message, "NamespaceInvalidStateFailure", &detail)
}

fn state_name(state: NamespaceState) -> &'static str {
    match state {
        NamespaceState::Unspecified => "Unspecified",
        NamespaceState::Registered => "Registered",
        NamespaceState::Deprecated => "Deprecated",
        NamespaceState::Deleted => "Deleted",
    }
}

/// A start met a run that holds the workflow id (§3.14). `run_id` is that run's.
pub fn already_started(
    message: impl Into<String>,
    start_request_id: impl Into<String>,
    run_id: impl Into<String>,
) -> Status {
    let detail = details::WorkflowExecutionAlreadyStartedFailure {
        start_request_id: start_request_id.into(),
        run_id: run_id.into(),
        ..Default::default()
    };
    detailed(Code::AlreadyExists, message, "WorkflowExecutionAlreadyStartedFailure", &detail)
}

/// The worker answered a query with an error.
pub fn query_failed(message: impl Into<String>, failure: Option<Failure>) -> Status {
    detailed(Code::InvalidArgument, message, "QueryFailedFailure", &details::QueryFailedFailure { failure })
}

/// A limit is reached; the caller may try again. The cause and scope are repeated in headers, for proxies.
pub fn resource_exhausted(
    message: impl Into<String>,
    cause: ResourceExhaustedCause,
    scope: ResourceExhaustedScope,
) -> Status {
    let detail = details::ResourceExhaustedFailure { cause: cause.into(), scope: scope.into() };
    let mut status = detailed(Code::ResourceExhausted, message, "ResourceExhaustedFailure", &detail);
    let headers = status.metadata_mut();
    let plain = |name: &'static str, prefix| camel_case(name.strip_prefix(prefix).unwrap_or(name));
    for (header, value) in [
        ("x-resource-exhausted-cause", plain(cause.as_str_name(), "RESOURCE_EXHAUSTED_CAUSE_")),
        ("x-resource-exhausted-scope", plain(scope.as_str_name(), "RESOURCE_EXHAUSTED_SCOPE_")),
    ] {
        headers.insert(header, MetadataValue::try_from(value).expect("names of enum values are ASCII letters"));
    }
    status
}

/// More arrives than the server gets done; nothing was done for this call.
pub fn overloaded() -> Status {
    let (cause, scope) = (ResourceExhaustedCause::SystemOverloaded, ResourceExhaustedScope::System);
    resource_exhausted("system overloaded", cause, scope)
}

/// The client has left so many replies untaken that it gets no more of them.
pub fn replies_untaken() -> Status {
    let (cause, scope) = (ResourceExhaustedCause::ConcurrentLimit, ResourceExhaustedScope::System);
    resource_exhausted("too many replies on this connection were not read", cause, scope)
}

/// `RPS_LIMIT` becomes `RpsLimit`.
fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    for word in name.split('_') {
        camel.push_str(&word[..word.len().min(1)]);
        camel.push_str(&word[word.len().min(1)..].to_ascii_lowercase());
    }
    camel
}

/// The system is not in the state that the call needs. Carries no detail.
pub fn failed_precondition(message: impl Into<String>) -> Status {
    Status::failed_precondition(message)
}

/// The run has no completed workflow task yet (queries, updates).
pub fn workflow_not_ready(message: impl Into<String>) -> Status {
    let detail = details::WorkflowNotReadyFailure {};
    detailed(Code::FailedPrecondition, message, "WorkflowNotReadyFailure", &detail)
}

pub fn permission_denied(message: impl Into<String>, reason: impl Into<String>) -> Status {
    let detail = details::PermissionDeniedFailure { reason: reason.into() };
    detailed(Code::PermissionDenied, message, "PermissionDeniedFailure", &detail)
}

/// A known client outside the range of versions that the server speaks to.
pub fn client_version_not_supported(name: &str, version: &str, supported: &str) -> Status {
    let message = format!("Client version {version} is not supported. Server supports {name} versions: {supported}");
    let detail = details::ClientVersionNotSupportedFailure {
        client_version: version.to_owned(),
        client_name: name.to_owned(),
        supported_versions: supported.to_owned(),
    };
    detailed(Code::FailedPrecondition, message, "ClientVersionNotSupportedFailure", &detail)
}

/// The client asks for a range of server versions that this one is not in.
pub fn server_version_not_supported(version: &str, supported: &str) -> Status {
    let message = format!("Server version {version} is not supported. Client supports server versions: {supported}");
    let detail = details::ServerVersionNotSupportedFailure {
        server_version: version.to_owned(),
        client_supported_server_versions: supported.to_owned(),
    };
    detailed(Code::FailedPrecondition, message, "ServerVersionNotSupportedFailure", &detail)
}

/// What is not built, or switched off. SDKs take it as "an older server".
pub fn unimplemented(message: impl Into<String>) -> Status {
    Status::unimplemented(message)
}

/// A failure that may pass: a shard that moves, a store that does not answer.
pub fn unavailable(message: impl Into<String>) -> Status {
    Status::unavailable(message)
}

pub fn deadline_exceeded(message: impl Into<String>) -> Status {
    Status::deadline_exceeded(message)
}

/// A message over the receive limit, in the words by which SDKs recognise it.
pub fn message_too_large(size_bytes: usize, limit_bytes: usize) -> Status {
    Status::resource_exhausted(format!("grpc: received message larger than max ({size_bytes} vs. {limit_bytes})"))
}

/// Bytes that are no message of the expected type.
pub fn malformed_message(reason: impl std::fmt::Display) -> Status {
    Status::internal(format!("grpc: error unmarshalling request: {reason}"))
}

/// An update-with-start that failed: one status per operation, the code that of the first that was not just aborted.
pub fn multi_operation(message: impl Into<String>, statuses: &[Status]) -> Status {
    let code = statuses.iter().map(Status::code).find(|code| !matches!(code, Code::Ok | Code::Aborted));
    let operations = statuses.iter().map(|status| {
        let packed = rpc::Status::decode(status.details()).unwrap_or_default();
        details::multi_operation_execution_failure::OperationStatus {
            code: status.code().into(),
            message: status.message().to_owned(),
            details: packed.details,
        }
    });
    let detail = details::MultiOperationExecutionFailure { statuses: operations.collect() };
    detailed(code.unwrap_or(Code::Aborted), message, "MultiOperationExecutionFailure", &detail)
}

/// A detail for one operation of [`multi_operation`] that was not tried because another failed.
pub fn multi_operation_aborted() -> Status {
    let mut packed =
        rpc::Status { code: Code::Aborted.into(), message: "Operation was aborted.".into(), details: vec![] };
    packed.details.push(Any {
        type_url: "type.googleapis.com/temporal.api.failure.v1.MultiOperationExecutionAborted".into(),
        value: Vec::new(),
    });
    Status::with_details(Code::Aborted, packed.message.clone(), packed.encode_to_vec().into())
}

/// What the caller sees of a handler's status: the text of an error of the server's own stays inside, and is found in the
/// log by its number; a lost shard is one that may come back.
pub fn outward(status: Status, method: &str) -> Status {
    match status.code() {
        Code::Internal | Code::Unknown => {
            let number = FxBuildHasher.hash_one(status.message()) as u32;
            tracing::error!(method, %status, number = format!("{number:08x}"), "call failed");
            Status::new(status.code(), format!("something went wrong, please retry ({number:08x})"))
        }
        Code::DataLoss => {
            tracing::error!(method, %status, "call failed");
            unavailable(status.message())
        }
        _ => shortened(status),
    }
}

/// The longest text that is sent: it travels in a header, and clients limit those (spec §4.1).
const MESSAGE_BYTES_MAX: usize = 4000;

/// A status whose text, which may repeat what the user sent, fits into a header.
fn shortened(status: Status) -> Status {
    let message = status.message();
    if message.len() <= MESSAGE_BYTES_MAX {
        return status;
    }
    let end = (0..=MESSAGE_BYTES_MAX).rev().find(|at| message.is_char_boundary(*at)).unwrap_or(0);
    let message = message[..end].to_owned();
    let mut short = match rpc::Status::decode(status.details()) {
        Ok(packed) if !status.details().is_empty() => {
            let packed = rpc::Status { message: message.clone(), ..packed };
            Status::with_details(status.code(), message, packed.encode_to_vec().into())
        }
        _ => Status::new(status.code(), message),
    };
    *short.metadata_mut() = status.metadata().clone();
    short
}

/// A status with one detail, named without its package.
pub fn detailed(code: Code, message: impl Into<String>, name: &str, detail: &impl Message) -> Status {
    let message = message.into();
    let any = Any { type_url: format!("{DETAIL_PREFIX}{name}"), value: detail.encode_to_vec() };
    let packed = rpc::Status { code: code.into(), message: message.clone(), details: vec![any] };
    Status::with_details(code, message, packed.encode_to_vec().into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn detail<M: Message + Default>(status: &Status, name: &str) -> M {
        let packed = rpc::Status::decode(status.details()).unwrap();
        assert_eq!((packed.code, packed.message.as_str()), (status.code() as i32, status.message()));
        assert_eq!(packed.details[0].type_url, format!("{DETAIL_PREFIX}{name}"));
        M::decode(packed.details[0].value.as_slice()).unwrap()
    }

    #[test]
    fn an_unknown_namespace_is_named_in_text_and_detail() {
        let status = namespace_not_found("nope");
        assert_eq!((status.code(), status.message()), (Code::NotFound, "Namespace nope is not found."));
        let found: details::NamespaceNotFoundFailure = detail(&status, "NamespaceNotFoundFailure");
        assert_eq!(found.namespace, "nope");
    }

    #[test]
    fn exhausted_resources_name_cause_and_scope_in_headers() {
        let (cause, scope) = (ResourceExhaustedCause::BusyWorkflow, ResourceExhaustedScope::Namespace);
        let status = resource_exhausted("full", cause, scope);
        assert_eq!(status.metadata().get("x-resource-exhausted-cause").unwrap(), "BusyWorkflow");
        assert_eq!(status.metadata().get("x-resource-exhausted-scope").unwrap(), "Namespace");
        let found: details::ResourceExhaustedFailure = detail(&status, "ResourceExhaustedFailure");
        assert_eq!((found.cause(), found.scope()), (cause, scope));
    }

    #[test]
    fn a_multi_operation_has_the_code_of_what_failed() {
        let status = multi_operation("failed", &[multi_operation_aborted(), not_found("gone")]);
        assert_eq!(status.code(), Code::NotFound);
        let found: details::MultiOperationExecutionFailure = detail(&status, "MultiOperationExecutionFailure");
        assert_eq!(found.statuses.iter().map(|s| s.code).collect::<Vec<_>>(), [10, 5]);
        assert_eq!(found.statuses[1].details[0].type_url, format!("{DETAIL_PREFIX}NotFoundFailure"));
    }

    #[test]
    fn the_text_of_an_internal_error_stays_inside() {
        let masked = outward(Status::internal("the secret"), "Method");
        assert_eq!(masked.code(), Code::Internal);
        assert!(masked.message().starts_with("something went wrong, please retry ("), "{}", masked.message());
        assert_eq!(outward(Status::data_loss("shard lost"), "Method").code(), Code::Unavailable);
        assert_eq!(outward(not_found("gone"), "Method").message(), "gone");
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_keeps_its_detail() {
        let long = outward(not_found("é".repeat(3000)), "Method");
        assert_eq!(long.message(), "é".repeat(2000));
        let _: details::NotFoundFailure = detail(&long, "NotFoundFailure");
        assert_eq!(outward(invalid_argument("x".repeat(9000)), "Method").message().len(), MESSAGE_BYTES_MAX);
    }

    #[test]
    fn a_mistake_of_the_user_carries_no_detail() {
        assert!(invalid_argument("x").details().is_empty());
    }
}
