//! The public API of the crate: batches in, findings and alerts out.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test that cannot go on has failed")]

mod stream;

mod baselines;
mod healthy;
mod invariants;
mod retired;
mod slo;
