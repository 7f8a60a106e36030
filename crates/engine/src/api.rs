//! Short names for the wire packages that the engine reads and writes.
pub use abide_proto::temporal::api::{
    activity::v1 as activity, command::v1 as command, common::v1 as common, enums::v1 as enums, failure::v1 as failure,
    history::v1 as history, query::v1 as query, sdk::v1 as sdk, taskqueue::v1 as taskqueue, workflow::v1 as workflow,
    workflowservice::v1 as service,
};
pub use history::history_event::Attributes;
