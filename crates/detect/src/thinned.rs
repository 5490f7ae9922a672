//! A list that stays short however much comes: evenly thinned, with the first always kept.

use serde::{Deserialize, Serialize};

/// Every so many-th of what came, at most `MOST`, which is even.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Thinned<T, const MOST: usize> {
    kept: Vec<T>,
    seen: u64,
    stride: u64,
}

impl<T, const MOST: usize> Default for Thinned<T, MOST> {
    fn default() -> Self {
        // With an even number the one that came when all were kept is the next in the doubled stride.
        const { assert!(MOST > 0 && MOST.is_multiple_of(2), "half of what is kept stays when it is too much") };
        Self { kept: Vec::new(), seen: 0, stride: 1 }
    }
}

impl<T, const MOST: usize> Thinned<T, MOST> {
    /// Takes in the next, unless the thinning leaves it out.
    #[inline]
    pub(crate) fn push(&mut self, next: impl FnOnce() -> T) {
        let index = self.seen;
        self.seen += 1;
        if !index.is_multiple_of(self.stride) {
            return;
        }
        if self.kept.len() >= MOST {
            let mut index = 0;
            self.kept.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.stride *= 2;
        }
        self.kept.push(next());
    }

    /// What was kept, in the order in which it came.
    pub(crate) fn kept(&self) -> &[T] {
        &self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_sample_stays_spread_and_bounded() {
        let mut sample = Thinned::<f64, 4_096>::default();
        (0..100_000).for_each(|value| sample.push(|| f64::from(value)));
        let mean = sample.kept().iter().sum::<f64>() / sample.kept().len() as f64;
        assert!(sample.kept().len() <= 4_096 && (mean - 50_000.0).abs() < 500.0);
    }

    proptest! {
        /// Goal: what is kept is evenly spread, over all that came.
        #[test]
        fn every_so_many_th_is_kept(count in 1u64..2_000) {
            let mut thinned = Thinned::<u64, 32>::default();
            (0..count).for_each(|next| thinned.push(|| next));
            let kept = thinned.kept();
            let stride = kept.get(1).copied().unwrap_or(1);
            prop_assert!(stride.is_power_of_two() && kept.len() <= 32);
            prop_assert!(kept.iter().copied().eq((0..count).step_by(stride as usize)));
            prop_assert!(stride == 1 || count.div_ceil(stride / 2) > 32, "no more is left out than must be");
        }
    }
}
