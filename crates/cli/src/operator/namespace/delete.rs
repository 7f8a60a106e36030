//! `operator namespace delete`

use abide_proto::temporal::api::operatorservice::v1::DeleteNamespaceRequest;
use clap::Args;

use super::flags::NamespaceName;
use crate::{context::Context, done::Done, error::CliError};

#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    name: NamespaceName,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

impl Delete {
    pub(super) async fn run(self, context: &Context) -> Done {
        let namespace = self.name.chosen(context);
        context.out.confirm_by_name(
            &format!("Delete namespace {namespace} and all that is in it"),
            &namespace,
            self.yes,
        )?;
        let client = context.connect().await?;
        let request = DeleteNamespaceRequest { namespace: namespace.clone(), ..DeleteNamespaceRequest::default() };
        client.operator().delete_namespace(request).await.map_err(CliError::call("deleting namespace"))?;
        context.out.say(&format!("Namespace {namespace} is now deleted"));
        Ok(())
    }
}
