//! `workflow show`

use abide_proto::{
    json::{self, Style},
    temporal::api::history::v1::{History, HistoryEvent},
};
use clap::Args;

use super::progress::Progress;
use crate::{
    connect::Client,
    context::Context,
    done::Done,
    error::CliError,
    flags::WorkflowReference,
    history::{HistoryReader, ReverseReader, Until},
    outcome::Outcome,
    print::Card,
};

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    workflow: WorkflowReference,
    /// Go on until the workflow ends
    #[arg(long, short)]
    follow: bool,
    /// Show events in full
    #[arg(long)]
    detailed: bool,
    /// The last event first
    #[arg(long)]
    reverse: bool,
}

impl Show {
    pub(super) async fn run(self, context: &Context) -> Done {
        if self.follow && self.reverse {
            return Err(CliError::options("cannot set both --follow and --reverse"));
        }
        let client = context.connect().await?;
        let out = &context.out;
        let progress = Progress::begin(out, self.detailed);
        let keep = out.is_json(); // only a document needs all events at once
        let mut events = Vec::new();
        let mut outcome = None;
        let mut reader = self.reader(&client);
        while let Some(page) = reader.next_page().await? {
            for event in page {
                progress.event(&event);
                outcome = Outcome::of(&event).or(outcome);
                if keep {
                    events.push(event);
                }
            }
        }
        if let Some(outcome) = outcome {
            out.say("");
            out.heading("Results:");
            out.card(&outcome.onto(Card::new()));
        }
        if keep {
            out.document(&json::encode(&History { events }, Style::Canonical)); // replayers read this
        }
        Ok(())
    }

    fn reader<'a>(&self, client: &'a Client) -> Reader<'a> {
        let (workflow_id, run_id) = (&self.workflow.workflow_id, &self.workflow.run_id);
        if self.reverse {
            return Reader::Reverse(ReverseReader::new(client, workflow_id, run_id));
        }
        let until = if self.follow { Until::Close } else { Until::Now };
        Reader::Forward(HistoryReader::new(client, workflow_id, run_id, until))
    }
}

enum Reader<'a> {
    Forward(HistoryReader<'a>),
    Reverse(ReverseReader<'a>),
}

impl Reader<'_> {
    async fn next_page(&mut self) -> Result<Option<Vec<HistoryEvent>>, CliError> {
        match self {
            Self::Forward(reader) => reader.next_page().await,
            Self::Reverse(reader) => reader.next_page().await,
        }
    }
}
