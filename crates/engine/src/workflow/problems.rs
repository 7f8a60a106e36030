//! `TemporalReportedProblems`: a search attribute that says why a run's workflow tasks keep failing (spec §3.23).
use super::{names, search_attributes, transition::Transition};
use crate::api::enums::TimeoutType;

const ATTRIBUTE: &str = "TemporalReportedProblems";

pub(crate) fn failed(tx: &mut Transition<'_, '_>, cause: i32) {
    let cause = names::cause(cause);
    note(tx, ["category=WorkflowTaskFailed".into(), format!("cause=WorkflowTaskFailedCause{cause}")]);
}

pub(crate) fn timed_out(tx: &mut Transition<'_, '_>, kind: TimeoutType) {
    let kind = names::timeout(kind);
    note(tx, ["category=WorkflowTaskTimedOut".into(), format!("cause=WorkflowTaskTimedOutCause{kind}")]);
}

fn note(tx: &mut Transition<'_, '_>, problem: [String; 2]) {
    let header = tx.run.header.get_mut();
    header.problems_in_a_row += 1;
    let threshold = tx.cx.settings.reported_problems_after;
    if threshold > 0 && header.problems_in_a_row >= threshold {
        search_attributes::set_keyword_list(tx.run, ATTRIBUTE, &problem);
    }
}

/// A workflow task succeeded: whatever was reported is over.
pub(crate) fn cleared(tx: &mut Transition<'_, '_>) {
    if tx.run.header.problems_in_a_row != 0 {
        tx.run.header.get_mut().problems_in_a_row = 0;
        search_attributes::remove(tx.run, ATTRIBUTE);
    }
}
