//! What is known of each model's own columns, shared by everyone who decodes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use arrow::datatypes::{DataType, Schema};
use serde::{Deserialize, Serialize};
use wardline_domain::{column, schema};

/// The type of a feature. It never changes while the model's schema is not reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureType {
    /// Float64.
    Number,
    /// Boolean.
    Boolean,
    /// Dictionary-encoded text.
    Text,
}

impl FeatureType {
    /// The type of the feature's column.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Number => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Text => schema::repeated_text(),
        }
    }

    /// In words, for messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Boolean => "a boolean",
            Self::Text => "text",
        }
    }

    /// The feature type that a column of a table or a file holds; `None` for types that no feature has.
    pub fn of(data_type: &DataType) -> Option<Self> {
        match data_type {
            DataType::Boolean => Some(Self::Boolean),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(Self::Text),
            DataType::Dictionary(_, value) => Self::of(value),
            DataType::Decimal32(_, _) | DataType::Decimal64(_, _) | DataType::Decimal128(_, _) => Some(Self::Number),
            number if number.is_numeric() => Some(Self::Number),
            _ => None,
        }
    }
}

/// The columns of one model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelColumns {
    /// Feature to type.
    #[serde(default)]
    pub features: BTreeMap<String, FeatureType>,
    /// Attributes that have a column; the others are in `attributes` as JSON.
    #[serde(default)]
    pub attributes: BTreeSet<String>,
    /// Protected attributes that have a column.
    #[serde(default)]
    pub groups: BTreeSet<String>,
    /// Length of the embedding.
    #[serde(default)]
    pub embedding_length: Option<u32>,
}

/// A column that a record would add to its model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NewColumn {
    Feature(String, FeatureType),
    Attribute(String),
    Group(String),
    Embedding(u32),
}

/// Someone else has decided differently since the record was looked at.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Conflict;

/// The columns of every model. One of them serves any number of decoders and threads.
#[derive(Debug, Default)]
pub struct SchemaRegistry {
    models: RwLock<BTreeMap<String, ModelColumns>>,
    generation: AtomicU64,
    version: AtomicU64,
}

impl SchemaRegistry {
    /// A registry that knows no model.
    pub fn new() -> Self {
        Self::default()
    }

    /// A registry that knows what a snapshot holds.
    pub fn restore(snapshot: BTreeMap<String, ModelColumns>) -> Self {
        Self { models: RwLock::new(snapshot), ..Self::default() }
    }

    /// What is known, to be stored.
    pub fn snapshot(&self) -> BTreeMap<String, ModelColumns> {
        self.read().clone()
    }

    /// Grows whenever [`SchemaRegistry::snapshot`] would say something new.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The columns of a model.
    pub fn model(&self, model: &str) -> Option<ModelColumns> {
        self.read().get(model).cloned()
    }

    /// Forgets a model's columns, so that features may have other types from now on.
    pub fn reset(&self, model: &str) {
        self.write().remove(model);
        self.generation.fetch_add(1, Ordering::Release);
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Learns the columns of a model's table, at start-up. What is known already stays.
    pub fn learn_from(&self, model: &str, table: &Schema) {
        let mut models = self.write();
        let columns = models.entry(model.to_owned()).or_default();
        for field in table.fields() {
            let name = field.name();
            if let (Some(feature), Some(found)) = (column::feature_of(name), FeatureType::of(field.data_type())) {
                columns.features.entry(feature.to_owned()).or_insert(found);
            } else if let Some(attribute) = column::attribute_of(name) {
                columns.attributes.insert(attribute.to_owned());
            } else if let Some(group) = column::group_of(name) {
                columns.groups.insert(group.to_owned());
            }
        }
    }

    /// Changes whenever columns are forgotten.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The type of a feature, where it is known.
    pub(crate) fn feature(&self, model: &str, feature: &str) -> Option<FeatureType> {
        self.read().get(model)?.features.get(feature).copied()
    }

    /// How many features a model has.
    pub(crate) fn n_features(&self, model: &str) -> usize {
        self.read().get(model).map_or(0, |columns| columns.features.len())
    }

    /// The length of a model's embeddings, where it is known.
    pub(crate) fn embedding_length(&self, model: &str) -> Option<u32> {
        self.read().get(model)?.embedding_length
    }

    /// Whether an attribute has a column (`Some(false)`: it may get one), or must stay in the JSON (`None`),
    /// where so many columns are about to be added.
    pub(crate) fn attribute(&self, model: &str, attribute: &str, n_new: usize) -> Option<bool> {
        let models = self.read();
        has_room(models.get(model).map(|columns| &columns.attributes), attribute, n_new)
    }

    /// As [`SchemaRegistry::attribute`], for protected attributes.
    pub(crate) fn group(&self, model: &str, group: &str, n_new: usize) -> Option<bool> {
        let models = self.read();
        has_room(models.get(model).map(|columns| &columns.groups), group, n_new)
    }

    /// Adds columns to a model: all of them, or none.
    ///
    /// # Errors
    /// [`Conflict`] where another decoder has meanwhile decided differently.
    pub(crate) fn add(&self, model: &str, new: &[NewColumn]) -> Result<(), Conflict> {
        let mut models = self.write();
        if !models.contains_key(model) {
            models.insert(model.to_owned(), ModelColumns::default());
        }
        let Some(columns) = models.get_mut(model) else { return Err(Conflict) };
        let mut changed = columns.clone();
        for column in new {
            let fits = match column {
                NewColumn::Feature(name, found) => *changed.features.entry(name.clone()).or_insert(*found) == *found,
                NewColumn::Attribute(name) => insert(&mut changed.attributes, name),
                NewColumn::Group(name) => insert(&mut changed.groups, name),
                NewColumn::Embedding(length) => changed.embedding_length.get_or_insert(*length) == length,
            };
            if !fits {
                return Err(Conflict);
            }
        }
        if changed.features.len() > schema::MAX_FEATURE_COLUMNS {
            return Err(Conflict);
        }
        if *columns != changed {
            *columns = changed;
            self.version.fetch_add(1, Ordering::Release);
        }
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, ModelColumns>> {
        // Changes are made whole or not at all, so what a panicking thread left behind is still right.
        self.models.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, ModelColumns>> {
        self.models.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn has_room(names: Option<&BTreeSet<String>>, name: &str, n_new: usize) -> Option<bool> {
    let known = names.is_some_and(|names| names.contains(name));
    let taken = names.map_or(0, BTreeSet::len) + n_new;
    (known || taken < schema::MAX_ATTRIBUTE_COLUMNS).then_some(known)
}

fn insert(names: &mut BTreeSet<String>, name: &str) -> bool {
    let room = has_room(Some(names), name, 0);
    if room == Some(false) {
        names.insert(name.to_owned());
    }
    room.is_some()
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;

    use super::*;

    #[test]
    fn a_feature_keeps_its_first_type_and_all_is_added_or_nothing() {
        let registry = SchemaRegistry::new();
        let number = |name: &str| NewColumn::Feature(name.to_owned(), FeatureType::Number);
        assert_eq!(registry.add("m", &[number("age")]), Ok(()));
        let mixed = [number("income"), NewColumn::Feature("age".to_owned(), FeatureType::Text)];
        assert_eq!(registry.add("m", &mixed), Err(Conflict));
        assert_eq!(registry.feature("m", "income"), None);
        assert_eq!(registry.feature("m", "age"), Some(FeatureType::Number));
        registry.reset("m");
        assert_eq!(registry.feature("m", "age"), None);
        assert_eq!(registry.generation(), 1);
    }

    #[test]
    fn attributes_have_columns_up_to_the_limit() {
        let registry = SchemaRegistry::new();
        for number in 0..schema::MAX_ATTRIBUTE_COLUMNS {
            assert_eq!(registry.add("m", &[NewColumn::Attribute(number.to_string())]), Ok(()));
        }
        assert_eq!(registry.attribute("m", "3", 0), Some(true));
        assert_eq!(registry.attribute("m", "one more", 0), None);
        assert_eq!(registry.add("m", &[NewColumn::Attribute("one more".to_owned())]), Err(Conflict));
    }

    #[test]
    fn what_was_stored_or_is_in_a_table_is_known_again() {
        let registry = SchemaRegistry::new();
        let table = Schema::new(vec![
            Field::new("time", schema::timestamp(), false),
            Field::new("feature_age", DataType::Float64, true),
            Field::new("feature_job", DataType::Utf8, true),
            Field::new("feature_new", DataType::Boolean, true),
            Field::new("attribute_store", DataType::Utf8, true),
            Field::new("group_sex", DataType::Utf8, true),
        ]);
        registry.learn_from("m", &table);
        let stored = serde_json::to_string(&registry.snapshot()).unwrap();
        let restored = SchemaRegistry::restore(serde_json::from_str(&stored).unwrap());
        assert_eq!(restored.snapshot(), registry.snapshot());
        let columns = restored.model("m").unwrap();
        assert_eq!(columns.features["job"], FeatureType::Text);
        assert_eq!(columns.features.len(), 3);
        assert!(columns.attributes.contains("store") && columns.groups.contains("sex"));
    }
}
