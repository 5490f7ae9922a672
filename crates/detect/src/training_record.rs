//! A training row as detectors read it, whatever its columns are called.

use arrow::{
    array::{Array, AsArray, BooleanArray, Float64Array, ListArray, TimestampMicrosecondArray},
    datatypes::Float32Type,
};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use wardline_domain::{EventBatch, TextColumn, Timestamp, column};

/// Most features and attributes of a row that are read.
const MOST_VALUES: usize = 256;

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Value {
    Number(f64),
    Text(String),
}

/// One training row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) time: Timestamp,
    /// The channel; where rows have none, the source.
    pub(crate) channel: String,
    pub(crate) dataset_version: String,
    pub(crate) user: Option<String>,
    pub(crate) label: Option<String>,
    pub(crate) row_id: Option<String>,
    /// Features and attributes that are there, by column.
    pub(crate) values: Vec<(String, Value)>,
    /// The embedding, folded into a few numbers.
    pub(crate) embedding: Vec<f32>,
}

impl Record {
    pub(crate) fn value(&self, column: &str) -> Option<&Value> {
        self.values.iter().find(|(name, _)| name == column).map(|(_, value)| value)
    }

    pub(crate) fn number(&self, column: &str) -> Option<f64> {
        match self.value(column)? {
            Value::Number(number) => Some(*number),
            Value::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        }
    }

    /// The value as a name: whole numbers without a point.
    pub(crate) fn name(&self, column: &str) -> Option<String> {
        self.value(column).map(|value| match value {
            Value::Number(number) => format!("{number}"),
            Value::Text(text) => text.clone(),
        })
    }
}

enum Column<'a> {
    Number(&'a Float64Array),
    Boolean(&'a BooleanArray),
    Text(TextColumn<'a>),
}

/// The columns of a batch of training rows, looked up once.
pub(crate) struct Columns<'a> {
    times: &'a TimestampMicrosecondArray,
    fixed: [Option<TextColumn<'a>>; 6],
    values: Vec<(String, Column<'a>)>,
    embedding: Option<&'a ListArray>,
}

impl<'a> Columns<'a> {
    /// `None` where the rows do not say which channel they came by.
    pub(crate) fn of(batch: &'a EventBatch) -> Option<Self> {
        let fixed = ["channel", "source", "dataset_version", "user", "label", "row_id"].map(|name| batch.text(name));
        if fixed[0].is_none() && fixed[1].is_none() {
            return None;
        }
        let schema = batch.records.schema_ref();
        let named = schema.fields().iter().zip(batch.records.columns());
        let values = named.filter_map(|(field, array)| {
            let name = field.name();
            let is_value = column::feature_of(name).is_some() || column::attribute_of(name).is_some();
            let text = || batch.text(name).map(Column::Text);
            let boolean = || array.as_boolean_opt().map(Column::Boolean);
            let number = || array.as_primitive_opt().map(Column::Number);
            is_value.then(|| number().or_else(boolean).or_else(text)).flatten().map(|values| (name.clone(), values))
        });
        let values = values.take(MOST_VALUES).collect();
        let embedding = batch.column("embedding").and_then(|array| array.as_list_opt::<i32>());
        Some(Self { times: batch.times().ok()?, fixed, values, embedding })
    }

    /// `None` where the row does not say which channel it came by.
    pub(crate) fn record(&self, row: usize) -> Option<Record> {
        let text = |place: usize| self.fixed[place].and_then(|column| column.get(row)).map(str::to_owned);
        let values = self.values.iter().filter_map(|(name, column)| {
            let value = match column {
                Column::Number(array) => {
                    Value::Number(array.is_valid(row).then(|| array.value(row)).filter(|number| number.is_finite())?)
                }
                Column::Boolean(array) => {
                    Value::Number(f64::from(u8::from(array.is_valid(row).then(|| array.value(row))?)))
                }
                Column::Text(text) => Value::Text(text.get(row)?.to_owned()),
            };
            Some((name.clone(), value))
        });
        Some(Record {
            time: Timestamp::from_micros(self.times.value(row)),
            channel: text(0).or_else(|| text(1))?,
            dataset_version: text(2).unwrap_or_default(),
            user: text(3),
            label: text(4),
            row_id: text(5),
            values: values.collect(),
            embedding: self.embedding(row),
        })
    }

    fn embedding(&self, row: usize) -> Vec<f32> {
        let values = self.embedding.filter(|lists| lists.is_valid(row)).map(|lists| lists.value(row));
        let numbers = values.as_ref().and_then(|values| values.as_primitive_opt::<Float32Type>());
        numbers.map_or_else(Vec::new, |numbers| folded(numbers.values()))
    }
}

/// So many numbers stand for an embedding.
const PARTS: usize = 12;

/// Sums of an embedding's numbers with random signs, which keep distances nearly (Johnson, Lindenstrauss).
fn folded(numbers: &[f32]) -> Vec<f32> {
    if numbers.len() <= PARTS {
        return numbers.to_vec();
    }
    let mut sums = vec![0.0; PARTS];
    for (place, number) in numbers.iter().enumerate().filter(|(_, number)| number.is_finite()) {
        let signs = mixed(place as u64 + 1);
        for (part, sum) in sums.iter_mut().enumerate() {
            *sum += if signs >> part & 1 == 1 { *number } else { -*number };
        }
    }
    sums
}

/// Spreads the bits of a number over all bits (the finaliser of SplitMix64).
pub(crate) const fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number for a text, the same on every machine.
pub(crate) fn hashed(text: &str) -> u64 {
    let fnv = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    mixed(fnv)
}

/// Texts as small numbers, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub(crate) struct Names {
    texts: Vec<String>,
    numbers: FxHashMap<String, u32>,
}

impl Names {
    /// The number of a text; `None` where there are already so many others.
    pub(crate) fn number(&mut self, text: &str, most: usize) -> Option<u32> {
        if let Some(&number) = self.numbers.get(text) {
            return Some(number);
        }
        let number = u32::try_from(self.texts.len()).ok().filter(|&number| (number as usize) < most)?;
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        Some(number)
    }

    pub(crate) fn knows(&self, text: &str) -> bool {
        self.numbers.contains_key(text)
    }

    pub(crate) fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", String::as_str)
    }

    pub(crate) const fn len(&self) -> usize {
        self.texts.len()
    }
}

impl From<Vec<String>> for Names {
    fn from(texts: Vec<String>) -> Self {
        let numbers = texts.iter().zip(0_u32..).map(|(text, number)| (text.clone(), number)).collect();
        Self { texts, numbers }
    }
}

impl From<Names> for Vec<String> {
    fn from(names: Names) -> Self {
        names.texts
    }
}
