//! How much of a connection is read before the calls that it brought, and other connections, have their turn.
use std::{
    future::{self, Future},
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, ReadBuf};

use super::calls::Calls;

/// About two hundred calls without much in them. A client may send many times more at once, and without an end to the
/// turn everything would wait until all that had been looked at.
const TURN_BYTES: usize = 32 << 10;

/// What a connection may still read in this turn, in bytes.
#[derive(Clone, Default)]
pub(super) struct Turn {
    left_bytes: Arc<AtomicUsize>,
}

impl Turn {
    /// What comes of the connection, each poll of which is a turn.
    pub(super) async fn each<F: Future>(&self, mut connection: Pin<&mut F>, calls: &Calls) -> F::Output {
        future::poll_fn(|cx| {
            self.left_bytes.store(TURN_BYTES, Ordering::Relaxed);
            let ended = connection.as_mut().poll(cx);
            calls.run_brief();
            ended
        })
        .await
    }

    pub(super) fn reader<R>(&self, read: R) -> InTurns<R> {
        InTurns { read, turn: self.clone() }
    }
}

/// Reads as much as a turn allows, and asks for another one when it is over.
pub(super) struct InTurns<R> {
    read: R,
    turn: Turn,
}

impl<R: AsyncRead + Unpin> AsyncRead for InTurns<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let left_bytes = self.turn.left_bytes.load(Ordering::Relaxed);
        if left_bytes == 0 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before_bytes = buffer.filled().len();
        ready!(Pin::new(&mut self.read).poll_read(cx, buffer))?;
        let read_bytes = buffer.filled().len() - before_bytes;
        self.turn.left_bytes.store(left_bytes.saturating_sub(read_bytes), Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn others_have_their_turn_while_there_is_more_to_read() {
        let (turn, calls, sent) = (Turn::default(), Calls::default(), vec![7; TURN_BYTES * 3]);
        let mut read = turn.reader(&sent[..]);
        let mut received = Vec::new();
        let mut turns = 0;
        {
            let mut all = pin!(async { read.read_to_end(&mut received).await.expect("memory does not fail") });
            let mut each = pin!(turn.each(all.as_mut(), &calls));
            future::poll_fn(|cx| {
                turns += 1;
                each.as_mut().poll(cx).map(drop)
            })
            .await;
        }
        assert_eq!(received, sent);
        assert!(turns >= 3, "{turns}");
    }
}
