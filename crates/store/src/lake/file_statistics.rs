//! What a table's log says of a file: rows, minima, maxima and nulls of its columns.

use arrow::{
    array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, RecordBatch},
    compute,
    datatypes::{DataType, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType},
};
use serde_json::{Map, Value, json};
use wardline_domain::Timestamp;

/// Longer texts are cut for a minimum, and give no maximum: the cut text could be less than the text.
const MAX_TEXT_BYTES: usize = 64;
/// The most columns with minima and maxima: a table with thousands of features would drown its log.
const MAX_COLUMNS: usize = 160;

/// Statistics of rows that are seen batch by batch.
#[derive(Debug, Default)]
pub(super) struct FileStatistics {
    rows: u64,
    columns: Vec<(String, ColumnStatistics)>,
}

#[derive(Debug, Default)]
struct ColumnStatistics {
    nulls: u64,
    range: Option<Range>,
    /// A value that has no place in an order (NaN) or no type that the log takes.
    unordered: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Range {
    Time(i64, i64),
    Integer(i64, i64),
    Number(f64, f64),
    Boolean(bool, bool),
    Text(String, String),
}

impl FileStatistics {
    /// Takes in rows; every batch has the same columns.
    pub(super) fn observe(&mut self, records: &RecordBatch) {
        if self.columns.is_empty() {
            let names = records.schema_ref().fields().iter().take(MAX_COLUMNS);
            self.columns = names.map(|field| (field.name().clone(), ColumnStatistics::default())).collect();
        }
        self.rows += records.num_rows() as u64;
        for (name, statistics) in &mut self.columns {
            if let Some(array) = records.column_by_name(name) {
                statistics.observe(array);
            }
        }
    }

    /// As the log writes it.
    pub(super) fn to_json(&self) -> String {
        let (mut minima, mut maxima, mut nulls) = (Map::new(), Map::new(), Map::new());
        for (name, statistics) in &self.columns {
            nulls.insert(name.clone(), json!(statistics.nulls));
            let Some(range) = statistics.range.as_ref().filter(|_| !statistics.unordered) else { continue };
            let (low, high) = range.to_json();
            if let Some(high) = high {
                minima.insert(name.clone(), low);
                maxima.insert(name.clone(), high);
            }
        }
        json!({
            "numRecords": self.rows, "tightBounds": true,
            "minValues": minima, "maxValues": maxima, "nullCount": nulls,
        })
        .to_string()
    }
}

impl ColumnStatistics {
    fn observe(&mut self, array: &ArrayRef) {
        self.nulls += array.null_count() as u64;
        if array.null_count() == array.len() {
            return;
        }
        match range_of(array) {
            Some(range) => self.range = Some(self.range.take().map_or(range.clone(), |known| known.union(range))),
            None => self.unordered = true,
        }
    }
}

fn range_of(array: &ArrayRef) -> Option<Range> {
    match array.data_type() {
        DataType::Timestamp(_, _) => {
            bounds::<TimestampMicrosecondType>(array).map(|(low, high)| Range::Time(low, high))
        }
        DataType::Int64 => bounds::<Int64Type>(array).map(|(low, high)| Range::Integer(low, high)),
        DataType::Int32 => bounds::<Int32Type>(array).map(|(low, high)| Range::Integer(low.into(), high.into())),
        DataType::Float64 => {
            let (low, high) = bounds::<Float64Type>(array)?;
            // In Arrow's order a NaN is the greatest or the least number.
            (low.is_finite() && high.is_finite()).then_some(Range::Number(low, high))
        }
        DataType::Boolean => {
            let values = array.as_boolean_opt()?;
            Some(Range::Boolean(compute::min_boolean(values)?, compute::max_boolean(values)?))
        }
        DataType::Utf8 => {
            let values = array.as_string_opt::<i32>()?;
            Some(Range::Text(compute::min_string(values)?.to_owned(), compute::max_string(values)?.to_owned()))
        }
        DataType::Utf8View => {
            let values = array.as_string_view_opt()?;
            Some(Range::Text(
                compute::min_string_view(values)?.to_owned(),
                compute::max_string_view(values)?.to_owned(),
            ))
        }
        _ => None,
    }
}

fn bounds<T: ArrowPrimitiveType>(array: &ArrayRef) -> Option<(T::Native, T::Native)>
where
    T::Native: arrow::datatypes::ArrowNativeTypeOp,
{
    let values = array.as_primitive_opt::<T>()?;
    Some((compute::min(values)?, compute::max(values)?))
}

impl Range {
    fn union(self, other: Self) -> Self {
        match (self, other) {
            (Self::Time(a, b), Self::Time(c, d)) => Self::Time(a.min(c), b.max(d)),
            (Self::Integer(a, b), Self::Integer(c, d)) => Self::Integer(a.min(c), b.max(d)),
            (Self::Number(a, b), Self::Number(c, d)) => Self::Number(a.min(c), b.max(d)),
            (Self::Boolean(a, b), Self::Boolean(c, d)) => Self::Boolean(a && c, b || d),
            (Self::Text(a, b), Self::Text(c, d)) => Self::Text(a.min(c), b.max(d)),
            // A column has one type, so two kinds of range never meet.
            (known, _) => known,
        }
    }

    /// Minimum and, where it can be told, maximum.
    fn to_json(&self) -> (Value, Option<Value>) {
        match self {
            Self::Time(low, high) => {
                let text = |micros: &i64| json!(Timestamp::from_micros(*micros).to_string());
                (text(low), Some(text(high)))
            }
            Self::Integer(low, high) => (json!(low), Some(json!(high))),
            Self::Number(low, high) => (json!(low), Some(json!(high))),
            Self::Boolean(low, high) => (json!(low), Some(json!(high))),
            Self::Text(low, high) => {
                let end = (0..=MAX_TEXT_BYTES.min(low.len())).rev().find(|&end| low.is_char_boundary(end)).unwrap_or(0);
                (json!(low[..end]), (high.len() <= MAX_TEXT_BYTES).then(|| json!(high)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Float64Array, Int64Array, StringArray};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn of(name: &str, array: ArrayRef) -> Value {
        let mut statistics = FileStatistics::default();
        statistics.observe(&RecordBatch::try_from_iter_with_nullable([(name, array, true)]).unwrap());
        serde_json::from_str(&statistics.to_json()).unwrap()
    }

    #[test]
    fn nulls_are_counted_and_nan_gives_no_range() {
        let stats = of("score", Arc::new(Float64Array::from(vec![Some(1.0), None, Some(f64::NAN)])));
        assert_eq!(stats["nullCount"]["score"], 1);
        assert_eq!(stats["minValues"].get("score"), None);
    }

    #[test]
    fn a_long_text_gives_no_range_that_would_rule_it_out() {
        let stats = of("body", Arc::new(StringArray::from(vec!["a".repeat(100), "b".repeat(100)])));
        assert_eq!(stats["maxValues"].get("body"), None);
        let stats = of("version", Arc::new(StringArray::from(vec!["3", "10"])));
        assert_eq!((&stats["minValues"]["version"], &stats["maxValues"]["version"]), (&json!("10"), &json!("3")));
    }

    proptest! {
        #[test]
        fn batches_add_up_to_the_whole(values in proptest::collection::vec(proptest::option::of(-50i64..50), 1..40), at in 0usize..40) {
            let at = at.min(values.len());
            let batch = |values: &[Option<i64>]| {
                RecordBatch::try_from_iter_with_nullable([("n", Arc::new(Int64Array::from(values.to_vec())) as ArrayRef, true)]).unwrap()
            };
            let (mut whole, mut parts) = (FileStatistics::default(), FileStatistics::default());
            whole.observe(&batch(&values));
            parts.observe(&batch(&values[..at]));
            parts.observe(&batch(&values[at..]));
            prop_assert_eq!(whole.to_json(), parts.to_json());
        }
    }
}
