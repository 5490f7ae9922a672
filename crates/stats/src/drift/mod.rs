//! Has a table changed since its reference? Each column is kept in some hundred KiB, however long the
//! reference was, and a window answers every test from counts.
//!
//! | column | default test | effect |
//! | --- | --- | --- |
//! | numbers, more than 20 different values | Kolmogorov-Smirnov (exact to 1e6 pairs) | `D` |
//! | numbers of few values, categories | two-sample chi-square, cells below 5 pooled | share that moved |
//! | two values | z test of two shares; Fisher below 5 expected | difference of shares |
//! | rows, embeddings, texts | kernel means by random features | distance of kernel means |
//!
//! A column has drifted when its p-value, corrected for all columns, is at most alpha **and** the
//! effect is at least the least that matters: the first alone finds trifles in large windows, the
//! second alone finds chance in small ones. All tests take values as independent; where they hang
//! together, see [`crate::resample`].

pub mod categorical;
mod choice;
mod column;
mod distances;
pub mod numeric;
pub mod preset;
mod table;

pub use choice::{DefaultTest, LEAST_VALUES, Outcome, default_categorical, default_numeric, default_rows};
pub use distances::{Distances, Measured, distances};
pub use table::{Column, ColumnReport, Correction, DriftError, Measures, Policy, Reference, Report, Window};
