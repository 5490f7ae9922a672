//! Streams on which river 0.26.1 was run, and where a detector alarms on them.

use super::Stage;
use crate::sequential::tests_stream::Lcg;

/// 4,000 bits of the golden generator from state 7: ones at 20 %, at 70 % from 2,000 on.
pub(crate) fn strong_bits() -> Vec<bool> {
    let mut stream = Lcg::exactly(7);
    (0..4_000).map(|t| stream.next() < if t < 2_000 { 0.2 } else { 0.7 }).collect()
}

/// Where changes and warnings are, counted from 0.
pub(crate) fn changes_and_warnings<D>(
    bits: &[bool],
    mut detector: D,
    observe: impl Fn(&mut D, bool) -> Stage,
) -> (Vec<usize>, Vec<usize>) {
    let (mut changes, mut warnings) = (Vec::new(), Vec::new());
    for (at, bit) in bits.iter().enumerate() {
        match observe(&mut detector, *bit) {
            Stage::Change => changes.push(at),
            Stage::Warning => warnings.push(at),
            Stage::Quiet => {}
        }
    }
    (changes, warnings)
}
