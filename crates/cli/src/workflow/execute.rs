//! `workflow execute`

use abide_proto::{
    json::{self, Style},
    temporal::api::history::v1::{History, HistoryEvent},
};
use clap::Args;
use serde_json::Value;

use super::{progress::Progress, start};
use crate::{
    clock::Stopwatch,
    context::Context,
    done::Done,
    error::CliError,
    flags::{PayloadFlags, StartOptions, WorkflowStartFlags},
    history::{HistoryReader, Until},
    outcome::Outcome,
    print::Card,
};

#[derive(Debug, Args)]
pub(crate) struct Execute {
    #[command(flatten)]
    workflow: WorkflowStartFlags,
    #[command(flatten)]
    options: StartOptions,
    #[command(flatten)]
    input: PayloadFlags,
    /// Show events in full; in JSON, add the history
    #[arg(long)]
    detailed: bool,
}

impl Execute {
    pub(super) async fn run(self, context: &Context) -> Done {
        let out = &context.out;
        let (client, started) = start::start(context, &self.workflow, &self.options, &self.input).await?;
        let watch = Stopwatch::start();
        started.print_card(out);
        out.say("");
        let mut reader = if out.is_text() || self.detailed {
            HistoryReader::new(&client, &started.workflow_id, &started.run_id, Until::Close)
        } else {
            HistoryReader::of_close(&client, &started.workflow_id, &started.run_id, Until::Close)
        };
        let progress = Progress::begin(out, self.detailed);
        let mut events: Vec<HistoryEvent> = Vec::new();
        let mut last = None;
        while let Some(page) = reader.next_page().await? {
            page.iter().for_each(|event| progress.event(event));
            last = page.last().cloned();
            if self.detailed {
                events.extend(page);
            }
        }
        let event = last.ok_or_else(open_run)?;
        let outcome = Outcome::of(&event).ok_or_else(open_run)?;
        out.say("");
        out.heading("Results:");
        out.card(&outcome.onto(Card::new().field("RunTime", watch.elapsed().to_millis().to_string())));
        let mut object = started.object();
        object.insert("durationMillis".to_owned(), (watch.elapsed().0 / 1_000_000).into());
        outcome.clone().into_object(&event, &mut object, out.payloads());
        if self.detailed {
            object.insert("history".to_owned(), json::encode(&History { events }, Style::Canonical));
        }
        out.document(&Value::Object(object));
        outcome.into_done()
    }
}

/// A server that ends a history before its run has ended.
fn open_run() -> CliError {
    CliError::options("the history ended before the workflow did")
}
