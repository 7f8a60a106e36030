//! Bodies of responses.
use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Frame, SizeHint};
use tonic::Status;

/// What follows the headers of a response.
#[derive(Default)]
pub enum Body {
    /// Nothing: errors are told in the headers.
    #[default]
    Empty,
    /// One framed message, then the trailers of a success.
    Message(Bytes),
    /// The trailers of a success.
    Trailers,
    /// What tonic makes.
    Stream(tonic::body::Body),
}

impl Body {
    /// A successful reply: one framed message.
    pub fn unary(message: Bytes) -> Self {
        Self::Message(message)
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = match &mut *self {
            Self::Empty => return Poll::Ready(None),
            Self::Stream(stream) => return Pin::new(stream).poll_frame(context),
            Self::Message(message) => {
                let frame = Frame::data(std::mem::take(message));
                *self = Self::Trailers;
                frame
            }
            Self::Trailers => {
                *self = Self::Empty;
                let mut trailers = HeaderMap::with_capacity(1);
                trailers.insert("grpc-status", HeaderValue::from_static("0"));
                Frame::trailers(trailers)
            }
        };
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Message(_) | Self::Trailers => false,
            Self::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Stream(stream) => stream.size_hint(),
            // An exact length would be sent as a header, which gRPC has no use for.
            Self::Message(_) | Self::Trailers => SizeHint::new(),
        }
    }
}
