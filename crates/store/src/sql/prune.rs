//! Rules files and batches out before they are opened, by the ranges of their values.

use std::{collections::HashSet, sync::Arc};

use arrow::{
    array::{ArrayRef, BooleanArray, StringArray, TimestampMicrosecondArray, UInt64Array},
    datatypes::SchemaRef,
};
use datafusion::{
    catalog::Session,
    common::{Column, DFSchema, Result, ScalarValue, pruning::PruningStatistics},
    logical_expr::{Expr, utils::conjunction},
    physical_optimizer::pruning::PruningPredicateBuilder,
};
use wardline_domain::{Timestamp, column};

use crate::lake::DataFile;

/// Some rows of one table, as far as is known without reading them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    /// The model of all rows, where the table has one.
    pub(super) model: Option<&'a str>,
    /// Earliest and latest time.
    pub(super) time_range: Option<(Timestamp, Timestamp)>,
    /// The file, unless the rows are in memory.
    pub(super) file: Option<&'a DataFile>,
}

/// Whether each part may hold rows that pass the filters.
pub(super) fn may_match(
    parts: &[Part<'_>],
    filters: &[Expr],
    schema: &SchemaRef,
    state: &dyn Session,
) -> Result<Vec<bool>> {
    let Some(filter) = conjunction(filters.iter().cloned()) else { return Ok(vec![true; parts.len()]) };
    let names = DFSchema::try_from(Arc::clone(schema))?;
    let filter = state.create_physical_expr(filter, &names)?;
    let predicate = PruningPredicateBuilder::new().with_file_schema(Arc::clone(schema)).try_build(filter)?;
    if predicate.always_true() {
        return Ok(vec![true; parts.len()]);
    }
    predicate.prune(&Parts(parts))
}

struct Parts<'a>(&'a [Part<'a>]);

#[derive(Clone, Copy)]
enum Side {
    Least,
    Greatest,
}

impl Parts<'_> {
    fn bounds(&self, name: &str, side: Side) -> Option<ArrayRef> {
        let pick = |low, high| match side {
            Side::Least => low,
            Side::Greatest => high,
        };
        if name == column::TIME {
            let times: TimestampMicrosecondArray =
                self.0.iter().map(|part| part.time_range.map(|(low, high)| pick(low, high).micros())).collect();
            return Some(Arc::new(times.with_timezone("UTC")));
        }
        let index = crate::lake::TEXT_RANGES.iter().position(|known| *known == name)?;
        let texts = self.0.iter().map(|part| {
            if let (column::MODEL, Some(model)) = (name, part.model) {
                return Some(model);
            }
            let (low, high) = part.file?.text_ranges[index].as_ref()?;
            Some(match side {
                Side::Least => low.as_ref(),
                Side::Greatest => high.as_ref(),
            })
        });
        Some(Arc::new(texts.collect::<StringArray>()))
    }
}

impl PruningStatistics for Parts<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(&column.name, Side::Least)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(&column.name, Side::Greatest)
    }

    fn num_containers(&self) -> usize {
        self.0.len()
    }

    fn null_counts(&self, _column: &Column) -> Option<ArrayRef> {
        None
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let rows: UInt64Array = self.0.iter().map(|part| part.file.and_then(|file| file.rows)).collect();
        Some(Arc::new(rows))
    }

    fn contained(&self, _column: &Column, _values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
