//! Reading histories: page by page, waiting for more, and on into the runs that follow.

use abide_proto::temporal::api::{
    common::v1::WorkflowExecution,
    enums::v1::HistoryEventFilterType,
    history::v1::HistoryEvent,
    workflowservice::v1::{GetWorkflowExecutionHistoryRequest, GetWorkflowExecutionHistoryReverseRequest},
};

use crate::{connect::Client, error::CliError, outcome::Outcome};

/// How far a reader goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// To what is there now.
    Now,
    /// To the end of the last run of the chain.
    Close,
}

/// Reads one run, or a chain of runs, forward.
#[derive(Debug)]
pub(crate) struct HistoryReader<'a> {
    client: &'a Client,
    workflow_id: String,
    run_id: String,
    until: Until,
    filter: HistoryEventFilterType,
    page_token: Option<Vec<u8>>,
}

const DOING: &str = "getting workflow history";

impl<'a> HistoryReader<'a> {
    pub(crate) fn new(client: &'a Client, workflow_id: &str, run_id: &str, until: Until) -> Self {
        let filter = HistoryEventFilterType::AllEvent;
        let (workflow_id, run_id) = (workflow_id.to_owned(), run_id.to_owned());
        Self { client, workflow_id, run_id, until, filter, page_token: Some(Vec::new()) }
    }

    /// Only the event that closes a run.
    pub(crate) fn of_close(client: &'a Client, workflow_id: &str, run_id: &str, until: Until) -> Self {
        Self { filter: HistoryEventFilterType::CloseEvent, ..Self::new(client, workflow_id, run_id, until) }
    }

    /// The next events, never an empty page; none at the end. A waiting reader waits as long as it takes.
    pub(crate) async fn next_page(&mut self) -> Result<Option<Vec<HistoryEvent>>, CliError> {
        while let Some(token) = self.page_token.take() {
            let request = GetWorkflowExecutionHistoryRequest {
                namespace: self.client.namespace().to_owned(),
                execution: Some(WorkflowExecution {
                    workflow_id: self.workflow_id.clone(),
                    run_id: self.run_id.clone(),
                }),
                next_page_token: token.into(),
                wait_new_event: self.until == Until::Close,
                history_event_filter_type: self.filter.into(),
                ..GetWorkflowExecutionHistoryRequest::default()
            };
            let reply = self.client.workflows().get_workflow_execution_history(request).await;
            let reply = reply.map_err(CliError::call(DOING))?.into_inner();
            let events = reply.history.unwrap_or_default().events;
            if !reply.next_page_token.is_empty() {
                self.page_token = Some(reply.next_page_token.to_vec());
            } else if self.until == Until::Close
                && let Some(run_id) = events.last().and_then(Outcome::of).and_then(Outcome::into_new_run)
            {
                (self.run_id, self.page_token) = (run_id, Some(Vec::new()));
            }
            if !events.is_empty() {
                return Ok(Some(events));
            }
        }
        Ok(None)
    }

    /// The last event of the reader; none of a run that is open, if the reader does not wait.
    pub(crate) async fn last(&mut self) -> Result<Option<HistoryEvent>, CliError> {
        let mut last = None;
        while let Some(mut events) = self.next_page().await? {
            last = events.pop().or(last);
        }
        Ok(last)
    }
}

/// Every event of a run, the last first, a page at a time.
#[derive(Debug)]
pub(crate) struct ReverseReader<'a> {
    client: &'a Client,
    execution: WorkflowExecution,
    page_token: Option<Vec<u8>>,
}

impl<'a> ReverseReader<'a> {
    pub(crate) fn new(client: &'a Client, workflow_id: &str, run_id: &str) -> Self {
        let execution = WorkflowExecution { workflow_id: workflow_id.to_owned(), run_id: run_id.to_owned() };
        Self { client, execution, page_token: Some(Vec::new()) }
    }

    pub(crate) async fn next_page(&mut self) -> Result<Option<Vec<HistoryEvent>>, CliError> {
        let Some(token) = self.page_token.take() else { return Ok(None) };
        let request = GetWorkflowExecutionHistoryReverseRequest {
            namespace: self.client.namespace().to_owned(),
            execution: Some(self.execution.clone()),
            next_page_token: token.into(),
            ..GetWorkflowExecutionHistoryReverseRequest::default()
        };
        let reply = self.client.workflows().get_workflow_execution_history_reverse(request).await;
        let reply = reply.map_err(CliError::call(DOING))?.into_inner();
        self.page_token = Some(reply.next_page_token.to_vec()).filter(|token| !token.is_empty());
        Ok(Some(reply.history.unwrap_or_default().events))
    }
}
