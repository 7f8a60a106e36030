//! Where namespaces outlive the process.
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use abide_proto::temporal::api::workflowservice::v1::DescribeNamespaceResponse;
use abide_store::{Batch, Lease, Order, ShardId, Store, Table, keys};
use prost::Message;

use super::Namespace;
use crate::env::{BoxFuture, Env};

/// The shard of what belongs to the cluster and to no run. It is not one of those that runs are spread over.
pub(crate) const CLUSTER_SHARD: ShardId = ShardId(u16::MAX);

/// Why namespaces were not read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetaError {
    #[error("namespaces: {0}")]
    Store(#[from] abide_store::Error),
    #[error("namespaces: {0}")]
    Commit(#[from] abide_store::CommitError),
    #[error("namespaces: the record of {0:?} is malformed")]
    Malformed(String),
    /// The thread that does the reading and writing is gone: the process is ending.
    #[error("namespaces: shutting down")]
    Closed,
}

/// A durable map from name to namespace: few records that change rarely.
pub trait Meta: Send + Sync {
    fn load(&self) -> BoxFuture<Result<Vec<Namespace>, MetaError>>;
    /// Writes a namespace under its name and, in the same step, takes away the name that it had. Durable when done.
    fn put(&self, namespace: &Namespace, old_name: Option<&str>) -> BoxFuture<Result<(), MetaError>>;
}

/// Namespaces that end with the process.
#[derive(Default)]
pub struct MemoryMeta {
    by_name: Mutex<BTreeMap<String, Namespace>>,
}

impl Meta for MemoryMeta {
    fn load(&self) -> BoxFuture<Result<Vec<Namespace>, MetaError>> {
        let found = self.by_name.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        Box::pin(std::future::ready(Ok(found)))
    }

    fn put(&self, namespace: &Namespace, old_name: Option<&str>) -> BoxFuture<Result<(), MetaError>> {
        let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old_name) = old_name {
            by_name.remove(old_name);
        }
        by_name.insert(namespace.name.clone(), namespace.clone());
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Namespaces in the store's own table. Its calls block, so they run on a thread for that.
pub struct StoredMeta {
    store: Arc<dyn Store>,
    lease: Lease,
    env: Env,
}

impl StoredMeta {
    /// Takes over the cluster's shard.
    pub fn open(store: Arc<dyn Store>, env: Env) -> Result<Self, MetaError> {
        let lease = store.acquire(CLUSTER_SHARD)?;
        Ok(Self { store, lease, env })
    }

    /// For others that keep something in the cluster's shard.
    pub(crate) fn lease(&self) -> Lease {
        self.lease
    }

    fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, MetaError> + Send + 'static,
    ) -> BoxFuture<Result<T, MetaError>> {
        let env = self.env.clone();
        Box::pin(async move { env.blocking(work).await.unwrap_or(Err(MetaError::Closed)) })
    }
}

impl Meta for StoredMeta {
    fn load(&self) -> BoxFuture<Result<Vec<Namespace>, MetaError>> {
        let store = self.store.clone();
        self.blocking(move || {
            let range = keys::namespaces();
            let entries =
                store.scan(CLUSTER_SHARD, Table::Meta, &range.start..&range.end, usize::MAX, Order::Forward)?;
            entries.iter().map(|(key, value)| decode(key, value)).collect()
        })
    }

    fn put(&self, namespace: &Namespace, old_name: Option<&str>) -> BoxFuture<Result<(), MetaError>> {
        let mut batch = Batch::new(self.lease);
        if let Some(old_name) = old_name {
            batch.delete(Table::Meta, keys::namespace(old_name));
        }
        batch.put(Table::Meta, keys::namespace(&namespace.name), namespace.describe().encode_to_vec());
        let store = self.store.clone();
        self.blocking(move || Ok(store.commit(&[batch])?))
    }
}

fn decode(key: &[u8], value: &[u8]) -> Result<Namespace, MetaError> {
    let stored = DescribeNamespaceResponse::decode(value).ok().and_then(Namespace::of_stored);
    stored.ok_or_else(|| MetaError::Malformed(String::from_utf8_lossy(key).into_owned()))
}
