//! Codes for columns that have too many values.

use super::attributes::NO_VALUE;

/// Codes of a numeric column by its quantiles: about as many rows in each bin; equal values share a bin.
///
/// The cuts are the order statistics at `n i / bins`; a value on a cut belongs to the bin above it. NaN has no value
/// ([`NO_VALUE`]). Bins that ties leave empty are left out, so codes are dense. `O(n log n)`.
///
/// Returns `None` for no number at all, or for fewer than 2 or more than 1,024 bins.
pub fn quantile_codes(values: &[f64], bins: usize) -> Option<Vec<u32>> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    if sorted.is_empty() || !(2..=1_024).contains(&bins) {
        return None;
    }
    sorted.sort_by(f64::total_cmp);
    let least = sorted[0];
    let mut cuts: Vec<f64> = (1..bins).map(|bin| sorted[sorted.len() * bin / bins]).collect();
    cuts.dedup();
    cuts.retain(|cut| *cut > least);
    let code = |value: &f64| {
        if value.is_nan() { NO_VALUE } else { cuts.partition_point(|cut| cut <= value) as u32 }
    };
    Some(values.iter().map(code).collect())
}

/// Codes in which the `most - 1` most frequent values keep a code of their own, by falling frequency, and all others
/// share the last one. With at most `most` values nothing is merged. `O(n log n)`.
///
/// Returns `None` if `most` is below 2.
pub fn merge_rare(codes: &[u32], most: usize) -> Option<Vec<u32>> {
    if most < 2 {
        return None;
    }
    let mut counts = std::collections::BTreeMap::<u32, usize>::new();
    codes.iter().filter(|code| **code != NO_VALUE).for_each(|code| *counts.entry(*code).or_default() += 1);
    let mut by_count: Vec<(u32, usize)> = counts.into_iter().collect();
    by_count.sort_by_key(|(code, count)| (std::cmp::Reverse(*count), *code));
    let last = most - 1;
    let places: std::collections::BTreeMap<u32, u32> =
        by_count.iter().enumerate().map(|(place, (code, _))| (*code, place.min(last) as u32)).collect();
    Some(codes.iter().map(|code| places.get(code).copied().unwrap_or(NO_VALUE)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_about_as_many_rows_and_ties_stay_together() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let codes = quantile_codes(&values, 4).unwrap();
        assert!((0..4).all(|bin| codes.iter().filter(|code| **code == bin).count() == 25));
        assert_eq!(quantile_codes(&[0.0, 0.0, 0.0, 5.0], 2).unwrap(), [0, 0, 0, 0]);
        assert_eq!(quantile_codes(&[1.0, f64::NAN, 2.0], 2).unwrap(), [0, NO_VALUE, 1]);
        assert_eq!(quantile_codes(&[f64::NAN], 2), None);
        assert_eq!(quantile_codes(&values, 1), None);
    }

    #[test]
    fn rare_values_are_one_value() {
        assert_eq!(merge_rare(&[9, 9, 9, 4, 4, 7, 1, NO_VALUE], 3).unwrap(), [0, 0, 0, 1, 1, 2, 2, NO_VALUE]);
        assert_eq!(merge_rare(&[1], 1), None);
    }
}
