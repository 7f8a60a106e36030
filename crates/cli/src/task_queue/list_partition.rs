//! `task-queue list-partition`

use abide_proto::{
    json,
    temporal::api::{
        taskqueue::v1::{TaskQueue, TaskQueuePartitionMetadata},
        workflowservice::v1::ListTaskQueuePartitionsRequest,
    },
};
use clap::Args;

use crate::{context::Context, done::Done, error::CliError, print::Table};

#[derive(Debug, Args)]
pub(crate) struct ListPartition {
    /// Task queue
    #[arg(long, short)]
    task_queue: String,
}

impl ListPartition {
    pub(super) async fn run(self, context: &Context) -> Done {
        let client = context.connect().await?;
        let request = ListTaskQueuePartitionsRequest {
            namespace: client.namespace().to_owned(),
            task_queue: Some(TaskQueue { name: self.task_queue, ..TaskQueue::default() }),
        };
        let reply = client.workflows().list_task_queue_partitions(request).await;
        let reply = reply.map_err(CliError::call("listing task queue partitions"))?.into_inner();
        context.out.document(&json::encode(&reply, context.out.payloads()));
        context.out.heading("Workflow Task Queue Partitions");
        context.out.table(&table(reply.workflow_task_queue_partitions));
        context.out.heading("Activity Task Queue Partitions");
        context.out.table(&table(reply.activity_task_queue_partitions));
        Ok(())
    }
}

fn table(partitions: Vec<TaskQueuePartitionMetadata>) -> Table {
    let mut table = Table::new(&["Key", "OwnerHostName"]);
    partitions.into_iter().for_each(|partition| table.row([partition.key, partition.owner_host_name]));
    table
}
