//! p-values by resampling, for values that hang together.
//!
//! Tests for independent values alarm far too often on series whose neighbours are alike: an
//! autocorrelation of 0.5 turns a stated 5 % into 22 % for a difference of means. Shuffling whole blocks
//! keeps what is within them.

mod block;
mod block_length;

pub use block::{BlockTest, block_permutation_test};
pub use block_length::block_length;
