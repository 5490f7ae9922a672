//! A sketch of numbers whose quantiles do not depend on the order in which they came.
//!
//! Evidence rests on percentiles, so the same rows must give the same digits in every run, however they
//! were shared among threads. Up to [`EXACT_VALUES`] numbers are kept as they are. Beyond that, numbers
//! are counted in buckets 1/256 of a power of two wide: counts add up in any order, and a quantile is
//! within 0.2 % of a number between whose ranks it lies.

use serde::{Deserialize, Serialize};

/// Up to so many numbers are kept as they are.
const EXACT_VALUES: usize = 256;
/// Buckets of each power of two.
const BUCKETS: usize = 256;
/// Numbers closer to zero than 2 to the power of this count as zero.
const LEAST_EXPONENT: i32 = -256;

/// Numbers, seen in any order.
#[derive(Clone, Debug, PartialEq)]
pub struct Sketch {
    count: u64,
    values: Values,
}

#[derive(Clone, Debug, PartialEq)]
enum Values {
    Exact(Vec<f64>),
    Counted(Box<Counts>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Counts {
    least: f64,
    greatest: f64,
    zeros: u64,
    positive: Octaves,
    negative: Octaves,
}

/// Counts by power of two, and within each by bucket.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Octaves {
    first: i32,
    counts: Vec<Option<Vec<u64>>>,
}

impl Default for Sketch {
    fn default() -> Self {
        Self { count: 0, values: Values::Exact(Vec::new()) }
    }
}

impl Sketch {
    /// How many numbers it holds.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Takes in a number, and returns by how many bytes that made the sketch larger. NaN is left out;
    /// infinity is the greatest number.
    pub fn observe(&mut self, value: f64) -> usize {
        if value.is_nan() {
            return 0;
        }
        let value = value.clamp(f64::MIN, f64::MAX);
        self.count += 1;
        match &mut self.values {
            Values::Counted(counts) => counts.observe(value),
            Values::Exact(values) => {
                let before = values.capacity();
                values.push(value);
                let grown = (values.capacity() - before) * size_of::<f64>();
                if values.len() <= EXACT_VALUES {
                    return grown;
                }
                let freed = values.capacity() * size_of::<f64>();
                self.values = Values::Counted(Box::new(Counts::of(values)));
                (self.size() + grown).saturating_sub(size_of::<Self>() + freed)
            }
        }
    }

    /// Takes in what another sketch holds.
    pub fn merge(&mut self, other: &Self) {
        match (&mut self.values, &other.values) {
            (Values::Exact(held), Values::Exact(values)) if held.len() + values.len() <= EXACT_VALUES => {
                held.extend_from_slice(values);
                self.count += other.count;
            }
            (_, Values::Exact(values)) => {
                for &value in values {
                    self.observe(value);
                }
            }
            (Values::Counted(counts), Values::Counted(others)) => {
                counts.merge(others);
                self.count += other.count;
            }
            (Values::Exact(values), Values::Counted(others)) => {
                let mut counts = others.clone();
                for &value in values.iter() {
                    counts.observe(value);
                }
                self.count += other.count;
                self.values = Values::Counted(counts);
            }
        }
    }

    /// The number at a share of the way from the least to the greatest; `None` without numbers.
    ///
    /// Between two ranks the answer lies between their numbers, as in `percentile_cont`.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        self.clone().into_quantile(share)
    }

    /// As [`Sketch::quantile`], without a copy of the numbers.
    pub fn into_quantile(self, share: f64) -> Option<f64> {
        if self.count == 0 || !(0.0..=1.0).contains(&share) {
            return None;
        }
        let rank = share * (self.count - 1) as f64;
        Some(match self.values {
            Values::Exact(mut values) => select(&mut values, rank),
            Values::Counted(counts) => counts.at(rank, self.count),
        })
    }

    /// Bytes that it takes up.
    pub fn size(&self) -> usize {
        size_of::<Self>()
            + match &self.values {
                Values::Exact(values) => values.capacity() * size_of::<f64>(),
                Values::Counted(counts) => size_of::<Counts>() + counts.positive.size() + counts.negative.size(),
            }
    }
}

/// The number at a rank of numbers in any order, which are not none; in linear time.
pub(super) fn select(values: &mut [f64], rank: f64) -> f64 {
    let below = (rank.floor() as usize).min(values.len() - 1);
    let (_, low, greater) = values.select_nth_unstable_by(below, f64::total_cmp);
    let low = *low;
    let high = greater.iter().copied().min_by(f64::total_cmp).unwrap_or(low);
    between(low, high, rank - below as f64)
}

/// The number a part of the way between two.
pub(super) fn between(low: f64, high: f64, part: f64) -> f64 {
    if low == high { low } else { low * (1.0 - part) + high * part }
}

/// The number at a rank of sorted numbers, which are not none.
pub(super) fn interpolate(sorted: &[f64], rank: f64) -> f64 {
    let below = (rank.floor() as usize).min(sorted.len() - 1);
    let above = (below + 1).min(sorted.len() - 1);
    between(sorted[below], sorted[above], rank - below as f64)
}

/// First byte of a sketch as bytes: numbers follow, eight bytes each.
const NUMBERS: u8 = 0;
/// First byte of a sketch as bytes: counts follow.
const COUNTS: u8 = 2;

impl Sketch {
    /// The sketch as bytes, for another thread or process.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, postcard::Error> {
        match &self.values {
            Values::Exact(values) => {
                let mut bytes = Vec::with_capacity(1 + values.len() * 8);
                bytes.push(NUMBERS);
                bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
                Ok(bytes)
            }
            Values::Counted(counts) => postcard::to_extend(&(self.count, counts), vec![COUNTS]),
        }
    }

    /// Reads what [`Sketch::to_bytes`] wrote.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, postcard::Error> {
        match bytes.split_first() {
            Some((&COUNTS, rest)) => {
                let (count, counts) = postcard::from_bytes(rest)?;
                Ok(Self { count, values: Values::Counted(counts) })
            }
            Some((&NUMBERS, rest)) if rest.len() % 8 == 0 => {
                let (numbers, _) = rest.as_chunks::<8>();
                let values: Vec<f64> = numbers.iter().map(|number| f64::from_le_bytes(*number)).collect();
                Ok(Self { count: values.len() as u64, values: Values::Exact(values) })
            }
            _ => Err(postcard::Error::DeserializeBadEncoding),
        }
    }
}

impl Counts {
    fn of(values: &[f64]) -> Self {
        let mut counts = Self {
            least: f64::INFINITY,
            greatest: f64::NEG_INFINITY,
            zeros: 0,
            positive: Octaves::default(),
            negative: Octaves::default(),
        };
        for &value in values {
            counts.observe(value);
        }
        counts
    }

    fn observe(&mut self, value: f64) -> usize {
        self.least = self.least.min(value);
        self.greatest = self.greatest.max(value);
        let Some((octave, bucket)) = place(value) else {
            self.zeros += 1;
            return 0;
        };
        let octaves = if value > 0.0 { &mut self.positive } else { &mut self.negative };
        if let Some(Some(counts)) =
            usize::try_from(octave - octaves.first).ok().and_then(|index| octaves.counts.get_mut(index))
        {
            counts[bucket] += 1;
            return 0;
        }
        let before = octaves.size();
        octaves.of(octave)[bucket] += 1;
        octaves.size() - before
    }

    fn merge(&mut self, other: &Self) {
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
        self.zeros += other.zeros;
        self.positive.merge(&other.positive);
        self.negative.merge(&other.negative);
    }

    fn at(&self, rank: f64, count: u64) -> f64 {
        if rank <= 0.0 {
            return self.least;
        }
        if rank >= (count - 1) as f64 {
            return self.greatest;
        }
        let mut before = 0;
        for (low, high, held) in self.ascending() {
            if rank < (before + held) as f64 {
                let part = (rank - before as f64 + 0.5) / held as f64;
                return (low + (high - low) * part.min(1.0)).clamp(self.least, self.greatest);
            }
            before += held;
        }
        self.greatest
    }

    /// Bounds and count of every bucket that is not empty, from the least to the greatest.
    fn ascending(&self) -> impl Iterator<Item = (f64, f64, u64)> + '_ {
        let negative = self.negative.descending().map(|(low, high, held)| (-high, -low, held));
        let zeros = (self.zeros > 0).then_some((0.0, 0.0, self.zeros));
        negative.chain(zeros).chain(self.positive.ascending())
    }
}

/// Power of two and bucket of a number's magnitude; `None` for what counts as zero.
fn place(value: f64) -> Option<(i32, usize)> {
    let bits = value.abs().to_bits();
    let octave = (bits >> 52) as i32 - 1023;
    (octave >= LEAST_EXPONENT).then_some((octave, (bits >> 44) as usize & (BUCKETS - 1)))
}

fn bounds(octave: i32, bucket: usize) -> (f64, f64) {
    let unit = 2f64.powi(octave);
    let step = unit / BUCKETS as f64;
    (unit + step * bucket as f64, unit + step * (bucket + 1) as f64)
}

impl Octaves {
    fn of(&mut self, octave: i32) -> &mut [u64] {
        if self.counts.is_empty() {
            self.first = octave;
        }
        if octave < self.first {
            let missing = (self.first - octave) as usize;
            self.counts.splice(0..0, std::iter::repeat_n(None, missing));
            self.first = octave;
        }
        let index = (octave - self.first) as usize;
        if index >= self.counts.len() {
            self.counts.resize(index + 1, None);
        }
        self.counts[index].get_or_insert_with(|| vec![0; BUCKETS])
    }

    fn merge(&mut self, other: &Self) {
        for (octave, counts) in other.held() {
            for (held, more) in self.of(octave).iter_mut().zip(counts) {
                *held += more;
            }
        }
    }

    fn held(&self) -> impl DoubleEndedIterator<Item = (i32, &Vec<u64>)> + '_ {
        self.counts.iter().enumerate().filter_map(|(index, counts)| Some((self.first + index as i32, counts.as_ref()?)))
    }

    fn ascending(&self) -> impl Iterator<Item = (f64, f64, u64)> + '_ {
        self.held().flat_map(|(octave, counts)| buckets(octave, counts))
    }

    fn descending(&self) -> impl Iterator<Item = (f64, f64, u64)> + '_ {
        self.held().rev().flat_map(|(octave, counts)| buckets(octave, counts).rev())
    }

    fn size(&self) -> usize {
        let chunks = self.held().count();
        self.counts.capacity() * size_of::<Option<Vec<u64>>>() + chunks * BUCKETS * size_of::<u64>()
    }
}

fn buckets(octave: i32, counts: &[u64]) -> impl DoubleEndedIterator<Item = (f64, f64, u64)> + '_ {
    counts.iter().enumerate().filter(|(_, held)| **held > 0).map(move |(bucket, &held)| {
        let (low, high) = bounds(octave, bucket);
        (low, high, held)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[f64]) -> Sketch {
        let mut sketch = Sketch::default();
        for &value in values {
            sketch.observe(value);
        }
        sketch
    }

    #[test]
    fn few_numbers_are_exact() {
        // numpy 2.3 gives percentile([1, 2, 3, 10], 95) = 8.95
        assert!((of(&[10.0, 1.0, 3.0, 2.0]).quantile(0.95).unwrap() - 8.95).abs() < 1e-12);
        assert_eq!(of(&[]).quantile(0.5), None);
        assert_eq!(of(&[f64::NAN]).count(), 0);
    }

    #[test]
    fn many_numbers_are_within_two_per_mille() {
        let values: Vec<f64> = (0..100_000).map(|index| f64::from(index) * 0.37 - 5_000.0).collect();
        let sketch = of(&values);
        for share in [0.001, 0.05, 0.25, 0.5, 0.95, 0.99, 0.999] {
            let exact = interpolate(&values, share * 99_999.0);
            let answer = sketch.quantile(share).unwrap();
            assert!((answer - exact).abs() <= 0.002 * exact.abs() + 0.37, "{share}: {answer}, not {exact}");
        }
        assert_eq!((sketch.quantile(0.0), sketch.quantile(1.0)), (Some(-5_000.0), Some(values[99_999])));
    }

    proptest! {
        /// Goal: however rows are shared among threads, the digits are the same.
        #[test]
        fn the_order_does_not_matter(
            values in proptest::collection::vec(prop_oneof![-1e6..1e6f64, Just(0.0), -1e-90..1e-90f64, 1e200..1e300f64], 1..900),
            at in 0usize..900,
        ) {
            let at = at.min(values.len());
            let whole = of(&values);
            let mut reversed = of(&values[at..]);
            reversed.merge(&of(&values[..at]));
            for share in [0.0, 0.01, 0.5, 0.99, 1.0] {
                prop_assert_eq!(whole.quantile(share), reversed.quantile(share));
            }
            prop_assert_eq!(whole.count(), reversed.count());
            prop_assert_eq!(&Sketch::from_bytes(&whole.to_bytes().unwrap()).unwrap(), &whole);
        }
    }
}
