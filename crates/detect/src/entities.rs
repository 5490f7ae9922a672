//! Entities: who or what a prediction came from, down to a single person or camera, as small numbers.
//!
//! Groups (see [`crate::groups`]) are few and counted with every event. Entities may be hundreds, and are looked at
//! only by what follows single predictions. Bound: [`SLOTS`] dimensions of [`MOST_VALUES`] values; predictions of
//! further values have no entity in that dimension.

use arrow::array::{Array, ArrayRef};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wardline_domain::{EventBatch, TextColumn, column};

/// Most dimensions, the version included, which is the first.
pub(crate) const SLOTS: usize = 8;
/// Most values of a dimension.
pub(crate) const MOST_VALUES: usize = 300;
/// The entities of one prediction: one for each dimension, 0 where there is none.
pub(crate) type EntityIds = [u16; SLOTS];

/// Columns that are dimensions beside the attributes.
const FIXED: [&str; 5] = ["channel", "user", "api_key", "tenant", "instance"];

#[derive(Clone, Debug, Default, PartialEq)]
struct Dimension {
    name: String,
    column: String,
    values: FxHashMap<String, u16>,
}

/// Dimensions and values of one model that were met so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entities {
    dimensions: Vec<Dimension>,
    /// Of the batch in hand.
    #[serde(skip)]
    rows: Vec<EntityIds>,
}

impl Entities {
    /// Finds the entities of every row of a batch. Numbers are given in the order of rows, so that they do not depend
    /// on where batches end.
    pub(crate) fn assign(&mut self, batch: &EventBatch) {
        self.discover(batch);
        self.rows.clear();
        self.rows.resize(batch.len(), [0; SLOTS]);
        for (slot, dimension) in self.dimensions.iter_mut().enumerate() {
            if let Some(text) = batch.text(&dimension.column) {
                dimension.assign(slot, text, &mut self.rows);
            }
        }
    }

    /// The entities of a row of the batch in hand.
    pub(crate) fn of(&self, row: usize) -> EntityIds {
        self.rows.get(row).copied().unwrap_or_default()
    }

    /// The name of a dimension: `version`, `channel`, `user` or an attribute's.
    pub(crate) fn dimension(&self, slot: usize) -> &str {
        self.dimensions.get(slot).map_or("", |dimension| dimension.name.as_str())
    }

    /// How many values of a dimension were seen.
    pub(crate) fn n_values(&self, slot: usize) -> usize {
        self.dimensions.get(slot).map_or(0, |dimension| dimension.values.len())
    }

    /// The value of an entity.
    pub(crate) fn value(&self, slot: usize, id: u16) -> &str {
        let values = self.dimensions.get(slot).map(|dimension| &dimension.values);
        values.and_then(|values| values.iter().find(|&(_, &known)| known == id)).map_or("", |(value, _)| value.as_str())
    }

    fn discover(&mut self, batch: &EventBatch) {
        if self.dimensions.is_empty() {
            self.dimensions.push(Dimension::new(column::VERSION, column::VERSION));
        }
        if self.dimensions.len() >= SLOTS {
            return;
        }
        let is_known = |name: &str| self.dimensions.iter().any(|dimension| dimension.column == name);
        let fixed = FIXED.into_iter().filter_map(|name| batch.column(name).map(|array| (name, name, array)));
        let schema = batch.records.schema_ref();
        let attributes = schema.fields().iter().zip(batch.records.columns()).filter_map(|(field, array)| {
            column::attribute_of(field.name()).map(|name| (name, field.name().as_str(), array))
        });
        let mut found: Vec<(usize, &str, &str)> = fixed
            .chain(attributes)
            .filter(|(_, column, _)| !is_known(column))
            .filter_map(|(name, column, array)| Some((first_value(array)?, name, column)))
            .collect();
        found.sort_unstable();
        for (_, name, column) in found {
            if self.dimensions.len() < SLOTS {
                self.dimensions.push(Dimension::new(name, column));
            }
        }
    }
}

fn first_value(array: &ArrayRef) -> Option<usize> {
    (0..array.len()).find(|&row| array.is_valid(row))
}

impl Dimension {
    fn new(name: &str, column: &str) -> Self {
        Self { name: name.to_owned(), column: column.to_owned(), values: FxHashMap::default() }
    }

    fn assign(&mut self, slot: usize, text: TextColumn<'_>, rows: &mut [EntityIds]) {
        // A part of a batch shares the dictionary of the whole; then looking up each row is cheaper.
        let n_codes = text.dictionary().map_or(0, Array::len);
        if 0 < n_codes && n_codes <= 2 * rows.len() {
            let mut of_code: Vec<Option<u16>> = vec![None; n_codes];
            for (row, ids) in rows.iter_mut().enumerate() {
                let Some(known) = text.code(row).and_then(|code| of_code.get_mut(code)) else { continue };
                ids[slot] = *known.get_or_insert_with(|| text.get(row).map_or(0, |value| self.number(value)));
            }
            return;
        }
        for (row, ids) in rows.iter_mut().enumerate() {
            ids[slot] = text.get(row).map_or(0, |value| self.number(value));
        }
    }

    fn number(&mut self, value: &str) -> u16 {
        if let Some(&id) = self.values.get(value) {
            return id;
        }
        if self.values.len() >= MOST_VALUES {
            return 0;
        }
        let id = self.values.len() as u16 + 1;
        self.values.insert(value.to_owned(), id);
        id
    }
}

/// Values in the order of their numbers, so that equal states have equal bytes.
impl Serialize for Dimension {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut values: Vec<(&str, u16)> = self.values.iter().map(|(value, &id)| (value.as_str(), id)).collect();
        values.sort_unstable_by_key(|&(_, id)| id);
        let values: Vec<&str> = values.into_iter().map(|(value, _)| value).collect();
        (&self.name, &self.column, values).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Dimension {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (name, column, values) = <(String, String, Vec<String>)>::deserialize(deserializer)?;
        let values = values.into_iter().take(MOST_VALUES).zip(1..).collect();
        Ok(Self { name, column, values })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{DictionaryArray, RecordBatch, StringArray};
    use arrow::datatypes::Int32Type;
    use wardline_domain::RecordKind;

    use super::*;

    fn batch(users: &[&str], stores: &[Option<&str>]) -> EventBatch {
        let users: DictionaryArray<Int32Type> = users.iter().map(|user| Some(*user)).collect();
        let stores: StringArray = stores.iter().copied().collect();
        let columns: Vec<(&str, ArrayRef, bool)> =
            vec![("user", Arc::new(users), true), ("attribute_store", Arc::new(stores), true)];
        let records = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        EventBatch { kind: RecordKind::Inference, model: None, records }
    }

    #[test]
    fn numbers_do_not_depend_on_where_batches_end() {
        let (users, stores) = (["u1", "u2", "u1", "u3"], [None, Some("s9"), Some("s1"), Some("s9")]);
        let mut whole = Entities::default();
        whole.assign(&batch(&users, &stores));
        let rows: Vec<EntityIds> = (0..4).map(|row| whole.of(row)).collect();
        let mut parts = Entities::default();
        parts.assign(&batch(&users[..1], &stores[..1]));
        let mut again = vec![parts.of(0)];
        parts.assign(&batch(&users[1..], &stores[1..]));
        again.extend((0..3).map(|row| parts.of(row)));
        assert_eq!(rows, again);
        assert_eq!((whole.dimension(1), whole.value(1, 3)), ("user", "u3"));
        assert_eq!((whole.dimension(2), whole.value(2, 1)), ("store", "s9"));
    }

    #[test]
    fn it_is_bounded_and_comes_back() {
        let names: Vec<String> = (0..2 * MOST_VALUES).map(|index| format!("u{index}")).collect();
        let users: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut entities = Entities::default();
        entities.assign(&batch(&users, &vec![None; users.len()]));
        assert_eq!((entities.of(MOST_VALUES - 1)[1], entities.of(MOST_VALUES)[1]), (MOST_VALUES as u16, 0));
        let bytes = postcard::to_stdvec(&entities).unwrap();
        let back: Entities = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(back.dimensions, entities.dimensions);
    }
}
