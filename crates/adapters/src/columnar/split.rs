//! Splits rows by kind and model.

use arrow::{
    array::{Array, ArrayRef, UInt32Array},
    compute::cast,
    datatypes::DataType,
    error::ArrowError,
};
use rustc_hash::FxHashMap;
use wardline_domain::{RecordKind, schema};

use super::source_columns::SourceColumns;

/// Rows of one kind and model.
pub(super) struct Part {
    /// The kind; `None` where what is written is none.
    pub(super) kind: Option<RecordKind>,
    /// The model; `None` where none is written.
    pub(super) model: Option<String>,
    /// Which rows; `None` for all.
    pub(super) rows: Option<UInt32Array>,
}

/// The parts in the order of their first rows.
pub(super) fn by_kind_and_model(columns: &SourceColumns, n_rows: usize) -> Result<Vec<Part>, ArrowError> {
    let kinds = Texts::of(columns.records().column_by_name("kind"))?;
    let models = Texts::of(columns.records().column_by_name("model"))?;
    let guessed = columns.guess_kind();
    let mut places: FxHashMap<(i32, i32), usize> = FxHashMap::default();
    let mut parts: Vec<((i32, i32), Vec<u32>)> = Vec::new();
    let mut last = ((i32::MIN, i32::MIN), 0);
    for row in 0..n_rows {
        let key = (kinds.key(row), models.key(row));
        if key != last.0 {
            let next = parts.len();
            let place = *places.entry(key).or_insert(next);
            if place == next {
                parts.push((key, Vec::new()));
            }
            last = (key, place);
        }
        parts[last.1].1.push(row as u32);
    }
    let is_whole = parts.len() == 1;
    let part = |((kind, model), rows): ((i32, i32), Vec<u32>)| Part {
        kind: kinds.text(kind).map_or(Some(guessed), |kind| kind.parse().ok()),
        model: models.text(model).map(str::to_owned),
        rows: (!is_whole).then(|| rows.into()),
    };
    Ok(parts.into_iter().map(part).collect())
}

/// A text column as numbers of texts; -1 is null, or no column.
struct Texts(Option<ArrayRef>);

impl Texts {
    fn of(array: Option<&ArrayRef>) -> Result<Self, ArrowError> {
        let is_text = |array: &&ArrayRef| crate::FeatureType::of(array.data_type()) == Some(crate::FeatureType::Text);
        let Some(array) = array.filter(is_text) else { return Ok(Self(None)) };
        if matches!(array.data_type(), DataType::Dictionary(key, _) if key.as_ref() == &DataType::Int32) {
            return Ok(Self(Some(cast(array, &schema::repeated_text())?)));
        }
        let plain = cast(array, &DataType::Utf8)?;
        Ok(Self(Some(cast(&plain, &schema::repeated_text())?)))
    }

    fn key(&self, row: usize) -> i32 {
        let dictionary =
            self.0.as_ref().and_then(arrow::array::AsArray::as_dictionary_opt::<arrow::datatypes::Int32Type>);
        dictionary.filter(|dictionary| dictionary.is_valid(row)).map_or(-1, |dictionary| dictionary.keys().value(row))
    }

    fn text(&self, key: i32) -> Option<&str> {
        let dictionary = arrow::array::AsArray::as_dictionary_opt::<arrow::datatypes::Int32Type>(self.0.as_ref()?)?;
        let texts: &arrow::array::StringArray = arrow::array::AsArray::as_string_opt(dictionary.values())?;
        usize::try_from(key).ok().filter(|key| texts.is_valid(*key)).map(|key| texts.value(key))
    }
}
