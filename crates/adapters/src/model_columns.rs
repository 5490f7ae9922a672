//! A model's own columns in a table: its features, attributes or protected attributes.

use arrow::{array::ArrayRef, datatypes::DataType};

use crate::{FeatureType, columns::Column, names::Names};

/// A column of the model, or the decision that a name gets none.
#[derive(Debug)]
struct Own {
    found: Option<(FeatureType, Column)>,
}

/// The columns of one prefix, such as `feature_`.
#[derive(Debug)]
pub(crate) struct ModelColumnSet {
    prefix: &'static str,
    names: Names,
    own: Vec<Own>,
}

/// How many names without a column are remembered; the others are looked up anew each time.
const MAX_REMEMBERED: usize = 8_192;

impl ModelColumnSet {
    pub(crate) fn new(prefix: &'static str) -> Self {
        Self { prefix, names: Names::default(), own: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.own.len()
    }

    /// The place of a name.
    #[inline]
    pub(crate) fn find(&self, name: &str, expected: &mut usize) -> Option<usize> {
        self.names.find(name, expected)
    }

    /// The type and the column at a place; `None` where the name has no column.
    #[inline]
    pub(crate) fn column(&mut self, place: usize) -> Option<(FeatureType, &mut Column)> {
        self.own[place].found.as_mut().map(|(found, column)| (*found, column))
    }

    /// Adds a column, or the decision that the name gets none.
    pub(crate) fn add(&mut self, name: &str, found: Option<FeatureType>) -> usize {
        if found.is_some() || self.own.len() < MAX_REMEMBERED {
            self.own.push(Own { found: found.map(|found| (found, Column::new(&found.data_type()))) });
            return self.names.add(name);
        }
        self.own.len()
    }

    /// Cuts off rows from `rows` on, and columns from `n_columns` on.
    pub(crate) fn truncate(&mut self, rows: usize, n_columns: usize) {
        self.own.truncate(n_columns);
        self.names.truncate(n_columns);
        for (_, column) in self.own.iter_mut().filter_map(|own| own.found.as_mut()) {
            column.truncate(rows);
        }
    }

    /// Every column that has a value, by name; all are empty afterwards.
    pub(crate) fn finish(&mut self, rows: usize) -> Vec<(String, DataType, ArrayRef)> {
        let mut finished = Vec::new();
        for (place, own) in self.own.iter_mut().enumerate() {
            let Some((found, column)) = &mut own.found else { continue };
            if column.len() == 0 {
                continue;
            }
            let data_type = found.data_type();
            let array = column.finish(rows, &data_type);
            if array.null_count() < rows {
                finished.push((format!("{}{}", self.prefix, self.names.get(place)), data_type, array));
            }
        }
        finished.sort_by(|(left, ..), (right, ..)| left.cmp(right));
        finished
    }
}
