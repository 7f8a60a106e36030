//! What every call goes through before its handler: wire format, namespace or task token, client version (§3.37.1).
use std::sync::Arc;

use abide_proto::temporal::api::enums::v1::NamespaceState;
use bytes::Bytes;
use http::HeaderMap;
use tonic::Status;
use uuid::Uuid;

use super::{
    Call, Deadline, Frontend,
    client_version::{self, SERVER_VERSION},
    scope::{Scope, Scoped},
    token,
};
use crate::{namespaces::Namespace, status};

/// A call as it comes off the wire, unpacked and not over the size limit.
#[derive(Debug)]
pub struct Arrived {
    pub headers: HeaderMap,
    pub message: Bytes,
    pub method: &'static str,
}

/// Decodes the request and makes the checks that come before the method's own.
pub(super) fn open<Request: Scoped>(frontend: &Frontend, arrived: Arrived) -> Result<(Call, Request), Status> {
    let deadline = Deadline::of(&arrived.headers, frontend.env.monotonic());
    let request = Request::decode(arrived.message).map_err(status::malformed_message)?;
    let namespace = namespace(frontend, request.scope())?;
    let is_of_namespace = !Arc::ptr_eq(&namespace, &frontend.system_namespace);
    frontend.limits.admit(is_of_namespace.then_some(namespace.id), &arrived.headers)?;
    client_version::check(&arrived.headers, &SERVER_VERSION)?;
    Ok((Call { namespace, deadline, headers: arrived.headers, method: arrived.method }, request))
}

fn namespace(frontend: &Frontend, scope: Scope<'_>) -> Result<Arc<Namespace>, Status> {
    match scope {
        Scope::Cluster => Ok(frontend.system_namespace.clone()),
        Scope::NamespaceItself { name: "", id: "" } => Err(status::invalid_argument("Namespace not set on request.")),
        Scope::NamespaceItself { name, .. } => {
            check_length(frontend, name)?;
            Ok(frontend.system_namespace.clone())
        }
        Scope::Namespace(name) => frontend.namespace(name),
        Scope::Open(name) => {
            let namespace = frontend.namespace(name)?;
            match namespace.state {
                NamespaceState::Registered => Ok(namespace),
                other => Err(status::namespace_invalid_state(name, other, &[NamespaceState::Registered])),
            }
        }
        Scope::Task { namespace: name, token } => {
            let named = if name.is_empty() { None } else { Some(frontend.namespace(name)?) };
            let id = token::of_request(token)?.namespace_id;
            let found = Uuid::parse_str(&id).ok().and_then(|id| frontend.namespaces.by_id(id.into_bytes()));
            let found = found.ok_or_else(|| status::namespace_not_found(id))?;
            if named.is_some_and(|named| named.id != found.id) {
                let text = "Operation requested with a token from a different namespace.";
                return Err(status::invalid_argument(text));
            }
            Ok(found)
        }
    }
}

/// Refuses a namespace's name that is over the limit of all names.
pub(super) fn check_length(frontend: &Frontend, name: &str) -> Result<(), Status> {
    if name.len() > frontend.dynamic_config.id_length_max {
        return Err(status::invalid_argument("Namespace length exceeds limit."));
    }
    Ok(())
}
