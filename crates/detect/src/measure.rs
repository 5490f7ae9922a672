//! Measures of a model: each output, input and timing whose distribution is watched, and how a batch's
//! column becomes codes.

use std::collections::BTreeMap;

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{DataType, Float32Type, Float64Type, Int32Type, Int64Type},
};
use serde::{Deserialize, Serialize};
use wardline_domain::{EventBatch, TextColumn, column};
use wardline_stats::sketch::LogHistogram;

use crate::{
    coding::{CategoricalCoding, Coding, MAX_CATEGORIES, NONE, NumericCoding},
    thinned::Thinned,
};

/// Most measures of one model; further features are left out, and the baseline says so.
pub(crate) const MAX_MEASURES: usize = 256;
/// Values of a numeric measure that its codes are chosen from.
const MOST_SAMPLED: usize = 4_096;
/// Embeddings are watched through so many numbers.
pub(crate) const EMBEDDING_PARTS: usize = 16;

/// What a measure is to the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Role {
    /// What the model answered.
    Output,
    /// What the model was asked.
    Input,
    /// How long the answer took: learned and shown, judged by the latency detector.
    Timing,
}

/// One measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measure {
    /// The column's name; `embedding` parts and the prompt's length have names of their own.
    pub(crate) name: String,
    /// What it is to the model.
    pub(crate) role: Role,
    /// How values become codes; none before the sample suffices.
    pub(crate) coding: Option<Coding>,
    sample: Thinned<f64, MOST_SAMPLED>,
    /// Values of a categorical measure during learning.
    pub(crate) categories: BTreeMap<String, u64>,
    /// Values of a numeric measure during learning.
    pub(crate) histogram: LogHistogram,
    is_numeric: bool,
}

/// Where a measure's values are in a batch.
pub(crate) enum Values<'a> {
    /// Numbers, NaN where there is none.
    Numbers(Vec<f64>),
    /// Texts.
    Texts(TextColumn<'a>),
}

/// A measure of a batch: its name, what it is, and its values.
pub(crate) struct MeasuredColumn<'a> {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) values: Values<'a>,
}

const OUTPUTS: [&str; 3] = ["decision", "prediction", "score"];
const INPUTS: [&str; 1] = ["input_tokens"];
const TIMINGS: [&str; 4] = ["latency_ms", "queue_ms", "ttft_ms", "output_tokens"];

/// Every measure that a batch has values of.
pub(crate) fn columns_of(batch: &EventBatch) -> Vec<MeasuredColumn<'_>> {
    let mut found = Vec::new();
    let fixed = OUTPUTS
        .iter()
        .map(|&name| (name, Role::Output))
        .chain(INPUTS.iter().map(|&name| (name, Role::Input)))
        .chain(TIMINGS.iter().map(|&name| (name, Role::Timing)));
    for (name, role) in fixed {
        if let Some(values) = batch.column(name).and_then(values_of) {
            found.push(MeasuredColumn { name: name.to_owned(), role, values });
        }
    }
    let schema = batch.records.schema_ref();
    for (field, array) in schema.fields().iter().zip(batch.records.columns()) {
        if column::feature_of(field.name()).is_some()
            && let Some(values) = values_of(array)
        {
            found.push(MeasuredColumn { name: field.name().clone(), role: Role::Input, values });
        }
    }
    if let Some(values) = batch.column("prompt").and_then(lengths_of) {
        found.push(MeasuredColumn { name: "prompt_length".to_owned(), role: Role::Input, values });
    }
    for (part, numbers) in batch.column("embedding").map(embedding_parts).unwrap_or_default().into_iter().enumerate() {
        found.push(MeasuredColumn {
            name: format!("embedding[{part}]"),
            role: Role::Input,
            values: Values::Numbers(numbers),
        });
    }
    found
}

fn values_of(array: &ArrayRef) -> Option<Values<'_>> {
    if array.null_count() == array.len() {
        return None;
    }
    match array.data_type() {
        DataType::Float64 => {
            let numbers = array.as_primitive::<Float64Type>();
            Some(Values::Numbers(with_nulls(array, numbers.values().iter().copied())))
        }
        DataType::Int64 => {
            let numbers = array.as_primitive::<Int64Type>();
            Some(Values::Numbers(with_nulls(array, numbers.values().iter().map(|&number| number as f64))))
        }
        DataType::Int32 => {
            let numbers = array.as_primitive::<Int32Type>();
            Some(Values::Numbers(with_nulls(array, numbers.values().iter().map(|&number| f64::from(number)))))
        }
        DataType::Boolean => {
            let flags = array.as_boolean();
            Some(Values::Numbers(with_nulls(array, flags.values().iter().map(|flag| f64::from(u8::from(flag))))))
        }
        DataType::Utf8 => array.as_string_opt::<i32>().map(|texts| Values::Texts(TextColumn::Plain(texts))),
        DataType::Dictionary(_, _) => {
            let keys = array.as_dictionary_opt::<Int32Type>()?;
            Some(Values::Texts(TextColumn::Dictionary(keys, keys.values().as_string_opt::<i32>()?)))
        }
        _ => None,
    }
}

fn with_nulls(array: &ArrayRef, values: impl Iterator<Item = f64>) -> Vec<f64> {
    match array.nulls() {
        None => values.collect(),
        Some(nulls) => values.zip(nulls.iter()).map(|(value, valid)| if valid { value } else { f64::NAN }).collect(),
    }
}

fn lengths_of(array: &ArrayRef) -> Option<Values<'_>> {
    let texts = array.as_string_opt::<i32>()?;
    if texts.null_count() == texts.len() {
        return None;
    }
    let lengths = texts.iter().map(|text| text.map_or(f64::NAN, |text| text.len() as f64));
    Some(Values::Numbers(lengths.collect()))
}

/// Folds an embedding into at most [`EMBEDDING_PARTS`] numbers: its own where it is short, else sums of
/// components with fixed signs, which keep differences between means (a count sketch).
fn embedding_parts(array: &ArrayRef) -> Vec<Vec<f64>> {
    let Some(lists) = array.as_list_opt::<i32>() else { return Vec::new() };
    let Some(numbers) = lists.values().as_primitive_opt::<Float32Type>() else { return Vec::new() };
    if lists.null_count() == lists.len() || numbers.is_empty() {
        return Vec::new();
    }
    let mut parts = vec![vec![f64::NAN; lists.len()]; EMBEDDING_PARTS];
    let mut used = 0;
    for row in 0..lists.len() {
        if lists.is_null(row) {
            continue;
        }
        let (start, end) = (lists.value_offsets()[row] as usize, lists.value_offsets()[row + 1] as usize);
        let vector = &numbers.values()[start..end];
        let mut folded = [0.0; EMBEDDING_PARTS];
        for (index, &value) in vector.iter().enumerate() {
            let sign = if vector.len() > EMBEDDING_PARTS && (index.wrapping_mul(0x9E37_79B9) >> 16) & 1 == 1 {
                -1.0
            } else {
                1.0
            };
            folded[index % EMBEDDING_PARTS] += sign * f64::from(value);
        }
        used = used.max(vector.len().min(EMBEDDING_PARTS));
        for (part, value) in parts.iter_mut().zip(folded) {
            part[row] = value;
        }
    }
    parts.truncate(used);
    parts
}

impl Measure {
    /// A measure that was just met.
    pub(crate) fn new(name: &str, role: Role, values: &Values<'_>) -> Self {
        Self {
            name: name.to_owned(),
            role,
            coding: None,
            sample: Thinned::default(),
            categories: BTreeMap::new(),
            histogram: LogHistogram::new(),
            is_numeric: matches!(values, Values::Numbers(_)),
        }
    }

    /// Learns from rows of a batch.
    pub(crate) fn learn(&mut self, values: &Values<'_>, rows: std::ops::Range<usize>) {
        match values {
            Values::Numbers(numbers) => {
                for &value in numbers[rows].iter().filter(|value| value.is_finite()) {
                    self.sample.push(|| value);
                    self.histogram.insert(value);
                }
            }
            Values::Texts(texts) => {
                for row in rows {
                    let Some(text) = texts.get(row) else { continue };
                    if let Some(n) = self.categories.get_mut(text) {
                        *n += 1;
                    } else if self.categories.len() < MAX_CATEGORIES {
                        self.categories.insert(text.to_owned(), 1);
                    }
                }
            }
        }
    }

    /// Sets the codes from what was learned so far.
    pub(crate) fn set_coding(&mut self) {
        self.coding = if self.is_numeric {
            (!self.sample.kept().is_empty()).then(|| Coding::Numeric(NumericCoding::from_sample(self.sample.kept())))
        } else {
            Some(Coding::Categorical(CategoricalCoding::from_counts(&self.categories)))
        };
    }

    /// Ends learning: what comes from here on and was never seen is news.
    pub(crate) fn close(&mut self) {
        match &mut self.coding {
            Some(Coding::Numeric(coding)) => {
                if let (Some(low), Some(high)) = (self.histogram.min(), self.histogram.max()) {
                    // Half the learned width on either side is still no surprise for a tail.
                    let slack = 0.5 * (high - low);
                    coding.set_range(low - slack, high + slack);
                }
            }
            Some(Coding::Categorical(coding)) => coding.close(&self.categories),
            None => {}
        }
        self.sample = Thinned::default();
    }

    /// The codes of some rows of a batch.
    pub(crate) fn encode(&self, values: &Values<'_>, codes: &mut Vec<u8>, rows: std::ops::Range<usize>) {
        codes.clear();
        match (&self.coding, values) {
            (Some(Coding::Numeric(coding)), Values::Numbers(numbers)) => {
                codes.extend(numbers[rows].iter().map(|&value| coding.code(value)));
            }
            (Some(Coding::Categorical(coding)), Values::Texts(texts)) => encode_texts(coding, texts, codes, rows),
            _ => codes.resize(rows.len(), NONE),
        }
    }

    /// Whether its values are numbers.
    pub(crate) const fn is_numeric(&self) -> bool {
        self.is_numeric
    }

    /// The name that people know it by: a feature without its prefix.
    pub(crate) fn label(&self) -> &str {
        column::feature_of(&self.name).unwrap_or(&self.name)
    }
}

fn encode_texts(coding: &CategoricalCoding, texts: &TextColumn<'_>, codes: &mut Vec<u8>, rows: std::ops::Range<usize>) {
    const UNKNOWN: u8 = u8::MAX;
    let mut of_code = vec![UNKNOWN; texts.dictionary().map_or(0, Array::len)];
    for row in rows {
        let code = match texts.code(row) {
            Some(code) => {
                if of_code[code] == UNKNOWN {
                    of_code[code] = texts.get(row).map_or(NONE, |text| coding.code(text));
                }
                of_code[code]
            }
            None => texts.get(row).map_or(NONE, |text| coding.code(text)),
        };
        codes.push(code);
    }
}
