//! What each training row is worth to a nearest-neighbour model.

use crate::learn::Features;

/// The most differences of features that are computed: training rows times test rows times columns.
const MOST_DIFFERENCES: u128 = 10_000_000_000;

/// Rows with their class.
#[derive(Clone, Copy, Debug)]
pub struct LabelledRows<'a> {
    /// Features without missing values, on scales that may be compared.
    pub features: &'a Features<'a>,
    /// The class of each row.
    pub labels: &'a [u32],
}

/// The Shapley value of each training row for the accuracy of `k` nearest neighbours on `test`.
///
/// The worth of a set of rows is the mean over test rows of
/// `(1 / k) * (neighbours with the test row's class, among the min(k, size) nearest)`. Values add up to the
/// worth of all rows; each lies within `[-1 / k, 1 / k]`, and rows with a wrong label tend below 0. With `n` rows
/// in order of distance, `s_n = hit_n * min(k, n) / (k n)` and
/// `s_i = s_(i+1) + (hit_i - hit_(i+1)) / k * min(k, i) / i`. Of equal distances the earlier row is nearer.
///
/// It is a description and raises no alarm: it has no false-alarm control. Test rows must be trusted; a
/// poisoned test row praises poison. Cost: `O(test * train * (columns + log train))`.
///
/// `None` if `k` is 0, lengths or columns are uneven, a feature is missing, or there are more than 10^10
/// differences of features.
///
/// ```
/// use wardline_stats::learn::Features;
/// use wardline_stats::poisoning::{LabelledRows, knn_shapley};
///
/// let (train, test) = ([0.0, 1.0], [0.1]);
/// let (train, test) = (Features::new(vec![&train]).unwrap(), Features::new(vec![&test]).unwrap());
/// let train = LabelledRows { features: &train, labels: &[1, 0] };
/// let test = LabelledRows { features: &test, labels: &[1] };
/// assert_eq!(knn_shapley(train, test, 1), Some(vec![1.0, 0.0]));
/// ```
///
/// Source: Jia et al., "Efficient Task-Specific Data Valuation for Nearest Neighbor Algorithms", VLDB 12 (2019),
/// theorem 1; for fewer rows than `k`, the first term is that of the same worth.
#[must_use]
pub fn knn_shapley(train: LabelledRows<'_>, test: LabelledRows<'_>, k: usize) -> Option<Vec<f64>> {
    let mut sums = vec![0.0; train.features.rows()];
    values_by_test_row(train, test, k, |values| sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value))?;
    let n_test = test.labels.len() as f64;
    Some(sums.into_iter().map(|sum| sum / n_test).collect())
}

/// Hands on the values of all training rows for each test row alone.
pub(super) fn values_by_test_row(
    train: LabelledRows<'_>,
    test: LabelledRows<'_>,
    k: usize,
    mut take: impl FnMut(&[f64]),
) -> Option<()> {
    let (n, width) = (train.features.rows(), train.features.width());
    let differences = n as u128 * test.features.rows() as u128 * width as u128;
    let even = width == test.features.width() && is_complete(train) && is_complete(test);
    if k == 0 || !even || differences > MOST_DIFFERENCES {
        return None;
    }
    let mut values = vec![0.0; n];
    let mut nearest = Vec::with_capacity(n);
    for (row, label) in test.labels.iter().enumerate() {
        order_by_distance(train.features, test.features, row, &mut nearest);
        set_values(&nearest, |i| train.labels[i] == *label, k, &mut values);
        take(&values);
    }
    Some(())
}

fn is_complete(rows: LabelledRows<'_>) -> bool {
    rows.labels.len() == rows.features.rows()
        && rows.features.columns().iter().all(|column| column.iter().all(|value| value.is_finite()))
}

fn order_by_distance(train: &Features<'_>, test: &Features<'_>, row: usize, nearest: &mut Vec<(f64, usize)>) {
    nearest.clear();
    nearest.extend((0..train.rows()).map(|i| (0.0, i)));
    for (known, asked) in train.columns().iter().zip(test.columns()) {
        for (place, value) in nearest.iter_mut().zip(known.iter()) {
            place.0 += (value - asked[row]).powi(2);
        }
    }
    nearest.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
}

fn set_values(nearest: &[(f64, usize)], is_hit: impl Fn(usize) -> bool, k: usize, values: &mut [f64]) {
    let mut value = 0.0;
    let mut hit_behind = 0.0;
    for (i, (_, row)) in nearest.iter().enumerate().rev() {
        let rank = i + 1;
        let hit = f64::from(u8::from(is_hit(*row)));
        value += (hit - hit_behind) / k as f64 * k.min(rank) as f64 / rank as f64;
        values[*row] = value;
        hit_behind = hit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worth of the rows of `set` (bits), for the definition's sum over all sets.
    fn worth(set: usize, train: (&[f64], &[u32]), test: (&[f64], &[u32]), k: usize) -> f64 {
        let mut sum = 0.0;
        for (x, y) in test.0.iter().zip(test.1) {
            let mut rows: Vec<usize> = (0..train.0.len()).filter(|i| set >> i & 1 == 1).collect();
            rows.sort_by(|a, b| (train.0[*a] - x).abs().total_cmp(&(train.0[*b] - x).abs()));
            sum += rows.iter().take(k).filter(|i| train.1[**i] == *y).count() as f64 / k as f64;
        }
        sum / test.0.len() as f64
    }

    #[test]
    fn values_are_those_of_the_definition() {
        let factorial = |n: usize| (1..=n).product::<usize>() as f64;
        let (x, y) = ([0.1, 2.3, 1.7, 0.9, 3.6, 2.9, 0.4], [0, 1, 1, 2, 1, 0, 0]);
        let (asked, classes) = ([0.33, 1.52, 3.01], [0, 1, 1]);
        let (train, test) = (Features::new(vec![&x]).unwrap(), Features::new(vec![&asked]).unwrap());
        for k in 1..10 {
            let rows = LabelledRows { features: &train, labels: &y };
            let found = knn_shapley(rows, LabelledRows { features: &test, labels: &classes }, k).unwrap();
            for (i, value) in found.iter().enumerate() {
                let mut expected = 0.0;
                for set in (0..1_usize << 7).filter(|set| set >> i & 1 == 0) {
                    let size = set.count_ones() as usize;
                    let gain = worth(set | 1 << i, (&x, &y), (&asked, &classes), k)
                        - worth(set, (&x, &y), (&asked, &classes), k);
                    expected += factorial(size) * factorial(6 - size) / factorial(7) * gain;
                }
                assert!((value - expected).abs() < 1e-12, "k {k}, row {i}: {value} for {expected}");
            }
        }
    }

    #[test]
    fn bad_input_is_refused() {
        let (good, missing) = ([0.0, 1.0], [0.0, f64::NAN]);
        let (good, missing) = (Features::new(vec![&good]).unwrap(), Features::new(vec![&missing]).unwrap());
        let rows = LabelledRows { features: &good, labels: &[0, 1] };
        assert!(knn_shapley(rows, rows, 0).is_none());
        assert!(knn_shapley(rows, LabelledRows { features: &missing, labels: &[0, 1] }, 1).is_none());
        assert!(knn_shapley(LabelledRows { features: &good, labels: &[0] }, rows, 1).is_none());
    }
}
