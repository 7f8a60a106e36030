//! One namespace, and its stored and wire forms.
use std::{collections::BTreeMap, time::Duration};

use abide_proto::temporal::api::{
    enums::v1::{ArchivalState, IndexedValueType, NamespaceState, ReplicationState},
    namespace::v1::{BadBinaries, BadBinaryInfo, NamespaceConfig, NamespaceInfo},
    replication::v1::{ClusterReplicationConfig, NamespaceReplicationConfig},
    workflowservice::v1::DescribeNamespaceResponse,
};
use uuid::Uuid;

/// The only cluster's name.
pub const CLUSTER_NAME: &str = "active";

/// How many search attributes of each type a namespace can have, and how their columns are called (spec §3.23).
pub const MAX_COLUMNS: [(IndexedValueType, &str, usize); 7] = [
    (IndexedValueType::Bool, "Bool", 3),
    (IndexedValueType::Datetime, "Datetime", 3),
    (IndexedValueType::Double, "Double", 3),
    (IndexedValueType::Int, "Int", 3),
    (IndexedValueType::Keyword, "Keyword", 10),
    (IndexedValueType::KeywordList, "KeywordList", 3),
    (IndexedValueType::Text, "Text", 3),
];

/// What is known of a namespace. A value never changes once it is in the registry.
#[derive(Clone, Debug, PartialEq)]
pub struct Namespace {
    pub id: [u8; 16],
    pub name: String,
    pub state: NamespaceState,
    pub description: String,
    pub owner_email: String,
    /// The users' own notes.
    pub data: BTreeMap<String, String>,
    /// How long a closed run is kept.
    pub retention: Duration,
    /// By checksum.
    pub bad_binaries: BTreeMap<String, BadBinaryInfo>,
    /// The names of custom search attributes by column, such as `Keyword01`.
    pub search_attribute_aliases: BTreeMap<String, String>,
    /// The types of custom search attributes by name. Follows from the aliases: [`Namespace::set_aliases`] keeps it so.
    pub(crate) search_attributes: BTreeMap<String, IndexedValueType>,
}

/// All columns of a type are taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot have more than {limit} search attribute of type {type_name}.")]
pub struct NoFreeColumn {
    pub limit: usize,
    pub type_name: &'static str,
}

impl Namespace {
    pub fn new(id: [u8; 16], name: impl Into<String>, retention: Duration) -> Self {
        Self {
            id,
            name: name.into(),
            state: NamespaceState::Registered,
            description: String::new(),
            owner_email: String::new(),
            data: BTreeMap::new(),
            retention,
            bad_binaries: BTreeMap::new(),
            search_attribute_aliases: BTreeMap::new(),
            search_attributes: BTreeMap::new(),
        }
    }

    /// The types of the namespace's own search attributes, by name.
    pub fn search_attributes(&self) -> &BTreeMap<String, IndexedValueType> {
        &self.search_attributes
    }

    /// The id as clients see it.
    pub fn id_text(&self) -> String {
        Uuid::from_bytes(self.id).to_string()
    }

    /// Names columns, and frees those that get an empty name. Columns that are none are kept but have no type.
    pub fn set_aliases(&mut self, aliases: impl IntoIterator<Item = (String, String)>) {
        for (column, alias) in aliases {
            if alias.is_empty() {
                self.search_attribute_aliases.remove(&column);
            } else {
                self.search_attribute_aliases.insert(column, alias);
            }
        }
        let typed = self.search_attribute_aliases.iter();
        self.search_attributes =
            typed.filter_map(|(column, alias)| Some((alias.clone(), column_type(column)?))).collect();
    }

    /// Gives a search attribute the first free column of its type; one that is there already keeps its own.
    pub fn add_search_attribute(&mut self, name: &str, kind: IndexedValueType) -> Result<(), NoFreeColumn> {
        if self.search_attributes.contains_key(name) {
            return Ok(());
        }
        let (prefix, limit) = MAX_COLUMNS
            .iter()
            .find(|(k, ..)| *k == kind)
            .map_or(("Unspecified", 0), |&(_, prefix, limit)| (prefix, limit));
        let mut columns = (1..=limit).map(|number| format!("{prefix}{number:02}"));
        let free = columns.find(|column| !self.search_attribute_aliases.contains_key(column));
        let column = free.ok_or(NoFreeColumn { limit, type_name: prefix })?;
        self.set_aliases([(column, name.to_owned())]);
        Ok(())
    }

    /// The wire form, without what depends on the server: capabilities and limits. It is the stored form too.
    pub fn describe(&self) -> DescribeNamespaceResponse {
        DescribeNamespaceResponse {
            namespace_info: Some(NamespaceInfo {
                name: self.name.clone(),
                state: self.state.into(),
                description: self.description.clone(),
                owner_email: self.owner_email.clone(),
                data: self.data.clone().into_iter().collect(),
                id: self.id_text(),
                ..Default::default()
            }),
            config: Some(NamespaceConfig {
                workflow_execution_retention_ttl: self.retention.try_into().ok(),
                bad_binaries: Some(BadBinaries { binaries: self.bad_binaries.clone().into_iter().collect() }),
                history_archival_state: ArchivalState::Disabled.into(),
                visibility_archival_state: ArchivalState::Disabled.into(),
                custom_search_attribute_aliases: self.search_attribute_aliases.clone().into_iter().collect(),
                ..Default::default()
            }),
            replication_config: Some(NamespaceReplicationConfig {
                active_cluster_name: CLUSTER_NAME.into(),
                clusters: vec![ClusterReplicationConfig { cluster_name: CLUSTER_NAME.into(), ..Default::default() }],
                state: ReplicationState::Normal.into(),
            }),
            ..Default::default()
        }
    }

    /// The namespace of a stored form; none if it is not one.
    pub fn of_stored(stored: DescribeNamespaceResponse) -> Option<Self> {
        let (info, config) = (stored.namespace_info?, stored.config?);
        let mut namespace = Self::new(
            Uuid::try_parse(&info.id).ok()?.into_bytes(),
            info.name,
            retention_of(config.workflow_execution_retention_ttl?)?,
        );
        namespace.state = NamespaceState::try_from(info.state).ok()?;
        namespace.description = info.description;
        namespace.owner_email = info.owner_email;
        namespace.data = info.data.into_iter().collect();
        namespace.bad_binaries = config.bad_binaries.unwrap_or_default().binaries.into_iter().collect();
        namespace.set_aliases(config.custom_search_attribute_aliases);
        Some(namespace)
    }
}

/// A retention in its wire form; none for one below zero. The conversion itself overflows for the lowest.
pub(crate) fn retention_of(given: prost_types::Duration) -> Option<Duration> {
    if given.seconds < 0 { None } else { given.try_into().ok() }
}

/// The type of the values in a column.
fn column_type(column: &str) -> Option<IndexedValueType> {
    let (_, number) = column.split_at_checked(column.len().checked_sub(2)?)?;
    let number: usize = number.parse().ok()?;
    let prefix = &column[..column.len() - 2];
    let (kind, _, limit) = MAX_COLUMNS.iter().find(|(_, name, _)| *name == prefix)?;
    (1..=*limit).contains(&number).then_some(*kind)
}
