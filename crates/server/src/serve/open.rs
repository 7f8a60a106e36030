//! What is there before the first call: the store, and the namespaces that the configuration asks for.
use std::{fs, io, path::Path, sync::Arc};

use abide_matching::Matching;
use abide_proto::temporal::api::enums::v1::IndexedValueType;
use abide_store::{Committer, EmbeddedStore, MemoryStore, Store, embedded};

use super::{DEFAULT_NAMESPACE, Error, measures};
use crate::{
    config::{ServerConfig, Storage},
    drain::Drain,
    env::Env,
    frontend::{Frontend, Limits},
    metrics::Metrics,
    namespaces::{ChangeError, MetaError, Namespace, Namespaces, RegisterError, SYSTEM_NAMESPACE, StoredMeta},
    shard::{Done, OnGroup, QueueClock, SettingsSource, Shards},
    task_queue_configs::TaskQueueConfigs,
};

/// Where the system's namespace keeps the number of shards that the store was made with.
const SHARD_COUNT_KEY: &str = "shard_count";

/// Opens the store, or makes it where there is none. Blocks while it reads its log.
pub(super) fn store(storage: &Storage) -> Result<Arc<dyn Store>, Error> {
    Ok(match storage {
        Storage::Memory => Arc::new(MemoryStore::default()),
        Storage::Directory(path) => Arc::new(directory(path)?),
    })
}

impl Frontend {
    /// The frontend over a store, with the shards taken over and what was waiting offered. When it returns, it answers.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn open(
        mut config: ServerConfig,
        env: Env,
        store: Arc<dyn Store>,
        start_committer: impl FnOnce(Arc<dyn Store>, OnGroup) -> io::Result<Committer<Done>>,
    ) -> Result<Frontend, Error> {
        let meta = StoredMeta::open(Arc::clone(&store), env.clone())?;
        let cluster_lease = meta.lease();
        let (namespaces, system_namespace) = namespaces(meta, &mut config, &env).await?;
        let namespaces = Arc::new(namespaces);
        let matching = Matching::new(Default::default(), Arc::new(QueueClock(env.clone())));
        let task_queue_configs =
            TaskQueueConfigs::load(Arc::clone(&store), cluster_lease, matching.clone(), env.clone())?;
        let settings = SettingsSource::new(&config.dynamic_config);
        let (queues, known) = (matching.clone(), Arc::clone(&namespaces));
        let shards = Shards::open(env.clone(), store, queues, known, settings, config.shard_count, start_committer)?;
        let metrics = Arc::new(Metrics::default());
        measures::register(&metrics, &shards);
        let limits = Limits::new(env.clone(), &config.dynamic_config, &metrics);
        Ok(Frontend {
            env,
            dynamic_config: config.dynamic_config.clone(),
            config,
            namespaces,
            system_namespace,
            metrics,
            shards,
            matching,
            direct_queries: Default::default(),
            limits,
            task_queue_configs,
            drain: Drain::default(),
        })
    }
}

fn directory(path: &Path) -> Result<EmbeddedStore, Error> {
    fs::create_dir_all(path).map_err(|error| Error::Directory { path: path.to_owned(), error })?;
    Ok(EmbeddedStore::open(path, &embedded::Options::default())?)
}

/// The registry with all namespaces that must be there, and the system's own.
async fn namespaces(
    meta: StoredMeta,
    config: &mut ServerConfig,
    env: &Env,
) -> Result<(Namespaces, Arc<Namespace>), Error> {
    let namespaces = Namespaces::load(Arc::new(meta)).await?;
    let system = match namespaces.by_name(SYSTEM_NAMESPACE) {
        Some(found) => found,
        None => {
            let mut system = Namespace::new(env.uuid(), SYSTEM_NAMESPACE, config.default_retention);
            system.data.insert(SHARD_COUNT_KEY.into(), config.shard_count.to_string());
            register(&namespaces, system).await?
        }
    };
    config.shard_count = system
        .data
        .get(SHARD_COUNT_KEY)
        .and_then(|count| count.parse().ok())
        .ok_or_else(|| MetaError::Malformed(SYSTEM_NAMESPACE.into()))?;
    for name in [DEFAULT_NAMESPACE].into_iter().chain(config.namespaces.iter().map(String::as_str)) {
        let namespace = match namespaces.by_name(name) {
            Some(found) => found,
            None => register(&namespaces, Namespace::new(env.uuid(), name, config.default_retention)).await?,
        };
        add_search_attributes(&namespaces, &namespace, &config.search_attributes).await?;
    }
    Ok((namespaces, system))
}

async fn register(namespaces: &Namespaces, namespace: Namespace) -> Result<Arc<Namespace>, MetaError> {
    match namespaces.register(namespace).await {
        Ok(made) => Ok(made),
        Err(RegisterError::Meta(error)) => Err(error),
        Err(RegisterError::NameTaken) => unreachable!("nobody else registers namespaces before the start"),
    }
}

async fn add_search_attributes(
    namespaces: &Namespaces,
    namespace: &Namespace,
    wanted: &[(String, IndexedValueType)],
) -> Result<(), Error> {
    if wanted.iter().all(|(name, _)| namespace.search_attributes().contains_key(name)) {
        return Ok(());
    }
    let add = |old: &Namespace| {
        let mut new = old.clone();
        for (name, kind) in wanted {
            let refused = |reason| Error::SearchAttribute { name: name.clone(), reason };
            new.add_search_attribute(name, *kind).map_err(refused)?;
        }
        Ok(new)
    };
    match namespaces.change(namespace.id, add).await {
        Ok(_) => Ok(()),
        Err(ChangeError::Meta(error)) => Err(error.into()),
        Err(ChangeError::Refused(error)) => Err(error),
        Err(ChangeError::Unknown) => unreachable!("the namespace was made before"),
    }
}
