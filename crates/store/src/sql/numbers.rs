//! Numbers of which none is lost, for exact quantiles.
//!
//! Measured numbers repeat: a latency in tenths of a millisecond has some thousand values however many
//! requests there were. A number that repeats is kept once, with its count, so that exact quantiles of
//! millions of rows fit in memory; the rest are kept one by one.

use std::mem::size_of;

use datafusion::common::{DataFusionError, Result};

use super::sketch::{between, select};

/// After so many numbers it is looked whether they repeat.
const LOOK_AT: usize = 4_096;
/// The most numbers that are counted; further ones are kept one by one.
const MOST_COUNTED: usize = 65_536;
/// Spreads the bits of a number over the top ones: 2 to the power of 64 over the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Numbers, seen in any order.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    single: Vec<f64>,
    counted: Option<Box<Counted>>,
}

/// How often each number came: a hash table of numbers and counts, one beside the other.
#[derive(Clone, Debug)]
struct Counted {
    /// A power of two; a count of zero marks a free place. At least half of them are free.
    places: Vec<(f64, u64)>,
    held: usize,
}

impl Counted {
    fn with_room_for(numbers: usize) -> Self {
        Self { places: vec![(0.0, 0); (4 * numbers).next_power_of_two().max(64)], held: 0 }
    }

    /// Counts a number that is known or has room; tells whether it was counted.
    fn add(&mut self, value: f64, times: u64) -> bool {
        let bits = value.to_bits();
        let mask = self.places.len() - 1;
        let mut at = (bits.wrapping_mul(SPREAD) >> (self.places.len().leading_zeros() + 1)) as usize;
        loop {
            at &= mask;
            let place = &mut self.places[at];
            if place.1 == 0 {
                break;
            }
            if place.0.to_bits() == bits {
                place.1 += times;
                return true;
            }
            at += 1;
        }
        if self.held == MOST_COUNTED {
            return false;
        }
        self.places[at] = (value, times);
        self.held += 1;
        if 2 * self.held > self.places.len() {
            let mut wider = Self::with_room_for(self.held);
            for (value, times) in self.pairs() {
                wider.add(value, times);
            }
            *self = wider;
        }
        true
    }

    fn pairs(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        self.places.iter().copied().filter(|(_, count)| *count > 0)
    }

    const fn size(&self) -> usize {
        size_of::<Self>() + self.places.capacity() * size_of::<(f64, u64)>()
    }
}

impl Numbers {
    /// Takes in a number, and returns by how many bytes that made this larger. NaN is left out; infinity is
    /// the greatest number.
    pub(super) fn observe(&mut self, value: f64) -> usize {
        if value.is_nan() {
            return 0;
        }
        self.add(value.clamp(f64::MIN, f64::MAX), 1)
    }

    fn add(&mut self, value: f64, times: u64) -> usize {
        if let Some(counted) = &mut self.counted {
            let before = counted.places.len();
            if counted.add(value, times) {
                return (counted.places.len() - before) * size_of::<(f64, u64)>();
            }
        }
        let before = self.single.capacity();
        self.single.extend(std::iter::repeat_n(value, times as usize));
        let grown = (self.single.capacity() - before) * size_of::<f64>();
        if self.counted.is_none() && self.single.len() == LOOK_AT { grown + self.count_what_repeats() } else { grown }
    }

    /// Counts the numbers seen so far, if at least half of them came before. Returns by how many bytes that
    /// made this larger.
    fn count_what_repeats(&mut self) -> usize {
        let before = self.size();
        let mut counted = Counted::with_room_for(0);
        for &value in &self.single {
            counted.add(value, 1);
        }
        if 2 * counted.held <= self.single.len() {
            self.counted = Some(Box::new(counted));
            self.single = Vec::new();
        }
        self.size().saturating_sub(before)
    }

    /// The number at a share of the way from the least to the greatest; `None` without numbers.
    pub(super) fn into_quantile(mut self, share: f64) -> Option<f64> {
        let counted: Vec<(f64, u64)> = self.pairs().collect();
        let count = self.single.len() as u64 + counted.iter().map(|(_, count)| count).sum::<u64>();
        let rank = share * count.checked_sub(1)? as f64;
        if self.single.is_empty() {
            return at_rank(counted, rank);
        }
        for (value, times) in counted {
            self.single.extend(std::iter::repeat_n(value, times as usize));
        }
        Some(select(&mut self.single, rank))
    }

    /// Bytes that it takes up.
    pub(super) fn size(&self) -> usize {
        let counted = self.counted.as_ref().map_or(0, |counted| counted.size());
        size_of::<Self>() + self.single.capacity() * size_of::<f64>() + counted
    }

    fn pairs(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        self.counted.iter().flat_map(|counted| counted.pairs())
    }

    /// As bytes, for another thread: how many are counted, each with its count, then the single ones.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let n_counted = self.counted.as_ref().map_or(0, |counted| counted.held);
        let mut bytes = vec![0; 8 * (1 + 2 * n_counted + self.single.len())];
        let words =
            std::iter::once(n_counted as u64).chain(self.pairs().flat_map(|(value, count)| [value.to_bits(), count]));
        let (places, _) = bytes.as_chunks_mut::<8>();
        let (head, tail) = places.split_at_mut(1 + 2 * n_counted);
        for (place, word) in head.iter_mut().zip(words) {
            *place = word.to_le_bytes();
        }
        for (place, value) in tail.iter_mut().zip(&self.single) {
            *place = value.to_le_bytes();
        }
        bytes
    }

    /// Takes in what [`Numbers::to_bytes`] wrote.
    pub(super) fn merge_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let broken = || DataFusionError::Internal("the state of an exact quantile is cut short".to_owned());
        let (words, _) = bytes.as_chunks::<8>();
        let (first, rest) = words.split_first().ok_or_else(broken)?;
        let n_counted = usize::try_from(u64::from_le_bytes(*first)).map_err(|_| broken())?;
        let (counted, single) = rest.split_at_checked(n_counted.saturating_mul(2)).ok_or_else(broken)?;
        if !counted.is_empty() && self.counted.is_none() {
            self.count_all();
        }
        for pair in counted.chunks_exact(2) {
            self.add(f64::from_le_bytes(pair[0]), u64::from_le_bytes(pair[1]));
        }
        for value in single {
            self.add(f64::from_le_bytes(*value), 1);
        }
        Ok(())
    }

    /// Begins to count, because another thread found that numbers repeat.
    fn count_all(&mut self) {
        self.counted = Some(Box::new(Counted::with_room_for(self.single.len().min(MOST_COUNTED / 4))));
        for value in std::mem::take(&mut self.single) {
            self.add(value, 1);
        }
    }
}

/// The number at a rank of numbers that came so many times each.
fn at_rank(mut counted: Vec<(f64, u64)>, rank: f64) -> Option<f64> {
    counted.sort_unstable_by(|(left, _), (right, _)| left.total_cmp(right));
    let below = rank.floor();
    let mut before = 0;
    let mut ascending = counted.iter().peekable();
    while let Some(&(value, count)) = ascending.next() {
        before += count;
        if below < before as f64 {
            let next = if below + 1.0 < before as f64 { value } else { ascending.peek().map_or(value, |next| next.0) };
            return Some(between(value, next, rank - below));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::sketch::interpolate;
    use proptest::prelude::*;

    fn of(values: &[f64]) -> Numbers {
        let mut numbers = Numbers::default();
        for &value in values {
            numbers.observe(value);
        }
        numbers
    }

    fn expected(values: &[f64], share: f64) -> Option<f64> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        Some(interpolate(&sorted, share * last as f64))
    }

    #[test]
    fn numbers_that_repeat_take_little_memory() {
        let values: Vec<f64> = (0..1_000_000).map(|index| f64::from(index * 7 % 1_000) / 10.0).collect();
        let numbers = of(&values);
        assert!(numbers.size() < 100_000, "{}", numbers.size());
        assert_eq!(numbers.into_quantile(0.5), expected(&values, 0.5));
    }

    #[test]
    fn a_state_cut_short_is_an_error() {
        let bytes = of(&[1.0; 5_000]).to_bytes();
        assert!(Numbers::default().merge_bytes(&bytes[..8]).is_err());
        assert!(Numbers::default().merge_bytes(&[]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        /// However rows are shared among threads, and whether they repeat or not, the answer is exact.
        #[test]
        fn quantiles_are_exact(
            few in proptest::collection::vec(prop_oneof![-50i32..50, Just(0)], 0..9_000),
            many in proptest::collection::vec(prop_oneof![-1e6..1e6f64, Just(f64::NAN), Just(-0.0)], 0..6_000),
            at in 0usize..15_000,
            share in 0.0..=1.0f64,
        ) {
            let values: Vec<f64> = few.into_iter().map(f64::from).chain(many).collect();
            let at = at.min(values.len());
            let (mut merged, rest) = (of(&values[at..]), of(&values[..at]));
            merged.merge_bytes(&rest.to_bytes()).unwrap();
            let expected = expected(&values, share);
            prop_assert_eq!(of(&values).into_quantile(share), expected);
            prop_assert_eq!(merged.into_quantile(share), expected);
        }
    }
}
