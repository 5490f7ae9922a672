//! Groups: a version, or the part of a model's traffic that shares one attribute value, as a small number.

use std::collections::BTreeMap;

use arrow::array::Array;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use wardline_domain::{EventBatch, Slice, TextColumn, Timestamp, column};

/// The whole traffic. No row is counted here: it is the sum over versions.
pub(crate) const WHOLE: u16 = 0;
/// Rows without the attribute, or of a value beyond the cap.
pub(crate) const LEFT_OUT: u16 = 1;
/// Most values of a dimension; one with more is no longer sliced by.
pub(crate) const MAX_VALUES: usize = 50;
/// Most versions that are told apart.
const MAX_VERSIONS: usize = 200;
/// Most dimensions beside the version.
const MAX_DIMENSIONS: usize = 12;
/// The dimension that every event has.
pub(crate) const VERSION: &str = "version";

/// One value of one dimension.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Group {
    /// `version`, `channel`, `instance`, `tenant`, or an attribute's name.
    pub(crate) dimension: String,
    /// Its value.
    pub(crate) value: String,
    /// When it first appeared.
    pub(crate) first_seen: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Dimension {
    column: String,
    values: BTreeMap<String, u16>,
    /// Values that were counted at least once. A batch makes its values known before its rows are
    /// counted, so this alone is the same however the stream is cut.
    seen: usize,
}

impl Dimension {
    const fn is_sliced(&self) -> bool {
        2 <= self.seen && self.seen < MAX_VALUES
    }
}

/// Every group of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Groups {
    all: Vec<Group>,
    dimensions: BTreeMap<String, Dimension>,
    /// Dimensions that were not sliced by because there were too many.
    left_out: Vec<String>,
}

/// The group of every row, by dimension; the version first.
#[derive(Default)]
pub(crate) struct RowGroups {
    pub(crate) ids: Vec<Vec<u16>>,
}

impl Default for Groups {
    fn default() -> Self {
        let placeholder =
            |dimension: &str| Group { dimension: dimension.to_owned(), value: String::new(), first_seen: None };
        Self {
            all: vec![placeholder("whole"), placeholder("left out")],
            dimensions: BTreeMap::from([(
                VERSION.to_owned(),
                Dimension { column: column::VERSION.to_owned(), ..Dimension::default() },
            )]),
            left_out: Vec::new(),
        }
    }
}

impl Groups {
    /// How many there are, the two special ones included.
    pub(crate) const fn len(&self) -> usize {
        self.all.len()
    }

    /// A group.
    pub(crate) fn get(&self, id: u16) -> &Group {
        &self.all[id as usize]
    }

    /// A version's group.
    pub(crate) fn version(&self, version: &str) -> Option<u16> {
        self.dimensions.get(VERSION)?.values.get(version).copied()
    }

    /// Versions by name.
    pub(crate) fn versions(&self) -> impl Iterator<Item = (&str, u16)> {
        self.dimensions
            .get(VERSION)
            .into_iter()
            .flat_map(|dimension| &dimension.values)
            .filter(|&(_, &id)| self.is_seen(id))
            .map(|(name, &id)| (name.as_str(), id))
    }

    fn is_seen(&self, id: u16) -> bool {
        self.get(id).first_seen.is_some()
    }

    /// Notes that a group was counted.
    pub(crate) fn note_seen(&mut self, id: u16, time: Timestamp) {
        let Some(group) = self.all.get_mut(id as usize) else { return };
        if id > LEFT_OUT && group.first_seen.is_none() {
            group.first_seen = Some(time);
            if let Some(dimension) = self.dimensions.get_mut(&group.dimension) {
                dimension.seen += 1;
            }
        }
    }

    /// Dimensions worth slicing by, in order of name: at least two values and fewer than the cap.
    pub(crate) fn sliced(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = u16> + '_)> {
        self.dimensions
            .iter()
            .filter(|(name, dimension)| name.as_str() != VERSION && dimension.is_sliced())
            .map(|(name, dimension)| (name.as_str(), dimension.values.values().copied().filter(|&id| self.is_seen(id))))
    }

    /// Dimensions that are not sliced by: too many of them, or too many values.
    pub(crate) fn left_out(&self) -> Vec<String> {
        let overflowed =
            self.dimensions.iter().filter(|(_, dimension)| dimension.seen >= MAX_VALUES).map(|(name, _)| name.clone());
        self.left_out.iter().cloned().chain(overflowed).collect()
    }

    /// A group as a slice: a version is no slice, it has its own field.
    pub(crate) fn slice(&self, id: u16) -> Slice {
        let group = self.get(id);
        if id <= LEFT_OUT || group.dimension == VERSION {
            Slice::whole()
        } else {
            Slice::of(&group.dimension, &group.value)
        }
    }

    /// A group's version, where it is one.
    pub(crate) fn version_of(&self, id: u16) -> Option<String> {
        let group = self.get(id);
        (id > LEFT_OUT && group.dimension == VERSION).then(|| group.value.clone())
    }

    /// Whether a group may be judged on its own.
    pub(crate) fn is_judged(&self, id: u16) -> bool {
        if id == WHOLE {
            return true;
        }
        let dimension = &self.get(id).dimension;
        id != LEFT_OUT && self.dimensions.get(dimension).is_some_and(Dimension::is_sliced)
    }

    /// How many groups are judged on their own.
    pub(crate) fn n_judged(&self) -> usize {
        self.dimensions.values().filter(|dimension| dimension.is_sliced()).map(|dimension| dimension.seen).sum()
    }

    /// The group of every row of a batch, looked up once per dictionary value.
    pub(crate) fn assign(&mut self, batch: &EventBatch, rows: &mut RowGroups) {
        self.discover(batch);
        let names: Vec<(String, String)> =
            self.dimensions.iter().map(|(name, dimension)| (name.clone(), dimension.column.clone())).collect();
        rows.ids.resize_with(names.len(), Vec::new);
        let first = names.iter().position(|(name, _)| name == VERSION).unwrap_or(0);
        let order = std::iter::once(first).chain((0..names.len()).filter(|&index| index != first));
        for (slot, index) in order.enumerate() {
            let (name, column) = &names[index];
            let ids = &mut rows.ids[slot];
            ids.clear();
            ids.resize(batch.len(), LEFT_OUT);
            match batch.text(column) {
                Some(text @ TextColumn::Dictionary(..)) => self.assign_coded(name, text, ids),
                Some(text) => self.assign_plain(name, text, ids),
                None => {}
            }
            if name == VERSION && batch.text(column).is_none() {
                let id = self.number(name, "");
                ids.fill(id);
            }
        }
    }

    fn discover(&mut self, batch: &EventBatch) {
        let fixed = ["channel", "instance", "tenant"]
            .into_iter()
            .filter_map(|name| batch.column(name).map(|array| (name, name.to_owned(), array)));
        let attributes = batch
            .prefixed(column::ATTRIBUTE_PREFIX)
            .map(|(name, array)| (name, format!("{}{name}", column::ATTRIBUTE_PREFIX), array));
        let found: Vec<(String, String)> = fixed
            .chain(attributes)
            .filter(|(_, _, array)| array.null_count() < array.len())
            .map(|(name, column, _)| (name.to_owned(), column))
            .collect();
        for (name, column) in found {
            if self.dimensions.contains_key(&name) {
                continue;
            }
            if self.dimensions.len() <= MAX_DIMENSIONS {
                self.dimensions.insert(name, Dimension { column, ..Dimension::default() });
            } else if !self.left_out.contains(&name) {
                self.left_out.push(name);
            }
        }
    }

    fn assign_coded(&mut self, name: &str, text: TextColumn<'_>, ids: &mut [u16]) {
        const UNKNOWN: u16 = u16::MAX;
        let Some(dictionary) = text.dictionary() else { return };
        let mut of_code = vec![UNKNOWN; dictionary.len()];
        for (row, id) in ids.iter_mut().enumerate() {
            let Some(code) = text.code(row) else { continue };
            if of_code[code] == UNKNOWN {
                of_code[code] = match text.get(row) {
                    Some(value) => self.number(name, value),
                    None => LEFT_OUT,
                };
            }
            *id = of_code[code];
        }
    }

    fn assign_plain(&mut self, name: &str, text: TextColumn<'_>, ids: &mut [u16]) {
        let mut known: FxHashMap<&str, u16> = FxHashMap::default();
        for (row, id) in ids.iter_mut().enumerate() {
            let Some(value) = text.get(row) else { continue };
            *id = match known.get(value) {
                Some(&found) => found,
                None => {
                    let found = self.number(name, value);
                    known.insert(value, found);
                    found
                }
            };
        }
    }

    fn number(&mut self, name: &str, value: &str) -> u16 {
        let Some(dimension) = self.dimensions.get_mut(name) else { return LEFT_OUT };
        if let Some(&id) = dimension.values.get(value) {
            return id;
        }
        let most = if name == VERSION { MAX_VERSIONS } else { MAX_VALUES };
        if dimension.values.len() >= most {
            return LEFT_OUT;
        }
        let id = self.all.len() as u16;
        dimension.values.insert(value.to_owned(), id);
        self.all.push(Group { dimension: name.to_owned(), value: value.to_owned(), first_seen: None });
        id
    }
}
