//! `operator search-attribute create`, `list` and `remove`

use std::collections::BTreeMap;

use abide_proto::{
    json::{self, enum_short_name},
    temporal::api::{
        enums::v1::IndexedValueType,
        operatorservice::v1::{
            AddSearchAttributesRequest, ListSearchAttributesRequest, ListSearchAttributesResponse,
            RemoveSearchAttributesRequest,
        },
    },
};
use clap::{Args, Subcommand, ValueEnum};

use crate::{connect::Client, context::Context, done::Done, error::CliError, print::Table};

#[derive(Debug, Subcommand)]
pub(crate) enum SearchAttributeCommand {
    /// Add custom search attributes
    Create(Create),
    /// List search attributes
    List,
    /// Remove custom search attributes
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Name; may be repeated, each with its type
    #[arg(long, required = true)]
    name: Vec<String>,
    /// Type; may be repeated
    #[arg(long, required = true)]
    r#type: Vec<AttributeType>,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Name; may be repeated
    #[arg(long, required = true)]
    name: Vec<String>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "PascalCase")]
enum AttributeType {
    Text,
    Keyword,
    Int,
    Double,
    Bool,
    Datetime,
    KeywordList,
}

impl AttributeType {
    fn wire(self) -> i32 {
        let wire = match self {
            Self::Text => IndexedValueType::Text,
            Self::Keyword => IndexedValueType::Keyword,
            Self::Int => IndexedValueType::Int,
            Self::Double => IndexedValueType::Double,
            Self::Bool => IndexedValueType::Bool,
            Self::Datetime => IndexedValueType::Datetime,
            Self::KeywordList => IndexedValueType::KeywordList,
        };
        wire.into()
    }
}

const TYPE: &str = "temporal.api.enums.v1.IndexedValueType";

impl SearchAttributeCommand {
    pub(super) async fn run(self, context: &Context) -> Done {
        match self {
            Self::Create(command) => command.run(context).await,
            Self::List => list(context).await,
            Self::Remove(command) => command.run(context).await,
        }
    }
}

impl Create {
    async fn run(self, context: &Context) -> Done {
        if self.name.len() != self.r#type.len() {
            return Err(CliError::options("every --name requires one --type"));
        }
        let client = context.connect().await?;
        let mut search_attributes: BTreeMap<_, _> =
            self.name.into_iter().zip(self.r#type.into_iter().map(AttributeType::wire)).collect();
        for (name, kind) in existing(&client).await?.custom_attributes {
            // One that is there already with its type is what the user wants.
            if search_attributes.remove(&name).is_some_and(|wanted| wanted != kind) {
                let kind = enum_short_name(TYPE, kind);
                return Err(CliError::options(format!("search attribute {name} already exists, its type is {kind}")));
            }
        }
        if !search_attributes.is_empty() {
            let request = AddSearchAttributesRequest {
                namespace: client.namespace().to_owned(),
                search_attributes: search_attributes.into_iter().collect(),
            };
            client
                .operator()
                .add_search_attributes(request)
                .await
                .map_err(CliError::call("adding search attributes"))?;
        }
        context.out.say("Search attributes have been added");
        Ok(())
    }
}

async fn existing(client: &Client) -> Result<ListSearchAttributesResponse, CliError> {
    let request = ListSearchAttributesRequest { namespace: client.namespace().to_owned() };
    let reply = client.operator().list_search_attributes(request).await;
    Ok(reply.map_err(CliError::call("listing search attributes"))?.into_inner())
}

async fn list(context: &Context) -> Done {
    let reply = existing(&context.connect().await?).await?;
    context.out.document(&json::encode(&reply, context.out.payloads()));
    let sorted: BTreeMap<_, _> = reply.system_attributes.into_iter().chain(reply.custom_attributes).collect();
    let mut table = Table::new(&["Name", "Type"]);
    sorted.into_iter().for_each(|(name, kind)| table.row([name, enum_short_name(TYPE, kind)]));
    context.out.table(&table);
    Ok(())
}

impl Remove {
    async fn run(self, context: &Context) -> Done {
        context.out.confirm(&format!("Remove search attributes {}", self.name.join(", ")), self.yes)?;
        let client = context.connect().await?;
        let request =
            RemoveSearchAttributesRequest { namespace: client.namespace().to_owned(), search_attributes: self.name };
        let reply = client.operator().remove_search_attributes(request).await;
        reply.map_err(CliError::call("removing search attributes"))?;
        context.out.say("Search attributes have been removed");
        Ok(())
    }
}
