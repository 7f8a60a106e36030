//! What a client command works with.

use std::{
    future,
    io::{self, Write},
};

use crate::{
    connect::Client,
    done::Done,
    error::CliError,
    flags::{ClientFlags, CommonFlags},
    print::Printer,
    settings::{self, ClientOptions},
    span::Span,
};

#[derive(Debug)]
pub(crate) struct Context {
    options: ClientOptions,
    command_timeout: Option<Span>,
    pub(crate) out: Printer,
}

impl Context {
    pub(crate) fn new(client: &ClientFlags, common: &CommonFlags) -> Result<Self, CliError> {
        Ok(Self {
            options: settings::client_options(client, common)?,
            command_timeout: common.command_timeout,
            out: common.printer(),
        })
    }

    /// The namespace that the options name, for commands that may act on another.
    pub(crate) fn namespace(&self) -> &str {
        &self.options.namespace
    }

    pub(crate) fn identity(&self) -> &str {
        &self.options.identity
    }

    /// Says something on stderr that does not keep the command from going on.
    pub(crate) fn warn(&self, text: &str) {
        let _ = writeln!(io::stderr(), "Warning: {text}");
    }

    pub(crate) async fn connect(&self) -> Result<Client, CliError> {
        Client::connect(self.options.clone()).await
    }

    /// Runs a command to its end, its timeout, or the user's interruption.
    pub(crate) fn run(&self, command: impl AsyncFnOnce(&Self) -> Done) -> Done {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| CliError::options(format!("no event loop: {error}")))?;
        runtime.block_on(async {
            let timeout = async {
                match self.command_timeout.and_then(Span::to_std) {
                    Some(time) => tokio::time::timeout(time, future::pending::<()>()).await.unwrap_or_default(),
                    None => future::pending().await,
                }
            };
            tokio::select! {
                done = command(self) => done,
                () = timeout => Err(CliError::TimedOut),
                _ = tokio::signal::ctrl_c() => Err(CliError::Interrupted),
            }
        })
    }
}
