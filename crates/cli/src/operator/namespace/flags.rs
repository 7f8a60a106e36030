//! Flags that create and update share.

use std::collections::BTreeMap;

use abide_proto::temporal::api::{
    enums::v1::ArchivalState,
    replication::v1::{ClusterReplicationConfig, NamespaceReplicationConfig},
};
use clap::{Args, ValueEnum};

use crate::{context::Context, error::CliError, pairs};

/// The namespace that a command acts on: `--namespace`, or the argument of old.
#[derive(Debug, Args)]
pub(super) struct NamespaceName {
    /// Use --namespace instead
    #[arg(value_name = "NAMESPACE", hide = true)]
    name: Option<String>,
}

impl NamespaceName {
    pub(super) fn chosen(&self, context: &Context) -> String {
        match &self.name {
            Some(name) => {
                context.warn("naming the namespace by an argument is deprecated, use --namespace instead");
                name.clone()
            }
            None => context.namespace().to_owned(),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct NamespaceFlags {
    /// The cluster that the namespace is active in
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    active_cluster: String,
    /// A cluster that has the namespace; may be repeated
    #[arg(long, value_name = "NAME")]
    cluster: Vec<String>,
    /// Data for people and tools; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    data: Vec<String>,
    /// What the namespace is for
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(super) description: String,
    /// The owner's address
    #[arg(long, value_name = "ADDRESS", default_value = "", hide_default_value = true)]
    pub(super) email: String,
    /// Whether histories are archived
    #[arg(long, value_name = "STATE")]
    history_archival_state: Option<Archival>,
    /// Where histories are archived
    #[arg(long, value_name = "URI", default_value = "", hide_default_value = true)]
    pub(super) history_uri: String,
    /// Whether visibility records are archived
    #[arg(long, value_name = "STATE")]
    visibility_archival_state: Option<Archival>,
    /// Where visibility records are archived
    #[arg(long, value_name = "URI", default_value = "", hide_default_value = true)]
    pub(super) visibility_uri: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Archival {
    Disabled,
    Enabled,
}

impl NamespaceFlags {
    pub(super) fn data<M: FromIterator<(String, String)>>(&self) -> Result<M, CliError> {
        let pairs: BTreeMap<_, _> = pairs::texts("--data", &self.data)?.into_iter().collect();
        Ok(pairs.into_iter().collect())
    }

    /// The states of history and visibility, in this order; `absent` where no flag says.
    pub(super) fn archival(&self, absent: ArchivalState) -> [i32; 2] {
        [self.history_archival_state, self.visibility_archival_state].map(|state| match state {
            Some(Archival::Disabled) => ArchivalState::Disabled.into(),
            Some(Archival::Enabled) => ArchivalState::Enabled.into(),
            None => absent.into(),
        })
    }

    pub(super) fn replication(&self) -> NamespaceReplicationConfig {
        let clusters = self
            .cluster
            .iter()
            .map(|name| ClusterReplicationConfig { cluster_name: name.clone(), ..ClusterReplicationConfig::default() });
        NamespaceReplicationConfig {
            active_cluster_name: self.active_cluster.clone(),
            clusters: clusters.collect(),
            ..NamespaceReplicationConfig::default()
        }
    }
}
