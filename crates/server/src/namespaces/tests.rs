#![allow(clippy::unwrap_used)]
use std::time::Duration;

use abide_proto::temporal::api::enums::v1::{IndexedValueType, NamespaceState};
use abide_store::MemoryStore;

use super::*;
use crate::Env;

const HOUR: Duration = Duration::from_secs(3600);

fn namespace(id: u8, name: &str) -> Namespace {
    Namespace::new([id; 16], name, HOUR)
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let registry = Namespaces::load(Arc::new(MemoryMeta::default())).await.unwrap();
    registry.register(namespace(1, "a")).await.unwrap();
    assert!(matches!(registry.register(namespace(2, "a")).await, Err(RegisterError::NameTaken)));
    assert_eq!(registry.by_name("a").unwrap().id, [1; 16]);
}

#[tokio::test]
async fn a_changed_namespace_is_read_back_from_the_store() {
    let store = Arc::new(MemoryStore::default());
    let registry = Namespaces::load(Arc::new(StoredMeta::open(store.clone(), Env::real()).unwrap())).await.unwrap();
    let mut first = namespace(1, "a");
    first.data.insert("team".into(), "red".into());
    first.add_search_attribute("Colour", IndexedValueType::Keyword).unwrap();
    registry.register(first).await.unwrap();
    registry.register(namespace(2, "b")).await.unwrap();
    let rename =
        |old: &Namespace| Ok::<_, ()>(Namespace { name: "c".into(), state: NamespaceState::Deleted, ..old.clone() });
    let changed = registry.change([1; 16], rename).await.unwrap();

    let again = Namespaces::load(Arc::new(StoredMeta::open(store, Env::real()).unwrap())).await.unwrap();
    assert_eq!(again.by_name("c"), Some(changed));
    assert_eq!(again.by_name("a"), None);
    assert_eq!(again.by_name("c").unwrap().search_attributes()["Colour"], IndexedValueType::Keyword);
    assert_eq!(again.page(None, 10).iter().map(|n| n.id[0]).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(again.page(Some([1; 16]), 10).len(), 1);
}

#[tokio::test]
async fn a_refused_change_leaves_all_as_it_was() {
    let registry = Namespaces::load(Arc::new(MemoryMeta::default())).await.unwrap();
    let before = registry.register(namespace(1, "a")).await.unwrap();
    let refused = registry.change([1; 16], |_| Err("no")).await;
    assert!(matches!(refused, Err(ChangeError::Refused("no"))));
    assert!(matches!(registry.change([2; 16], |_| Err("no")).await, Err(ChangeError::Unknown)));
    assert_eq!(registry.by_id([1; 16]), Some(before));
}

#[test]
fn columns_of_a_type_run_out() {
    let mut full = namespace(1, "a");
    for name in ["A", "B", "C"] {
        full.add_search_attribute(name, IndexedValueType::Int).unwrap();
    }
    assert_eq!(full.search_attribute_aliases["Int03"], "C");
    let refused = full.add_search_attribute("D", IndexedValueType::Int).unwrap_err();
    assert_eq!(refused.to_string(), "cannot have more than 3 search attribute of type Int.");
    full.add_search_attribute("A", IndexedValueType::Int).unwrap();
    full.set_aliases([("Int02".into(), String::new())]);
    full.add_search_attribute("D", IndexedValueType::Int).unwrap();
    assert_eq!(full.search_attribute_aliases["Int02"], "D");
}

#[test]
fn only_columns_have_types() {
    let mut odd = namespace(1, "a");
    odd.set_aliases([("Keyword11".into(), "A".into()), ("é".into(), "B".into()), ("Text01".into(), "C".into())]);
    assert_eq!(odd.search_attributes().keys().collect::<Vec<_>>(), ["C"]);
}
