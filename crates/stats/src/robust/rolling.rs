//! Median and median absolute deviation of the last values of a stream.

use serde::{Deserialize, Serialize};

use super::MAD_TO_SIGMA;

/// The median, the median absolute deviation and other quantiles of the last `capacity` values,
/// exactly: the numbers are those of [`super::median`] over the same values.
///
/// The values are kept twice, in the order they came and sorted. A new value takes the place of the
/// oldest, which moves the sorted values between the two: `O(log n)` comparisons and one move of
/// memory, 0.1 µs for 100 values and 0.5 µs for 10,000. The median costs `O(1)`, the deviation
/// `O(log n)`. Nothing is allocated after [`new`](Self::new); 16 bytes a value.
///
/// Not mergeable: it speaks of an order. Up to half of the values may be arbitrary. For windows of
/// time, or of more values than fit, take a [`crate::sketch::SlidingWindow`] of quantile sketches.
///
/// ```
/// use wardline_stats::robust::RollingMedian;
/// let mut rolling = RollingMedian::new(5).unwrap_or_else(|| unreachable!());
/// for value in [7.0, 1.0, 2.0, 3.0, 1_000.0, 4.0] {
///     rolling.insert(value);
/// }
/// assert_eq!(rolling.median(), Some(3.0)); // of 1, 2, 3, 1000 and 4
/// assert_eq!(rolling.median_absolute_deviation(), Some(1.0));
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "Stored", try_from = "Stored")]
pub struct RollingMedian {
    capacity: usize,
    /// In the order they came; the oldest is at `oldest` once there are `capacity` of them.
    arrived: Vec<f64>,
    oldest: usize,
    sorted: Vec<f64>,
}

impl RollingMedian {
    /// The greatest capacity; from there on a sketch answers better.
    pub const MOST: usize = 1 << 20;

    /// An empty window of the last `capacity` values; `None` for none or more than a million.
    #[must_use]
    pub fn new(capacity: usize) -> Option<Self> {
        (1 <= capacity && capacity <= Self::MOST).then(|| Self {
            capacity,
            arrived: Vec::with_capacity(capacity),
            oldest: 0,
            sorted: Vec::with_capacity(capacity),
        })
    }

    /// Takes in a value, and lets the oldest go if the window is full; `false` if it was refused as
    /// not finite.
    pub fn insert(&mut self, value: f64) -> bool {
        if !value.is_finite() {
            return false;
        }
        // There is one zero, or a value could not be found again among its equals.
        let value = value + 0.0;
        let to = self.sorted.partition_point(|held| *held < value);
        if self.arrived.len() < self.capacity {
            self.arrived.push(value);
            self.sorted.insert(to, value);
            return true;
        }
        let gone = std::mem::replace(&mut self.arrived[self.oldest], value);
        self.oldest = (self.oldest + 1) % self.capacity;
        let from = self.sorted.partition_point(|held| *held < gone);
        if from < to {
            self.sorted.copy_within(from + 1..to, from);
            self.sorted[to - 1] = value;
        } else {
            self.sorted.copy_within(to..from, to + 1);
            self.sorted[to] = value;
        }
        true
    }

    /// How many values are in the window.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there is no value in the window.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// Whether a new value lets an old one go.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.sorted.len() == self.capacity
    }

    /// The median; the mean of the two middle values for an even count. `None` without values.
    #[must_use]
    pub fn median(&self) -> Option<f64> {
        let n = self.sorted.len();
        let upper = *self.sorted.get(n / 2)?;
        let lower = if n.is_multiple_of(2) { self.sorted[n / 2 - 1] } else { upper };
        Some(lower.midpoint(upper))
    }

    /// The least value `x` such that the share `p` of the window is at or below it; `None` without
    /// values or for a `p` outside `0..=1`.
    #[must_use]
    pub fn quantile(&self, p: f64) -> Option<f64> {
        if !(0.0..=1.0).contains(&p) {
            return None;
        }
        let rank = (p * self.sorted.len() as f64).ceil() as usize;
        self.sorted.get(rank.saturating_sub(1)).copied()
    }

    /// The median distance from the median, not scaled; `None` without values, or if a distance is
    /// too large for a number.
    #[must_use]
    pub fn median_absolute_deviation(&self) -> Option<f64> {
        let center = self.median()?;
        let n = self.sorted.len();
        let upper = self.distance_at(center, n / 2);
        let lower = if n.is_multiple_of(2) { self.distance_at(center, n / 2 - 1) } else { upper };
        let deviation = lower.midpoint(upper);
        deviation.is_finite().then_some(deviation)
    }

    /// The distance from the center at a rank, the nearest first, from rank 0.
    ///
    /// Distances rise to both sides of the center, so it is the rank in two sorted lists: find how
    /// many of the nearest `rank + 1` lie below.
    fn distance_at(&self, center: f64, rank: usize) -> f64 {
        let split = self.sorted.partition_point(|held| *held < center);
        let (below, above) = self.sorted.split_at(split);
        let left = |step: usize| center - below[below.len() - 1 - step];
        let right = |step: usize| above[step] - center;
        // The least number from below for which the next one below is no nearer than the last above.
        let (mut low, mut high) = ((rank + 1).saturating_sub(above.len()), below.len().min(rank + 1));
        while low < high {
            let taken = low.midpoint(high);
            if left(taken) < right(rank - taken) {
                low = taken + 1;
            } else {
                high = taken;
            }
        }
        let farthest_left = if low > 0 { left(low - 1) } else { 0.0 };
        let farthest_right = if low <= rank { right(rank - low) } else { 0.0 };
        farthest_left.max(farthest_right)
    }

    /// `(value - median) / (1.4826 MAD)`; `None` where that has no meaning, as for
    /// [`super::robust_z`].
    #[must_use]
    pub fn robust_z(&self, value: f64) -> Option<f64> {
        let scale = MAD_TO_SIGMA * self.median_absolute_deviation()?;
        let z = (value - self.median()?) / scale;
        (scale > 0.0 && z.is_finite()).then_some(z)
    }

    /// The values from the oldest to the newest.
    pub fn values(&self) -> impl Iterator<Item = f64> + '_ {
        let (newer, older) = self.arrived.split_at(self.oldest.min(self.arrived.len()));
        older.iter().chain(newer).copied()
    }

    /// Forgets all values and keeps the memory.
    pub fn clear(&mut self) {
        self.arrived.clear();
        self.sorted.clear();
        self.oldest = 0;
    }
}

impl PartialEq for RollingMedian {
    /// Equal when they hold the same values in the same order.
    fn eq(&self, other: &Self) -> bool {
        self.capacity == other.capacity && self.values().eq(other.values())
    }
}

/// How it is written down.
#[derive(Serialize, Deserialize)]
struct Stored {
    capacity: u64,
    /// From the oldest to the newest.
    values: Vec<f64>,
}

impl From<RollingMedian> for Stored {
    fn from(rolling: RollingMedian) -> Self {
        Self { capacity: rolling.capacity as u64, values: rolling.values().collect() }
    }
}

impl TryFrom<Stored> for RollingMedian {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let capacity = usize::try_from(stored.capacity).unwrap_or(usize::MAX);
        let mut rolling = Self::new(capacity).ok_or("a rolling median with no possible capacity")?;
        if stored.values.len() > capacity || !stored.values.iter().all(|value| rolling.insert(*value)) {
            return Err("a rolling median of more values than its capacity, or of no numbers");
        }
        Ok(rolling)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{median, median_absolute_deviation, robust_z};
    use super::*;

    #[test]
    fn no_possible_window_is_refused() {
        assert_eq!(RollingMedian::new(0), None);
        assert_eq!(RollingMedian::new(usize::MAX), None);
        let mut rolling = RollingMedian::new(3).unwrap();
        assert_eq!((rolling.median(), rolling.median_absolute_deviation(), rolling.quantile(0.5)), (None, None, None));
        assert!(!rolling.insert(f64::NAN) && !rolling.insert(f64::INFINITY) && rolling.is_empty());
        assert!(rolling.insert(f64::MIN) && rolling.insert(f64::MAX));
        assert_eq!(rolling.median(), Some(0.0));
        assert_eq!((rolling.quantile(0.0), rolling.quantile(1.0)), (Some(f64::MIN), Some(f64::MAX)));
        assert!(rolling.insert(f64::MAX));
        assert_eq!((rolling.median_absolute_deviation(), rolling.robust_z(1.0)), (Some(0.0), None));
    }

    /// pandas 3.1.1: `Series([...]).rolling(4).median()`.
    #[test]
    fn agrees_with_pandas() {
        let mut rolling = RollingMedian::new(4).unwrap();
        let medians: Vec<f64> = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0, 5.0]
            .iter()
            .filter_map(|value| rolling.insert(*value).then(|| rolling.median())?.filter(|_| rolling.is_full()))
            .collect();
        assert_eq!(medians, [2.0, 2.5, 4.5, 3.5, 5.5, 5.5, 4.0, 5.0]);
    }

    fn values() -> impl Strategy<Value = Vec<f64>> {
        let value = prop_oneof![
            3 => -1e3..1e3_f64,
            3 => (-2..2_i32).prop_map(f64::from),
            1 => Just(-0.0),
            1 => proptest::num::f64::NORMAL,
        ];
        proptest::collection::vec(value, 1..120)
    }

    proptest! {
        #[test]
        fn it_is_the_median_of_the_last_values(all in values(), capacity in 1..20_usize, p in 0.0..=1.0_f64) {
            let mut rolling = RollingMedian::new(capacity).unwrap();
            for end in 1..=all.len() {
                rolling.insert(all[end - 1]);
                let last = &all[end.saturating_sub(capacity)..end];
                prop_assert!(rolling.values().eq(last.iter().copied()));
                prop_assert_eq!(rolling.median(), median(last));
                prop_assert_eq!(rolling.median_absolute_deviation(), median_absolute_deviation(last));
                prop_assert_eq!(rolling.robust_z(all[0]), robust_z(all[0], last));
            }
            let mut sorted: Vec<f64> = rolling.values().collect();
            sorted.sort_by(f64::total_cmp);
            let rank = ((p * sorted.len() as f64).ceil() as usize).max(1);
            prop_assert_eq!(rolling.quantile(p), Some(sorted[rank - 1]));
        }

        #[test]
        fn survives_being_written_down(all in values(), capacity in 1..20_usize, more in -1e3..1e3_f64) {
            let mut rolling = RollingMedian::new(capacity).unwrap();
            all.iter().for_each(|value| assert!(rolling.insert(*value)));
            let mut back = RollingMedian::try_from(Stored::from(rolling.clone())).unwrap();
            prop_assert_eq!(&back, &rolling);
            prop_assert_eq!(back.insert(more), rolling.insert(more));
            prop_assert_eq!(back.median(), rolling.median());
        }
    }
}
