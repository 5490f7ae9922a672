//! One column of any kind: what is kept, what is counted, what is compared.

use std::hash::Hash;

use serde::{Deserialize, Serialize};

use super::categorical::{CategoricalReference, CategoricalWindow};
use super::choice::{Outcome, default_categorical, default_numeric, default_rows};
use super::numeric::{NumericReference, NumericWindow};
use super::table::{Column, ColumnReport, DriftError, Measures};
use crate::two_sample::{HashedText, KernelReference, KernelSettings, KernelWindow, Rows, Scaling};

/// Numbers that a text is hashed to.
const TEXT_DIMENSIONS: usize = 256;
/// Texts that the features and the null law are taken from.
const TEXT_SAMPLE: usize = 4_096;
/// Texts that are hashed before they are taken in; a whole number of the kernel's blocks.
const TEXTS_AT_ONCE: usize = 256;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum ColumnReference {
    Numeric(NumericReference),
    Codes(CategoricalReference<u32>),
    Labels(CategoricalReference<String>),
    Rows(KernelReference),
    Embeddings(KernelReference),
    Texts(KernelReference),
}

#[expect(clippy::large_enum_variant, reason = "one for each column, whose counts take far more")]
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ColumnWindow {
    Numeric(NumericWindow),
    Codes(CategoricalWindow<u32>),
    Labels(CategoricalWindow<String>),
    Rows(KernelWindow),
    Embeddings(KernelWindow),
    Texts(KernelWindow),
}

type Compared = (Option<Outcome>, Option<Measures>);

impl ColumnReference {
    pub(super) fn new(values: &Column<'_>) -> Option<Self> {
        let together = KernelSettings { scaling: Scaling::Together, ..KernelSettings::default() };
        match values {
            Column::Numeric(values) => NumericReference::new(values).map(Self::Numeric),
            Column::Codes(values) => CategoricalReference::new(values.iter()).map(Self::Codes),
            Column::Labels(values) => CategoricalReference::new(values.iter().copied()).map(Self::Labels),
            Column::Rows(rows) => KernelReference::new(*rows, &KernelSettings::default()).map(Self::Rows),
            Column::Embeddings(rows) => KernelReference::new(*rows, &together).map(Self::Embeddings),
            Column::Texts(texts) => text_reference(texts, &together).map(Self::Texts),
        }
    }

    pub(super) fn window(&self) -> ColumnWindow {
        match self {
            Self::Numeric(reference) => ColumnWindow::Numeric(reference.window()),
            Self::Codes(reference) => ColumnWindow::Codes(reference.window()),
            Self::Labels(reference) => ColumnWindow::Labels(reference.window()),
            Self::Rows(reference) => ColumnWindow::Rows(reference.window()),
            Self::Embeddings(reference) => ColumnWindow::Embeddings(reference.window()),
            Self::Texts(reference) => ColumnWindow::Texts(reference.window()),
        }
    }

    pub(super) fn compare(&self, window: &ColumnWindow, alpha: f64) -> Result<ColumnReport, DriftError> {
        let (outcome, measures) = match (self, window) {
            (Self::Numeric(reference), ColumnWindow::Numeric(window)) => compare_numbers(reference, window, alpha)?,
            (Self::Codes(reference), ColumnWindow::Codes(window)) => compare_categories(reference, window, alpha)?,
            (Self::Labels(reference), ColumnWindow::Labels(window)) => compare_categories(reference, window, alpha)?,
            (Self::Rows(reference), ColumnWindow::Rows(window))
            | (Self::Embeddings(reference), ColumnWindow::Embeddings(window))
            | (Self::Texts(reference), ColumnWindow::Texts(window)) => {
                let drift = reference.compare(window);
                (drift.as_ref().map(default_rows), drift.map(Measures::Rows))
            }
            _ => return Err(DriftError::OtherReference),
        };
        Ok(ColumnReport { outcome, adjusted_p_value: None, drifted: false, measures })
    }
}

fn compare_numbers(reference: &NumericReference, window: &NumericWindow, alpha: f64) -> Result<Compared, DriftError> {
    if window.count() == 0 {
        return Ok((None, None));
    }
    let both = reference.compare(window).ok_or(DriftError::OtherReference)?;
    Ok((default_numeric(&both), Some(Measures::Numeric(both.measures(alpha)))))
}

fn compare_categories<K: Eq + Hash>(
    reference: &CategoricalReference<K>,
    window: &CategoricalWindow<K>,
    alpha: f64,
) -> Result<Compared, DriftError> {
    if window.count() == 0 {
        return Ok((None, None));
    }
    let both = reference.compare(window).ok_or(DriftError::OtherReference)?;
    Ok((default_categorical(&both), Some(Measures::Categorical(both.measures(alpha)))))
}

impl ColumnWindow {
    /// Whether the values are of this window's kind.
    pub(super) fn fits(&self, values: &Column<'_>) -> bool {
        match (self, values) {
            (Self::Numeric(_), Column::Numeric(_))
            | (Self::Codes(_), Column::Codes(_))
            | (Self::Labels(_), Column::Labels(_))
            | (Self::Texts(_), Column::Texts(_)) => true,
            (Self::Rows(window), Column::Rows(rows)) | (Self::Embeddings(window), Column::Embeddings(rows)) => {
                rows.width() == window.dimensions()
            }
            _ => false,
        }
    }

    /// Takes in values of this window's kind.
    pub(super) fn observe(&mut self, values: &Column<'_>) {
        match (self, values) {
            (Self::Numeric(window), Column::Numeric(values)) => {
                window.insert_slice(values);
            }
            (Self::Codes(window), Column::Codes(values)) => values.iter().for_each(|value| window.insert(value)),
            (Self::Labels(window), Column::Labels(values)) => values.iter().for_each(|value| window.insert(*value)),
            (Self::Rows(window), Column::Rows(rows)) | (Self::Embeddings(window), Column::Embeddings(rows)) => {
                window.insert(*rows);
            }
            (Self::Texts(window), Column::Texts(texts)) => hash_texts(texts, |rows| {
                window.insert(rows);
            }),
            _ => {}
        }
    }

    /// Adds another window; `false` if it was made for another reference.
    pub(super) fn merge(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Numeric(ours), Self::Numeric(theirs)) => ours.merge(theirs),
            (Self::Codes(ours), Self::Codes(theirs)) => ours.merge(theirs),
            (Self::Labels(ours), Self::Labels(theirs)) => ours.merge(theirs),
            (Self::Rows(ours), Self::Rows(theirs))
            | (Self::Embeddings(ours), Self::Embeddings(theirs))
            | (Self::Texts(ours), Self::Texts(theirs)) => ours.merge(theirs),
            _ => false,
        }
    }

    pub(super) fn clear(&mut self) {
        match self {
            Self::Numeric(window) => window.clear(),
            Self::Codes(window) => window.clear(),
            Self::Labels(window) => window.clear(),
            Self::Rows(window) | Self::Embeddings(window) | Self::Texts(window) => window.clear(),
        }
    }
}

fn text_reference(texts: &[&str], settings: &KernelSettings) -> Option<KernelReference> {
    let kept = texts.len().min(TEXT_SAMPLE);
    let sample: Vec<&str> = (0..kept).map(|k| texts[k * texts.len() / kept]).collect();
    let rows = HashedText::new(TEXT_DIMENSIONS)?.rows(&sample);
    let mut reference = KernelReference::from_sample(Rows::new(&rows, TEXT_DIMENSIONS)?, settings)?;
    hash_texts(texts, |rows| {
        reference.insert(rows);
    });
    Some(reference)
}

/// Visits the rows of texts, some hundred at a time: all at once would take 2 KiB a text.
fn hash_texts(texts: &[&str], mut visit: impl FnMut(Rows<'_>)) {
    let Some(hashed) = HashedText::new(TEXT_DIMENSIONS) else { return };
    let mut values = Vec::with_capacity(TEXTS_AT_ONCE.min(texts.len()) * TEXT_DIMENSIONS);
    for texts in texts.chunks(TEXTS_AT_ONCE) {
        values.clear();
        texts.iter().for_each(|text| hashed.append(text, &mut values));
        if let Some(rows) = Rows::new(&values, TEXT_DIMENSIONS) {
            visit(rows);
        }
    }
}
