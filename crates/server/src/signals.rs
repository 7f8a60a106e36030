//! The signals that end a process.
use std::{io, process};

use tokio::signal::unix::{SignalKind, signal};

use crate::env::Env;

/// The exit code of a process that a second signal ended at once: 128 and the number of SIGINT.
const EXIT_CODE_AT_ONCE: i32 = 130;

/// Completes at the first SIGTERM or SIGINT. The next one ends the process at once.
///
/// # Errors
/// When the handlers cannot be set up.
pub fn termination(env: &Env) -> io::Result<impl Future<Output = ()> + Send + use<>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let env = env.clone();
    Ok(async move {
        let mut next = async move || {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        next().await;
        env.spawn(async move {
            next().await;
            process::exit(EXIT_CODE_AT_ONCE);
        });
    })
}
