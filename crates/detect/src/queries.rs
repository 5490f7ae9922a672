//! What one request asks, as a few numbers: hashes of its values, and where they lie in the learned traffic.
//!
//! The parts of a query are its first features by name, else the folded embedding, else the prompt's words.

use arrow::{
    array::{Array, ArrayRef, AsArray, StringArray},
    datatypes::{DataType, Float32Type, Float64Type, Int32Type, Int64Type},
};
use serde::{Deserialize, Serialize};
use wardline_domain::{EventBatch, TextColumn, column};

use crate::{
    clients::{filled_text, hash_number, hash_text, mixed},
    coding::{Coding, NONE},
    measure::{EMBEDDING_PARTS, Measure},
    model_state::ModelState,
};

/// Most parts of a query that are looked at.
pub(crate) const PARTS: usize = 10;
/// No place in the learned traffic.
pub(crate) const NOWHERE: u8 = u8::MAX;

/// One query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Query {
    /// Hashes of the parts' values.
    pub(crate) values: [u32; PARTS],
    /// Codes of the parts among what was learned; [`NOWHERE`] for words.
    pub(crate) codes: [u8; PARTS],
    pub(crate) width: u8,
}

impl Query {
    /// A hash of all values.
    pub(crate) fn hash(&self) -> u64 {
        mixed(self.values.iter().fold(7, |hash, &value| hash_number(hash, u64::from(value))))
    }

    /// Parts in which two queries differ.
    #[inline]
    pub(crate) fn n_changed(&self, other: &Self) -> usize {
        self.values.iter().zip(&other.values).filter(|(mine, theirs)| mine != theirs).count()
    }

    /// Whether they differ in one part at most, or in two where no part has a code (texts).
    #[inline]
    pub(crate) fn is_near(&self, other: &Self) -> bool {
        let most = if self.levels().next().is_none() { 2 } else { 1 };
        self.n_changed(other) <= most
    }

    /// The parts' codes in eight levels, for as many parts as have one.
    #[inline]
    pub(crate) fn levels(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let used = self.codes.iter().take(usize::from(self.width)).enumerate();
        used.filter(|&(_, &code)| code != NOWHERE).map(|(part, &code)| (part, usize::from(code.min(NONE)) / 4))
    }
}

enum Part<'a> {
    Numbers(&'a [f64], &'a ArrayRef),
    Integers(&'a [i64], &'a ArrayRef),
    Flags(&'a ArrayRef),
    Texts(TextColumn<'a>),
    /// The batch has no such column.
    None,
}

enum Source<'a> {
    /// With the place of each part's measure.
    Features(Vec<(Part<'a>, usize)>),
    Embedding(&'a ArrayRef, Vec<Option<usize>>),
    Words(&'a StringArray),
}

/// The columns of a batch that say what is asked.
pub(crate) struct QueryColumns<'a> {
    source: Source<'a>,
}

impl<'a> QueryColumns<'a> {
    /// `None` where neither features nor embeddings nor prompts were learned so far, or the batch has none.
    ///
    /// Which parts there are is the model's, not the batch's: else it would matter how a stream is cut.
    pub(crate) fn of(batch: &'a EventBatch, state: &ModelState) -> Option<Self> {
        let features: Vec<(Part<'a>, usize)> = coded(state, column::FEATURE_PREFIX)
            .take(PARTS)
            .map(|(name, measure)| (batch.column(name).map_or(Part::None, part_of), measure))
            .collect();
        if features.len() >= 2 {
            return Some(Self { source: Source::Features(features) });
        }
        if coded(state, "embedding[").next().is_some() {
            let named = |part: usize| state.measure_index.get(&format!("embedding[{part}]"));
            let measures = (0..PARTS).map(|part| named(part).copied()).collect();
            return Some(Self { source: Source::Embedding(batch.column("embedding")?, measures) });
        }
        coded(state, "prompt_length").next()?;
        let prompts = batch.column("prompt").and_then(|array| array.as_string_opt::<i32>())?;
        Some(Self { source: Source::Words(prompts) })
    }

    /// The query of a row; `None` where the row has none. The model's codings must be those that it was made under.
    pub(crate) fn query(&self, state: &ModelState, row: usize) -> Option<Query> {
        match &self.source {
            Source::Features(features) => Some(of_features(features, &state.measures, row)),
            Source::Embedding(array, measures) => of_embedding(array, measures, &state.measures, row),
            Source::Words(prompts) => prompts.is_valid(row).then(|| of_words(prompts.value(row))),
        }
    }
}

impl QueryColumns<'_> {
    /// What requests that fill in one template have in common; a row's query where it is needed for that.
    pub(crate) fn template(&self, row: usize, query: impl FnOnce() -> Option<Query>) -> Option<u64> {
        if let Source::Words(prompts) = &self.source {
            return prompts.is_valid(row).then(|| template_of_words(prompts.value(row)));
        }
        let query = query()?;
        let fixed = usize::from(query.width).saturating_sub(1);
        Some(mixed(query.values.iter().take(fixed).fold(11, |hash, &value| hash_number(hash, u64::from(value)))))
    }
}

/// The first six words without numbers, and how many words there are.
fn template_of_words(text: &str) -> u64 {
    let words = text.split_whitespace().take(200).count() as u64;
    let first = text.split_whitespace().take(6).filter(|word| !word.bytes().any(|byte| byte.is_ascii_digit()));
    mixed(first.fold(hash_number(12, words), |hash, word| hash_number(hash, hash_text(word, 9))))
}

/// Places of measures with a coding whose names begin so, by name.
fn coded<'a>(state: &'a ModelState, prefix: &'static str) -> impl Iterator<Item = (&'a str, usize)> {
    let from = state.measure_index.range(prefix.to_owned()..);
    from.take_while(move |(name, _)| name.starts_with(prefix))
        .filter(|(_, index)| state.measures.get(**index).is_some_and(|measure| measure.coding.is_some()))
        .map(|(name, &index)| (name.as_str(), index))
}

/// A hash of a row's decision; rows without one are of one class.
pub(crate) struct Decisions<'a>(Option<TextColumn<'a>>);

impl<'a> Decisions<'a> {
    pub(crate) fn of(batch: &'a EventBatch) -> Self {
        Self(filled_text(batch, "decision"))
    }

    pub(crate) fn class(&self, row: usize) -> u32 {
        self.0.as_ref().and_then(|column| column.get(row)).map_or(0, |text| hash_text(text, 5) as u32 | 1)
    }

    pub(crate) const fn is_known(&self) -> bool {
        self.0.is_some()
    }
}

fn part_of(array: &ArrayRef) -> Part<'_> {
    match array.data_type() {
        DataType::Float64 => Part::Numbers(array.as_primitive::<Float64Type>().values(), array),
        DataType::Int64 => Part::Integers(array.as_primitive::<Int64Type>().values(), array),
        DataType::Boolean => Part::Flags(array),
        DataType::Utf8 => {
            array.as_string_opt::<i32>().map_or(Part::None, |texts| Part::Texts(TextColumn::Plain(texts)))
        }
        DataType::Dictionary(_, _) => {
            let keys = array.as_dictionary_opt::<Int32Type>();
            let texts = keys.and_then(|keys| Some((keys, keys.values().as_string_opt::<i32>()?)));
            texts.map_or(Part::None, |(keys, values)| Part::Texts(TextColumn::Dictionary(keys, values)))
        }
        _ => Part::None,
    }
}

#[inline]
fn of_features(features: &[(Part<'_>, usize)], measures: &[Measure], row: usize) -> Query {
    let mut query = Query { width: features.len() as u8, ..Query::default() };
    for (at, (part, measure)) in features.iter().enumerate() {
        let coding = measures.get(*measure).and_then(|measure| measure.coding.as_ref());
        let number = match part {
            Part::Numbers(values, array) if array.is_valid(row) => values[row],
            Part::Integers(values, array) if array.is_valid(row) => values[row] as f64,
            Part::Flags(array) if array.is_valid(row) => f64::from(u8::from(array.as_boolean().value(row))),
            Part::Texts(texts) => {
                let text = texts.get(row);
                query.values[at] = text.map_or(0, |text| hash_text(text, 6) as u32);
                query.codes[at] = match (coding, text) {
                    (Some(Coding::Categorical(coding)), Some(text)) => coding.code(text),
                    _ => NONE,
                };
                continue;
            }
            _ => f64::NAN,
        };
        (query.values[at], query.codes[at]) = of_number(number, coding);
    }
    query
}

#[inline]
fn of_number(number: f64, coding: Option<&Coding>) -> (u32, u8) {
    let code = match coding {
        Some(Coding::Numeric(coding)) => coding.code(number),
        _ => NONE,
    };
    (mixed(hash_number(8, number.to_bits())) as u32, code)
}

/// The same folding as the measures of embeddings have.
fn of_embedding(array: &ArrayRef, parts: &[Option<usize>], measures: &[Measure], row: usize) -> Option<Query> {
    let lists = array.as_list_opt::<i32>()?;
    let numbers = lists.values().as_primitive_opt::<Float32Type>()?;
    if lists.is_null(row) {
        return None;
    }
    let (start, end) = (*lists.value_offsets().get(row)? as usize, *lists.value_offsets().get(row + 1)? as usize);
    let vector = numbers.values().get(start..end)?;
    let mut folded = [0.0; EMBEDDING_PARTS];
    for (index, &value) in vector.iter().enumerate() {
        let is_turned = vector.len() > EMBEDDING_PARTS && (index.wrapping_mul(0x9E37_79B9) >> 16) & 1 == 1;
        folded[index % EMBEDDING_PARTS] += if is_turned { -f64::from(value) } else { f64::from(value) };
    }
    let width = vector.len().min(PARTS);
    let mut query = Query { width: width as u8, ..Query::default() };
    for (at, &part) in folded.iter().enumerate().take(width) {
        let measure = parts.get(at).copied().flatten().and_then(|place| measures.get(place));
        let coding = measure.and_then(|measure| measure.coding.as_ref());
        (query.values[at], query.codes[at]) = of_number(part, coding);
    }
    Some(query)
}

/// The first words, and what follows them as one.
fn of_words(text: &str) -> Query {
    let mut query = Query { codes: [NOWHERE; PARTS], width: PARTS as u8, ..Query::default() };
    let mut words = text.split_whitespace();
    for at in 0..PARTS - 1 {
        query.values[at] = words.next().map_or(0, |word| hash_text(word, 9) as u32);
    }
    let rest = words.take(200).fold(10, |hash, word| hash_number(hash, hash_text(word, 9)));
    query.values[PARTS - 1] = mixed(rest) as u32;
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_differ_in_one_word_differ_in_one_part() {
        let (one, other) = (of_words("is a cat an animal"), of_words("is a dog an animal"));
        assert_eq!(one.n_changed(&other), 1);
        assert_ne!(one.hash(), other.hash());
        assert_eq!(one.levels().count(), 0);
    }
}
