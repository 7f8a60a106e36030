//! A method as an entry of a table: from the bytes of a request to the bytes of a reply.
use std::sync::Arc;

use bytes::Bytes;
use tonic::Status;

use super::{Arrived, Frontend};
use crate::env::BoxFuture;

/// One method of a service.
pub struct Method {
    /// The name without the service.
    pub name: &'static str,
    /// Decodes, checks and handles a call. The reply is framed as it goes on the wire.
    pub run: fn(Arc<Frontend>, Arrived) -> BoxFuture<Result<Bytes, Status>>,
}

/// A service and its methods.
pub struct Service {
    pub name: &'static str,
    pub methods: &'static [Method],
}

/// Defines a service: `"Method" => path::of::handler;` per method. The request's type follows from the handler's.
macro_rules! table {
    ($(#[$doc:meta])* $visibility:vis static $table:ident: Service = $service:literal {
        $($name:literal => $handler:path;)*
    }) => {
        $(#[$doc])*
        $visibility static $table: Service = Service {
            name: $service,
            methods: &[$(Method {
                name: $name,
                run: |frontend, arrived| Box::pin(async move {
                    let (call, request) = prologue::open(&frontend, arrived)?;
                    match $handler(&frontend, call, request).await {
                        Ok(reply) => $crate::grpc::frame(&reply),
                        Err(status) => Err($crate::status::outward(status, $name)),
                    }
                }),
            },)*],
        };
    };
}
pub(super) use table;
