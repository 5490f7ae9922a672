//! The numbers that a model was fed, as one row: features, embedding and score.
//!
//! Which inputs there are is settled by the first row that has any; later ones are left out, and missing ones are NaN. Where
//! there are more than [`MOST_INPUTS`], they are added up into fewer, with a sign each by their name (a count sketch:
//! Charikar, Chen, Farach-Colton, 2002), which keeps distances on average.

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{DataType, Float32Type, Float64Type},
};
use serde::{Deserialize, Serialize};
use wardline_domain::{EventBatch, column, stable_hash};

use crate::odd_rows::MOST_INPUTS;

/// Most features that are read of a row.
const MOST_FEATURES: usize = 1_024;
/// Most numbers of an embedding that are read.
const MOST_EMBEDDING: usize = 4_096;

/// The inputs of one model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct InputRows {
    /// Columns by name, sorted.
    columns: Vec<String>,
    embedding: usize,
    has_score: bool,
    /// Where the columns were in the last batch: looked at first, as batches are mostly alike.
    #[serde(skip)]
    places: Vec<usize>,
}

impl InputRows {
    /// The numbers of a row; `None` where it has none.
    pub(crate) fn row(&mut self, batch: &EventBatch, row: usize) -> Option<Vec<f64>> {
        if self.is_empty() {
            self.settle(batch, row);
            if self.is_empty() {
                return None;
            }
        }
        self.find(batch);
        let columns = batch.records.columns();
        let mut values: Vec<f64> = Vec::with_capacity(self.len());
        let features = self.places.iter().map(|&place| columns.get(place).map_or(f64::NAN, |array| number(array, row)));
        values.extend(features);
        self.read_embedding(batch, row, &mut values);
        if self.has_score {
            values.push(batch.column("score").map_or(f64::NAN, |array| number(array, row)));
        }
        if values.iter().all(|value| value.is_nan()) {
            return None;
        }
        Some(if self.is_exact() { values } else { sketched(&values) })
    }

    /// The name of an input by its place; `None` where places are sums.
    pub(crate) fn name(&self, place: u16) -> Option<String> {
        let place = usize::from(place);
        if !self.is_exact() || place >= self.len() {
            return None;
        }
        Some(match self.columns.get(place) {
            Some(column) => column::feature_of(column).unwrap_or(column).to_owned(),
            None if place < self.columns.len() + self.embedding => format!("embedding[{}]", place - self.columns.len()),
            None => "score".to_owned(),
        })
    }

    fn len(&self) -> usize {
        self.columns.len() + self.embedding + usize::from(self.has_score)
    }

    fn is_exact(&self) -> bool {
        self.len() <= MOST_INPUTS
    }

    fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.embedding == 0
    }

    fn settle(&mut self, batch: &EventBatch, row: usize) {
        let schema = batch.records.schema_ref();
        let mut columns: Vec<String> = schema
            .fields()
            .iter()
            .zip(batch.records.columns())
            .filter(|(field, array)| column::feature_of(field.name()).is_some() && number(array, row).is_finite())
            .map(|(field, _)| field.name().clone())
            .collect();
        columns.sort_unstable();
        columns.truncate(MOST_FEATURES);
        self.columns = columns;
        self.embedding = embedding(batch, row).map_or(0, |values| values.len().min(MOST_EMBEDDING));
        self.has_score = !self.is_empty() && batch.column("score").is_some_and(|score| number(score, row).is_finite());
    }

    fn find(&mut self, batch: &EventBatch) {
        let schema = batch.records.schema_ref();
        let fields = schema.fields();
        self.places.resize(self.columns.len(), usize::MAX);
        for (name, place) in self.columns.iter().zip(&mut self.places) {
            if fields.get(*place).is_none_or(|field| field.name() != name) {
                *place = fields.iter().position(|field| field.name() == name).unwrap_or(usize::MAX);
            }
        }
    }

    fn read_embedding(&self, batch: &EventBatch, row: usize, values: &mut Vec<f64>) {
        if self.embedding == 0 {
            return;
        }
        let end = values.len() + self.embedding;
        if let Some(found) = embedding(batch, row)
            && let Some(numbers) = found.as_primitive_opt::<Float32Type>()
        {
            values.extend(numbers.iter().take(self.embedding).map(|value| value.map_or(f64::NAN, f64::from)));
        }
        values.resize(end, f64::NAN);
    }
}

fn embedding(batch: &EventBatch, row: usize) -> Option<ArrayRef> {
    let list = batch.column("embedding")?.as_list_opt::<i32>()?;
    (list.is_valid(row) && list.value_type() == DataType::Float32).then(|| list.value(row))
}

fn number(array: &ArrayRef, row: usize) -> f64 {
    if array.is_null(row) {
        return f64::NAN;
    }
    match array.data_type() {
        DataType::Float64 => array.as_primitive_opt::<Float64Type>().map_or(f64::NAN, |values| values.value(row)),
        DataType::Boolean => array.as_boolean_opt().map_or(f64::NAN, |values| f64::from(u8::from(values.value(row)))),
        _ => f64::NAN,
    }
}

fn sketched(values: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; MOST_INPUTS];
    for (place, value) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
        let hash = stable_hash(&(place as u64).to_le_bytes());
        let sign = if hash & 1 == 0 { 1.0 } else { -1.0 };
        sums[(hash >> 32) as usize % MOST_INPUTS] += sign * value;
    }
    sums
}

#[cfg(test)]
mod tests {
    use crate::outcomes::stream::{Case, batches};

    use super::*;

    fn batch(width: usize) -> EventBatch {
        let numbers = (0..width).map(|place| (format!("feature_f{place:03}"), place as f64)).collect();
        let case = Case { numbers, ..Case::default() };
        batches(&[case], 1).remove(0)
    }

    #[test]
    fn few_inputs_are_read_as_they_are_and_many_as_sums() {
        let mut inputs = InputRows::default();
        assert_eq!(inputs.row(&batch(3), 0), Some(vec![0.0, 1.0, 2.0]));
        assert_eq!(inputs.name(2).as_deref(), Some("f002"));
        assert_eq!(inputs.row(&batch(2), 0).map(|row| row[2].is_nan()), Some(true));
        let mut many = InputRows::default();
        assert_eq!(many.row(&batch(200), 0).map(|row| row.len()), Some(MOST_INPUTS));
        assert_eq!((many.name(2), InputRows::default().row(&batch(0), 0)), (None, None));
    }
}
