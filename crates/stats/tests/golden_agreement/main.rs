//! The same numbers as numpy, scipy, scikit-learn, river, Evidently, NannyML and Alibi Detect.
//!
//! `testdata/regenerate` makes the values anew, in environments with pinned versions; each file names them.
//! Exact formulas agree to 1e-9, relative. Where a peer is wrong, its number and ours stand side by side.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod categorical;
mod estimates;
mod explain;
mod inputs;
mod kernel;
mod metrics;
mod multiple;
mod numeric;
mod outliers;
mod presets;
mod streams;
mod summaries;
mod trees;
mod values;
