//! `operator namespace list`

use abide_proto::{json, temporal::api::workflowservice::v1::ListNamespacesRequest};
use clap::Args;

use super::describe;
use crate::{context::Context, done::Done, error::CliError};

#[derive(Debug, Args)]
pub(crate) struct List {}

impl List {
    pub(super) async fn run(self, context: &Context) -> Done {
        let client = context.connect().await?;
        let mut namespaces = Vec::new();
        let mut request = ListNamespacesRequest::default();
        loop {
            let reply = client.workflows().list_namespaces(request.clone()).await;
            let reply = reply.map_err(CliError::call("listing namespaces"))?.into_inner();
            namespaces.extend(reply.namespaces);
            request.next_page_token = reply.next_page_token;
            if request.next_page_token.is_empty() {
                break;
            }
        }
        for namespace in &namespaces {
            context.out.card(&describe::card(namespace));
            context.out.say("");
        }
        let documents = namespaces.iter().map(|namespace| json::encode(namespace, context.out.payloads()));
        context.out.documents(documents.collect());
        Ok(())
    }
}
