//! Which things are nearly the same: short fingerprints, and indexes that find what is close.

mod buckets;
mod difference_hash;
mod groups;
mod hamming_index;
mod hyperplanes;
mod min_hash;
mod min_hash_index;
mod sim_hash;

pub use difference_hash::difference_hash;
pub use groups::Groups;
pub use hamming_index::{HammingIndex, Near};
pub use hyperplanes::Hyperplanes;
pub use min_hash::{MinHash, Signature};
pub use min_hash_index::MinHashIndex;
pub use sim_hash::sim_hash;

/// Spreads the bits of a token's hash, so that neighbouring numbers share nothing.
fn mix(token: u64) -> u64 {
    crate::random::SplitMix::new(token).next()
}
