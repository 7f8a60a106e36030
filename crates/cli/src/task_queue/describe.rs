//! `task-queue describe`

use abide_proto::temporal::api::{
    enums::v1::TaskQueueType,
    taskqueue::v1::{PollerInfo, TaskQueue, TaskQueueStats},
    workflowservice::v1::{DescribeTaskQueueRequest, DescribeTaskQueueResponse},
};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::{
    context::Context,
    done::Done,
    error::CliError,
    print::{Printer, Table},
    span::Span,
};

#[derive(Debug, Args)]
pub(crate) struct Describe {
    /// Task queue
    #[arg(long, short)]
    task_queue: String,
    /// Type of the tasks; may be repeated; workflow and activity if not given
    #[arg(long, value_name = "TYPE")]
    task_queue_type: Vec<QueueType>,
    /// Do not show the statistics
    #[arg(long)]
    disable_stats: bool,
    /// Show the pollers of one type and nothing else
    #[arg(long)]
    legacy_mode: bool,
    /// The type that --legacy-mode shows
    #[arg(long, value_name = "TYPE", default_value = "workflow")]
    task_queue_type_legacy: QueueType,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum QueueType {
    Workflow,
    Activity,
    Nexus,
}

impl QueueType {
    fn name(self) -> &'static str {
        match self {
            Self::Workflow => "workflow",
            Self::Activity => "activity",
            Self::Nexus => "nexus",
        }
    }

    fn wire(self) -> i32 {
        match self {
            Self::Workflow => TaskQueueType::Workflow.into(),
            Self::Activity => TaskQueueType::Activity.into(),
            Self::Nexus => TaskQueueType::Nexus.into(),
        }
    }
}

/// What workers without a version are shown under.
const UNVERSIONED: &str = "UNVERSIONED";

impl Describe {
    pub(super) async fn run(self, context: &Context) -> Done {
        let mut types = match (self.legacy_mode, self.task_queue_type.as_slice()) {
            (true, _) => vec![self.task_queue_type_legacy],
            (false, []) => vec![QueueType::Workflow, QueueType::Activity],
            (false, given) => given.to_vec(),
        };
        types.sort();
        types.dedup();
        let client = context.connect().await?;
        let mut found = Vec::new();
        for queue_type in types {
            let request = DescribeTaskQueueRequest {
                namespace: client.namespace().to_owned(),
                task_queue: Some(TaskQueue { name: self.task_queue.clone(), ..TaskQueue::default() }),
                task_queue_type: queue_type.wire(),
                report_stats: !self.disable_stats && !self.legacy_mode,
                ..DescribeTaskQueueRequest::default()
            };
            let reply = client.workflows().describe_task_queue(request).await;
            found.push((queue_type, reply.map_err(CliError::call("describing task queue"))?.into_inner()));
        }
        if self.legacy_mode {
            legacy(&found, &context.out);
        } else {
            text(&found, &context.out, self.disable_stats);
            context.out.document(&document(&found));
        }
        Ok(())
    }
}

type Found = [(QueueType, DescribeTaskQueueResponse)];

fn text(found: &Found, out: &Printer, disable_stats: bool) {
    if !disable_stats {
        out.heading("Task Queue Statistics:");
        let mut table = Table::new(&[
            "BuildID",
            "TaskQueueType",
            "ApproximateBacklogCount",
            "ApproximateBacklogAge",
            "BacklogIncreaseRate",
            "TasksAddRate",
            "TasksDispatchRate",
        ]);
        for (queue_type, reply) in found {
            if let Some(stats) = &reply.stats {
                let rates =
                    [increase(stats), stats.tasks_add_rate, stats.tasks_dispatch_rate].map(|rate| rate.to_string());
                let cells = [UNVERSIONED.to_owned(), queue_type.name().to_owned()];
                let backlog = [stats.approximate_backlog_count.to_string(), age(stats).to_string()];
                table.row(cells.into_iter().chain(backlog).chain(rates));
            }
        }
        out.table(&table);
        out.say("");
    }
    out.heading("Pollers:");
    let mut table = Table::new(&["BuildID", "TaskQueueType", "Identity", "LastAccessTime", "RatePerSecond"]);
    for (queue_type, reply) in found {
        for poller in &reply.pollers {
            let cells = [build_id(poller), queue_type.name().to_owned()];
            table.row(cells.into_iter().chain(poller_cells(poller, out)));
        }
    }
    out.table(&table);
}

fn legacy(found: &Found, out: &Printer) {
    out.heading("Pollers:");
    let mut table = Table::new(&["Identity", "LastAccessTime", "RatePerSecond"]);
    let pollers = || found.iter().flat_map(|(_, reply)| &reply.pollers);
    pollers().for_each(|poller| table.row(poller_cells(poller, out)));
    out.table(&table);
    out.say("");
    out.heading("Versioning Info:");
    out.document(&json!({"pollers": pollers().map(poller_document).collect::<Vec<_>>()}));
}

fn poller_cells(poller: &PollerInfo, out: &Printer) -> [String; 3] {
    let seen = poller.last_access_time.as_ref().map(|time| out.time(time)).unwrap_or_default();
    [poller.identity.clone(), seen, poller.rate_per_second.to_string()]
}

/// Lists without entries are `null`.
fn document(found: &Found) -> Value {
    let list = |items: Vec<Value>| if items.is_empty() { Value::Null } else { Value::Array(items) };
    let mut stats = Vec::new();
    let mut pollers = Vec::new();
    for (queue_type, reply) in found {
        if let Some(of_type) = &reply.stats {
            stats.push(json!({
                "buildId": UNVERSIONED,
                "taskQueueType": queue_type.name(),
                "approximateBacklogCount": of_type.approximate_backlog_count,
                "approximateBacklogAge": age(of_type).to_string(),
                "backlogIncreaseRate": increase(of_type),
                "tasksAddRate": of_type.tasks_add_rate,
                "tasksDispatchRate": of_type.tasks_dispatch_rate,
            }));
        }
        for poller in &reply.pollers {
            let mut shown = json!({"buildId": build_id(poller), "taskQueueType": queue_type.name()});
            if let (Value::Object(shown), Value::Object(more)) = (&mut shown, poller_document(poller)) {
                shown.extend(more);
            }
            pollers.push(shown);
        }
    }
    json!({"reachability": null, "pollers": list(pollers), "stats": list(stats)})
}

fn poller_document(poller: &PollerInfo) -> Value {
    let seen = poller.last_access_time.map(|time| time.to_string());
    json!({"identity": poller.identity, "lastAccessTime": seen, "ratePerSecond": poller.rate_per_second})
}

fn build_id(poller: &PollerInfo) -> String {
    let version = poller.deployment_options.as_ref().map(|options| options.build_id.clone());
    version.filter(|build_id| !build_id.is_empty()).unwrap_or_else(|| UNVERSIONED.to_owned())
}

fn age(stats: &TaskQueueStats) -> Span {
    stats.approximate_backlog_age.as_ref().map(Span::from).unwrap_or_default()
}

fn increase(stats: &TaskQueueStats) -> f32 {
    stats.tasks_add_rate - stats.tasks_dispatch_rate
}
