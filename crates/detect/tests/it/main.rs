//! The public API of the crate: batches in, findings and alerts out.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod stream;

mod baselines;
mod healthy;
mod invariants;
mod retired;
