//! Records that remember what they were before the transition: what changed can be written, and undone, in O(change).
use std::collections::{BTreeMap, btree_map::Entry};

/// A record that other records and commands can find by a name, e.g. an activity by its activity id.
pub trait Named {
    fn name(&self) -> Option<&str> {
        None
    }
}

/// A map of records by key.
///
/// Invariants: `originals` holds, for each key touched since [`Tracked::settle`], the value before the first touch;
/// `names` has exactly one entry per present record that has a name. Records are boxed, for a node of the map has room for
/// eleven, and most runs have one or two.
#[derive(Clone, Debug, PartialEq)]
pub struct Tracked<K, V> {
    now: BTreeMap<K, Box<V>>,
    originals: BTreeMap<K, Option<Box<V>>>,
    names: BTreeMap<String, K>,
}

impl<K, V> Default for Tracked<K, V> {
    fn default() -> Self {
        Self { now: BTreeMap::new(), originals: BTreeMap::new(), names: BTreeMap::new() }
    }
}

impl<K: Ord + Clone, V: Clone + Named> Tracked<K, V> {
    /// Puts a record as loaded from the store, without marking it changed.
    pub fn load(&mut self, key: K, value: V) {
        if let Some(name) = value.name() {
            self.names.insert(name.to_owned(), key.clone());
        }
        self.now.insert(key, Box::new(value));
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        self.now.get(key).map(Box::as_ref)
    }

    pub fn contains(&self, key: &K) -> bool {
        self.now.contains_key(key)
    }

    pub fn by_name(&self, name: &str) -> Option<&K> {
        self.names.get(name)
    }

    /// The record for changing; its name must stay as it is.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let value = self.now.get_mut(key)?;
        if let Entry::Vacant(slot) = self.originals.entry(key.clone()) {
            slot.insert(Some(value.clone()));
        }
        Some(value)
    }

    pub fn insert(&mut self, key: K, value: V) {
        if let Some(name) = value.name() {
            self.names.insert(name.to_owned(), key.clone());
        }
        let before = self.now.insert(key.clone(), Box::new(value));
        self.originals.entry(key).or_insert(before);
    }

    pub fn remove(&mut self, key: &K) -> Option<V> {
        let before = self.now.remove(key)?;
        if let Some(name) = before.name() {
            self.names.remove(name);
        }
        self.originals.entry(key.clone()).or_insert_with(|| Some(before.clone()));
        Some(*before)
    }

    pub fn len(&self) -> usize {
        self.now.len()
    }

    pub fn is_empty(&self) -> bool {
        self.now.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.now.iter().map(|(key, value)| (key, value.as_ref()))
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.now.values().map(Box::as_ref)
    }

    /// Each touched key with its value before and now.
    pub fn changes(&self) -> impl Iterator<Item = (&K, Option<&V>, Option<&V>)> {
        self.originals.iter().map(|(key, before)| (key, before.as_deref(), self.get(key)))
    }

    /// Makes the present values the ones that a later [`Tracked::undo`] returns to.
    pub fn settle(&mut self) {
        self.originals.clear();
    }

    /// Returns every touched record to what it was.
    pub fn undo(&mut self) {
        let originals = std::mem::take(&mut self.originals);
        for key in originals.keys() {
            if let Some(name) = self.now.remove(key).as_deref().and_then(Named::name) {
                self.names.remove(name);
            }
        }
        for (key, before) in originals {
            if let Some(value) = before {
                self.load(key, *value);
            }
        }
    }
}

/// One record that is always there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrackedCell<T> {
    now: T,
    original: Option<Box<T>>,
}

impl<T: Clone> TrackedCell<T> {
    pub fn new(value: T) -> Self {
        Self { now: value, original: None }
    }

    pub fn get(&self) -> &T {
        &self.now
    }

    pub fn get_mut(&mut self) -> &mut T {
        if self.original.is_none() {
            self.original = Some(Box::new(self.now.clone()));
        }
        &mut self.now
    }

    pub fn original(&self) -> Option<&T> {
        self.original.as_deref()
    }

    pub fn settle(&mut self) {
        self.original = None;
    }

    pub fn undo(&mut self) {
        if let Some(before) = self.original.take() {
            self.now = *before;
        }
    }
}

impl<T> std::ops::Deref for TrackedCell<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.now
    }
}

impl Named for () {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Thing(String, u8);

    impl Named for Thing {
        fn name(&self) -> Option<&str> {
            Some(&self.0)
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u8, u8),
        Change(u8, u8),
        Remove(u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0..6u8, any::<u8>()).prop_map(|(k, v)| Step::Insert(k, v)),
            (0..6u8, any::<u8>()).prop_map(|(k, v)| Step::Change(k, v)),
            (0..6u8).prop_map(Step::Remove),
        ];
        prop::collection::vec(step, 0..20)
    }

    fn apply(records: &mut Tracked<u8, Thing>, steps: &[Step]) {
        for step in steps {
            match *step {
                // As commands do, a name is taken only while it is free.
                Step::Insert(k, v) => {
                    let name = (k % 3).to_string();
                    if records.by_name(&name).is_none() && !records.contains(&k) {
                        records.insert(k, Thing(name, v));
                    }
                }
                Step::Change(k, v) => {
                    if let Some(thing) = records.get_mut(&k) {
                        thing.1 = v;
                    }
                }
                Step::Remove(k) => {
                    records.remove(&k);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn undo_returns_to_the_settled_state(first in steps(), second in steps()) {
            let mut records = Tracked::default();
            apply(&mut records, &first);
            records.settle();
            let (now, names) = (records.now.clone(), records.names.clone());
            apply(&mut records, &second);
            records.undo();
            prop_assert_eq!(records.now, now);
            prop_assert_eq!(records.names, names);
        }
    }
}
