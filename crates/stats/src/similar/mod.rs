//! Which things are nearly the same: short fingerprints, and indexes that find what is close.

mod buckets;
mod hamming_index;
mod min_hash;
mod sim_hash;

pub use hamming_index::{HammingIndex, Near};
pub use min_hash::{MinHash, Signature};
pub use sim_hash::sim_hash;

/// Spreads the bits of a token's hash, so that neighbouring numbers share nothing.
fn mix(token: u64) -> u64 {
    crate::random::SplitMix::new(token).next()
}
