//! A handler that panics fails its own call and nothing else.
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use tonic::Status;

use crate::env::BoxFuture;

/// The future, with a panic turned into a status. The panic itself is logged by the hook of the process.
pub(super) struct CatchPanic<T>(pub(super) BoxFuture<Result<T, Status>>);

impl<T> Future for CatchPanic<T> {
    type Output = Result<T, Status>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // After a panic the future is not polled again, so nobody sees it half-changed.
        catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context)))
            .unwrap_or_else(|_| Poll::Ready(Err(Status::internal("something went wrong, please retry (panic)"))))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_internal_error_of_the_call() {
        let fails = CatchPanic::<()>(Box::pin(async { panic!("a bug") }));
        assert_eq!(fails.await.unwrap_err().code(), tonic::Code::Internal);
        assert_eq!(CatchPanic(Box::pin(async { Ok(1) })).await.unwrap(), 1);
    }
}
