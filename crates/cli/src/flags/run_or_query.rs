//! Flags of commands for one run, or for all that a query finds.

use clap::Args;

use crate::{error::CliError, pairs};

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct RunOrQuery {
    /// Workflow id; this or --query
    #[arg(long, short)]
    pub(crate) workflow_id: Option<String>,
    /// List filter: act on every run that it finds
    #[arg(long, short)]
    pub(crate) query: Option<String>,
    /// Run id; the latest run if not given
    #[arg(long, short)]
    pub(crate) run_id: Option<String>,
    /// Why; only with --query
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Do not ask; only with --query
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Runs per second; only with --query
    #[arg(long)]
    pub(crate) rps: Option<f32>,
    /// Header; checked, but calls for one run carry none
    #[arg(long, value_name = "KEY=JSON", hide = true)]
    pub(crate) headers: Vec<String>,
}

/// What a command is to act on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Chosen {
    Run { workflow_id: String, run_id: String },
    Query(String),
}

/// Which of the flags for queries a command allows for one run too.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Allowed {
    pub(crate) reason: bool,
    pub(crate) yes: bool,
}

impl RunOrQuery {
    pub(crate) fn chosen(&self, allowed: Allowed) -> Result<Chosen, CliError> {
        pairs::json("--headers", &self.headers)?;
        let refuse = |text: &str| Err(CliError::options(text));
        match (&self.workflow_id, &self.query) {
            (None, None) => refuse("must set either --workflow-id or --query"),
            (Some(_), Some(_)) => refuse("cannot set --query when --workflow-id is set"),
            (None, Some(_)) if self.run_id.is_some() => refuse("cannot set --run-id when --query is set"),
            (None, Some(query)) => Ok(Chosen::Query(query.clone())),
            (Some(_), None) if self.reason.is_some() && !allowed.reason => {
                refuse("cannot set --reason when --workflow-id is set")
            }
            (Some(_), None) if self.rps.is_some() => refuse("cannot set --rps when --workflow-id is set"),
            (Some(_), None) if self.yes && !allowed.yes => refuse("cannot set --yes when --workflow-id is set"),
            (Some(workflow_id), None) => {
                Ok(Chosen::Run { workflow_id: workflow_id.clone(), run_id: self.run_id.clone().unwrap_or_default() })
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn by_id() -> RunOrQuery {
        RunOrQuery { workflow_id: Some("wf".into()), ..RunOrQuery::default() }
    }

    fn by_query() -> RunOrQuery {
        RunOrQuery {
            query: Some("q".into()),
            yes: true,
            rps: Some(1.0),
            reason: Some("r".into()),
            ..RunOrQuery::default()
        }
    }

    #[test]
    fn exactly_one_of_id_and_query() {
        let none = Allowed::default();
        assert!(RunOrQuery::default().chosen(none).is_err());
        assert!(RunOrQuery { query: Some("q".into()), ..by_id() }.chosen(none).is_err());
        assert_eq!(by_query().chosen(none).unwrap(), Chosen::Query("q".into()));
        assert!(RunOrQuery { run_id: Some("r".into()), ..by_query() }.chosen(none).is_err());
    }

    #[test]
    fn one_run_takes_no_flags_of_queries_unless_allowed() {
        let refused = |flags: RunOrQuery| flags.chosen(Allowed::default()).is_err();
        assert!(!refused(by_id()));
        assert!(refused(RunOrQuery { rps: Some(5.0), ..by_id() }));
        assert!(refused(RunOrQuery { yes: true, ..by_id() }));
        let with_reason = RunOrQuery { reason: Some("r".into()), ..by_id() };
        assert!(with_reason.chosen(Allowed { reason: true, yes: false }).is_ok());
        assert!(refused(with_reason));
    }
}
