//! The namespaces of the cluster: a registry in memory, each change durable before it shows (spec §3.32).
//!
//! Looking one up takes a read lock and one hash, and hands out an `Arc` of a value that never changes; an update puts
//! another value in its place.
use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, PoisonError, RwLock},
};

use rustc_hash::FxHashMap;
use tokio::sync::Mutex;

mod meta;
mod namespace;

pub(crate) use meta::CLUSTER_SHARD;
pub use meta::{MemoryMeta, Meta, MetaError, StoredMeta};
pub(crate) use namespace::retention_of;
pub use namespace::{CLUSTER_NAME, MAX_COLUMNS, Namespace, NoFreeColumn};

/// The namespace of the server's own affairs. It cannot be registered, and not deleted.
pub const SYSTEM_NAMESPACE: &str = "temporal-system";

/// The names of namespaces and their values. One per process.
pub struct Namespaces {
    tables: RwLock<Tables>,
    meta: Arc<dyn Meta>,
    /// Held while a change is checked, made durable and shown, so that changes come one after another.
    changes: Mutex<()>,
}

/// Invariants: both maps hold the same values, each under its own name and id.
#[derive(Default)]
struct Tables {
    by_name: FxHashMap<String, Arc<Namespace>>,
    by_id: BTreeMap<[u8; 16], Arc<Namespace>>,
}

/// Why a namespace was not registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    #[error("the name is taken")]
    NameTaken,
    #[error(transparent)]
    Meta(#[from] MetaError),
}

/// Why a namespace was not changed; `E` is what the change itself may say.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError<E> {
    #[error("there is no such namespace")]
    Unknown,
    #[error(transparent)]
    Meta(MetaError),
    #[error("{0}")]
    Refused(E),
}

impl Namespaces {
    /// The registry of what `meta` holds.
    pub async fn load(meta: Arc<dyn Meta>) -> Result<Self, MetaError> {
        let mut tables = Tables::default();
        for namespace in meta.load().await? {
            tables.put(Arc::new(namespace));
        }
        Ok(Self { tables: RwLock::new(tables), meta, changes: Mutex::new(()) })
    }

    pub fn by_name(&self, name: &str) -> Option<Arc<Namespace>> {
        self.read(|tables| tables.by_name.get(name).cloned())
    }

    pub fn by_id(&self, id: [u8; 16]) -> Option<Arc<Namespace>> {
        self.read(|tables| tables.by_id.get(&id).cloned())
    }

    /// At most `limit` namespaces by id, from the one behind `after`.
    pub fn page(&self, after: Option<[u8; 16]>, limit: usize) -> Vec<Arc<Namespace>> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.read(|tables| tables.by_id.range((start, Bound::Unbounded)).take(limit).map(|(_, n)| n.clone()).collect())
    }

    /// Adds a namespace. It shows once it is durable.
    pub async fn register(&self, namespace: Namespace) -> Result<Arc<Namespace>, RegisterError> {
        let _one_at_a_time = self.changes.lock().await;
        if self.by_name(&namespace.name).is_some() {
            return Err(RegisterError::NameTaken);
        }
        let namespace = Arc::new(namespace);
        self.meta.put(&namespace, None).await?;
        self.write(|tables| tables.put(namespace.clone()));
        Ok(namespace)
    }

    /// Puts what `change` makes of a namespace in its place, or nothing if it refuses. The name may change, the id not.
    pub async fn change<E>(
        &self,
        id: [u8; 16],
        change: impl FnOnce(&Namespace) -> Result<Namespace, E> + Send,
    ) -> Result<Arc<Namespace>, ChangeError<E>> {
        let _one_at_a_time = self.changes.lock().await;
        let old = self.by_id(id).ok_or(ChangeError::Unknown)?;
        let new = Arc::new(change(&old).map_err(ChangeError::Refused)?);
        assert_eq!(new.id, old.id, "a namespace keeps its id");
        let old_name = (new.name != old.name).then_some(old.name.as_str());
        self.meta.put(&new, old_name).await.map_err(ChangeError::Meta)?;
        self.write(|tables| {
            tables.by_name.remove(&old.name);
            tables.put(new.clone());
        });
        Ok(new)
    }

    fn read<T>(&self, look: impl FnOnce(&Tables) -> T) -> T {
        look(&self.tables.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, change: impl FnOnce(&mut Tables)) {
        change(&mut self.tables.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Tables {
    fn put(&mut self, namespace: Arc<Namespace>) {
        self.by_name.insert(namespace.name.clone(), namespace.clone());
        self.by_id.insert(namespace.id, namespace);
    }
}

#[cfg(test)]
mod tests;
