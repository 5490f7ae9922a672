//! A table of columns: one reference, one window, one report.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::categorical::CategoricalMeasures;
use super::choice::Outcome;
use super::column::{ColumnReference, ColumnWindow};
use super::numeric::NumericMeasures;
use crate::multiple::{benjamini_hochberg, benjamini_yekutieli, bonferroni, holm};
use crate::two_sample::{KernelDrift, Rows};

/// The values of one column.
#[derive(Clone, Copy, Debug)]
pub enum Column<'a> {
    /// Numbers; what is not finite is counted as refused.
    Numeric(&'a [f64]),
    /// Categories as integer codes, the same in reference and window.
    Codes(&'a [u32]),
    /// Categories as text.
    Labels(&'a [&'a str]),
    /// Rows of numbers that are compared together, columns in units of their own.
    Rows(Rows<'a>),
    /// Dense vectors, all parts in one unit.
    Embeddings(Rows<'a>),
    /// Texts, compared by the words and parts of words that they hold.
    Texts(&'a [&'a str]),
}

/// Why columns could not be taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriftError {
    /// A reference column holds no usable value; of rows and texts, fewer than 20, or only equal ones.
    UnusableReference {
        /// Index of the column.
        column: usize,
    },
    /// A batch has another number of columns than the reference.
    ColumnCount {
        /// Columns of the reference.
        expected: usize,
        /// Columns of the batch.
        found: usize,
    },
    /// A column is of another kind than in the reference, or its rows of another width.
    ColumnKind {
        /// Index of the column.
        column: usize,
    },
    /// A window was made for another reference.
    OtherReference,
    /// Alpha is not between zero and one, or the least effect is not in `0..=1`.
    Policy,
}

impl fmt::Display for DriftError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnusableReference { column } => write!(out, "reference column {column} holds too few usable values"),
            Self::ColumnCount { expected, found } => {
                write!(out, "the batch has {found} columns, and the reference {expected}")
            }
            Self::ColumnKind { column } => write!(out, "column {column} is of another kind than in the reference"),
            Self::OtherReference => write!(out, "the window was made for another reference"),
            Self::Policy => write!(out, "alpha must lie between 0 and 1, and the least effect in 0 to 1"),
        }
    }
}

impl std::error::Error for DriftError {}

/// How p-values are corrected for being many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Correction {
    /// Not at all: with 25 columns at 5 %, 72 % of unchanged windows alarm.
    None,
    /// The chance of any false finding; see [`bonferroni`].
    Bonferroni,
    /// The chance of any false finding, never weaker; see [`holm`].
    Holm,
    /// The share of false findings; see [`benjamini_hochberg`].
    BenjaminiHochberg,
    /// The share of false findings under any dependence; see [`benjamini_yekutieli`].
    BenjaminiYekutieli,
}

/// When a column counts as drifted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Accepted rate of false findings, by the meaning of the correction; between 0 and 1.
    pub alpha: f64,
    /// The correction for many columns.
    pub correction: Correction,
    /// The least effect that matters, from 0 to 1; 0 reports every certain change.
    pub least_effect: f64,
}

impl Default for Policy {
    /// One unchanged window in a hundred may alarm, over all columns together; a change below 2 % of
    /// the values is none.
    fn default() -> Self {
        Self { alpha: 0.01, correction: Correction::Holm, least_effect: 0.02 }
    }
}

/// What is kept of a reference table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    columns: Vec<ColumnReference>,
}

/// A window of a table, made by [`Reference::window`].
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    columns: Vec<ColumnWindow>,
}

/// All measures of one column.
#[expect(clippy::large_enum_variant, reason = "one for each column, and most columns are numeric")]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Measures {
    /// Of numbers.
    Numeric(NumericMeasures),
    /// Of categories.
    Categorical(CategoricalMeasures),
    /// Of rows, embeddings and texts.
    Rows(KernelDrift),
}

/// What is said about one column.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnReport {
    /// The default test; `None` for too little data.
    pub outcome: Option<Outcome>,
    /// Its p-value, corrected for all columns that could be tested.
    pub adjusted_p_value: Option<f64>,
    /// Whether the corrected p-value and the effect both pass the policy.
    pub drifted: bool,
    /// Every measure; `None` if the window holds no value of the column.
    pub measures: Option<Measures>,
}

/// What is said about a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// In the order of the columns.
    pub columns: Vec<ColumnReport>,
}

impl Report {
    /// Indices of the columns that drifted.
    pub fn drifted(&self) -> impl Iterator<Item = usize> + '_ {
        self.columns.iter().enumerate().filter(|(_, column)| column.drifted).map(|(index, _)| index)
    }
}

impl Reference {
    /// Keeps what is needed of a table; columns may differ in length.
    pub fn new(columns: &[Column<'_>]) -> Result<Self, DriftError> {
        let keep = |(column, values): (usize, &Column<'_>)| {
            ColumnReference::new(values).ok_or(DriftError::UnusableReference { column })
        };
        Ok(Self { columns: columns.iter().enumerate().map(keep).collect::<Result<_, _>>()? })
    }

    /// An empty window, to be compared with this reference.
    #[must_use]
    pub fn window(&self) -> Window {
        Window { columns: self.columns.iter().map(ColumnReference::window).collect() }
    }

    /// How many columns there are.
    #[must_use]
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Every test of every column, and which of them drifted.
    pub fn compare(&self, window: &Window, policy: &Policy) -> Result<Report, DriftError> {
        if !(0.0 < policy.alpha && policy.alpha < 1.0 && (0.0..=1.0).contains(&policy.least_effect)) {
            return Err(DriftError::Policy);
        }
        if self.columns.len() != window.columns.len() {
            return Err(DriftError::OtherReference);
        }
        let pairs = self.columns.iter().zip(&window.columns);
        let found = pairs.map(|(ours, theirs)| ours.compare(theirs, policy.alpha));
        let mut columns = found.collect::<Result<Vec<ColumnReport>, _>>()?;
        let tested: Vec<f64> = columns.iter().filter_map(|column| Some(column.outcome?.p_value)).collect();
        let adjusted = adjust(&tested, policy.correction);
        let with_outcome = columns.iter_mut().filter(|column| column.outcome.is_some());
        for (column, p_value) in with_outcome.zip(adjusted) {
            let matters = column.outcome.is_some_and(|outcome| outcome.effect >= policy.least_effect);
            column.adjusted_p_value = Some(p_value);
            column.drifted = matters && p_value <= policy.alpha;
        }
        Ok(Report { columns })
    }
}

fn adjust(p_values: &[f64], correction: Correction) -> Vec<f64> {
    let adjusted = match correction {
        Correction::None => Some(p_values.to_vec()),
        Correction::Bonferroni => bonferroni(p_values),
        Correction::Holm => holm(p_values),
        Correction::BenjaminiHochberg => benjamini_hochberg(p_values),
        Correction::BenjaminiYekutieli => benjamini_yekutieli(p_values),
    };
    adjusted.unwrap_or_default()
}

impl Window {
    /// Takes in a batch: one slice for each column of the reference, of any length.
    ///
    /// Nothing is taken in if the batch does not fit.
    pub fn observe(&mut self, columns: &[Column<'_>]) -> Result<(), DriftError> {
        if columns.len() != self.columns.len() {
            return Err(DriftError::ColumnCount { expected: self.columns.len(), found: columns.len() });
        }
        if let Some(column) = self.columns.iter().zip(columns).position(|(window, values)| !window.fits(values)) {
            return Err(DriftError::ColumnKind { column });
        }
        self.columns.iter_mut().zip(columns).for_each(|(window, values)| window.observe(values));
        Ok(())
    }

    /// Adds everything that `other` has seen. Nothing is added if it was made for another reference.
    pub fn merge(&mut self, other: &Self) -> Result<(), DriftError> {
        if self.columns.len() != other.columns.len() {
            return Err(DriftError::OtherReference);
        }
        let mut merged = self.clone();
        if !merged.columns.iter_mut().zip(&other.columns).all(|(ours, theirs)| ours.merge(theirs)) {
            return Err(DriftError::OtherReference);
        }
        *self = merged;
        Ok(())
    }

    /// Forgets all values and keeps the memory, for the next window.
    pub fn clear(&mut self) {
        self.columns.iter_mut().for_each(ColumnWindow::clear);
    }
}
