//! Rare cells put together, so that approximations for large counts hold.

/// Puts cells whose expected count in either sample is below `least_expected` together.
///
/// The expected count of a cell is `(a + b) n / (n + m)` for the smaller sample size `n`. Rare cells
/// are gathered in ascending order of their pooled count; whenever a group is large enough the next
/// begins, so that a column of only rare values still keeps many cells. What is left over joins the
/// last group, or the smallest large cell. Cells that are empty on both sides are dropped. Large
/// cells come first, in the order of the input, then the groups.
///
/// Pooling looks only at the pooled counts, never at the difference, so it does not bias a test; cells of
/// equal counts are taken in an order of no meaning, because the order of the input may have one, such
/// as values that only the current sample has at its end.
/// `O(cells log cells)`. `None` if the lengths differ or a sample is empty.
#[must_use]
pub fn pool_small_cells(reference: &[u64], current: &[u64], least_expected: f64) -> Option<(Vec<u64>, Vec<u64>)> {
    let (n, m) = sizes(reference, current)?;
    let smaller_share = n.min(m) / (n + m);
    let pooled = |cell: usize| reference[cell] + current[cell];
    let expected = |cell: usize| pooled(cell) as f64 * smaller_share;
    let mut by_size: Vec<usize> = (0..reference.len()).filter(|cell| pooled(*cell) > 0).collect();
    by_size.sort_by_key(|cell| (pooled(*cell), mixed(*cell)));

    let first_large = by_size.partition_point(|cell| expected(*cell) < least_expected);
    let (rare, large) = by_size.split_at(first_large);
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let (mut open, mut gathered) = (Vec::new(), 0.0);
    for &cell in rare {
        open.push(cell);
        gathered += expected(cell);
        if gathered >= least_expected {
            groups.push(std::mem::take(&mut open));
            gathered = 0.0;
        }
    }
    let mut kept: Vec<Vec<usize>> = large.iter().map(|cell| vec![*cell]).collect();
    if let Some(group) = groups.last_mut().or_else(|| kept.first_mut()) {
        group.append(&mut open);
    } else if !open.is_empty() {
        groups.push(open);
    }
    kept.sort_by_key(|group| group[0]);
    kept.append(&mut groups);
    let side = |counts: &[u64]| kept.iter().map(|group| group.iter().map(|cell| counts[*cell]).sum()).collect();
    Some((side(reference), side(current)))
}

/// A number that does not follow the order of the cells, and differs for each.
fn mixed(cell: usize) -> u64 {
    let mixed = (cell as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

/// Totals of both sides; `None` if the lengths differ, a side is empty, or counts overflow together.
pub(super) fn sizes(reference: &[u64], current: &[u64]) -> Option<(f64, f64)> {
    if reference.len() != current.len() {
        return None;
    }
    let total = |counts: &[u64]| counts.iter().try_fold(0_u64, |sum, count| sum.checked_add(*count));
    let (n, m) = (total(reference)?, total(current)?);
    n.checked_add(m)?;
    (n > 0 && m > 0).then_some((n as f64, m as f64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_column_of_rare_values_keeps_many_cells() {
        let (reference, _) = pool_small_cells(&[2; 100], &[3; 100], 5.0).unwrap();
        assert_eq!(reference.len(), 33);
    }

    #[test]
    fn gathers_the_rare_and_keeps_the_order() {
        let (reference, current) = pool_small_cells(&[50, 1, 30, 0, 2, 3], &[40, 2, 30, 0, 1, 4], 5.0).unwrap();
        assert_eq!(reference, [50, 30, 6]);
        assert_eq!(current, [40, 30, 7]);
        assert_eq!(pool_small_cells(&[0], &[1], 5.0), None);
        assert_eq!(pool_small_cells(&[1], &[1, 2], 5.0), None);
    }

    proptest! {
        #[test]
        fn keeps_the_totals(
            cells in proptest::collection::vec((0..40_u64, 0..40_u64), 1..60)
        ) {
            let (a, b): (Vec<u64>, Vec<u64>) = cells.into_iter().unzip();
            if let Some((pooled_a, pooled_b)) = pool_small_cells(&a, &b, 5.0) {
                prop_assert_eq!(pooled_a.iter().sum::<u64>(), a.iter().sum::<u64>());
                prop_assert_eq!(pooled_b.iter().sum::<u64>(), b.iter().sum::<u64>());
            }
        }
    }
}
