//! `workflow stack`

use abide_proto::temporal::api::query::v1::WorkflowQuery;
use clap::Args;

use super::query::{self, RejectCondition};
use crate::{context::Context, done::Done, flags::WorkflowReference};

#[derive(Debug, Args)]
pub(crate) struct Stack {
    #[command(flatten)]
    workflow: WorkflowReference,
    /// In which state of the run the query is refused
    #[arg(long, value_name = "STATE")]
    reject_condition: Option<RejectCondition>,
}

/// The query that every SDK answers by itself.
const STACK_TRACE: &str = "__stack_trace";

impl Stack {
    pub(super) async fn run(self, context: &Context) -> Done {
        let query = WorkflowQuery { query_type: STACK_TRACE.to_owned(), ..WorkflowQuery::default() };
        query::ask(context, self.workflow, query, self.reject_condition).await
    }
}
